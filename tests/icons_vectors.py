#!/usr/bin/python3
"""Writes tests/vectors/icons.txt for tests/test_icons.c.

    python3 tests/icons_vectors.py [DIRECTORY]

The pickle of the data set of report 5 but for its two arrays: a dict of images uint8 (1005, 3, 32, 32)
and labels int64 (1005), protocol 4, as NumPy 1 wrote it (in NumPy 2 a module has another name).
"""
import pickle

import numpy as np

from torch_vectors import Vectors

OUT = Vectors("icons.txt", "a pickle of 1,005 icons: the bytes around its images and labels")
OUT.lines[0] = OUT.lines[0].replace("torch_vectors.py", "icons_vectors.py")

images = (np.arange(1005 * 3 * 32 * 32) % 7).astype(np.uint8).reshape(1005, 3, 32, 32)
labels = np.arange(1005) % 5
numpy_2 = pickle.dumps({"images": images, "labels": labels}, protocol=4)
data = numpy_2.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
data = data[:3] + (int.from_bytes(data[3:11], "little") - 1).to_bytes(8, "little") \
    + data[11:]             # the length of the frame before the pixels
assert (pickle.loads(data)["images"] == images).all()
before, rest = data.split(images.tobytes())
between, behind = rest.split(labels.tobytes())
OUT.case("icons")
for name, text in ("before", before), ("between", between), ("behind", behind):
    OUT.put(name, np.frombuffer(text, dtype=np.uint8), "%d")
OUT.close()
