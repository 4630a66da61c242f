#!/usr/bin/python3
"""Writes tests/vectors/look.txt, what PyTorch computes in double precision, for tests/test_look.c:
of two networks in evaluation mode every layer's output (yK, y0 the input) and the gradient by it (dK),
of the sum of each sample's output number LABEL (way 0), or of the cross-entropy (way 1).

    python3 tests/look_vectors.py [DIRECTORY]                   (PyTorch 2.14)
"""
import torch
import torch.nn.functional as F
from torch import nn
from torch_vectors import Vectors, coarse

LABELS = [3, 1]
out = Vectors("look.txt", "outputs of layers, and gradients by them")


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        layers = {0: nn.Conv2d(3, 8, 3, padding=1), 1: nn.BatchNorm2d(8),
                  4: nn.Conv2d(8, 8, 3, padding=1), 7: nn.Conv2d(8, 4, 1), 11: nn.Linear(12, 5)}
        for k, layer in layers.items():
            self.add_module(str(k), layer)

    def forward(self, x):
        layer = self._modules
        y = [x]
        y.append(layer["0"](y[0]))
        y.append(layer["1"](y[1]))
        y.append(F.relu(y[2]))
        y.append(F.max_pool2d(y[3], 2))
        y.append(layer["4"](y[4]))
        y.append(F.relu(y[5]))
        y.append(y[6] + y[4])
        y.append(layer["7"](y[7]))
        y.append(torch.cat([y[8], y[7]], 1))
        y.append(F.adaptive_avg_pool2d(y[9], 1))
        y.append(torch.flatten(y[10], 1))
        y.append(layer["11"](y[11]))
        return y


class Vector(nn.Module):
    def __init__(self):
        super().__init__()
        for k, layer in {1: nn.Linear(108, 16), 4: nn.Linear(16, 16), 6: nn.Linear(16, 5)}.items():
            self.add_module(str(k), layer)

    def forward(self, x):
        layer = self._modules
        y = [x, torch.flatten(x, 1)]
        y.append(layer["1"](y[1]))
        y.append(F.gelu(y[2]))
        y.append(F.dropout(y[3], 0.5, training=self.training))
        y.append(layer["4"](y[4]))
        y.append(F.relu(y[5]))
        y.append(layer["6"](y[6]))
        return y


for number, make in enumerate((Images, Vector)):
    net = make().double().eval()
    stream = 31000 + 100 * number
    with torch.no_grad():
        for i, (name, p) in enumerate(net.state_dict().items()):
            if name.endswith("num_batches_tracked"):
                continue
            v = coarse(stream + i, *p.shape) / (4 if p.dim() > 1 else 1)
            p.copy_(v.abs() + 0.5 if name.endswith("var") else v)
    for way in range(2):
        x = coarse(stream + 90, 2, 3, 6, 6).requires_grad_()
        y = net(x)
        for v in y[1:]:
            v.retain_grad()
        if way:
            F.cross_entropy(y[-1], torch.tensor(LABELS)).backward()
        else:
            y[-1][range(2), LABELS].sum().backward()
        out.case("%s-%d" % (make.__name__.lower(), way))
        out.put("net", [number])
        out.put("way", [way])
        out.put("labels", LABELS)
        out.put("x", x)
        for name, p in net.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                out.put(name, p)
        # some of them: there is room for 24 arrays; what flows through all of them ends in d0
        for k in ((1, 3, 4, 7, 9) if number == 0 else range(1, 8)):
            out.put("d%d" % k, y[k].grad if y[k].grad is not None else torch.zeros_like(y[k]))
            if k in (3, 7):
                out.put("y%d" % k, y[k])
        out.put("d0", x.grad)
out.close()
