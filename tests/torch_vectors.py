#!/usr/bin/python3
"""Writes tests/vectors/*.txt, what PyTorch computes, for tests/test_torch.c.

    python3 tests/torch_vectors.py [DIRECTORY]                  (PyTorch 2.14)

A file is a sequence of cases, a case a sequence of arrays:

    case NAME
    KEY COUNT VALUE VALUE ...

Values are computed in double precision from inputs that a float holds exactly, except where a key
ends in 32. Weights and images of the training runs are too large to be written down: they come from
a hash of integers, which the C side computes as well, to the last bit.
"""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "vectors")


# ---- numbers that both sides have --------------------------------------------------------------

def hash32(stream, index):
    """test_hash of test.h; arrays are mixed element by element."""
    mask = np.uint64(0xFFFFFFFF)

    def product(a, constant):
        return (a * np.uint64(constant)) & mask

    index = np.asarray(index, dtype=np.uint64)
    stream = np.asarray(stream, dtype=np.uint64)
    h = (product(index, 0x9E3779B1) + product(stream + np.uint64(1), 0xC2B2AE3D)) & mask
    h = product(h ^ (h >> np.uint64(15)), 0x2C1B3C6D)
    h = product(h ^ (h >> np.uint64(13)), 0x297A2D39)
    return h ^ (h >> np.uint64(16))


def value(stream, count):
    """test_value of test.h: multiples of 2^-15 in [-1, 1)."""
    h = hash32(stream, np.arange(count))
    return ((h >> np.uint64(16)).astype(np.int64) - 32768) / 32768.0


def coarse(stream, *shape):
    """Multiples of 1/64 in [-1, 1): short in print, seldom equal in a window."""
    h = hash32(stream, np.arange(int(np.prod(shape))))
    v = ((h >> np.uint64(25)).astype(np.int64) - 64) / 64.0
    return torch.tensor(v.reshape(shape), dtype=torch.float64)


# ---- the file ----------------------------------------------------------------------------------

class Vectors:
    def __init__(self, name, about):
        self.path = os.path.join(OUT, name)
        self.lines = ["# %s; written by torch_vectors.py with PyTorch %s" %
                      (about, torch.__version__.split("+")[0])]

    def case(self, name):
        self.lines.append("case " + name)

    def put(self, key, values, form="%.9g"):
        if isinstance(values, torch.Tensor):
            values = values.detach().numpy()
        values = np.asarray(values, dtype=np.float64).reshape(-1)
        line = "%s %d" % (key, values.size)
        for v in values:
            word = form % v
            if len(line) + 1 + len(word) > 100:
                self.lines.append(line)
                line = ""
            line += " " + word
        self.lines.append(line)

    def close(self):
        with open(self.path, "w") as file:
            file.write("\n".join(self.lines) + "\n")
        print("%8d bytes  %s" % (os.path.getsize(self.path), self.path))


def pair(a):
    return list(a) if isinstance(a, tuple) else [a, a]


# ---- layers ------------------------------------------------------------------------------------

def conv2d():
    out = Vectors("conv2d.txt", "conv2d: y and the gradients of sum(y * dy)")
    configurations = [
        # n  c  h  w  filters  kernel  stride  pad  dilation groups
        (2, 3, 7, 9, 5, 3, 1, 0, 1, 1),
        (2, 1, 12, 12, 8, 3, 1, 1, 1, 1),
        (1, 4, 8, 7, 6, 5, 1, 2, 1, 1),
        (2, 3, 9, 8, 4, (3, 2), (2, 1), (1, 0), 1, 1),
        (1, 2, 10, 11, 3, (1, 4), (1, 3), (0, 2), (1, 2), 1),
        (2, 5, 6, 5, 7, 1, 1, 0, 1, 1),
        (1, 3, 9, 9, 4, 1, 3, 0, 1, 1),
        (1, 3, 11, 10, 4, 2, 4, 1, 1, 1),
        (1, 2, 5, 5, 3, 2, 1, 3, 1, 1),
        (1, 3, 10, 10, 5, 3, 2, 3, 3, 1),
        (2, 6, 6, 7, 9, 3, 1, 1, 1, 3),
        (2, 8, 7, 7, 8, 3, 2, 1, 1, 8),
        (1, 4, 6, 6, 12, 3, 1, 2, 2, 4),
        (3, 4, 3, 3, 6, 3, 1, 0, 1, 2),
        (1, 2, 2, 3, 3, 5, 1, 2, 1, 1),
    ]
    for number, (n, c, h, w, f, k, s, p, d, g) in enumerate(configurations):
        k, s, p, d = pair(k), pair(s), pair(p), pair(d)
        x = coarse(10 * number, n, c, h, w).requires_grad_()
        weight = coarse(10 * number + 1, f, c // g, k[0], k[1]).requires_grad_()
        bias = coarse(10 * number + 2, f).requires_grad_()
        y = F.conv2d(x, weight, bias, s, p, d, g)
        dy = coarse(10 * number + 3, *y.shape)
        y.backward(dy)
        out.case("conv2d-%d" % number)
        for key, v in (("kernel", k), ("stride", s), ("pad", p), ("dilation", d), ("groups", [g]),
                       ("x_shape", x.shape), ("y_shape", y.shape), ("x", x), ("w", weight),
                       ("b", bias), ("dy", dy), ("y", y), ("dx", x.grad), ("dw", weight.grad),
                       ("db", bias.grad)):
            out.put(key, v)
    out.close()


def pooling():
    out = Vectors("pooling.txt", "max and average pooling: y and the gradient of sum(y * dy)")
    configurations = [
        # average  n  c  h  w  kernel  stride  pad  dilation  ceil  exclude_pad
        (0, 2, 3, 8, 8, 2, 2, 0, 1, 0, 0),
        (0, 1, 2, 7, 9, 3, 2, 1, 1, 0, 0),
        (0, 1, 2, 8, 10, 3, 2, 1, 1, 1, 0),
        (0, 2, 2, 7, 6, (2, 3), (1, 2), (1, 0), 1, 0, 0),
        (0, 1, 2, 9, 10, 3, 1, 1, 2, 0, 0),
        (0, 1, 2, 11, 9, 2, (3, 4), 0, (3, 1), 1, 0),
        (0, 1, 1, 5, 7, 2, 2, 0, 1, 1, 0),
        (0, 1, 3, 6, 6, 4, 1, 2, 1, 0, 0),
        (1, 2, 3, 8, 8, 2, 2, 0, 1, 0, 0),
        (1, 1, 2, 7, 9, 3, 2, 1, 1, 0, 0),
        (1, 1, 2, 7, 9, 3, 2, 1, 1, 0, 1),
        (1, 1, 2, 8, 10, 3, 2, 1, 1, 1, 0),
        (1, 1, 2, 8, 10, 3, 2, 1, 1, 1, 1),
        (1, 2, 2, 7, 6, (2, 3), (1, 2), (1, 0), 1, 0, 1),
        (1, 1, 1, 5, 7, 2, 2, 0, 1, 1, 0),
        (1, 1, 2, 6, 6, 4, 1, 2, 1, 0, 0),
        (1, 1, 2, 11, 9, 2, (3, 4), 1, 1, 1, 0),
        (1, 1, 2, 5, 6, (5, 6), 1, 0, 1, 0, 0),
    ]
    for number, (average, n, c, h, w, k, s, p, d, ceil, exclude) in enumerate(configurations):
        k, s, p, d = pair(k), pair(s), pair(p), pair(d)
        x = coarse(1000 + number, n, c, h, w).requires_grad_()
        if average:
            y = F.avg_pool2d(x, k, s, p, bool(ceil), not exclude)
        else:
            y = F.max_pool2d(x, k, s, p, d, bool(ceil))
        dy = coarse(2000 + number, *y.shape)
        y.backward(dy)
        out.case(("avgpool-%d" if average else "maxpool-%d") % number)
        for key, v in (("average", [average]), ("kernel", k), ("stride", s), ("pad", p),
                       ("dilation", d), ("ceil", [ceil]), ("exclude_pad", [exclude]),
                       ("x_shape", x.shape), ("y_shape", y.shape), ("x", x), ("dy", dy), ("y", y),
                       ("dx", x.grad)):
            out.put(key, v)
    out.close()


def losses():
    out = Vectors("losses.txt", "softmax, log_softmax, cross-entropy and its gradient")
    for number, (n, c, scale) in enumerate([(3, 2, 1), (5, 10, 4), (4, 17, 16), (2, 33, 100)]):
        x = coarse(3000 + number, n, c) * scale
        out.case("softmax-%d" % number)
        for key, v in (("shape", [n, c]), ("x", x), ("softmax", F.softmax(x, 1)),
                       ("log_softmax", F.log_softmax(x, 1))):
            out.put(key, v)
    number = 0
    for n, c in ((1, 3), (6, 10), (9, 24)):
        for smoothing in (0, 0.1, 0.5, 1):
            for weighted in (0, 1):
                x = (coarse(3100 + number, n, c) * 4).requires_grad_()
                labels = hash32(3200 + number, np.arange(n)) % np.uint64(c)
                labels = torch.tensor(labels.astype(np.int64))
                weights = (coarse(3300 + number, c) + 1.25) if weighted else None
                loss = F.cross_entropy(x, labels, weights, label_smoothing=smoothing)
                loss.backward()
                out.case("cross-entropy-%d" % number)
                for key, v in (("shape", [n, c]), ("smoothing", [smoothing]), ("x", x),
                               ("labels", labels), ("loss", [loss.item()]), ("dx", x.grad)):
                    out.put(key, v)
                if weighted:
                    out.put("weights", weights)
                number += 1
    out.close()


# ---- optimizers --------------------------------------------------------------------------------

def optimizers():
    out = Vectors("optimizers.txt", "50 steps of 8 parameters on given gradients")
    steps, count = 50, 8
    scale = np.array([1, 0.25, 2.0 ** -10, 8, 1, 2.0 ** -20, 0, 64])
    start = value(4000, count)
    gradients = np.stack([value(4001 + t, count) for t in range(steps)]) * scale
    gradients[:, 4] += 0.5                                      # one that keeps its sign
    gradients = gradients.astype(np.float32).astype(np.float64)
    out.case("gradients")
    out.put("start", start)
    out.put("gradients", gradients)
    options = [
        ("SGD", dict(lr=0.01)),
        ("SGD", dict(lr=0.1, weight_decay=0.01)),
        ("SGD", dict(lr=0.01, momentum=0.9)),
        ("SGD", dict(lr=0.01, momentum=0.9, nesterov=True)),
        ("SGD", dict(lr=0.01, momentum=0.9, dampening=0.5)),
        ("SGD", dict(lr=0.01, momentum=0.5, dampening=0.1, weight_decay=0.1)),
        ("SGD", dict(lr=0.01, momentum=0.9, weight_decay=0.05, nesterov=True)),
        ("SGD", dict(lr=0.01, momentum=0.99, weight_decay=0.0005)),
        ("Adam", dict()),
        ("Adam", dict(lr=0.05)),
        ("Adam", dict(lr=0.01, betas=(0.5, 0.9))),
        ("Adam", dict(lr=0.01, betas=(0.8, 0.9999))),
        ("Adam", dict(lr=0.01, eps=0.01)),
        ("Adam", dict(lr=0.01, weight_decay=0.1)),
        ("AdamW", dict()),
        ("AdamW", dict(lr=0.05, weight_decay=0.2)),
        ("AdamW", dict(lr=0.01, betas=(0.5, 0.9), eps=0.001)),
    ]
    for number, (name, option) in enumerate(options):
        p = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
        optimizer = getattr(torch.optim, name)([p], **option)
        trajectory = []
        for t in range(steps):
            p.grad = torch.tensor(gradients[t])
            optimizer.step()
            trajectory.append(p.detach().numpy().copy())
        group = optimizer.param_groups[0]
        out.case("%s-%d" % (name, number))
        out.put("lr", [group["lr"]])
        out.put("weight_decay", [group["weight_decay"]])
        if name == "SGD":
            out.put("momentum", [group["momentum"]])
            out.put("dampening", [group["dampening"]])
            out.put("nesterov", [group["nesterov"]])
        else:
            out.put("betas", group["betas"])
            out.put("eps", [group["eps"]])
        out.put("trajectory", np.stack(trajectory))
    out.close()


# ---- initial weights ---------------------------------------------------------------------------

def initial():
    """Largest absolute value and standard deviation of many draws."""
    out = Vectors("init.txt", "largest absolute value and deviation of initial parameters")
    torch.manual_seed(1)
    kinds = ["default", "he_uniform", "he_normal", "xavier_uniform", "xavier_normal"]
    layers = [
        ("dense", lambda: torch.nn.Linear(784, 128)),
        ("dense", lambda: torch.nn.Linear(100, 400)),
        ("conv", lambda: torch.nn.Conv2d(16, 64, 3)),
        ("conv", lambda: torch.nn.Conv2d(12, 96, (5, 2))),
        ("conv", lambda: torch.nn.Conv2d(32, 64, 3, groups=4)),
    ]
    draw = {
        "default": lambda w: None,
        "he_uniform": lambda w: torch.nn.init.kaiming_uniform_(w, nonlinearity="relu"),
        "he_normal": lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="relu"),
        "xavier_uniform": torch.nn.init.xavier_uniform_,
        "xavier_normal": torch.nn.init.xavier_normal_,
    }
    for number, (kind, make) in enumerate(layers):
        for init_number, init in enumerate(kinds):
            weights, biases = [], []
            for _ in range(20):
                layer = make()
                draw[init](layer.weight)
                weights.append(layer.weight.detach().numpy().reshape(-1).astype(np.float64))
                biases.append(layer.bias.detach().numpy().astype(np.float64))
            weights, biases = np.concatenate(weights), np.concatenate(biases)
            out.case("%s-%d-%s" % (kind, number, init))
            out.put("init", [init_number])
            out.put("weight_shape", layer.weight.shape)
            out.put("groups", [getattr(layer, "groups", 1)])
            out.put("weight_largest_deviation", [np.abs(weights).max(), weights.std()], "%.5g")
            if init == "default":
                out.put("bias_largest_deviation", [np.abs(biases).max(), biases.std()], "%.5g")
    out.close()


# ---- training ----------------------------------------------------------------------------------

def cnn():
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))


def mlp():
    nn = torch.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64),
                         nn.ReLU(), nn.Linear(64, 10))


# 1024 / sqrt(fan_in), about: weights and biases are value() times this / 1024, exact in a float.
SCALES = {"cnn": [341, 60, 18, 90], "mlp": [37, 90, 128]}


def images(first, count):
    """Blots on a grid of 8x8 cells, half from the label and half from the sample, drawn out to
    28x28 linearly; all in integers. Label and cells of sample number i depend on i alone."""
    sample = np.arange(first, first + count)
    labels = (hash32(5000, sample) % np.uint64(10)).astype(np.int64)
    cells = np.arange(64)
    grid = hash32(5100 + labels[:, None], cells[None, :]) >> np.uint64(24)
    grid = grid + (hash32(6000 + sample[:, None], cells[None, :]) >> np.uint64(24))
    grid = grid.astype(np.int64).reshape(count, 8, 8)
    at = np.arange(28)
    cell, part = at // 4, at % 4
    rows = (4 - part)[None, :, None] * grid[:, cell] + part[None, :, None] * grid[:, cell + 1]
    v = (4 - part)[None, None, :] * rows[:, :, cell] + part[None, None, :] * rows[:, :, cell + 1]
    return (v.reshape(count, 1, 28, 28) - 4096) / 4096.0, labels


def train(kind, optimizer, steps, batch, dtype):
    torch.manual_seed(0)
    net = {"cnn": cnn, "mlp": mlp}[kind]().to(dtype)
    parameters = list(net.parameters())
    with torch.no_grad():
        for number, p in enumerate(parameters):
            stream = (7000 if kind == "cnn" else 8000) + number
            v = value(stream, p.numel()) * (SCALES[kind][number // 2] / 1024.0)
            p.copy_(torch.tensor(v.reshape(p.shape)).to(dtype))
    step = {"adam": lambda: torch.optim.Adam(parameters, lr=1e-3),
            "sgd": lambda: torch.optim.SGD(parameters, lr=1e-2)}[optimizer]()
    losses = []
    for t in range(steps):
        x, labels = images(t * batch, batch)
        loss = F.cross_entropy(net(torch.tensor(x).to(dtype)), torch.tensor(labels))
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.item())
    return losses, net


def training():
    out = Vectors("training.txt", "losses of 20 steps, and chosen weights after them")
    for kind, batch in (("cnn", 16), ("mlp", 20)):
        for optimizer in ("adam", "sgd"):
            losses32, net = train(kind, optimizer, 20, batch, torch.float32)
            losses64, net64 = train(kind, optimizer, 20, batch, torch.float64)
            out.case("%s-%s" % (kind, optimizer))
            out.put("batch", [batch])
            out.put("losses32", losses32, "%.17g")
            out.put("losses64", losses64, "%.17g")
            wide = dict(net64.named_parameters())
            for number, (name, p) in enumerate(net.named_parameters()):
                chosen = hash32(9000 + number, np.arange(50)) % np.uint64(p.numel())
                chosen = chosen.astype(np.int64)
                out.put(name + ".32", p.detach().reshape(-1)[chosen])
                out.put(name + ".64", wide[name].detach().reshape(-1)[chosen])
    out.close()


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    conv2d()
    pooling()
    losses()
    optimizers()
    initial()
    training()
