#!/usr/bin/python3
"""Writes tests/vectors/files.txt for tests/test_files.c.

    python3 tests/file_vectors.py [DIRECTORY]

Files byte by byte: .npy as NumPy writes them and with headers by hand that NumPy reads;
safetensors put together here from the format's description, with the weights of a small network of
PyTorch's and what that network makes of an input. With TINYNN_DATA in the environment also a few
outputs of VGG-16's first two blocks; without it those are kept as they are in the old file.
"""
import io
import json
import os
import struct

import numpy as np
import torch

from torch_vectors import Vectors, coarse, value

OUT = Vectors("files.txt", "files byte by byte, and what they hold")
OUT.lines[0] = OUT.lines[0].replace("torch_vectors.py", "file_vectors.py")


def put_bytes(key, data):
    OUT.put(key, np.frombuffer(data, dtype=np.uint8), "%d")


# ---- .npy ----------------------------------------------------------------------------------------

DTYPES = ["", "?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "", "f4", "f8"]


def npy(name, data, dtype, canonical=0):
    """A case: a file, and what NumPy reads from it."""
    a = np.load(io.BytesIO(data), allow_pickle=False)
    OUT.case("npy-" + name)
    put_bytes("file", data)
    OUT.put("dtype", [DTYPES.index(dtype)])
    OUT.put("canonical", [canonical])   # what tnn_save_npy writes of it, too
    OUT.put("shape", a.shape if a.ndim else [], "%d")
    OUT.put("values", np.ascontiguousarray(a).astype(np.float64).ravel(), "%.17g")


def saved(a):
    f = io.BytesIO()
    np.save(f, a)
    return f.getvalue()


def by_hand(version, header, data):
    header = header.encode("utf8")
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def npy_cases():
    for dtype in filter(None, DTYPES):
        lows = {"u": 0, "i": -1, "f": -1, "?": 0}[dtype[0]]
        a = coarse(DTYPES.index(dtype), 2, 3).numpy() * 64
        if lows == 0:
            a = np.abs(a)
        a = a.astype(dtype)
        if dtype[0] in "ui":            # the extremes that a double holds
            info = np.iinfo(dtype)
            a[0, 0], a[1, 2] = info.min, info.max if info.max < 2**53 else 2**53
        if dtype[0] == "f":             # the least and the largest, a zero with a sign
            info = np.finfo(dtype)
            a[0] = [info.max, info.tiny / 4, -0.0]
            a[1, :2] = [np.inf, -np.inf]
        for order in "<>":
            if a.itemsize > 1 or order == "<":
                npy(a.dtype.str[1:] + ("-big" if order == ">" else ""),
                    saved(a.astype(a.dtype.newbyteorder(order))), dtype, order == "<")
    npy("scalar", saved(np.float32(2.5)), "f4", 1)
    npy("vector", saved(np.arange(5, dtype="i8")), "i8", 1)
    npy("empty", saved(np.zeros((3, 0, 2), "f8")), "f8", 1)
    npy("dimensions", saved(np.arange(12, dtype="u1").reshape(1, 2, 1, 3, 1, 1, 2, 1)), "u1", 1)
    fortran = np.arange(24, dtype="i2").reshape(2, 3, 4)
    npy("fortran", saved(np.asfortranarray(fortran)), "i2")
    npy("fortran-big", saved(np.asfortranarray(fortran.astype(">i2"))), "i2")
    four = np.array([1, -2, 3, 4], "<i2").tobytes()
    for i, (version, header) in enumerate([
            (2, "{'descr': '<i2', 'fortran_order': False, 'shape': (4,), }        \n"),
            (3, "{'descr': '<i2', 'fortran_order': False, 'shape': (4,), }\n"),
            (1, "{'shape': (2, 2), 'descr': '<i2', 'fortran_order': False}\n"),
            (1, '{"descr":"<i2","fortran_order":False,"shape":(2,2)}\n'),
            (1, "{ 'descr' :\t'<i2' , 'fortran_order'\n: False, 'shape': ( 1 ,4, ) , } \n"),
            (1, "{'descr': '<i2', 'fortran_order': False, 'shape': (1L, 4L), }\n"),
            (1, "{'descr': '<i2', 'fortran_order': False, 'shape': (4, 1, 1), }"),
            (1, "{'descr': '<i2', 'fortran_order': True, 'shape': (1, 4), }\n"),
            (2, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 2), }\n")]):
        npy("header-%d" % i, by_hand(version, header, four), "i2")


# ---- safetensors ---------------------------------------------------------------------------------

def safetensors(tensors, metadata=None, pad=True):
    """Name -> (type, shape, bytes), in this order."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape),
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    if pad:
        text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def read_back(data):
    """The same file as tensors, by the description of the format."""
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + n])
    kinds = {"F32": "<f4", "I64": "<i8"}
    return {name: torch.tensor(np.frombuffer(
        data[8 + n + t["data_offsets"][0]:8 + n + t["data_offsets"][1]],
        kinds[t["dtype"]]).reshape(t["shape"]).copy())
        for name, t in header.items() if name != "__metadata__"}


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1, groups=2), torch.nn.BatchNorm2d(4),
        torch.nn.PReLU(4), torch.nn.ConvTranspose2d(4, 3, 2), torch.nn.BatchNorm2d(3),
        torch.nn.Flatten(), torch.nn.Linear(75, 2))


def weights():
    net = network().double()
    state = net.state_dict()
    for i, (name, t) in enumerate(state.items()):
        if name.endswith("num_batches_tracked"):
            t.fill_(7)
        else:
            v = coarse(50 + i, *t.shape) / 2
            t.copy_(v.abs() + 0.25 if name.endswith("var") else v)
    net.eval()
    x = coarse(49, 3, 2, 4, 4)
    y = net(x).detach()
    as_f32 = {name: ("F32", t.shape, t.numpy().astype("<f4").tobytes())
              for name, t in state.items() if t.dtype == torch.float64}
    theirs = {name: as_f32.get(name) or ("I64", t.shape, t.numpy().astype("<i8").tobytes())
              for name, t in state.items()}
    last = [n for n in as_f32 if "running" in n]
    ours = {n: as_f32[n] for n in list(as_f32) if n not in last}
    ours.update({n: as_f32[n] for n in last})
    ours = safetensors(ours, {"format": "pt"})
    network().load_state_dict(read_back(ours))          # PyTorch takes it, strictly
    OUT.case("weights")
    put_bytes("theirs", safetensors(theirs))
    put_bytes("ours", ours)
    OUT.put("x", x, "%.9g")
    OUT.put("y", y, "%.12g")


def types():
    """One tensor of each type, and values as PyTorch and NumPy have them."""
    tensors, values = {}, {}
    for i, (name, kind) in enumerate(zip(
            ["BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "BF16", "F32",
             "F64"], DTYPES[1:])):
        if name == "BF16":
            t = torch.tensor([1.5, -3.140625, 1e30, -0.0, 9.2e-41, 0.333984375]).bfloat16()
            content = t.view(torch.int16).numpy().astype("<i2").tobytes()
            v = t.double().numpy()
        else:
            v = coarse(80 + i, 6).numpy() * 64
            if name == "F16":
                v = np.array([65504, -6.103515625e-05, 5.9604644775390625e-08, 6.09755516e-05,
                              -0.333251953125, 0])
            v = (np.abs(v) if kind[0] in "u?" else v).astype(kind)
            content = v.astype(v.dtype.newbyteorder("<")).tobytes()
        tensors[name] = (name, (2, 3), content)
        values[name] = v.astype(np.float64)
    tensors["é\"\\\n\u20ac\U0001f600"] = ("F32", (), struct.pack("<f", 42))
    tensors["empty"] = ("F32", (4, 0), b"")
    OUT.case("types")
    put_bytes("file", safetensors(tensors, {"a": "b", "quote\"": ""}, pad=False))
    for name, v in values.items():
        OUT.put(name, v, "%.17g")


def vgg():
    where = os.environ.get("TINYNN_DATA")
    path = where and os.path.join(where, "vgg16", "blocks12.safetensors")
    if path and os.path.exists(path):
        t = {k: v.double() for k, v in read_back(open(path, "rb").read()).items()}
        x = torch.tensor(value(7, 3 * 16 * 16).reshape(1, 3, 16, 16) * 128)
        for i in (0, 2, 5, 7):
            x = torch.relu(torch.conv2d(x, t["features.%d.weight" % i], t["features.%d.bias" % i],
                                        padding=1))
            if i in (2, 7):
                x = torch.max_pool2d(x, 2)
        OUT.case("vgg")
        OUT.put("y", x.flatten()[::61], "%.12g")
        OUT.put("largest", [x.max()], "%.12g")
        OUT.put("sum", [x.sum()], "%.12g")
    elif os.path.exists(OUT.path):
        text = open(OUT.path).read()
        if "case vgg\n" in text:
            OUT.lines.append(text[text.index("case vgg\n"):].rstrip())


npy_cases()
weights()
types()
vgg()
OUT.close()
