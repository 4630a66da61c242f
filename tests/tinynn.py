"""tinynn.py - tinynn.h for Python, by ctypes alone

    make bindings       # build/libtinynn.so; build/tinynn_api.json, the API for other languages
    PYTHONPATH=tests python3 program.py

    import tinynn as tnn
    x, labels = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    net = tnn.create(input=[2], batch=4, seed=1)            # tnn_create(.input = {2}, ...)
    tnn.add(net, tnn.DENSE, units=8)                        # tnn_add(net, TNN_DENSE, .units = 8)
    tnn.add(net, tnn.TANH)
    tnn.add(net, tnn.DENSE, units=1)
    tnn.set_loss(net, tnn.BCE_LOGITS)
    tnn.set_optimizer(net, tnn.ADAM, lr=0.05)
    for step in range(200):
        tnn.train_batch(net, x, labels, 4)
    tnn.forward(net, x, 4, tnn.EVAL)
    print(tnn.output(net)[:4])
    tnn.free(net)

All of this is read from the header when it is imported: nothing is listed here that could be out of
date. help(tnn.add) is what the header says. Names are those of C without tnn_ and TNN_. To take
along: this file, tinynn.h and the library, in one folder; TINYNN_LIBRARY in the environment names
another library.

  options     keyword arguments. `from`, a word of Python, is from_. What the macro of C takes
              without a name, as tnn_add its .type, comes in its place here, too
  structures  tnn.data(), tnn.plateau(patience=3): what is not given is zero, which is the default
  errors      tnn.Error with the library's message, which names the line in Python, and .status
  arrays      lists, also nested, or what has a buffer of the right type and is then not copied:
              array.array("f", ...), numpy.float32. What C writes to must be one of these, such as
              (ctypes.c_int * 3)(). Nobody checks lengths, as in C
  results     const char * is str; other pointers are ctypes': p[3], p[:3], p.contents.member
  functions   any of Python; what it raises comes out of the call within which it was called
  lifetime    what C is given lives as long as the network, data set or loader that has it. These
              are freed as in C, by tnn.free(net), which makes net NULL, tnn.data_free(data) ...
"""
import ctypes as _c
import difflib as _difflib
import json as _json
import keyword as _keyword
import os as _os
import re as _re
import struct as _struct
import sys as _sys
import textwrap as _textwrap

_HERE = _os.path.dirname(_os.path.abspath(__file__))


def _beside(name):
    """The path of a file in this folder, the one above or its build/."""
    places = [_os.path.normpath(_os.path.join(_HERE, way)) for way in ("", "..", "../build")]
    for place in places:
        if _os.path.exists(_os.path.join(place, name)):
            return _os.path.join(place, name)
    raise ImportError("there is no %s in %s; `make bindings` builds the library" % (
        name, ", ".join(places)))


# ---- the header: it is read as text --------------------------------------------------------------
def _says(comment):
    """The text of a comment."""
    first, _, rest = comment[2:-2].partition("\n")
    return (first.strip(" -") + "\n" + _textwrap.dedent(rest)).strip()


def _pieces(text, end, sticky):
    """Cuts text at each `end` outside of brackets, into (code, doc). A doc is the comment behind
    the code on its line, and the one above, which holds for all that follows until an empty line
    if `sticky`, else for one piece that has none behind it."""
    pieces, code, own, above, depth, behind = [], "", "", "", 0, False
    for token in _re.findall(r"/\*.*?\*/|\n(?:[ \t]*\n)*|[{}(),;]|[^{}(),;/\n]+|/", text, _re.S):
        if depth == 0 and token.startswith("/*"):
            if code.strip():
                own += _says(token)
            elif behind:
                pieces[-1][1] += _says(token)
            else:
                above = _says(token)
        elif token == end and depth == 0:
            pieces.append([code.strip(), own, above])
            code, own, above, behind = "", "", above if sticky else "", True
        else:
            depth += (token in "{(") - (token in "})")
            if depth == 0 and "\n" in token:
                behind = False
                above = "" if sticky and token.count("\n") > 1 else above
            code += token
    if code.strip():
        pieces.append([code.strip(), own, above])
    return [(code, "\n".join(filter(None, (own, above))) if sticky else own or above)
            for code, own, above in pieces]


def _declared(text):
    """The (name, type) of each thing that text declares, as `const float *x, *y, z[3]`. A function
    is of the type "RETURNED (ARGUMENTS)", a pointer to one "RETURNED (*)(ARGUMENTS)"."""
    text = " ".join(text.split())
    function = _re.match(r"(.*?[ *])(?:\(\*(\w+)\)|(\w+))\((.*)\)$", text)
    if function:
        returned, pointer, name, arguments = function.groups()
        return [(pointer or name, "%s %s(%s)" % (returned.strip(), "(*)" * bool(pointer),
                                                 arguments))]
    found, base = [], ""
    for part in text.split(","):
        kind, name, size = _re.match(r"(.*?)(\w+) *((?:\[\w+\])*)$", base + part.strip()).groups()
        base = _re.match(r"[^*]*", kind).group()
        found.append((name, kind.strip() + size))
    return found


def _arguments(text):
    """The (name, type) of each of a function's arguments; an array is a pointer there."""
    return [] if text == "void" else [
        (name, _re.sub(r"\[\w+\]$", " *", kind))
        for piece, _ in _pieces(text, ",", False) for name, kind in _declared(piece)]


def _function(name, kind, doc):
    returned, arguments = _re.match(r"(.*?) \((.*)\)$", kind).groups()
    return {"name": name, "returns": returned, "doc": doc, "arguments": [
        {"name": argument, "type": kind} for argument, kind in _arguments(arguments)]}


def _fields(body):
    """The members of a struct, with a "default" where the comment says one value, or as many as it
    is about."""
    found = []
    value = r"(?:-?[\d.]*\d(?:e-?\d+)?|TNN_\w+|tnn_\w+\(\))"
    for piece, says in _pieces(body, ";", False):
        members = _declared(piece)
        said = _re.search(r"(?<!\()[Dd]efaults?:? (%s(?:, %s)*)(?![\w^*]|\.\d| (?:of|for|but) )"
                          % (value, value), says)
        said = said.group(1).split(", ") if said else []
        for i, (name, kind) in enumerate(members):
            found.append({"name": name, "type": kind, "doc": says})
            if len(said) in (1, len(members)):
                found[-1]["default"] = said[min(i, len(said) - 1)]
    return found


def api(path=None):
    """What a header declares: {"version", "constants": {name: number}, "enums", "structs",
    "callbacks" and "functions", with types as C writes them and the comments as "doc"; "macros",
    which take "arguments", then "first" if it is not null, then the members of the struct "options"
    by name, and call the function "calls"}. Structs without "fields" are known by pointers alone.
    """
    with open(path or _beside("tinynn.h"), encoding="utf-8") as file:
        text = file.read()
    text = text[text.index("#define TINYNN_H\n"):text.index("#endif /* TINYNN_H */")]
    declarations, named = text.split("/* ---- 1k. ")
    declarations = _re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", declarations, flags=_re.S)
    constants = {name: _json.loads(value.strip("()")) for name, value in
                 _re.findall(r"^#define (TNN_\w+) (\(?-?[\d.e-]+\)?)(?=\s)", declarations, _re.M)}
    declarations = _re.sub(r"^#(?:.*\\\n)*.*\n", "", declarations, flags=_re.M)
    found = {"version": "%(TNN_VERSION_MAJOR)d.%(TNN_VERSION_MINOR)d.%(TNN_VERSION_PATCH)d"
             % constants, "constants": constants, "enums": [], "structs": [], "callbacks": [],
             "functions": [], "macros": []}
    for code, doc in _pieces(declarations, ";", True):
        kind, name, body = _re.match(r"(?:typedef )?(enum|struct|\w+) *(\w*)[^{]*(?:\{(.*)\})?",
                                     code, _re.S).groups()
        if kind == "enum":
            values, value = [], -1
            for member, says in _pieces(body, ",", False):
                member, _, given = member.partition("=")
                value = eval(given, {}) if given else value + 1     # of numbers, as 1 << 12
                values.append({"name": member.strip(), "value": value, "doc": says})
                constants[member.strip()] = value
            found["enums"].append({"name": name or None, "values": values, "doc": doc})
        elif kind == "struct":
            found["structs"] = [s for s in found["structs"] if s["name"] != name] + [
                {"name": name, "doc": doc, "fields": _fields(body or "")}]
        else:
            where, code = code.split(" ", 1)
            found["functions" if where == "TNN_API" else "callbacks"].append(
                _function(*_declared(code)[0], doc))
    for name, arguments, calls, options, first in _re.findall(
            r"^#define (tnn_\w+)\(([\w, ]*)\.\.\.\) (?:\\\n)? *(\w+_with)\([^.]*?"
            r"TNN__OPTIONS\((\w+), (?:\.(\w+) = )?__VA_ARGS__", named, _re.M):
        found["macros"].append({"name": name, "calls": calls, "options": options, "first":
                                first or None, "arguments": arguments.replace(",", "").split()})
    return found


if __name__ == "__main__":
    _json.dump(api(*_sys.argv[1:]), _sys.stdout, indent=1)
    _sys.exit()

# ---- types ---------------------------------------------------------------------------------------
_api = api()
_types = {"char": _c.c_char, "unsigned char": _c.c_ubyte, "int": _c.c_int, "float": _c.c_float,
          "double": _c.c_double, "long long": _c.c_longlong, "size_t": _c.c_size_t,
          "uint32_t": _c.c_uint32, "uint64_t": _c.c_uint64, "void": None}
_raised = []            # by functions of the caller's, within a call that has not returned yet


def _type(text):
    """The ctypes type of a type as C writes it."""
    text = _re.sub(r"\bstruct |\s+$", "", text)
    size = _re.search(r"\[(\w+)\]$", text)
    pointer = _re.match(r"(.*?) \(\*\)\((.*)\)$", text)
    if size:
        count = _api["constants"].get(size.group(1))
        return _type(text[:size.start()]) * int(count or size.group(1))
    if pointer:
        return _callback(pointer.group(1), [kind for _, kind in _arguments(pointer.group(2))])
    if text in ("const char *", "const char *const"):
        return _c.c_char_p
    if text.endswith("*") or text.endswith("*const"):
        kind = _type(text[:text.rindex("*")])
        return _c.c_void_p if kind is None else kind if issubclass(kind, _Function) \
            else _c.POINTER(kind)
    return _types[_re.sub(r"\bconst *", "", text)]


_Function = _c.CFUNCTYPE(None).__mro__[1]
_Pointer = _c.POINTER(_c.c_int).__mro__[1]


def _callback(returned, arguments):
    result = _c.c_void_p if returned.endswith("*") else _type(returned)
    kind = _c.CFUNCTYPE(result, *map(_type, arguments))
    kind.failed = {"int": 1, "double": float("nan")}.get(returned)
    return kind


class _Struct(_c.Structure):
    """A structure of C; its members convert what they are given."""
    def __init__(self, *values, **members):
        if len(values) > len(self.types):
            raise TypeError("%s has %d members, not %d" % (
                type(self).__name__, len(self.types), len(values)))
        for name, value in [*zip(self.types, values), *members.items()]:
            setattr(self, name, value)

    def __setattr__(self, name, value):
        if name not in self.types:
            like = _difflib.get_close_matches(name, self.types)
            raise AttributeError("%s has no %s%s" % (
                type(self).__name__, name, "; it has " * bool(like) + " ".join(like)))
        value = _convert(self.types[name], value, "." + name)
        vars(self).setdefault("_kept", {})[name] = value
        super().__setattr__(name, value)

    def __getattribute__(self, name):
        value = super().__getattribute__(name)
        return _os.fsdecode(value) if isinstance(value, bytes) else value


def _convert(type_, value, what):
    """The value as the C type `type_`, a pair of a ctypes type and whether it points to const. What
    it points to lives as long as what is returned."""
    kind, const = type_
    member = getattr(kind, "_type_", None)
    if value is None:
        return kind() if issubclass(kind, _Function) else None
    if isinstance(value, kind) or kind is _c.c_void_p and isinstance(value, int):
        return value
    if isinstance(value, int) and member in list("iIlLqQ") and kind(value).value != value:
        raise OverflowError("%s: %d is too large, or too small" % (what, value))
    if kind is _c.c_char_p:
        return _os.fsencode(value)
    if issubclass(kind, _Function):
        return kind(_guarded(value, kind.failed))
    if issubclass(kind, _c.Array):
        return kind(*_members(member, value))
    if not issubclass(kind, (_Pointer, _c.c_void_p)) or isinstance(value, _REFERENCE):
        return value                                    # ctypes refuses what does not fit
    if isinstance(value, member) if issubclass(kind, _Pointer) else isinstance(value, _c.Structure):
        return _c.pointer(value)
    if isinstance(value, _c.Array) and value._type_ is member:
        return _c.cast(value, kind)
    if isinstance(value, (list, tuple)) and kind is not _c.c_void_p:
        if not const:
            raise TypeError("%s: C writes there: it must be a buffer, not a list" % what)
        values = _members(member, value)
        return _c.cast((member * len(values))(*values), kind)
    if kind is not _c.c_void_p and issubclass(member, _c.Structure):
        raise TypeError("%s: it is a %s, needed is a %s" % (
            what, type(value).__name__, member.__name__))
    view = memoryview(value)
    if kind is not _c.c_void_p and view.format.lstrip("@=<>") not in _codes(member._type_):
        raise TypeError("%s: its values are of type %r, needed are %s" % (
            what, view.format, member.__name__))
    if not view.c_contiguous or view.readonly and not const:
        raise TypeError("%s: %s" % (what, "C writes there, and it cannot be written" if
                                    view.c_contiguous else "its values are not side by side"))
    run = _c.c_char * view.nbytes
    return _c.cast(run.from_buffer_copy(value) if view.readonly else run.from_buffer(value), kind)


_REFERENCE = type(_c.byref(_c.c_int()))


def _members(member, values):
    """A list's values, as an array of `member`s takes them."""
    if issubclass(member, _Struct):
        return [v if isinstance(v, member) else member(*v) for v in values]
    if member is _c.c_char_p:
        return [_os.fsencode(v) for v in values]
    return _flat(values)


def _codes(code):
    """What memoryview calls a type that module struct calls `code`."""
    kinds = [kinds for kinds in ("fd", "bhilq", "BHILQ", "c") if code in kinds][0]
    return [c for c in kinds if _struct.calcsize(c) == _struct.calcsize(code)] + ["B"]*(code == "c")


def _flat(values):
    return [v for value in values for v in
            (_flat(value) if isinstance(value, (list, tuple)) else [value])]


def _guarded(function, failed):
    """A function that C may call: what it raises waits in _raised, and C is told `failed`."""
    def guarded(*values):
        try:
            return function(*[_os.fsdecode(v) if isinstance(v, bytes) else v for v in values])
        except BaseException as error:                  # it goes on in `called`
            _raised.append(error)
            return failed
    return guarded


_types.update((e["name"], _c.c_int) for e in _api["enums"] if e["name"])
_types.update((name, type(name, (_c.Structure,), {})) for name in ("tnn__loader", "tnn__table"))
_types.update((s["name"], type(s["name"], (_Struct,), {"__doc__": s["doc"], "types": {}}))
              for s in _api["structs"])
_types.update((f["name"], _callback(f["returns"], [a["type"] for a in f["arguments"]]))
              for f in _api["callbacks"])
for _s in _api["structs"]:
    _members_of = {f["name"] + "_" * _keyword.iskeyword(f["name"]):
                   (_type(f["type"]), f["type"].startswith("const")) for f in _s["fields"]}
    if _members_of:
        _types[_s["name"]].types = _members_of
        _types[_s["name"]]._fields_ = [(name, type_[0]) for name, type_ in _members_of.items()]


# ---- functions -----------------------------------------------------------------------------------
_lib = _c.CDLL(_os.environ.get("TINYNN_LIBRARY") or _beside("libtinynn.so"))
_lib.tnn_error.restype = _c.c_char_p
_lines = {}             # file names as C has them: it keeps a pointer


class Error(Exception):
    """What tnn_error says; .status is one of ERROR_ARGUMENT, ERROR_SHAPE ..."""
    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


def _function_of(function):
    """What calls a function of C, with its arguments and the caller's frame."""
    name, arguments = function["name"], function["arguments"]
    types = [(_type(a["type"]), a["type"].startswith("const")) for a in arguments]
    call = getattr(_lib, name)
    call.restype, call.argtypes = _type(function["returns"]), [kind for kind, _ in types]

    def called(given, frame):
        if len(given) != len(types):
            raise TypeError("%s takes %d arguments (%s), not %d" % (
                name, len(types), ", ".join(a["name"] for a in arguments), len(given)))
        values = [_convert(type_, value, "%s: %s" % (name, a["name"]))
                  for type_, value, a in zip(types, given, arguments)]
        path = frame.f_code.co_filename
        _lib.tnn_at(_lines.setdefault(path, _os.fsencode(path)), frame.f_lineno)
        result = call(*values)
        # Each network, data set ... among these may go on to use the others: those of the last
        # such call; of every layer that is added.
        layer = _lib.tnn_layer_count(given[0]) if name == "tnn_add_with" else 0
        for holder in [v for v in (result, *given) if isinstance(v, (_c.Structure, _Pointer))] or [
                _lib]:
            vars(holder).setdefault("_kept", {})[name, layer] = (values, given)
        if name.endswith("_free") and isinstance(given[0], _Pointer):
            _c.memset(_c.byref(given[0]), 0, _c.sizeof(given[0]))
            vars(given[0]).clear()
        status, message = _lib.tnn_failed(), _lib.tnn_error()
        if status or _raised:
            _lib.tnn_clear_error()
            error = _raised[0] if _raised else Error(message.decode("utf-8", "replace"), status)
            _raised.clear()
            raise error
        return None if function["returns"] == "tnn_status" else \
            _os.fsdecode(result) if isinstance(result, bytes) else result
    return called


def _documented(call, name, declared, doc):
    call.__name__ = call.__qualname__ = name
    call.__doc__ = declared + "\n\n" + doc
    return call


def _plain(function):
    """What a user calls: its doc is the declaration and what the header says."""
    called = _calls[function["name"]]
    return _documented(
        lambda *given: called(given, _sys._getframe(1)), function["name"], "%s %s(%s)" % (
            function["returns"], function["name"], ", ".join(
                (a["type"] + " " + a["name"]).replace("* ", "*") for a in function["arguments"])),
        function["doc"])


def _named(macro):
    """The same of a macro with named arguments: its doc has these, too."""
    called, options, first = _calls[macro["calls"]], macro["options"], macro["first"]
    count = len(macro["arguments"])

    def call(*given, **named):
        if first and len(given) > count:
            named[first] = given[count]
        return called((*given[:count], _types[options](**named), *given[count + bool(first):]),
                      _sys._getframe(1))
    members = [s["fields"] for s in _api["structs"] if s["name"] == options][0]
    return _documented(
        call, macro["name"], "%s(%s)" % (macro["name"], ", ".join(
            macro["arguments"] + [first] * bool(first) + ["options"])),
        "%s\n\nOptions:\n%s" % (
            [f["doc"] for f in _api["functions"] if f["name"] == macro["calls"]][0],
            "\n".join("  %-12s %-12s %s" % (m["name"], m["type"], " ".join(m["doc"].split()))
                      for m in members)))


_calls = {f["name"]: _function_of(f) for f in _api["functions"]}
_names = {name[4:]: value for name, value in [
    *_api["constants"].items(), *_types.items(),
    *((f["name"], _plain(f)) for f in _api["functions"]),
    *((m["name"], _named(m)) for m in _api["macros"])] if name.lower().startswith("tnn_")}


def __getattr__(name):
    if name in _names:
        return _names[name]
    like = _difflib.get_close_matches(name, _names)
    raise AttributeError("tinynn has no %s%s" % (name, "; it has " * bool(like) + " ".join(like)))


def __dir__():
    return ["Error", "api", *_names]
