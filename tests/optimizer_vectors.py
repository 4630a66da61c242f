#!/usr/bin/python3
"""Writes tests/vectors/optimizers_rules.txt and optimizers_lbfgs.txt for tests/test_optimizers.c.

    python3 tests/optimizer_vectors.py [DIRECTORY]              (PyTorch 2.14)

Every optimizer with each of its options takes 50 steps on a problem whose gradients are a function
of the weights (gradient() below; test_optimizers.c has the same), in double precision, gradients
rounded to float. PyTorch works the rules that it has, but for some that are worked in numpy as the
published formulas and PyTorch give them; so are those that it has not.
"""
import math

import numpy as np
import torch

from torch_vectors import Vectors, value

# The tensors of the network of test_optimizers.c: name and shape.
SHAPES = [("0.weight", (6, 3, 3, 2)), ("0.bias", (6,)), ("2.weight", (7, 6)), ("2.bias", (7,)),
          ("3.weight", (5, 7)), ("3.bias", (5,))]
SIZES = [int(np.prod(shape)) for _, shape in SHAPES]
COUNT = sum(SIZES)
STEPS = 50
SEEN = (1, 5, 50)                           # after these steps every 6th weight is written down
START = value(11000, COUNT) / 2
TARGET = value(11001, COUNT)
SLOPE = 1 + value(11002, COUNT) / 2


def gradient(w, t):
    """g_i = a_i (w_i - c_i) + 0.3 (w_i - w_{i+1}) + 0.5 w_i^3 + 0.25 noise, as a float."""
    g = SLOPE * (w - TARGET) + 0.3 * (w - np.roll(w, -1)) + 0.5 * (w * w * w)
    return (g + 0.25 * value(12000 + t, COUNT)).astype(np.float32).astype(np.float64)


def split(x):
    parts = np.split(x, np.cumsum(SIZES)[:-1])
    return [p.reshape(shape).copy() for p, (_, shape) in zip(parts, SHAPES)]


def join(parts):
    return np.concatenate([p.reshape(-1) for p in parts])


# ---- rules in numpy: called with the weights, gradients, step and state of one tensor ------------

def l2(o, w, g):
    """Weight decay: the gradient with it; decoupled, the weights are shrunk."""
    if o.get("decoupled"):
        w *= 1 - o["lr"] * o["weight_decay"]
        return g
    return g + o["weight_decay"] * w


def moment(s, key, beta, x):
    s[key] = beta * s.get(key, 0) + (1 - beta) * x
    return s[key]


def nadam(o, w, g, t, s):                   # Dozat 2016; torch.optim.NAdam of today
    def c(k):
        return o["beta1"] * (1 - 0.5 * 0.96 ** (k * o["momentum_decay"]))
    g = l2(o, w, g)
    s["product"] = s.get("product", 1) * c(t)
    m, v = moment(s, "m", o["beta1"], g), moment(s, "v", o["beta2"], g * g)
    denominator = np.sqrt(v / (1 - o["beta2"] ** t)) + o["eps"]
    w -= o["lr"] * (1 - c(t)) / (1 - s["product"]) * g / denominator
    w -= o["lr"] * c(t + 1) / (1 - s["product"] * c(t + 1)) * m / denominator


def rectification(o, t):                    # Liu et al. 2020
    most = 2 / (1 - o["beta2"]) - 1
    r = most - 2 * t * o["beta2"] ** t / (1 - o["beta2"] ** t)
    return math.sqrt((r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r)) if r > 5 else 0


def radam(o, w, g, t, s):
    g = l2(o, w, g)
    m, v = moment(s, "m", o["beta1"], g), moment(s, "v", o["beta2"], g * g)
    rect = rectification(o, t)
    x = m / (1 - o["beta1"] ** t)
    if rect:
        x = x * rect * math.sqrt(1 - o["beta2"] ** t) / (np.sqrt(v) + o["eps"])
    w -= o["lr"] * x


def lion(o, w, g, t, s):                    # Chen et al. 2023, algorithm 2
    g = l2(o, w, g)
    c = o["beta1"] * s.get("m", 0) + (1 - o["beta1"]) * g
    w -= o["lr"] * np.sign(c)
    moment(s, "m", o["beta2"], g)


def adabelief(o, w, g, t, s):               # Zhuang et al. 2020, algorithm 2
    g = l2(o, w, g)
    m = moment(s, "m", o["beta1"], g)
    v = s["v"] = moment(s, "v", o["beta2"], (g - m) ** 2) + o["eps"]
    if o.get("amsgrad"):
        v = s["top"] = np.maximum(s.get("top", 0), v)
    m = m / (1 - o["beta1"] ** t)
    bias2 = 1 - o["beta2"] ** t
    if not o.get("rectify"):
        w -= o["lr"] * m / (np.sqrt(v / bias2) + o["eps"])
    elif rectification(o, t):
        w -= o["lr"] * rectification(o, t) * m * math.sqrt(bias2) / (np.sqrt(v) + o["eps"])
    else:
        w -= o["lr"] * m


def adan(o, w, g, t, s):                    # Xie et al. 2022, algorithm 1
    if o.get("decoupled"):
        w *= 1 - o["lr"] * o["weight_decay"]
    d = g - s.get("before", g)
    s["before"] = g
    m, v = moment(s, "m", o["beta1"], g), moment(s, "v", o["beta2"], d)
    n = moment(s, "n", o["beta3"], (g + o["beta2"] * d) ** 2)
    x = m / (1 - o["beta1"] ** t) + o["beta2"] * v / (1 - o["beta2"] ** t)
    w -= o["lr"] * x / (np.sqrt(n / (1 - o["beta3"] ** t)) + o["eps"])
    if not o.get("decoupled"):
        w /= 1 + o["lr"] * o["weight_decay"]


def ademamix(o, w, g, t, s):                # Pagliardini et al. 2024, and their schedulers
    alpha, beta3 = o["alpha"], o["beta3"]
    if t < o.get("alpha_warmup", 0):
        alpha *= t / o["alpha_warmup"]
    if t < o.get("beta3_warmup", 0):
        def half_life(beta):
            return math.log(0.5) / math.log(beta + 1e-8) - 1
        x = t / o["beta3_warmup"]
        life = (1 - x) * half_life(o["beta1"]) + x * half_life(beta3)
        beta3 = 0.5 ** (1 / (life + 1))
    w *= 1 - o["lr"] * o["weight_decay"]
    m, v = moment(s, "m", o["beta1"], g), moment(s, "v", o["beta2"], g * g)
    slow = moment(s, "s", beta3, g)
    denominator = np.sqrt(v / (1 - o["beta2"] ** t)) + o["eps"]
    w -= o["lr"] * (m / (1 - o["beta1"] ** t) + alpha * slow) / denominator


def schedule_free(o, w, g, t, s):           # Defazio et al. 2024: w is y of the paper
    adam = "beta2" in o
    beta = o["beta1"] if adam else o["momentum"]
    lr = o["lr"] * min(1, t / o["warmup_steps"] if o.get("warmup_steps") else 1)
    z = s.setdefault("z", w.copy())
    if adam:
        lr *= math.sqrt(1 - o["beta2"] ** t)
        g = g / (np.sqrt(moment(s, "v", o["beta2"], g * g)) + o["eps"])
    g = g + o["weight_decay"] * w
    s["most"] = max(s.get("most", 0), lr)
    share = t ** o.get("r", 0) * s["most"] ** o.get("weight_lr_power", 2)
    s["shares"] = s.get("shares", 0) + share
    x = s.setdefault("x", w.copy())
    z -= lr * g
    x += share / s["shares"] * (z - x)
    w[...] = (1 - beta) * z + beta * x


# Keras 3's own forms and defaults (keras.optimizers), for the dialect: decay is decoupled.

def keras_sgd(o, w, g, t, s):
    w *= 1 - o["lr"] * o["weight_decay"]
    if not o["momentum"]:
        w -= o["lr"] * g
        return
    v = s["v"] = o["momentum"] * s.get("v", 0) - o["lr"] * g
    w += o["momentum"] * v - o["lr"] * g if o.get("nesterov") else v


def keras_adam(o, w, g, t, s):
    w *= 1 - o["lr"] * o["weight_decay"]
    m, v = moment(s, "m", o["beta1"], g), moment(s, "v", o["beta2"], g * g)
    if o.get("amsgrad"):
        v = s["top"] = np.maximum(s.get("top", 0), v)
    lr = o["lr"] * math.sqrt(1 - o["beta2"] ** t) / (1 - o["beta1"] ** t)
    w -= lr * m / (np.sqrt(v) + o["eps"])


def keras_rmsprop(o, w, g, t, s):
    w *= 1 - o["lr"] * o["weight_decay"]
    v = moment(s, "v", o["alpha"], g * g)
    if o.get("centered"):
        v = v - moment(s, "a", o["alpha"], g) ** 2
    q = g / np.sqrt(v + o["eps"])
    if o.get("momentum"):
        q = s["b"] = o["momentum"] * s.get("b", 0) + q
    w -= o["lr"] * q


def keras_adagrad(o, w, g, t, s):
    s["h"] = s.get("h", o["initial_accumulator"]) + g * g
    w -= o["lr"] * g / np.sqrt(s["h"] + o["eps"])


def keras_adamax(o, w, g, t, s):
    w *= 1 - o["lr"] * o["weight_decay"]
    m, u = moment(s, "m", o["beta1"], g), np.maximum(o["beta2"] * s.get("u", 0), np.abs(g))
    s["u"] = u
    w -= o["lr"] / (1 - o["beta1"] ** t) * m / (u + o["eps"])


def lars(o, w, g, t, s):                    # You et al. 2017, algorithm 1
    norm_w, norm_g = np.sqrt((w * w).sum()), np.sqrt((g * g).sum())
    local = o["trust"] * norm_w / (norm_g + o["weight_decay"] * norm_w + o["eps"])
    d = (g + o["weight_decay"] * w) * (local if norm_w > 0 and norm_g > 0 else 1)
    s["b"] = o["momentum"] * s["b"] + (1 - o.get("dampening", 0)) * d if t > 1 else d
    w -= o["lr"] * (d + o["momentum"] * s["b"] if o.get("nesterov") else s["b"])


def lamb(o, w, g, t, s):                    # You et al. 2020, algorithm 2, phi(z) = z
    m, v = moment(s, "m", o["beta1"], g), moment(s, "v", o["beta2"], g * g)
    r = m / (1 - o["beta1"] ** t) / (np.sqrt(v / (1 - o["beta2"] ** t)) + o["eps"])
    r = r + o["weight_decay"] * w
    norm_w, norm_r = np.sqrt((w * w).sum()), np.sqrt((r * r).sum())
    w -= o["lr"] * (norm_w / norm_r if norm_w > 0 and norm_r > 0 else 1) * r


def adafactor(o, w, g, t, s):               # torch.optim.Adafactor (2.5 on)
    share, rho = t ** o["beta2_decay"], min(o["lr"], 1 / math.sqrt(t))
    alpha = max(o["eps2"], math.sqrt((w * w).mean())) * rho
    w *= 1 - o["lr"] * o["weight_decay"]
    if g.ndim > 1:
        rows, columns = (g * g).mean(-1, keepdims=True), (g * g).mean(-2, keepdims=True)
        r, c = moment(s, "r", 1 - share, rows), moment(s, "c", 1 - share, columns)
        v = r @ c / np.maximum(r.mean(-2, keepdims=True), o["eps"])
    else:
        v = moment(s, "v", 1 - share, g * g)
    u = g / np.sqrt(np.maximum(v, o["eps"] ** 2))
    w -= alpha / max(1, math.sqrt((u * u).mean()) / o["clip_threshold"]) * u


def muon(o, w, g, t, s):                    # torch.optim.Muon (2.9 on), its code, in double
    w *= 1 - o["lr"] * o["weight_decay"]
    if w.ndim != 2:                         # AdamW for all others
        m, v = moment(s, "m", o["beta1"], g), moment(s, "v", o["beta2"], g * g)
        w -= o["lr"] * m / (1 - o["beta1"] ** t) / (np.sqrt(v / (1 - o["beta2"] ** t)) + 1e-8)
        return
    b = moment(s, "b", o["momentum"], g)
    x = b if o.get("no_nesterov") else (1 - o["momentum"]) * g + o["momentum"] * b
    rows, columns = x.shape
    x = x.T if rows > columns else x
    x = x / max(np.sqrt((x * x).sum()), o["eps"])
    for _ in range(o["ns_steps"]):
        a = x @ x.T
        x = o["ns_a"] * x + (o["ns_b"] * a + o["ns_c"] * a @ a) @ x
    x = x.T if rows > columns else x
    ratio = 0.2 * math.sqrt(max(rows, columns)) if o.get("match_rms") else \
        math.sqrt(max(1, rows / columns))
    w -= o["lr"] * ratio * x


# ---- rules of PyTorch: our options in its words ------------------------------------------------

PAIRS = {"betas": ("beta1", "beta2"), "etas": ("eta_minus", "eta_plus"),
         "step_sizes": ("step_min", "step_max")}


def torch_defaults(name):
    p = torch.nn.Parameter(torch.zeros(1))
    return getattr(torch.optim, name)([p], **({"lr": 1e-3} if name == "SGD" else {})).defaults


def torch_optimizer(name, parameters, o):
    """parameters: each with its own options beside those of o."""
    o = dict(o)
    defaults = torch_defaults(name)
    for both, pair in PAIRS.items():
        if both in defaults:
            o[both] = tuple(o.pop(key, otherwise) for key, otherwise in zip(pair, defaults[both]))
    if "initial_accumulator" in o:
        o["initial_accumulator_value"] = o.pop("initial_accumulator")
    o = {key: bool(v) if isinstance(defaults.get(key), bool) else v for key, v in o.items()}
    if name == "SGD":
        o.setdefault("lr", 1e-3)
    groups = [dict({key: v for key, v in own.items() if key in defaults}, params=[p])
              for p, own in parameters]
    return getattr(torch.optim, name)(groups, **o)


class Rule:
    """number in tnn_optimizer_type; a function in numpy and its defaults, or None: PyTorch"""

    def __init__(self, number, work=None, **defaults):
        self.number, self.work, self.defaults = number, work, defaults


BETAS = dict(beta1=0.9, beta2=0.999)
RULES = {
    "SGD": Rule(1), "Adam": Rule(2), "AdamW": Rule(3), "ASGD": Rule(4), "Adagrad": Rule(5),
    "Adadelta": Rule(6), "RMSprop": Rule(7), "Rprop": Rule(8), "Adamax": Rule(9),
    "NAdam": Rule(10, nadam, lr=2e-3, eps=1e-8, momentum_decay=4e-3, **BETAS),
    "RAdam": Rule(11),
    "RAdam-numpy": Rule(11, radam, lr=1e-3, eps=1e-8, **BETAS),
    "Lion": Rule(12, lion, lr=1e-4, beta1=0.9, beta2=0.99, decoupled=1),
    "AdaBelief": Rule(13, adabelief, lr=1e-3, eps=1e-16, decoupled=1, **BETAS),
    "Adan": Rule(14, adan, lr=1e-3, beta1=0.98, beta2=0.92, beta3=0.99, eps=1e-8),
    "AdEMAMix": Rule(15, ademamix, lr=1e-3, beta3=0.9999, alpha=2, eps=1e-8, **BETAS),
    "FreeSGD": Rule(16, schedule_free, lr=1, momentum=0.9),
    "FreeAdamW": Rule(17, schedule_free, lr=2.5e-3, eps=1e-8, **BETAS),
    "Keras-SGD": Rule(1, keras_sgd, lr=0.01, momentum=0),
    "Keras-Adam": Rule(2, keras_adam, lr=1e-3, eps=1e-7, **BETAS),
    "Keras-AdamW": Rule(3, keras_adam, lr=1e-3, eps=1e-7, weight_decay=0.004, **BETAS),
    "Keras-RMSprop": Rule(7, keras_rmsprop, lr=1e-3, alpha=0.9, eps=1e-7),
    "Keras-Adagrad": Rule(5, keras_adagrad, lr=1e-3, eps=1e-7, initial_accumulator=0.1),
    "Keras-Adamax": Rule(9, keras_adamax, lr=1e-3, eps=1e-7, **BETAS),
    "LARS": Rule(19, lars, lr=1, momentum=0.9, trust=1e-3, eps=1e-8),
    "LAMB": Rule(20, lamb, lr=1e-3, eps=1e-6, weight_decay=0.01, **BETAS),
    "Adafactor": Rule(21, adafactor, lr=0.01, beta2_decay=-0.8, eps=2.0 ** -23, eps2=1e-3,
                      clip_threshold=1),
    "Muon": Rule(22, muon, lr=1e-3, momentum=0.95, weight_decay=0.1, eps=1e-7, ns_a=3.4445,
                 ns_b=-4.775, ns_c=2.0315, ns_steps=5, **BETAS),
}

CASES = [
    ("SGD", {}), ("SGD", dict(lr=0.1, weight_decay=0.01)), ("SGD", dict(lr=0.02, momentum=0.9)),
    ("SGD", dict(lr=0.02, momentum=0.9, nesterov=1)),
    ("SGD", dict(lr=0.05, momentum=0.9, dampening=0.5, weight_decay=0.1)),
    ("SGD", dict(lr=0.001, momentum=0.5, maximize=1)),
    ("Adam", {}), ("Adam", dict(lr=0.01, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.1)),
    ("Adam", dict(lr=0.02, amsgrad=1, beta2=0.9)), ("Adam", dict(lr=0.01, maximize=1)),
    ("AdamW", {}), ("AdamW", dict(lr=0.02, amsgrad=1, weight_decay=0.3, beta2=0.95)),
    ("AdamW", dict(maximize=1)),
    ("ASGD", {}), ("ASGD", dict(lr=0.05, lambd=0.01, alpha=0.6, t0=10, weight_decay=0.02)),
    ("ASGD", dict(lr=0.005, maximize=1, t0=3)),
    ("Adagrad", {}), ("Adagrad", dict(lr=0.1, lr_decay=0.05, initial_accumulator=0.3,
                                      weight_decay=0.05, eps=1e-4)),
    ("Adagrad", dict(maximize=1)),
    ("Adadelta", {}), ("Adadelta", dict(lr=2, rho=0.8, eps=1e-4, weight_decay=0.1)),
    ("Adadelta", dict(maximize=1)),
    ("RMSprop", {}), ("RMSprop", dict(lr=0.003, alpha=0.9, momentum=0.8, weight_decay=0.1)),
    ("RMSprop", dict(lr=0.003, centered=1, eps=1e-2)),
    ("RMSprop", dict(lr=0.002, centered=1, momentum=0.5, eps=0.1, maximize=1)),
    ("Rprop", {}), ("Rprop", dict(lr=0.05, eta_minus=0.4, eta_plus=1.5, step_min=1e-3,
                                  step_max=0.1)),
    ("Rprop", dict(lr=0.001, step_max=0.005, maximize=1)),
    ("Adamax", {}), ("Adamax", dict(lr=0.02, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.1)),
    ("Adamax", dict(maximize=1)),
    ("NAdam", {}), ("NAdam", dict(lr=0.02, momentum_decay=0.05, weight_decay=0.1, beta2=0.99)),
    ("NAdam", dict(lr=0.01, decoupled=1, weight_decay=0.3, beta1=0.8, eps=1e-4)),
    ("NAdam", dict(maximize=1)),
    ("RAdam", {}), ("RAdam", dict(lr=0.02, beta2=0.9, weight_decay=0.1, eps=1e-3)),
    ("RAdam-numpy", dict(lr=0.01, decoupled=1, weight_decay=0.3, beta2=0.99)),
    ("RAdam-numpy", dict(maximize=1)),
    ("Lion", {}), ("Lion", dict(lr=0.01, weight_decay=0.3, beta1=0.8, beta2=0.95)),
    ("Lion", dict(maximize=1)),
    ("AdaBelief", {}), ("AdaBelief", dict(lr=0.01, eps=1e-8, weight_decay=0.2, beta2=0.99)),
    ("AdaBelief", dict(lr=0.01, amsgrad=1, beta2=0.9, eps=1e-6)),
    ("AdaBelief", dict(lr=0.01, rectify=1, beta2=0.99, eps=1e-4)),
    ("AdaBelief", dict(maximize=1, eps=1e-8)),
    ("Adan", {}), ("Adan", dict(lr=0.01, weight_decay=0.2, beta1=0.9, beta2=0.8, beta3=0.95)),
    ("Adan", dict(lr=0.01, weight_decay=0.2, decoupled=1, eps=1e-3)), ("Adan", dict(maximize=1)),
    ("AdEMAMix", {}), ("AdEMAMix", dict(lr=0.005, beta3=0.99, alpha=5, weight_decay=0.1)),
    ("AdEMAMix", dict(lr=0.005, beta3=0.999, alpha_warmup=30, beta3_warmup=40)),
    ("AdEMAMix", dict(maximize=1)),
    ("FreeSGD", dict(lr=0.2)), ("FreeSGD", dict(lr=0.1, momentum=0.8, weight_decay=0.05,
                                                warmup_steps=10, r=0.5, weight_lr_power=1)),
    ("FreeSGD", dict(lr=0.001, maximize=1)),
    ("FreeAdamW", {}), ("FreeAdamW", dict(lr=0.02, weight_decay=0.1, warmup_steps=20, beta1=0.95,
                                          beta2=0.99, eps=1e-4, r=1)),
    ("FreeAdamW", dict(maximize=1)),
    ("LARS", {}), ("LARS", dict(lr=10, weight_decay=0.1, nesterov=1)),
    ("LARS", dict(lr=1, trust=0.01, momentum=0.5, dampening=0.2, eps=0.1, maximize=1)),
    ("LAMB", {}), ("LAMB", dict(lr=0.02, weight_decay=0.1, beta2=0.99, eps=1e-3)),
    ("LAMB", dict(maximize=1)),
    ("Adafactor", {}), ("Adafactor", dict(lr=0.3, weight_decay=0.05, beta2_decay=-0.5, eps2=0.1,
                                          eps=0.2, clip_threshold=1.5)),
    ("Adafactor", dict(maximize=1)),
    ("Muon", dict(weight_decay=0)), ("Muon", dict(lr=0.02, momentum=0.8)),
    ("Muon", dict(lr=0.01, no_nesterov=1, match_rms=1, ns_steps=3)),
    ("Muon", dict(lr=0.01, ns_a=2, ns_b=-1.5, ns_c=0.5, maximize=1, momentum=0.5)),
    ("Keras-SGD", {}), ("Keras-SGD", dict(momentum=0.9, change=(10, 0.05, 0.8))),
    ("Keras-SGD", dict(momentum=0.9, nesterov=1, weight_decay=0.3, change=(10, 0.002, 0.9))),
    ("Keras-Adam", {}), ("Keras-Adam", dict(eps=0.01, weight_decay=0.3)),
    ("Keras-Adam", dict(eps=0.1, amsgrad=1)), ("Keras-AdamW", {}),
    ("Keras-RMSprop", {}), ("Keras-RMSprop", dict(eps=0.3, momentum=0.5, centered=1)),
    ("Keras-Adagrad", {}), ("Keras-Adagrad", dict(eps=0.5, lr=0.1)),
    ("Keras-Adamax", {}), ("Keras-Adamax", dict(eps=0.2, lr=0.02, weight_decay=0.3)),
    # what stands around the rules; layers are 0, 2 and 3
    ("SGD", dict(lr=0.1, momentum=0.9, change=(10, 0.02, 0.5))),
    ("Adam", dict(lr=0.01, change=(10, 0.05, 0.8))),
    ("Muon", dict(lr=0.01, change=(10, 0.02, 0.7))),
    ("FreeAdamW", dict(lr=0.01, change=(10, 0.002, 0.9))),
    ("Adam", dict(lr=0.01, weight_decay=0.2, layer0=(0.5, 2, 0), layer3=(2, 0, 0))),
    ("Adam", dict(lr=0.01, weight_decay=0.2, layer2=(1, 1, 1), no_bias_decay=1)),
    ("AdamW", dict(lr=0.01, weight_decay=0.2, layer0=(0, 1, 0), layer2=(0.25, 4, 0))),
    ("LAMB", dict(lr=0.01, layer0=(0.5, 3, 0), layer2=(1, 1, 1), no_bias_decay=1)),
    ("LARS", dict(lr=5, layer0=(0.5, 1, 0), weight_decay=0.1, layer3=(2, 4, 0))),
    ("Muon", dict(lr=0.01, layer0=(1, 1, 1), layer2=(0.5, 2, 0))),
    ("Adafactor", dict(lr=0.1, weight_decay=0.1, layer0=(0.5, 2, 0), layer3=(1, 1, 1))),
    ("Rprop", dict(lr=0.01, layer2=(2, 1, 0), layer3=(1, 1, 1), step_max=0.05)),
    ("SGD", dict(lr=0.1, clip_norm=2)), ("SGD", dict(lr=0.1, clip_tensor=0.7)),
    ("SGD", dict(lr=0.1, clip_value=0.3)),
    ("Adam", dict(lr=0.01, clip_value=0.5, clip_norm=3, layer3=(1, 1, 1))),
    ("SGD", dict(lr=0.1, momentum=0.9, lookahead=5)),
    ("Adam", dict(lr=0.02, lookahead=3, lookahead_alpha=0.8, layer2=(1, 1, 1))),
    ("Adam", dict(lr=0.02, ema=0.95)), ("SGD", dict(lr=0.1, ema=0.99, ema_warmup=1)),
    ("SGD", dict(lr=0.1, swa_start=20)), ("Adam", dict(lr=0.02, swa_start=7, swa_every=4)),
    ("Adadelta", dict(lr=0.01, rho=1)),
]


AROUND = ("layer0", "layer2", "layer3", "no_bias_decay", "clip_value", "clip_tensor", "clip_norm",
          "lookahead", "lookahead_alpha", "ema", "ema_warmup", "swa_start", "swa_every", "change")


def clip(g, around):
    """torch.nn.utils on the gradients of the tensors that are not frozen."""
    for p in g:
        p.grad = p.detach()
    if "clip_value" in around:
        torch.nn.utils.clip_grad_value_(g, around["clip_value"])
    if "clip_tensor" in around:
        for p in g:
            torch.nn.utils.clip_grad_norm_([p], around["clip_tensor"])
    if "clip_norm" in around:
        torch.nn.utils.clip_grad_norm_(g, around["clip_norm"])
    return [p.grad for p in g]


def train(name, options):
    """Weights after the steps of SEEN, and what tnn_use_average gives at the end, or None."""
    rule = RULES[name]
    around = {key: v for key, v in options.items() if key in AROUND}
    o = dict(rule.defaults, **{key: v for key, v in options.items() if key not in AROUND})
    base = rule.defaults if rule.work else torch_defaults(name)
    lr = o.get("lr", 1e-3 if name == "SGD" else base["lr"])
    decay = o.pop("weight_decay", base.get("weight_decay", 0))
    layers = [around.get("layer" + key[0], (1, 1, 0)) for key, _ in SHAPES]
    live = [i for i, layer in enumerate(layers) if not layer[2]]

    def own(i):
        without = around.get("no_bias_decay") and SHAPES[i][0].endswith("bias")
        return dict(lr=lr * layers[i][0], weight_decay=0 if without else decay * layers[i][1])

    parameters = [torch.nn.Parameter(torch.tensor(w)) for w in split(START)]
    weights = [p.detach().numpy() for p in parameters]          # the same memory
    states = [{} for _ in weights]
    if not rule.work:
        optimizer = torch_optimizer(name, [(parameters[i], own(i)) for i in live], o)
    slow = [w.copy() for w in weights]
    average, averages, trajectory = 0, 0, []
    for t in range(1, STEPS + 1):
        if "change" in around and t == around["change"][0]:
            lr, momentum = around["change"][1:]
            o["beta1" if "beta1" in o and name != "Muon" else "momentum"] = momentum
            for group in () if rule.work else optimizer.param_groups:
                group["lr"] = lr
                if "betas" in group:
                    group["betas"] = (momentum, group["betas"][1])
                else:
                    group["momentum"] = momentum
        g = split(gradient(join(weights), t))
        g = clip([torch.nn.Parameter(torch.tensor(g[i])) for i in live], around)
        if rule.work:
            for i, x in zip(live, g):
                x = -x.numpy() if o.get("maximize") else x.numpy()
                rule.work(dict(o, **own(i)), weights[i], x, t, states[i])
        else:
            for i, x in zip(live, g):
                parameters[i].grad = x.clone()
            optimizer.step()
        if "lookahead" in around and t % around["lookahead"] == 0:
            for w, s in zip(weights, slow):
                s += around.get("lookahead_alpha", 0.5) * (w - s)
                w[...] = s
        d = 1 - 1 / (averages + 1)                              # of the old average
        if "ema" in around and averages:
            d = min(around["ema"], (1 + t) / (10 + t) if "ema_warmup" in around else 1)
        start, every = around.get("swa_start", 0), around.get("swa_every", 1)
        if "ema" in around or (start and t >= start and (t - start) % every == 0):
            average = d * average + (1 - d) * join(weights)
            averages += 1
        if t in SEEN:
            trajectory.append(join(weights)[::6].copy())
    if not averages:
        average = (join(optimizer.state[p]["ax"].numpy() for p in parameters) if name == "ASGD" else
                   join(s["x"] for s in states) if name.startswith("Free") else
                   join(slow) if "lookahead" in around else None)
    return np.stack(trajectory), average


def rules():
    out = Vectors("optimizers_rules.txt", "every 6th weight after steps 1, 5, 50 of each optimizer")
    for number, (name, options) in enumerate(CASES):
        trajectory, average = train(name, dict(options))
        out.case("%s-%d" % (name, number))
        out.put("type", [RULES[name].number])
        for key, v in options.items():
            out.put(key if key[:5] in ("layer", "chang") else "o." + key, np.atleast_1d(v), "%.17g")
        out.put("trajectory", trajectory, "%.9g")
        if average is not None:
            out.put("average", average[::6], "%.9g")
    out.close()


# ---- L-BFGS: a network of its own, 6 - dense 9 - leaky ReLU - dense 4, cross-entropy ----------

def lbfgs_train(options, dtype):
    nn = torch.nn
    net = nn.Sequential(nn.Linear(6, 9), nn.LeakyReLU(0.25), nn.Linear(9, 4)).to(dtype)
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(torch.tensor(value(13000 + i, p.numel()).reshape(p.shape) / 2))
    optimizer = torch.optim.LBFGS(net.parameters(), **options)
    trajectory = []
    for t in range(3):
        x = value(13100 + t // 2, 30 * 6).reshape(30, 6)
        labels = torch.tensor(np.argmax(x[:, :4], 1) * (np.arange(30) % 3 > 0))
        x = torch.tensor(x).to(dtype)

        def closure():
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), labels)
            loss.backward()
            return loss
        optimizer.step(closure)
        trajectory.append(join(p.detach().double().numpy() for p in net.parameters()))
    return np.stack(trajectory)


def lbfgs():
    """With how far PyTorch in float is from itself in double: the method magnifies rounding."""
    out = Vectors("optimizers_lbfgs.txt", "all weights after each of 3 steps of L-BFGS")
    for number, options in enumerate([
            dict(max_iter=4), dict(lr=0.5, max_iter=6, history_size=3),
            dict(max_iter=8, line_search_fn="strong_wolfe"),
            dict(lr=0.5, max_iter=5, history_size=2, line_search_fn="strong_wolfe"),
            dict(max_iter=20, max_eval=7, line_search_fn="strong_wolfe"),
            dict(lr=0.8, tolerance_grad=0.05, tolerance_change=1e-3),
            dict(lr=0.2, max_iter=2, line_search_fn="strong_wolfe"),
            dict(lr=0.3, max_eval=5, line_search_fn="strong_wolfe"),
            dict(lr=0.1, max_iter=3, maximize=True),
            dict(lr=0.5, max_iter=2, line_search_fn="strong_wolfe", maximize=True)]):
        wide, narrow = lbfgs_train(options, torch.float64), lbfgs_train(options, torch.float32)
        out.case("LBFGS-%d" % number)
        words = {"history_size": "history", "line_search_fn": "strong_wolfe"}
        for key, v in options.items():
            out.put("o." + words.get(key, key), [1 if v == "strong_wolfe" else int(v) if v is True else v], "%.17g")
        out.put("float32", np.abs(narrow - wide).max(1) / np.abs(wide).max(1), "%.2g")
        for t in range(3):
            out.put("step%d" % t, wide[t], "%.9g")
    out.close()


if __name__ == "__main__":
    rules()
    lbfgs()
