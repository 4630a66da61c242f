#!/usr/bin/python3
"""Writes tests/vectors/tables.txt for tests/test_tables.c.

    python3 tests/table_vectors.py [DIRECTORY]

Tables as text, with what scikit-learn's LabelEncoder, OneHotEncoder and SimpleImputer make of their
columns; archives as numpy.savez and savez_compressed write them, and zip files put together here
with every kind of block that zlib writes.
"""
import io
import struct
import zlib

import numpy as np
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import LabelEncoder, OneHotEncoder

from torch_vectors import Vectors

OUT = Vectors("tables.txt", "")
OUT.lines[0] = ("# tables as text, archives byte by byte, and what they hold; written by "
                "table_vectors.py\n# with NumPy %s and scikit-learn %s" %
                (np.__version__, sklearn.__version__))
rng = np.random.default_rng(7)


def put_bytes(key, data):
    OUT.put(key, np.frombuffer(data, dtype=np.uint8), "%d")


# ---- columns -------------------------------------------------------------------------------------

def quoted(text):
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text


def classes(name, values):
    encoder = LabelEncoder().fit(values)
    text = "x,kind\n" + "".join("%d,%s\n" % (i, quoted(str(v))) for i, v in enumerate(values))
    OUT.case("classes-" + name)
    put_bytes("file", text.encode("utf8"))
    OUT.put("labels", encoder.transform(values), "%d")
    put_bytes("names", "\n".join(str(v) for v in encoder.classes_).encode("utf8"))


words = ["setosa", "Setosa", "versicolor", "a,b", 'say "x"', "zebra", "Ärger", "été", "10", "9"]
classes("words", [words[i] for i in rng.integers(0, len(words), 40)])
classes("numbers", [int(v) for v in rng.integers(0, 12, 40)])
classes("few", [int(v) for v in rng.choice([3, 20, 100, -7], 30)])
classes("reals", [float(v) for v in rng.choice([0.5, -1.25, 3, 1e-3, 1e10], 30)])
classes("truth", [str(bool(v)) for v in rng.integers(0, 2, 12)])

values = np.round(rng.normal(0, 100, (12, 3)), 3)
holes = rng.random(values.shape) < 0.3
cities = rng.choice(["Rome", "Bern", "New York", "Oslo"], (12, 1))
marks = ["", "NA", "nan", "NULL", "N/A", "#N/A", "None", "<NA>", "n/a", "null", "NaN", "-nan"]
lines = ["a,city,b,c"]
for i in range(12):
    cells = [marks[(3*i + k) % len(marks)] if holes[i, k] else "%.17g" % values[i, k]
             for k in range(3)]
    lines.append(",".join([cells[0], cities[i, 0]] + cells[1:]))
filled = SimpleImputer().fit_transform(np.where(holes, np.nan, values))
hot = OneHotEncoder(sparse_output=False).fit_transform(cities)
OUT.case("filled")
put_bytes("file", ("\n".join(lines) + "\n").encode())
OUT.put("inputs", np.concatenate([filled[:, :1], hot, filled[:, 1:]], 1).ravel(), "%.17g")


# ---- archives ------------------------------------------------------------------------------------

def npy(a):
    f = io.BytesIO()
    np.save(f, a)
    return f.getvalue()


def archive(name, data, arrays):
    """A case: an archive, and its arrays in their order."""
    OUT.case("npz-" + name)
    put_bytes("file", data)
    put_bytes("names", "\n".join(arrays).encode("utf8"))
    for i, a in enumerate(arrays.values()):
        OUT.put("shape%d" % i, a.shape, "%d")
        OUT.put("values%d" % i, np.ascontiguousarray(a).ravel(), "%.17g")


def saved(save, arrays):
    f = io.BytesIO()
    save(f, **arrays)
    return f.getvalue()


def packed(data, level, strategy):
    z = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return z.compress(data) + z.flush()


def zipped(members, wide=False):
    """A zip file of (name, packed bytes, plain bytes, method); wide: with zip64 throughout."""
    body, directory = b"", b""
    for name, raw, plain, method in members:
        at, crc, name = len(body), zlib.crc32(plain), name.encode()
        sizes = struct.pack("<QQ", len(plain), len(raw))
        short = (0xffffffff,) * 2 if wide else (len(raw), len(plain))
        extra = struct.pack("<HH", 1, 16) + sizes if wide else b""
        body += struct.pack("<4s5H3I2H", b"PK\3\4", 45, 0, method, 0, 33, crc, *short, len(name),
                            len(extra)) + name + extra + raw
        # another field comes before, as archivers add them
        extra = b"UT\1\0x" + struct.pack("<HH", 1, 24) + sizes + struct.pack("<Q", at) \
            if wide else b""
        directory += struct.pack("<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, method, 0, 33, crc, *short,
                                 len(name), len(extra), 0, 0, 0, 0,
                                 0xffffffff if wide else at) + name + extra
    n, at, end = len(members), len(body), b""
    if wide:
        end = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, n, n, len(directory), at)
        end += struct.pack("<4sIQI", b"PK\6\7", 0, at + len(directory), 1)
        n, at, directory_size = 0xffff, 0xffffffff, 0xffffffff
    else:
        directory_size = len(directory)
    return body + directory + end + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n, n, directory_size,
                                                at, 0)


x = rng.integers(0, 4, (6, 5, 5)).astype(np.uint8)
y = rng.integers(0, 10, 6)
three = {"x_train": x, "y_train": y, "layer/0.weight": np.arange(3, dtype=np.float32) / 4}
archive("savez", saved(np.savez, three), three)
archive("compressed", saved(np.savez_compressed, three), three)
text = {"t": np.frombuffer(b"abracadabra, " * 60 + bytes(range(256)), np.uint8)}
for name, level, strategy in [("stored", 0, 0), ("fast", 1, 0), ("best", 9, 0), ("fixed", 9, 4),
                              ("huffman", 9, 2), ("runs", 9, 3)]:
    plain = npy(text["t"])
    archive(name, zipped([("t.npy", packed(plain, level, strategy), plain, 8)]), text)
runs = {"z": np.zeros(2000, np.uint8)}
plain = npy(runs["z"])
archive("zip64", zipped([("z.npy", packed(plain, 9, 0), plain, 8),
                         ("y.npy", npy(y), npy(y), 0)], True), {"z": runs["z"], "y": y})
OUT.close()
