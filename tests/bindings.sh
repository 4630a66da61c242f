#!/bin/sh
# bindings.sh - what tests/tinynn.py reads from the header is what C reads there, and programs in
# Python end with the bits of the same in C. Needs python3, of which it takes the standard library
# alone, and build/tinynn.o (make builds it).

about=bindings
. tests/check.sh
cc=${CC:-cc}
top=$PWD
python3 -c 'import ctypes' 2> /dev/null || { skip "all" "needs python3 with ctypes"; exit 0; }
env -u MAKEFLAGS ${MAKE:-make} -s bindings || exit 1
export PYTHONPATH="$top/tests" PYTHONDONTWRITEBYTECODE=1

# ---- what is declared ----------------------------------------------------------------------------
declared() { # as many functions as grep finds, and as the library exports
    python3 -c 'import json, sys
for f in json.load(sys.stdin)["functions"]: print(f["name"])' < build/tinynn_api.json |
        sort > "$dir/functions"
    sed '/^#ifndef TINYNN_H/,/^#endif .* TINYNN_H/!d; /^TNN_API /!d' tinynn.h |
        grep -o '\<tnn_[a-z0-9_]*(' | tr -d '(' | sort > "$dir/grepped"
    [ -s "$dir/grepped" ] && diff "$dir/functions" "$dir/grepped" || return 1
    ! have nm || nm -D build/libtinynn.so | sed -n 's/.* T _*\(tnn_.*\)/\1/p' | sort |
        diff "$dir/functions" -
}
check "every public function is there" declared

cat > "$dir/print.py" << 'END_OF_PYTHON'
"""print.py c - a program in C that declares all again, and prints what print.py does"""
import ctypes, sys
import tinynn as tnn
api = tnn.api()
in_c = sys.argv[1:] == ["c"]
lines = []
def line(text, c, value):
    lines.append('    printf("%s %%lld\\n", (long long)(%s));' % (text, c) if in_c else
                 "%s %d" % (text, value))
for e in api["enums"]:
    for v in e["values"]:
        line(v["name"], v["name"], getattr(tnn, v["name"][4:]))
for s in [s for s in api["structs"] if s["fields"]]:
    struct, name = getattr(tnn, s["name"][4:]), s["name"]
    line(name, "sizeof(%s)" % name, ctypes.sizeof(struct))
    for f, (member, kind) in zip(s["fields"], struct._fields_):
        for what, c in ("offset", "offsetof(%s, %s)"), ("size", "sizeof ((%s *)0)->%s"):
            line("%s.%s %s" % (name, f["name"], what), c % (name, f["name"]),
                 getattr(getattr(struct, member), what))
if in_c:
    print("#include <stddef.h>\n#include <stdio.h>\n#include <tinynn.h>")
    for f in api["functions"]:
        print("extern %s (%s)(%s);" % (f["returns"], f["name"], ", ".join(
            a["type"] for a in f["arguments"]) or "void"))
    for f in api["callbacks"]:
        print("static %s *const %s_;\ntypedef %s %s_again(%s);\n"
              "static %s_again *const %s_ = 0;" % (f["name"], f["name"], f["returns"], f["name"],
              ", ".join(a["type"] for a in f["arguments"]), f["name"], f["name"]))
    for s in [s for s in api["structs"] if s["fields"]]:
        for f in s["fields"]:                           # pointers of the same type compare
            at = "(*)(" if "(*)(" in f["type"] else "[" if "[" in f["type"] else "$"
            kind = f["type"].replace("(*)(", "(**)(") if at == "(*)(" else \
                f["type"].replace("[", " (*)[", 1) if at == "[" else f["type"] + " *"
            lines.append("    if (&((%s *)0)->%s == (%s)0) (void)0;" % (s["name"], f["name"], kind))
    print("int main(void)\n{\n%s\n    return 0;\n}" % "\n".join(lines))
else:
    print("\n".join(lines))
END_OF_PYTHON
same_types() {
    python3 "$dir/print.py" c > "$dir/print.c" &&
        $cc -std=c99 -Werror -Wno-address -I. "$dir/print.c" -o "$dir/print" &&
        "$dir/print" > "$dir/of_c" && python3 "$dir/print.py" > "$dir/of_python" &&
        [ "$(wc -l < "$dir/of_c")" -gt 1000 ] && diff "$dir/of_c" "$dir/of_python"
}
check "types, sizes, offsets and enums are those of C" same_types
described() { # words of the header, and defaults, stand in the JSON
    python3 - << 'END_OF_PYTHON'
import json
api = json.load(open("build/tinynn_api.json", encoding="utf-8"))
by = {kind: {x["name"]: x for x in api[kind]} for kind in ("functions", "structs", "macros")}
fields = {f["name"]: f for f in by["structs"]["tnn_net_options"]["fields"]}
assert fields["batch"]["default"] == "64" and fields["threads"]["default"] == "tnn_threads()"
assert fields["input"]["type"] == "int[3]" and "required" in fields["input"]["doc"]
assert "label" in by["functions"]["tnn_correct"]["doc"]
assert by["functions"]["tnn_failed"]["doc"] == "the status of the first error, or 0"
assert by["macros"]["tnn_add"] == {"name": "tnn_add", "calls": "tnn_add_with", "first": "type",
                                   "options": "tnn_layer", "arguments": ["net"]}
assert len(by["macros"]) == sum(name.endswith("_with") for name in by["functions"])
said = [f["doc"] for f in api["functions"]]
assert sum(map(bool, said)) > len(said)*0.9, [n for n, f in by["functions"].items() if not f["doc"]]
END_OF_PYTHON
}
check "the API as JSON" described

# ---- what it does: the same programs in C and in Python ------------------------------------------
cat > "$dir/same.c" << 'END_OF_C'
#include "tinynn.h"
#include <stdio.h>
static int two(void *user, const tnn_fit_state *state)
{
    (void)user;
    return state->epoch_ended && state->epoch == 2;
}
int main(void)
{
    static const float xor_x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    static const int xor_label[4] = {0, 1, 1, 0};
    static float x[90][64], p[30*3];
    static int label[90];
    int counts[9], i;
    tnn_log_to_stderr();
    tnn_net *net = tnn_create(.input = {2}, .batch = 4, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 8);
    tnn_add(net, TNN_TANH);
    tnn_add(net, TNN_DENSE, .units = 1);
    tnn_set_loss(net, TNN_BCE_LOGITS);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.05);
    for (i = 0; i < 200; i++) tnn_train_batch(net, xor_x[0], xor_label, 4);
    tnn_forward(net, xor_x[0], 4, TNN_EVAL);
    for (i = 0; i < 4; i++) printf("%.9g\n", tnn_output(net)[i]);
    printf("%016llx\n", (unsigned long long)tnn_hash(net));
    tnn_free(net);

    for (i = 0; i < 90*64; i++) x[i/64][i%64] = tnn_random_normal(1, 2, (uint64_t)i);
    for (i = 0; i < 90; i++) label[i] = i%3;
    tnn_data all = tnn_data_view(NULL, x[0], label, 90, 1, 8, 8), train, test;
    tnn_split_stratified(&all, 60, 1, &train, &test);
    net = tnn_create(.input = {1, 8, 8});           /* options that are not named: defaults */
    tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1, .init = TNN_INIT_HE_NORMAL,
            .init_with = {.fan = TNN_FAN_OUT});
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_ADD, .from = 3);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_DROPOUT);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .label_smoothing = 0.1f);
    tnn_set_optimizer(net, TNN_ADAMW);
    tnn_set_schedule(net, TNN_COSINE, .steps = 20);
    const tnn_loader_options loader = {.batch = 16, .shuffle = 1, .seed = 3, .flip = 0.5};
    tnn_history run = tnn_fit(net, &train, &test, .epochs = 5, .callback = two, .loader = &loader);
    for (i = 0; i < run.count; i++)
        printf("%d %.17g %.17g\n", run.epochs[i].epoch, run.epochs[i].loss,
               run.epochs[i].validation_loss);
    tnn_predict(net, &test, p, 90);
    tnn_confusion(net, &test, counts, 3);
    for (i = 0; i < 9; i++) printf("%d %.9g\n", counts[i], p[i]);
    printf("%s (%d, %d) %016llx\n", tnn_param_info(net, 1).name, tnn_param_info(net, 0).dims[0],
           tnn_param_info(net, 0).dims[3], (unsigned long long)tnn_hash(net));
    tnn_save_weights(net, "c.safetensors");
    return tnn_failed();
}
END_OF_C
cat > "$dir/same.py" << 'END_OF_PYTHON'
import array, gc
import tinynn as tnn
x, label = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
net = tnn.create(input=[2], batch=4, seed=1)
tnn.add(net, tnn.DENSE, units=8)
tnn.add(net, tnn.TANH)
tnn.add(net, tnn.DENSE, units=1)
tnn.set_loss(net, tnn.BCE_LOGITS)
tnn.set_optimizer(net, tnn.ADAM, lr=0.05)
for i in range(200):
    tnn.train_batch(net, x, label, 4)
tnn.forward(net, x, 4, tnn.EVAL)
for value in tnn.output(net)[:4]:
    print("%.9g" % value)
print("%016x" % tnn.hash(net))
tnn.free(net)
assert not net

x = array.array("f", [tnn.random_normal(1, 2, i) for i in range(90*64)])
train, test = tnn.data(), tnn.data()
data = tnn.data_view(None, x, [i % 3 for i in range(90)], 90, 1, 8, 8)
tnn.split_stratified(data, 60, 1, train, test)
del data, x
gc.collect()                            # the parts keep what they are of
net = tnn.create(input=[1, 8, 8])
tnn.add(net, tnn.CONV2D, filters=4, kernel=3, pad=1, init=tnn.INIT_HE_NORMAL,
        init_with=tnn.init_options(fan=tnn.FAN_OUT))
tnn.add(net, tnn.BATCHNORM)
tnn.add(net, tnn.RELU)
tnn.add(net, tnn.CONV2D, filters=4, kernel=3, pad=1)
tnn.add(net, tnn.ADD, from_=3)
tnn.add(net, tnn.MAXPOOL2D, kernel=2)
tnn.add(net, tnn.DROPOUT)
tnn.add(net, tnn.FLATTEN)
tnn.add(net, tnn.DENSE, units=3)
tnn.set_loss(net, tnn.CROSS_ENTROPY, label_smoothing=0.1)
tnn.set_optimizer(net, tnn.ADAMW)
tnn.set_schedule(net, tnn.COSINE, steps=20)
run = tnn.fit(net, train, test, epochs=5, loader=tnn.loader_options(
                  batch=16, shuffle=1, seed=3, flip=0.5),
              callback=lambda user, state: state.contents.epoch_ended and state.contents.epoch == 2)
for epoch in run.epochs[:run.count]:
    print("%d %.17g %.17g" % (epoch.epoch, epoch.loss, epoch.validation_loss))
p, counts = array.array("f", [0]*90), array.array("i", [0]*9)
tnn.predict(net, test, p, 90)
tnn.confusion(net, test, counts, 3)
for i in range(9):
    print("%d %.9g" % (counts[i], p[i]))
print("%s (%d, %d) %016x" % (tnn.param_info(net, 1).name, tnn.param_info(net, 0).dims[0],
                             tnn.param_info(net, 0).dims[3], tnn.hash(net)))
tnn.save_weights(net, "python.safetensors")
END_OF_PYTHON
same_bits() {
    $cc -std=c99 -I. "$dir/same.c" build/tinynn.o -o "$dir/same" -lm -pthread || return 1
    (cd "$dir" && ./same > c.txt && python3 same.py > python.txt && [ -s c.txt ] &&
        diff c.txt python.txt && cmp c.safetensors python.safetensors)
}
check "xor and a convolutional network, to the bit" same_bits

cat > "$dir/wrong.py" << 'END_OF_PYTHON'
"""Errors are exceptions that say what the library says, and nothing is left of them."""
import array, ctypes, gc, math
import tinynn as tnn

def raises(kind, words, call, *given, **named):
    try:
        call(*given, **named)
    except kind as error:
        for word in words:
            assert word in str(error), "no %r in %r" % (word, str(error))
        assert tnn.failed() == 0 and tnn.error() == ""
        return error
    raise AssertionError("nothing was raised: %r" % words)

def trained(units=3):
    net = tnn.create(input=[4], batch=8)
    tnn.add(net, tnn.DENSE, units=units)
    tnn.set_loss(net, tnn.CROSS_ENTROPY)
    tnn.set_optimizer(net, tnn.SGD)
    return net

# ---- the library's errors
x, labels = [[0.5]*4]*8, [0, 1, 2]*2 + [0, 1]
net = trained()
try:
    tnn.train_batch(net, x, [0]*7 + [3], 8)
except tnn.Error as error:
    assert error.status == tnn.ERROR_ARGUMENT, error.status
    assert str(error).startswith("wrong.py:%d: " % error.__traceback__.tb_lineno), error
    assert "label 3" in str(error) and "sample 7" in str(error) and "3 classes" in str(error), error
else:
    raise AssertionError
assert math.isfinite(tnn.train_batch(net, x, labels, 8))                # and goes on
raises(tnn.Error, ["wrong.py:", "layer 1, dense", ".units = -1", "must be 1 to"],
       trained, -1)
raises(tnn.Error, ["none.safetensors", "No such file"], tnn.load_weights, net, "none.safetensors")
assert tnn.load_weights(net, "none.safetensors", optional=1) == 0
raises(tnn.Error, ["TNN_DENSE has no .filters", "it has .units"], tnn.add, trained(), tnn.DENSE,
       filters=3)
logged = []
tnn.set_logger(lambda user, message: logged.append(message), None)
gc.collect()
error = raises(tnn.Error, ["no samples"], tnn.loader_create, tnn.data(), batch=4)
tnn.set_logger(None, None)
assert logged == [str(error)], logged
freed = trained()
tnn.free(freed)
raises(tnn.Error, ["no network"], tnn.forward, freed, x, 8, tnn.TRAIN)

# ---- what cannot be given to C
raises(AttributeError, ["tnn_layer has no unit; it has units"], tnn.add, net, tnn.DENSE, unit=3)
raises(AttributeError, ["tinynn has no craete; it has create"], getattr, tnn, "craete")
raises(TypeError, ["tnn_forward takes 4 arguments (net, x, n, mode), not 2"], tnn.forward, net, x)
raises(TypeError, ["tnn_create_with takes 1 arguments (options), not 2"], tnn.create, [2])
raises(OverflowError, [".batch: 1099511627776"], tnn.create, input=[2], batch=2**40)
raises(OverflowError, ["tnn_forward: n: -5000000000"], tnn.forward, net, x, -5*10**9, tnn.EVAL)
raises(TypeError, ["tnn_rename has 2 members, not 3"], tnn.weights_options,
       rename=[("a", "b", "c")])
raises(TypeError, ["floats: its values are of type 'd'", "c_float"], tnn.data_view, None,
       array.array("d", [0]*4), [0], 1, 4, 1, 1)
raises(TypeError, ["counts: C writes there", "not a list"], tnn.confusion, net, tnn.data(),
       [0]*9, 3)
raises(TypeError, ["cannot be written"], tnn.confusion, net, tnn.data(),
       memoryview(array.array("i", [0]*9)).toreadonly(), 3)
raises(TypeError, ["not side by side"], tnn.forward, net,
       memoryview(array.array("f", [0]*64))[::2], 8, tnn.EVAL)
raises(TypeError, ["net: it is a tnn_data, needed is a tnn_net"], tnn.forward, tnn.data(), x, 8,
       tnn.EVAL)

# ---- functions of Python within C
data = tnn.data_view(None, array.array("f", [0.5]*32), labels, 8, 4, 1, 1)
def stop(user, state):
    raise KeyError("mine")
raises(KeyError, ["mine"], tnn.fit, net, data, None, epochs=3, callback=stop)
def evaluate(user, state):
    tnn.evaluate(state.contents.net, tnn.data())
raises(tnn.Error, ["tnn_evaluate", "no data"], tnn.fit, net, data, None, epochs=3,
       callback=evaluate)
def source(user, i, x, labels, target):
    if i == 7 and broken:
        raise OSError("sample 7 is not there")
    for k in range(4):
        x[k] = i/8
    labels[0] = i % 3
    return 0
broken = False
streamed = tnn.data_create(n=8, shape=[4], sample=source, classes=3)
gc.collect()
before = tnn.evaluate(net, streamed)
assert before.n == 8
broken = True
raises(OSError, ["sample 7"], tnn.evaluate, net, streamed)
def squares(user, outputs, targets, labels, n, count, gradient):
    for i in range(n*count):
        gradient[i] = 2*outputs[i]
    return sum(v*v for v in outputs[:n*count])
net = tnn.create(input=[4], batch=8, seed=5)
tnn.add(net, tnn.DENSE, units=2)
tnn.set_loss(net, tnn.CUSTOM_LOSS, custom=squares)
tnn.set_optimizer(net, tnn.SGD, lr=0.01)
gc.collect()
losses = [tnn.train_batch(net, x, labels, 8) for i in range(20)]
assert losses[-1] < losses[0]/2, losses

# ---- structures: zeros are the defaults, members convert, texts are str
assert bytes(tnn.layer()) == bytes(ctypes.sizeof(tnn.layer))
options = tnn.loader_options(batch=3, draw_weights=[1, 2, 3])
gc.collect()
assert options.draw_weights[:3] == [1, 2, 3] and options.batch == 3
assert tnn.weights_options(rename=[("features.", "0.")]).rename[0].file == "features."
space = [tnn.variable(name="lr", low=1e-4, high=1, log=1),
         tnn.variable(name="act", type=tnn.CATEGORICAL, choices="relu tanh")]
study = tnn.study_create(space=space, count=2, trials=6)
del space
gc.collect()
trial = tnn.ask(study)
while trial:
    assert tnn.trial_choice(trial, "act") in (0, 1)
    tnn.tell(trial, tnn.trial_float(trial, "lr"))
    trial = tnn.ask(study)
assert tnn.study_best(study).contents.value == min(
    tnn.study_trial(study, i).contents.value for i in range(6))
tnn.study_free(study)
text = ctypes.create_string_buffer(2000)
assert tnn.summary(net, text, 2000, 0) == len(text.value) and b"Linear" in text.value
assert "tnn_status tnn_forward(tnn_net *net, const float *x" in tnn.forward.__doc__
assert "units" in tnn.add.__doc__
END_OF_PYTHON
wrong() { (cd "$dir" && python3 wrong.py); }
check "errors, functions of Python, structures" wrong
numpy() { # without a copy, of the right type
    /usr/bin/python3 -c 'import numpy' 2> /dev/null || { echo "needs numpy"; return 77; }
    /usr/bin/python3 - << 'END_OF_PYTHON'
import numpy, tinynn as tnn
x = numpy.zeros((2, 3), numpy.float32)
data = tnn.data_view(None, x, numpy.array([0, 1], numpy.int32), 2, 3, 1, 1)
x[1] = [1, 2, 3]
y = numpy.empty(3, numpy.float32)
tnn.sample(data, 1, y, 3)
assert list(y) == [1, 2, 3]
try:
    tnn.data_view(None, x.astype(float), [0, 1], 2, 3, 1, 1)
except TypeError:
    pass
else:
    raise AssertionError
END_OF_PYTHON
}
check "numpy's arrays" numpy
opening() { # the program in tinynn.py's head
    sed -n '/^    import tinynn/,/^    tnn.free/s/^    //p' tests/tinynn.py > "$dir/head.py" &&
        python3 "$dir/head.py" | grep '^\[-[0-9.]*, [0-9.]*, [0-9.]*, -[0-9.]*\]$'
}
check "the program in its head" opening
total
