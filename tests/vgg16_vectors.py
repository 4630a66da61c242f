#!/usr/bin/python3
"""What PyTorch makes of VGG-16, for tests/test_vgg16.c.

    python3 tests/vgg16_vectors.py             writes tests/vectors/vgg16.txt
    python3 tests/vgg16_vectors.py DIRECTORY   writes to it vgg16.txt and model.safetensors

The first is of a net with a sixteenth of all filters and units, whose weights come from a hash of
integers, which the C side computes as well. The second is of the full net, 553 MB of random weights
(normal, of variance 2/fan_in: He et al. 2015), under the names and in the shapes of timm's vgg16.
Outputs are in double precision; of the full net also how far PyTorch's own floats are from them, and
how long they take on one thread.
"""
import json
import os
import struct
import sys
import time

import torch
import torch.nn.functional as F

from torch_vectors import Vectors, value

FILTERS = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]
FULL = len(sys.argv) > 1
THIN = 1 if FULL else 16


def shapes():
    """torchvision's name and the weights' shape, as linear layers have it, in order."""
    channels, row = 3, 0
    for filters in FILTERS:
        if filters != "M":
            yield "features.%d" % row, (filters // THIN, channels, 3, 3)
            channels = filters // THIN
        row += 1 if filters == "M" else 2
    wide = 4096 // THIN
    for name, shape in zip("036", [(wide, 49 * channels), (wide, wide), (1000 // THIN, wide)]):
        yield "classifier." + name, shape


def weights():
    w = {}
    for i, (name, shape) in enumerate(shapes()):
        fan_in = torch.Size(shape[1:]).numel()
        if FULL:
            w[name + ".weight"] = torch.randn(shape) * (2 / fan_in) ** 0.5
            w[name + ".bias"] = torch.randn(shape[0]) / 8
        else:       # uniform, of about that variance; a float holds each
            scale = round(128 * (6 / fan_in) ** 0.5) / 128
            w[name + ".weight"] = torch.tensor(
                value(2 * i, shape[0] * fan_in).reshape(shape) * scale).float()
            w[name + ".bias"] = torch.tensor(value(2 * i + 1, shape[0]) / 8).float()
    return w


def forward(w, x):
    row = 0
    for filters in FILTERS:
        if filters == "M":
            x = F.max_pool2d(x, 2)
        else:
            name = "features.%d" % row
            x = F.relu(F.conv2d(x, w[name + ".weight"], w[name + ".bias"], padding=1))
        row += 1 if filters == "M" else 2
    x = F.adaptive_avg_pool2d(x, 7).flatten(1)
    for i in "036":
        x = F.linear(x, w["classifier.%s.weight" % i], w["classifier.%s.bias" % i])
        x = x if i == "6" else F.relu(x)
    return x


def timm(name, tensor):
    """timm's name and shape: the classifier as convolutions, but for its last layer."""
    for old, new in [("classifier.0", "pre_logits.fc1"), ("classifier.3", "pre_logits.fc2"),
                     ("classifier.6", "head.fc")]:
        name = name.replace(old, new)
    if name == "pre_logits.fc1.weight":
        return name, (tensor.shape[0], tensor.shape[1] // 49, 7, 7)
    if name == "pre_logits.fc2.weight":
        return name, tuple(tensor.shape) + (1, 1)
    return name, tuple(tensor.shape)


def save(w, path):
    header, at = {}, 0
    for name, tensor in w.items():
        new, shape = timm(name, tensor)
        size = 4 * tensor.numel()
        header[new] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in w.values():
            file.write(tensor.numpy().tobytes())


torch.manual_seed(16)
torch.set_num_threads(1)
with torch.no_grad():
    w = weights()
    doubles = {name: t.double() for name, t in w.items()}
    out = Vectors("vgg16.txt", "VGG-16%s: outputs" % ("" if FULL else " with a sixteenth"))
    out.lines[0] = out.lines[0].replace("torch_vectors.py", "vgg16_vectors.py")
    for side in (128, 224):
        x = torch.tensor(value(100 + side, 3 * side * side).reshape(1, 3, side, side))
        y = forward(doubles, x)
        out.case("%d" % side)
        out.put("y", y, "%.9g")
        if FULL:
            seconds = []
            for _ in range(4):
                start = time.perf_counter()
                floats = forward(w, x.float())
                seconds.append(time.perf_counter() - start)
            out.put("seconds", [min(seconds)])
            out.put("residual", [(floats.double() - y).abs().max() / y.abs().max()])
    if FULL:
        save(w, os.path.join(sys.argv[1], "model.safetensors"))
    out.close()
