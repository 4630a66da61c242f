#!/usr/bin/python3
"""Writes tests/vectors/icons.txt for tests/test_icons.c.

    /usr/bin/python3 tests/icons_vectors.py [DIRECTORY]

A pickle of 32 icons as the data set of report 5 has 1,005: a dict of images uint8 (n, 3, 32, 32) and
labels int64 (n), protocol 4, byte by byte but for the pixels, which are i mod 7.
"""
import pickle

import numpy as np

from torch_vectors import Vectors

OUT = Vectors("icons.txt", "a pickle of 32 icons: the bytes before and after its pixels")
OUT.lines[0] = OUT.lines[0].replace("torch_vectors.py", "icons_vectors.py")

images = (np.arange(32 * 3 * 32 * 32) % 7).astype(np.uint8).reshape(32, 3, 32, 32)
data = pickle.dumps({"images": images, "labels": np.arange(32) % 5}, protocol=4)
before, after = data.split(images.tobytes())
OUT.case("icons")
OUT.put("before", np.frombuffer(before, dtype=np.uint8), "%d")
OUT.put("after", np.frombuffer(after, dtype=np.uint8), "%d")
OUT.close()
