#!/usr/bin/python3
"""Writes tests/vectors/loss_*.txt for tests/test_losses.c: value and gradient of every loss.

    python3 tests/loss_vectors.py [DIRECTORY]                   (PyTorch 2.14)

PyTorch's own function where it has the loss; else the published formula, in double precision, its
gradient by PyTorch's differentiation. A case is the loss's number (`type`), its options by their
names in tnn_loss_options, `shape` (n, c, h, w), `flat`, outputs `x`, `t` or `labels`, and what came
out: `loss`, `dx`.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

from torch_vectors import Vectors, coarse, hash32

NAMES = ("cross_entropy nll multi_margin mse l1 huber smooth_l1 log_cosh bce bce_logits focal "
         "hinge squared_hinge hinge_embedding kl_div poisson_nll gaussian_nll cosine dice").split()
REDUCTIONS = {"mean": 0, "sum": 1, "batchmean": 2}
numbers = {}


# ---- what PyTorch lacks ------------------------------------------------------------------------

def reduced(value, reduction):
    return value.sum() if reduction == "sum" else value.mean() if reduction == "mean" \
        else value.sum() / value.shape[0]


def log_cosh(x, t, reduction="mean"):
    """Keras LogCosh: e + softplus(-2 e) - log 2."""
    e = (x - t).abs()
    return reduced(e + F.softplus(-2 * e, threshold=1e9) - math.log(2), reduction)


def hinge(x, t, power=1, reduction="mean"):
    """Keras Hinge and SquaredHinge; its gradient at the kink is that inside, as TensorFlow's."""
    z = 1 - t * x
    return reduced(torch.where(z >= 0, z, 0.0) ** power, reduction)


def focal(x, t, alpha=0.25, gamma=2.0, weights=None, reduction="mean"):
    """Lin et al. 2017, eq. 5, in the form of torchvision.ops.sigmoid_focal_loss."""
    p = torch.sigmoid(x)
    c = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    p_t = p * t + (1 - p) * (1 - t)
    loss = c * (1 - p_t) ** gamma
    if alpha >= 0:
        loss = (alpha * t + (1 - alpha) * (1 - t)) * loss
    return reduced(loss if weights is None else loss * weights, reduction)


def softmax_focal(x, labels, gamma, weights=None):
    """Lin et al. 2017, eq. 5, with p_t the label's softmax."""
    lp = F.log_softmax(x, 1).gather(1, labels.unsqueeze(1)).squeeze(1)
    w = torch.ones(x.shape[1], dtype=x.dtype) if weights is None else weights
    loss = -w[labels] * (1 - lp.exp()) ** gamma * lp
    return loss.sum() / w[labels].sum()


def dice(x, t, smooth=1.0):
    """Milletari et al. 2016, sec. 3, with the usual smoothing term, mean over the samples."""
    x, t = x.flatten(1), t.flatten(1)
    d = (2 * (x * t).sum(1) + smooth) / ((x * x).sum(1) + (t * t).sum(1) + smooth)
    return (1 - d).mean()


def vectors(name, about):
    out = Vectors(name, about)
    out.lines[0] = out.lines[0].replace("torch_vectors", "loss_vectors")
    return out


# ---- cases -------------------------------------------------------------------------------------

def case(out, name, x, function, t=None, labels=None, flat=0, **options):
    x = x.detach().clone().requires_grad_()
    loss = function(x)
    loss.backward()
    number = numbers[name] = numbers.get(name, -1) + 1
    out.case("%s-%d" % (name, number))
    shape = list(x.shape) + [1] * (4 - len(x.shape))
    put = [("type", [NAMES.index(name) + 1]), ("shape", shape), ("flat", [flat])]
    put += [(k, v if isinstance(v, torch.Tensor) else [v]) for k, v in options.items()]
    put += [("x", x)]
    if t is not None:
        put.append(("t", t))
    if labels is not None:
        put.append(("labels", labels))
    for key, v in put:
        out.put(key, v)                     # nine digits tell any two floats apart
    out.put("loss", [loss.item()])
    out.put("dx", x.grad, "%.8g")


stream = [20000]


def fresh(*shape):
    stream[0] += 1
    return coarse(stream[0], *shape)


def some_labels(classes, *shape):
    stream[0] += 1
    h = hash32(stream[0], np.arange(int(np.prod(shape)))) % np.uint64(classes)
    return torch.tensor(h.astype(np.int64).reshape(shape))


def probabilities(*shape):
    """Sum to 1 over axis 1, exactly, and are exact in a float: multiples of 2^-20."""
    raw = (fresh(*shape) + 1.25)
    p = torch.floor(raw / raw.sum(1, keepdim=True) * 2.0 ** 20) / 2.0 ** 20
    p[:, 0] += 1 - p.sum(1)
    return p


def f32(t):
    return t.to(torch.float32).to(torch.float64)


SHAPES = [(1, 1), (1, 5), (3, 10), (1, 37), (2, 3, 3, 4), (1, 2, 1, 3), (2, 1, 3, 3)]
FEW = [(3, 10), (2, 3, 2, 5)]


def channel(v, x):
    """A vector of one number per channel, for broadcasting against x."""
    return v.reshape([-1] + [1] * (x.dim() - 2))


def by_labels():
    out = vectors("loss_labels.txt", "losses on labels and on class probabilities")
    # cross-entropy and NLL: weights, smoothing, ignored labels, pixels, reductions
    for shape in [(1, 1), (1, 5), (4, 3), (6, 10), (3, 33), (2, 4, 3, 3), (1, 3, 2, 5)]:
        pixels = int(len(shape) > 2)
        for variant in range(6):
            x = fresh(*shape) * 4
            labels = some_labels(shape[1], shape[0], *shape[2:])
            o = dict(per_pixel=pixels)
            smoothing, weights, ignore, reduction = 0, None, -100, "mean"
            if variant in (1, 4):
                weights = f32(fresh(shape[1]) + 1.25)
                o["class_weights"] = weights
            if variant in (2, 4):
                smoothing = o["label_smoothing"] = 0.25
            if variant in (3, 4) and labels.numel() > 2:
                if variant == 3:
                    ignore = o["ignore_index"] = 1
                    labels.view(-1)[0] = 1
                labels.view(-1)[1] = ignore
                labels.view(-1)[2] = 0
            if variant == 5:
                reduction = "sum"
                o["reduction"] = 1
            case(out, "cross_entropy", x, lambda x: F.cross_entropy(
                x, labels, weights, label_smoothing=smoothing, ignore_index=ignore,
                reduction=reduction), labels=labels, **o)
            o.pop("label_smoothing", None)
            if variant != 2:
                case(out, "nll", f32(F.log_softmax(x, 1)), lambda x: F.nll_loss(
                    x, labels, weights, ignore_index=ignore, reduction=reduction),
                     labels=labels, **o)
    for shape in [(1, 5), (4, 3), (3, 17), (2, 3, 2, 3)]:
        for variant in range(4):
            x, t = fresh(*shape) * 4, probabilities(*shape)
            smoothing = 0.125 if variant == 1 else 0
            weights = f32(fresh(shape[1]) + 1.25) if variant == 2 else None
            o = dict(per_pixel=int(len(shape) > 2))
            if variant == 1:
                o["label_smoothing"] = smoothing
            if variant == 2:
                o["class_weights"] = weights
            if variant == 3:
                o["reduction"] = 1
            case(out, "cross_entropy", x, lambda x: F.cross_entropy(
                x, t, weights, label_smoothing=smoothing,
                reduction="sum" if variant == 3 else "mean"), t=t, **o)
    # the focal loss of softmax
    for shape in [(1, 2), (4, 3), (3, 17), (2, 3, 2, 3)]:
        for gamma in (0.5, 1, 2, 5):
            x, labels = fresh(*shape) * 6, some_labels(shape[1], shape[0], *shape[2:])
            weights = f32(fresh(shape[1]) + 1.25) if gamma == 1 else None
            o = dict(per_pixel=int(len(shape) > 2), gamma=gamma)
            if weights is not None:
                o["class_weights"] = weights
            case(out, "cross_entropy", x, lambda x: softmax_focal(x, labels, gamma, weights),
                 labels=labels, **o)
    for logit in (3.0, 12.0, 20.0, -40.0):                       # sure of it, and sure of another
        x, labels = torch.tensor([[logit, 0.0, 0.0]], dtype=torch.float64), torch.tensor([0])

        def sure(x):
            """By 1 - p = others/sum, which keeps its digits."""
            e = torch.exp(x - x.max())
            q = (e[0, 1] + e[0, 2]) / e.sum()
            lp = torch.log1p(-q) if logit > 0 else x[0, 0] - torch.logsumexp(x, 1)[0]
            return -q ** 2 * lp
        case(out, "cross_entropy", x, sure, labels=labels, gamma=2)
    for scale in (100, 1e4, 1e30):                          # large logits
        x = f32(fresh(3, 5) * scale)
        labels = torch.tensor([0, 3, 4])
        case(out, "cross_entropy", x, lambda x: F.cross_entropy(x, labels), labels=labels)
    for shape in [(1, 2), (4, 3), (3, 10), (2, 33)]:
        for variant in range(5):
            x, labels = fresh(*shape) * 2, some_labels(shape[1], shape[0])
            o, p, margin, weights, reduction = {}, 1, 1.0, None, "mean"
            if variant in (1, 3):
                p = o["p"] = 2
            if variant in (2, 3):
                margin = o["margin"] = 0.375
                weights = o["class_weights"] = f32(fresh(shape[1]) + 1.25)
            if variant == 4:
                reduction = "sum"
                o["reduction"] = 1
            case(out, "multi_margin", x, lambda x: F.multi_margin_loss(
                x, labels, p, margin, weights, reduction=reduction), labels=labels, **o)
    # labels where targets belong: one-hot, and with one output the label itself
    for shape in [(4, 3), (5, 1), (3, 17)]:
        labels = some_labels(max(2, shape[1]), shape[0])
        t = F.one_hot(labels, shape[1]).double() if shape[1] > 1 else labels.double().reshape(shape)
        x = fresh(*shape)
        case(out, "mse", x, lambda x: F.mse_loss(x, t), labels=labels)
        case(out, "bce_logits", x, lambda x: F.binary_cross_entropy_with_logits(x, t),
             labels=labels)
        case(out, "hinge", x, lambda x: hinge(x, 2 * t - 1), labels=labels)
        case(out, "hinge_embedding", x, lambda x: F.hinge_embedding_loss(x, 2 * t - 1),
             labels=labels)
        case(out, "dice", x, lambda x: dice(x, t), labels=labels)
    labels = torch.tensor([7, 0, 3])                        # counts
    case(out, "poisson_nll", fresh(3, 1), lambda x: F.poisson_nll_loss(
        x, labels.double().reshape(3, 1)), labels=labels)
    # pixels
    for shape in [(2, 3, 2, 4), (2, 1, 3, 3)]:
        labels = some_labels(max(2, shape[1]), shape[0], *shape[2:])
        t = labels.double().reshape(shape) if shape[1] == 1 \
            else F.one_hot(labels, shape[1]).permute(0, 3, 1, 2).double()
        x = fresh(*shape)
        case(out, "focal", x, lambda x: focal(x, t), labels=labels, per_pixel=1)
        case(out, "dice", x, lambda x: dice(x, t), labels=labels, per_pixel=1)
    out.close()


def by_targets():
    out = vectors("loss_targets.txt", "losses on targets, value by value")
    simple = [("mse", F.mse_loss), ("l1", F.l1_loss), ("log_cosh", log_cosh),
              ("huber", F.huber_loss), ("smooth_l1", F.smooth_l1_loss)]
    for name, f in simple:
        for shape in SHAPES:
            x, t = fresh(*shape) * 2, fresh(*shape)
            case(out, name, x, lambda x: f(x, t), t=t)
        x, t = fresh(2, 2, 2, 3) * 2, fresh(2, 2, 2, 3)
        case(out, name, x, lambda x: f(x, t), t=t, flat=1)
        for reduction in ("sum", "batchmean"):
            case(out, name, x, lambda x: f(x, t, reduction="sum")
                 / (1 if reduction == "sum" else 2), t=t, reduction=REDUCTIONS[reduction])
        for e in (0.0, 1e-3, -0.5, 0.75, 40.0, -1e4):           # one by one
            x, t = torch.tensor([[e]], dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
            x = f32(x)
            if name == "log_cosh" and abs(e) < 0.1:             # where the formula loses digits
                case(out, name, x, lambda x: torch.log(torch.cosh(x)).sum()
                     if e == 0 else 0.5 * torch.log1p(torch.sinh(x) ** 2).sum(), t=t)
            else:
                case(out, name, x, lambda x: f(x, t), t=t)
    for shape in FEW:
        x, t = fresh(*shape) * 2, fresh(*shape)
        for delta in (0.25, 0.5, 3):
            case(out, "huber", x, lambda x: F.huber_loss(x, t, delta=delta), t=t, delta=delta)
        for beta in (0, 0.25, 3):
            case(out, "smooth_l1", x, lambda x: F.smooth_l1_loss(x, t, beta=beta), t=t,
                 beta=-0.0 if beta == 0 else beta)
    # probabilities of binary classes
    for shape in SHAPES:
        t = (fresh(*shape) + 1) / 2
        x = (fresh(*shape) + 1) / 2 + 1 / 256
        y = fresh(*shape) * 8
        w = f32(fresh(shape[1]) + 1.25)
        p = f32(fresh(shape[1]) + 1.25)
        hard = (t > 0.5).double()
        bce, logits = F.binary_cross_entropy, F.binary_cross_entropy_with_logits
        case(out, "bce", x, lambda x: bce(x, t), t=t)
        case(out, "bce", x, lambda x: bce(x, t, channel(w, x)), t=t, class_weights=w)
        case(out, "bce_logits", y, lambda x: logits(x, t), t=t)
        case(out, "bce_logits", y, lambda x: logits(x, t, channel(w, x), pos_weight=channel(p, x)),
             t=t, class_weights=w, pos_weights=p)
        case(out, "focal", y, lambda x: focal(x, hard), t=hard)
        case(out, "focal", y, lambda x: focal(x, t, -1, 0.5, channel(w, x)), t=t, alpha=-1,
             gamma=0.5, class_weights=w)
        case(out, "focal", y, lambda x: focal(x, hard, 0.5, 0, reduction="sum"), t=hard, alpha=0.5,
             gamma=-0.0, reduction=1)
    for x, t in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0.5), (2.0 ** -30, 0), (2.0 ** -30, 1),
                 (0.25, 0), (0.75, 0), (1 - 2.0 ** -24, 1), (1 - 2.0 ** -24, 0), (2.0 ** -140, 1)]:
        x = torch.tensor([[x]], dtype=torch.float64)
        t = torch.tensor([[t]], dtype=torch.float64)
        case(out, "bce", x, lambda x: F.binary_cross_entropy(x, t), t=t)
    for x in (-1e4, -80, -20, 0, 20, 1e4):
        for t in (0, 1):
            x = torch.as_tensor([[x]], dtype=torch.float64)
            t = torch.tensor([[t]], dtype=torch.float64)
            case(out, "bce_logits", x, lambda x: F.binary_cross_entropy_with_logits(x, t), t=t)
            if abs(x.item()) <= 20:
                # 1 - p_t as the other sigmoid, to keep its digits
                case(out, "focal", x, lambda x: (
                    0.25 * torch.sigmoid(-x) ** 2 * F.softplus(-x, threshold=1e9) if t.item()
                    else 0.75 * torch.sigmoid(x) ** 2 * F.softplus(x, threshold=1e9)).sum(), t=t)
            x = x.item()
    out.close()


def by_more_targets():
    out = vectors("loss_more.txt", "hinges, divergences, densities, overlaps")
    for shape in SHAPES:
        x = fresh(*shape) * 2
        t = torch.sign(fresh(*shape) + 1 / 128)
        case(out, "hinge", x, lambda x: hinge(x, t), t=t)
        case(out, "squared_hinge", x, lambda x: hinge(x, t, 2), t=t)
        case(out, "hinge_embedding", x, lambda x: F.hinge_embedding_loss(x, t), t=t)
        case(out, "hinge_embedding", x, lambda x: F.hinge_embedding_loss(x, t, 0.375), t=t,
             margin=0.375)
    x, t = fresh(3, 10) * 2, torch.sign(fresh(3, 10) + 1 / 128)
    case(out, "hinge", x, lambda x: hinge(x, t), t=(t + 1) / 2)             # 0 is taken as -1
    case(out, "hinge", x, lambda x: hinge(x, t, reduction="sum"), t=t, reduction=1)
    for shape in SHAPES[1:]:
        x, t = f32(F.log_softmax(fresh(*shape) * 4, 1)), probabilities(*shape)
        t.view(-1)[0] = 0
        lt = f32(torch.log(t + 1e-6))
        case(out, "kl_div", x, lambda x: F.kl_div(x, t), t=t)
        case(out, "kl_div", x, lambda x: F.kl_div(x, t, reduction="batchmean"), t=t, reduction=2)
        case(out, "kl_div", x, lambda x: F.kl_div(x, lt, log_target=True), t=lt, log_target=1)
    for shape in SHAPES:
        x, t = fresh(*shape) * 4, torch.floor((fresh(*shape) + 1) * 4)
        rate = (fresh(*shape) + 1.25) * 4
        case(out, "poisson_nll", x, lambda x: F.poisson_nll_loss(x, t), t=t)
        case(out, "poisson_nll", x, lambda x: F.poisson_nll_loss(x, t, full=True), t=t, full=1)
        case(out, "poisson_nll", rate, lambda x: F.poisson_nll_loss(x, t, log_input=False), t=t,
             no_log_input=1)
        case(out, "poisson_nll", rate, lambda x: F.poisson_nll_loss(
            x, t, log_input=False, full=True, eps=0.125, reduction="sum"), t=t, no_log_input=1,
             full=1, eps=0.125, reduction=1)
    for x, t in ((80.0, 5.0), (-80.0, 0.0), (-60.0, 3.0)):
        x = torch.tensor([[x]], dtype=torch.float64)
        t = torch.tensor([[t]], dtype=torch.float64)
        case(out, "poisson_nll", x, lambda x: F.poisson_nll_loss(x, t), t=t)
    x, t = torch.zeros(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    case(out, "poisson_nll", x, lambda x: F.poisson_nll_loss(x, t, log_input=False), t=t,
         no_log_input=1)
    for shape in [(1, 2), (4, 6), (3, 34), (2, 4, 3, 5), (1, 2, 1, 3)]:
        half = shape[1] // 2
        x, v = fresh(*shape), (fresh(*shape) + 1.125)
        x[:, half:] = v[:, half:]
        x[0, half] = 0                                                      # below eps
        t = fresh(shape[0], half, *shape[2:])

        def gaussian(x, **o):
            return F.gaussian_nll_loss(x[:, :half], t, x[:, half:], **o)
        case(out, "gaussian_nll", x, lambda x: gaussian(x, eps=0.5), t=t, eps=0.5)
        case(out, "gaussian_nll", x, lambda x: gaussian(x, eps=0.25, full=True), t=t, eps=0.25,
             full=1, flat=1)
        x[0, half] = 1e-3
        x = f32(x)
        case(out, "gaussian_nll", x, lambda x: gaussian(x, reduction="sum"), t=t, reduction=1)
    for shape in SHAPES:
        x, t = fresh(*shape) * 2, fresh(*shape) + 1 / 128

        def cosine(x, t):
            x, t = x.flatten(1), t.flatten(1)
            return F.cosine_embedding_loss(x, t, torch.ones(x.shape[0]))
        if shape[1] > 1:
            case(out, "cosine", x, lambda x: cosine(x, t), t=t)
        if len(shape) > 2 and shape[1] > 1:
            case(out, "cosine", x, lambda x: cosine(
                x.permute(0, 2, 3, 1).reshape(-1, shape[1]),
                t.permute(0, 2, 3, 1).reshape(-1, shape[1])), t=t, per_pixel=1)
        y, m = (fresh(*shape) + 1) / 2, (fresh(*shape) > 0).double()
        case(out, "dice", y, lambda x: dice(x, m), t=m)
        case(out, "dice", y + 1 / 64, lambda x: dice(x, m, 0), t=m, smooth=-0.0, flat=1)
    out.close()


if __name__ == "__main__":
    by_labels()
    by_targets()
    by_more_targets()
