#!/usr/bin/python3
"""Writes tests/vectors/images.txt for tests/test_images.c.

    python3 tests/image_vectors.py [DIRECTORY]                  (Pillow 9.4)

What PIL makes of images: resized, in floats and in bytes, cropped as torchvision's Resize and
CenterCrop do it with PIL, grey made of colour; and the order in which a folder of folders is read:
os.walk, sorted, as torchvision's ImageFolder does it. Pixels come from torch_vectors.py's hash.
"""
import os
import tempfile

import numpy as np
from PIL import Image

from torch_vectors import Vectors, hash32, value

OUT = Vectors("images.txt", "images resized and converted by PIL, folders in order")
OUT.lines[0] = "# images resized and converted by PIL, folders in order; by image_vectors.py"


def pixels(stream, c, h, w):
    """(c, h, w), bytes."""
    return (hash32(stream, np.arange(c * h * w)) & np.uint64(255)).astype(np.uint8).reshape(c, h, w)


def image_of(planes):
    c = planes.shape[0]
    if c == 1:
        return Image.fromarray(planes[0], "L")
    return Image.fromarray(planes.transpose(1, 2, 0).copy(), "RGB")


def planes_of(image):
    a = np.asarray(image)
    return a[None] if a.ndim == 2 else a.transpose(2, 0, 1)


SIZES = [(1, 7, 9, 3, 4), (3, 20, 17, 8, 8), (2, 5, 4, 11, 9), (1, 12, 5, 6, 10), (1, 9, 6, 9, 4),
         (1, 6, 9, 4, 9), (2, 3, 4, 3, 4), (1, 8, 8, 1, 1), (1, 1, 1, 3, 2), (1, 1, 200, 1, 3),
         (1, 101, 2, 7, 2), (1, 33, 31, 32, 32), (3, 2, 3, 2, 7)]
for number, (c, h, w, height, width) in enumerate(SIZES):
    x = value(300 + number, c * h * w).reshape(c, h, w).astype(np.float32)
    y = [np.asarray(Image.fromarray(p, "F").resize((width, height), Image.BILINEAR)) for p in x]
    OUT.case("floats-%d" % number)
    OUT.put("sizes", (c, h, w, height, width), "%d")
    OUT.put("stream", [300 + number], "%d")
    OUT.put("y", np.array(y), "%.9g")


def resize_and_crop(image, height, width):
    """Resize of the side that is too short by proportion, CenterCrop to (height, width)."""
    w, h = image.size
    new = (height, height * w // h) if h * width < w * height else (width * h // w, width)
    image = image.resize((new[1], new[0]), Image.BILINEAR)
    top, left = int(round((new[0] - height) / 2.0)), int(round((new[1] - width) / 2.0))
    return image.crop((left, top, left + width, top + height))


MORE = [(3, 40, 61, 16, 16), (1, 61, 40, 16, 16), (3, 13, 9, 6, 6), (1, 9, 15, 4, 8),
        (1, 5, 6, 10, 10), (3, 64, 48, 9, 21), (1, 3, 50, 2, 30), (1, 255, 3, 2, 2),
        (1, 9, 12, 9, 7)]
for number, (c, h, w, height, width) in enumerate([s for s in SIZES if s[0] != 2] + MORE):
    image = image_of(pixels(400 + number, c, h, w))
    OUT.case("bytes-%d" % number)
    OUT.put("sizes", (c, h, w, height, width), "%d")
    OUT.put("stream", [400 + number], "%d")
    OUT.put("y", planes_of(image.resize((width, height), Image.BILINEAR)), "%d")
    OUT.put("cropped", planes_of(resize_and_crop(image, height, width)), "%d")
    OUT.put("grey", planes_of(image.convert("L").resize((width, height), Image.BILINEAR)), "%d")

colours = np.concatenate([pixels(500, 3, 1, 200).reshape(3, -1).T,
                          [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255],
                           [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [254, 255, 255]]])
colours = colours.astype(np.uint8)[None]
OUT.case("grey")
OUT.put("rgb", colours, "%d")
OUT.put("l", np.asarray(Image.fromarray(colours, "RGB").convert("L")), "%d")
alpha = np.concatenate([colours, pixels(501, 1, 1, 210).reshape(1, -1, 1)], axis=2)
assert (np.asarray(Image.fromarray(alpha, "RGBA").convert("RGB")) == colours).all()
assert (np.asarray(Image.fromarray(alpha, "RGBA").convert("L")) ==
        np.asarray(Image.fromarray(colours, "RGB").convert("L"))).all()
assert (np.asarray(Image.fromarray(alpha[:, :, ::3].copy(), "LA").convert("L")) ==
        colours[:, :, 0]).all()

# The same list stands in test_images.c. What is hidden there is left out here by its extension.
TREE = ["b/2.pgm", "b/10.pgm", "b/1.pgm", "b/A.PGM", "a-b/x.pgm", "a/z.pgm", "a/c/1.pgm",
        "a/c-d/1.pgm", "a/c/d/0.pgm", "a/c d/1.pgm", "a/D/9.pgm", "a/x y.pgm", "a/\u00e9.pgm",
        "\u00fc n/1.pgm", "b/folder.pgm/3.pgm", "Zz/0.pnm", "a/notes.txt", "top.pgm"]


def walk():
    with tempfile.TemporaryDirectory() as top:
        for i, name in enumerate(TREE):
            os.makedirs(os.path.dirname(os.path.join(top, name)), exist_ok=True)
            open(os.path.join(top, name), "w").write(str(i))
        classes = sorted(e.name for e in os.scandir(top) if e.is_dir())
        found = [(int(open(os.path.join(folder, name)).read()), label)
                 for label, of in enumerate(classes)
                 for folder, _, names in sorted(os.walk(os.path.join(top, of)))
                 for name in sorted(names) if name.lower().endswith((".pgm", ".pnm"))]
        first = [next(i for i, label in found if label == k) for k in range(len(classes))]
        return zip(*found), first


OUT.case("order")
(order, labels), first = walk()
OUT.put("order", order, "%d")
OUT.put("labels", labels, "%d")
OUT.put("first", first, "%d")           # a file of each class
OUT.close()
