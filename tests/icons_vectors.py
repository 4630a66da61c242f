#!/usr/bin/python3
"""Writes tests/vectors/icons.txt for tests/test_icons.c.

    python3 tests/icons_vectors.py [DIRECTORY]

A pickle of 32 icons as the data set of report 5 has 1,005: a dict of images uint8 (n, 3, 32, 32) and
labels int64 (n), protocol 4, byte by byte but for the pixels, which are i mod 7. As NumPy 2 writes
it and, which the data set is, as NumPy 1 did: a module had another name.
"""
import pickle

import numpy as np

from torch_vectors import Vectors

OUT = Vectors("icons.txt", "a pickle of 32 icons: the bytes before and after its pixels")
OUT.lines[0] = OUT.lines[0].replace("torch_vectors.py", "icons_vectors.py")

images = (np.arange(32 * 3 * 32 * 32) % 7).astype(np.uint8).reshape(32, 3, 32, 32)
numpy_2 = pickle.dumps({"images": images, "labels": np.arange(32) % 5}, protocol=4)
numpy_1 = numpy_2.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
numpy_1 = numpy_1[:3] + (int.from_bytes(numpy_1[3:11], "little") - 1).to_bytes(8, "little") \
    + numpy_1[11:]          # the length of the frame before the pixels
for name, data in ("icons", numpy_1), ("numpy-2", numpy_2):
    assert (pickle.loads(data)["images"] == images).all()
    before, after = data.split(images.tobytes())
    OUT.case(name)
    OUT.put("before", np.frombuffer(before, dtype=np.uint8), "%d")
    OUT.put("after", np.frombuffer(after, dtype=np.uint8), "%d")
OUT.close()
