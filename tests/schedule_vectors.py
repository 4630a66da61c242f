#!/usr/bin/python3
"""Writes tests/vectors/schedules.txt for tests/test_schedules.c.

    /usr/bin/python3 tests/schedule_vectors.py [DIRECTORY]

Curves of learning rates and momenta: what PyTorch's schedulers give step by step, whatever they
compute them from; the published formula for those that PyTorch lacks. Then sequences of
metrics with what PyTorch's ReduceLROnPlateau does and with the rules of Keras 3 and Lightning 2,
written here from their documentation, metric by metric.

The keys of a case are the members of tnn_schedule; those of part i begin with "i.". A lambda has no
key: it is 1/(1.25 + t/8) on both sides.
"""
import warnings

import numpy as np
import torch
from torch.optim import lr_scheduler as S
from torch.optim.swa_utils import SWALR

from torch_vectors import Vectors

warnings.simplefilter("ignore")
TYPES = ["", "constant", "step", "multistep", "exponential", "inverse", "linear", "polynomial",
         "cosine", "restarts", "anneal", "wsd", "one_cycle", "cyclic", "sequential", "chained",
         "lambda", "multiplicative"]
OUT = Vectors("schedules.txt", "curves of schedules, what metrics make of lr and training")
OUT.lines[0] = OUT.lines[0].replace("torch_vectors.py", "schedule_vectors.py")
COUNT = {}


def put(prefix, options):
    for key, v in options.items():
        if key == "parts":
            for i, part in enumerate(v):
                put("%s%d." % (prefix, i), part)
            OUT.put(prefix + "count", [len(v)])
        elif key == "type":
            OUT.put(prefix + "type", [TYPES.index(v)])
        else:
            OUT.put(prefix + key, np.atleast_1d(v), "%.17g")


def case(options, lrs, momenta=None):
    name = options["type"]
    COUNT[name] = COUNT.get(name, 0) + 1
    OUT.case("%s-%d" % (name, COUNT[name]))
    put("", options)
    OUT.put("curve", lrs, "%.11g")
    if momenta is not None:
        OUT.put("momentum", momenta, "%.11g")


def from_torch(options, make, steps=60, momentum=None):
    """make(optimizer) gives the scheduler; momentum: SGD, or betas."""
    p = [torch.nn.Parameter(torch.zeros(1))]
    lr = options["lr"]
    o = torch.optim.Adam(p, lr=lr) if momentum == "betas" else \
        torch.optim.SGD(p, lr=lr, momentum=0.5)
    scheduler = make(o)
    lrs, momenta = [], []
    for t in range(steps):
        if t:
            scheduler.step()
        group = o.param_groups[0]
        lrs.append(group["lr"])
        momenta.append(group["betas"][0] if momentum == "betas" else group["momentum"])
        o.step()
    case(options, lrs, momenta if momentum else None)


def curves_of_torch():
    D = dict
    for lr, factor, t in ((0.1, 1 / 3, 5), (0.3, 0.5, 12), (2.0, 0.01, 1)):
        from_torch(D(type="constant", lr=lr, start_factor=factor, steps=t),
                   lambda o: S.ConstantLR(o, factor, t), 20)
    for lr, t, gamma in ((0.1, 10, 0.1), (0.05, 7, 0.5), (1.0, 1, 0.97)):
        from_torch(D(type="step", lr=lr, steps=t, gamma=gamma), lambda o: S.StepLR(o, t, gamma))
    from_torch(D(type="step", lr=0.1, steps=30), lambda o: S.StepLR(o, 30), 80)
    for lr, m, gamma in ((0.1, [30, 50], 0.1), (0.2, [3, 3, 17, 40], 0.6), (0.01, [1], 2.0)):
        from_torch(D(type="multistep", lr=lr, milestones=m, count=len(m), gamma=gamma),
                   lambda o: S.MultiStepLR(o, m, gamma))
    for lr, gamma in ((0.1, 0.9), (1e-3, 0.999), (1e-7, 1.3)):
        from_torch(D(type="exponential", lr=lr, gamma=gamma), lambda o: S.ExponentialLR(o, gamma))
    from_torch(D(type="exponential", lr=0.1, gamma=0.5), lambda o: S.ExponentialLR(o, 0.5), 150)
    for lr, a, b, t in ((0.1, 1 / 3, 1.0, 5), (0.05, 0.25, 1.0, 20), (0.5, 1.0, 0.05, 37),
                        (0.2, 0.3, 0.6, 1)):
        from_torch(D(type="linear", lr=lr, start_factor=a, end_factor=b, steps=t),
                   lambda o: S.LinearLR(o, a, b, t), 45)
    for lr, t, power in ((0.1, 5, 1.0), (0.01, 40, 2.0), (0.3, 25, 0.5), (0.3, 50, 0.9)):
        from_torch(D(type="polynomial", lr=lr, steps=t, power=power),
                   lambda o: S.PolynomialLR(o, t, power), 55)
    for lr, t, least in ((0.1, 50, 0), (0.1, 13, 1e-3), (1.0, 7, 0.1), (0.2, 1, 0.05)):
        from_torch(D(type="cosine", lr=lr, steps=t, end_lr=least),
                   lambda o: S.CosineAnnealingLR(o, t, least), 70)
    for lr, t, mult, least in ((0.1, 10, 1, 0), (0.05, 5, 2, 1e-3), (0.3, 3, 3, 0.01),
                               (1, 1, 2, 0)):
        from_torch(D(type="restarts", lr=lr, steps=t, mult=mult, end_lr=least),
                   lambda o: S.CosineAnnealingWarmRestarts(o, t, mult, least), 90)
    for lr, to, t, how in ((0.1, 0.05, 10, "cos"), (0.2, 0.01, 7, "linear"),
                           (0.01, 0.3, 25, "cos")):
        from_torch(D(type="anneal", lr=lr, end_lr=to, steps=t, anneal=int(how == "linear")),
                   lambda o: SWALR(o, to, t, how), 35)
    for lr, t, o1, o2 in (
            (0.1, 60, {}, {}),
            (1.0, 100, D(anneal_strategy="linear"), D(anneal=1)),
            (0.3, 47, D(pct_start=0.45, three_phase=True), D(pct_start=0.45, three_phase=1)),
            (0.3, 80, D(pct_start=0.25, three_phase=True, anneal_strategy="linear"),
             D(pct_start=0.25, three_phase=1, anneal=1)),
            (0.05, 30, D(div_factor=10, final_div_factor=100, base_momentum=0.7, max_momentum=0.99),
             D(div_factor=10, final_div_factor=100, base_momentum=0.7, max_momentum=0.99)),
            (0.1, 20, D(pct_start=0.0), D(pct_start=-0.0)),
            (0.1, 9, D(pct_start=1.0), D(pct_start=1.0))):
        for momentum in ("momentum", "betas") if not o1 else ("momentum",):
            from_torch(D(type="one_cycle", lr=lr, steps=t, **o2),
                       lambda o: S.OneCycleLR(o, lr, t, **o1), t, momentum)
    from_torch(D(type="one_cycle", lr=0.1, steps=25, keep_momentum=1),
               lambda o: S.OneCycleLR(o, 0.1, 25, cycle_momentum=False), 25)
    for lr, to, up, down, o1, o2 in (
            (0.01, 0.1, 20, None, {}, {}),
            (1e-3, 6e-3, 8, 15, D(mode="triangular2"), D(cycle_gamma=0.5)),
            (0.1, 0.5, 10, None, D(mode="exp_range", gamma=0.97), D(gamma=0.97)),
            (0.1, 0.2, 7, 2, D(base_momentum=0.6, max_momentum=0.95),
             D(base_momentum=0.6, max_momentum=0.95)),
            (0.1, 0.7, 1, 1, D(mode="exp_range", gamma=1.01), D(gamma=1.01))):
        o2 = dict(o2, **({} if down is None else {"steps_down": down}))
        from_torch(D(type="cyclic", lr=lr, end_lr=to, steps=up, **o2),
                   lambda o: S.CyclicLR(o, lr, to, up, down, **o1), 95, "momentum")
    from_torch(D(type="cyclic", lr=0.1, end_lr=0.3, steps=5, keep_momentum=1),
               lambda o: S.CyclicLR(o, 0.1, 0.3, 5, cycle_momentum=False), 30)

    def f(t):
        return 1 / (1.25 + t / 8)
    from_torch(D(type="lambda", lr=0.3), lambda o: S.LambdaLR(o, f))
    from_torch(D(type="multiplicative", lr=0.3), lambda o: S.MultiplicativeLR(o, f), 25)


def compositions_of_torch():
    D = dict

    def sequential(*makers, milestones):
        return lambda o: S.SequentialLR(o, [m(o) for m in makers], list(milestones))
    # warm-up before any
    for lr, n, f, rest, make in (
            (0.1, 10, 0.1, D(type="cosine", steps=40, end_lr=1e-3),
             lambda o: S.CosineAnnealingLR(o, 40, 1e-3)),
            (0.2, 5, 1 / 3, D(type="step", steps=9, gamma=0.3), lambda o: S.StepLR(o, 9, 0.3)),
            (0.2, 1, 0.5, D(type="exponential", gamma=0.9), lambda o: S.ExponentialLR(o, 0.9)),
            (0.5, 15, 0.01, D(type="polynomial", steps=30, power=2),
             lambda o: S.PolynomialLR(o, 30, 2))):
        from_torch(D(rest, lr=lr, warmup=n, warmup_factor=f),
                   sequential(lambda o: S.LinearLR(o, f, 1.0, n), make, milestones=[n]), 55)
    from_torch(D(type="sequential", lr=0.1, milestones=[2], parts=[
        D(type="constant", start_factor=0.1, steps=2), D(type="exponential", gamma=0.9)]),
        sequential(lambda o: S.ConstantLR(o, 0.1, 2), lambda o: S.ExponentialLR(o, 0.9),
                   milestones=[2]), 30)
    from_torch(D(type="sequential", lr=0.3, milestones=[8, 20, 44], parts=[
        D(type="linear", start_factor=0.2, steps=8), D(type="polynomial", steps=10),
        D(type="cosine", steps=24, end_lr=0.02), D(type="step", steps=5, gamma=0.7)]),
        sequential(lambda o: S.LinearLR(o, 0.2, 1.0, 8), lambda o: S.PolynomialLR(o, 10),
                   lambda o: S.CosineAnnealingLR(o, 24, 0.02), lambda o: S.StepLR(o, 5, 0.7),
                   milestones=[8, 20, 44]), 70)
    for lr, parts, makers in (
            (1.0, [D(type="constant", start_factor=0.1, steps=2), D(type="exponential", gamma=0.9)],
             [lambda o: S.ConstantLR(o, 0.1, 2), lambda o: S.ExponentialLR(o, 0.9)]),
            (0.1, [D(type="linear", start_factor=0.3, steps=7), D(type="step", steps=10, gamma=0.5),
                   D(type="multistep", milestones=[12, 33], count=2, gamma=0.2)],
             [lambda o: S.LinearLR(o, 0.3, 1.0, 7), lambda o: S.StepLR(o, 10, 0.5),
              lambda o: S.MultiStepLR(o, [12, 33], 0.2)]),
            (0.4, [D(type="cosine", steps=50), D(type="exponential", gamma=0.98)],
             [lambda o: S.CosineAnnealingLR(o, 50), lambda o: S.ExponentialLR(o, 0.98)])):
        from_torch(D(type="chained", lr=lr, parts=parts),
                   lambda o: S.ChainedScheduler([m(o) for m in makers]), 50)


def curves_of_formulas():
    """Those that PyTorch has not, or as its formula says."""
    def formula(options, f, steps=60, m=None):
        case(options, [f(t) for t in range(steps)], m and [m(t) for t in range(steps)])
    # Keras: InverseTimeDecay, ExponentialDecay, PolynomialDecay, CosineDecayRestarts
    for stair in (0, 1):
        def count(t, n):
            return t // n if stair else t / n
        formula(dict(type="inverse", lr=0.2, gamma=0.5, steps=4, staircase=stair),
                lambda t: 0.2 / (1 + 0.5 * count(t, 4)))
        formula(dict(type="exponential", lr=0.2, gamma=0.6, steps=9, staircase=stair),
                lambda t: 0.2 * 0.6 ** count(t, 9))
    formula(dict(type="inverse", lr=0.1, gamma=0.01), lambda t: 0.1 / (1 + 0.01 * t))
    formula(dict(type="polynomial", lr=0.1, end_lr=0.02, steps=40, power=3),
            lambda t: (0.1 - 0.02) * (1 - min(t, 40) / 40) ** 3 + 0.02)

    def restarts(t, lr=0.3, n=6, t_mul=2, m_mul=0.7, alpha=0.1):
        i = 0
        while t >= n:
            t, n, i = t - n, n * t_mul, i + 1
        return lr * ((1 - alpha) * m_mul ** i * 0.5 * (1 + np.cos(np.pi * t / n)) + alpha)
    formula(dict(type="restarts", lr=0.3, end_factor=0.1, steps=6, mult=2, cycle_gamma=0.7),
            restarts, 80)
    formula(dict(type="anneal", lr=0.3, end_factor=0.2, steps=30, warmup=8),
            lambda t: 0.3 * t / 8 if t < 8 else
            0.3 * (0.8 * 0.5 * (1 + np.cos(np.pi * min(t - 8, 30) / 30)) + 0.2))
    # report 4: linear with saturation, exponential with a floor
    formula(dict(type="polynomial", lr=0.1, min_lr=0.01, steps=50),
            lambda t: max(0.01, 0.1 * (1 - t / 50)))
    formula(dict(type="exponential", lr=0.1, min_lr=0.01, gamma=0.95),
            lambda t: max(0.01, 0.1 * 0.95 ** t), 70)
    # warm-up-stable-decay, three ways down
    for number, down in enumerate((lambda u: 0.5 * (1 + np.cos(np.pi * u)), lambda u: 1 - u,
                                   lambda u: 1 - np.sqrt(u))):
        formula(dict(type="wsd", lr=0.2, end_lr=0.01, warmup=5, steps=20, steps_down=15,
                     anneal=number),
                lambda t: 0.2 * t / 5 if t < 5 else 0.2 if t < 25 else
                0.01 + 0.19 * down(min((t - 25) / 15, 1)))
    # parts within parts, their own lr, momentum of the part that has one
    def cycle(t, low, high):
        x = t % 8
        return low + (high - low) * (x / 4 if x <= 4 else (8 - x) / 4)
    formula(dict(type="sequential", lr=0.1, milestones=[20], warmup=4, warmup_factor=0.5, parts=[
        dict(type="cyclic", lr=0.2, end_lr=0.4, steps=4),
        dict(type="chained", parts=[dict(type="cosine", steps=30),
                                    dict(type="step", steps=10, gamma=0.5)])]),
        lambda t: 0.2 * (0.5 + 0.5 * t / 4) if t < 4 else cycle(t - 4, 0.2, 0.4) if t < 24 else
        0.1 * (1 + np.cos(np.pi * (t - 24) / 30)) / 2 * 0.5 ** ((t - 24) // 10), 60,
        lambda t: np.nan if t >= 24 else cycle(max(t - 4, 0), 0.9, 0.8))
    formula(dict(type="chained", lr=0.2, parts=[
        dict(type="cyclic", end_lr=0.4, steps=4), dict(type="exponential", gamma=0.9)]),
        lambda t: cycle(t, 0.2, 0.4) * 0.9 ** t, 30, lambda t: cycle(t, 0.9, 0.8))
    # after its T a cosine rises; PyTorch's recursion would take the other part's factor twice
    formula(dict(type="chained", lr=0.2, parts=[
        dict(type="cosine", steps=10), dict(type="exponential", gamma=0.9)]),
        lambda t: 0.1 * (1 + np.cos(np.pi * t / 10)) * 0.9 ** t, 30)


# ---- metrics -----------------------------------------------------------------------------------

def sequences():
    nan, inf = np.nan, np.inf
    falling = [1 / (1 + 0.1 * t) for t in range(40)]
    rough = [1 / (1 + 0.2 * t) + 0.2 * np.sin(7.0 * t) for t in range(60)]
    plateau = [1, 0.9, 0.8] + [0.7] * 30 + [0.6] * 12
    return [("falling", np.round(falling, 6)), ("rough", np.round(rough, 6)), ("plateau", plateau),
            ("base", [1, 0.9, 0.545] + [0.6] * 12), ("ties", [0.5] * 40),
            ("rising", np.arange(30) / 8),
            ("nan", [nan, 1, nan, nan, 0.5, 0.6, nan, 0.7, nan, nan, nan, nan, 0.4] + [nan] * 10),
            ("infinite", [inf, inf, 3, -inf, 2, 1, 0.5, 0.25, 0.1] + [0] * 9),
            ("small", np.round([1 - 3e-5 * t for t in range(60)], 6)),
            ("negative", np.round([-1 - 0.01 * (t % 7) for t in range(50)], 6))]


def keras_plateau(metrics, mode, factor, patience, threshold, cooldown, least, lr):
    """The rules of keras.callbacks.ReduceLROnPlateau: wait, then reduce, then cool down."""
    best, wait, cool, out = None, 0, 0, []
    for m in metrics:
        if cool:
            cool, wait = cool - 1, 0
        if best is None:
            better = m < np.inf if mode == "min" else m > -np.inf
        else:
            better = m < best - threshold if mode == "min" else m > best + threshold
        if better:
            best, wait = m, 0
        elif not cool:
            wait += 1
            if wait >= patience and lr > least:
                lr, cool, wait = max(lr * factor, least), cooldown, 0
        out.append(lr)
    return out


def plateaus():
    for name, metrics in sequences():
        OUT.case("metrics-" + name)
        OUT.put("metrics", metrics)
    for name, metrics in sequences():
        for number, (mode, factor, patience, threshold, how, cooldown, least, eps) in enumerate((
                ("min", 0.1, 10, 1e-4, "rel", 0, 0, 1e-8),
                ("min", 0.5, 2, 1e-4, "abs", 3, 0, 1e-8),
                ("max", 0.5, 1, 1e-2, "rel", 1, 0.01, 1e-8),
                ("max", 0.3, 0, 0.0, "abs", 2, 0.02, 1e-3),
                ("min", 0.1, 1, 0.0, "abs", 0, 0, 1e-8))):
            o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
            scheduler = S.ReduceLROnPlateau(o, mode, factor, patience, threshold, how, cooldown,
                                            least, eps)
            lrs = []
            for m in metrics:
                scheduler.step(float(m))
                lrs.append(o.param_groups[0]["lr"])
            OUT.case("plateau-%s-%d" % (name, number))
            OUT.put("options", [mode == "max", factor, patience, threshold, how == "abs", cooldown,
                                least, eps])
            OUT.put("torch", lrs, "%.11g")
            OUT.put("keras", keras_plateau(metrics, mode, factor, patience, threshold, cooldown,
                                           least, 0.1), "%.11g")


def lightning_stop(metrics, mode, delta, patience, finite, stop_at, diverged):
    """The checks of Lightning's EarlyStopping in their order; the first that holds decides."""
    sign = 1 if mode == "min" else -1
    best, wait, out = np.inf, 0, []
    for m in metrics:
        v, stop = sign * m, False
        if finite and not np.isfinite(m):
            stop = True
        elif stop_at is not None and v < sign * stop_at:
            stop = True
        elif diverged is not None and v > sign * diverged:
            stop = True
        elif v + delta < best:
            best, wait = v, 0
        else:
            wait += 1
            stop = wait >= patience
        out.append(stop)
    return out


def keras_stop(metrics, mode, delta, patience, baseline, start):
    """keras.callbacks.EarlyStopping: epochs from 0; an improvement never stops; the count goes
    back to 0 only for one that beats the baseline as well."""
    sign = 1 if mode == "min" else -1
    best, wait, out = np.inf, 0, []
    for epoch, m in enumerate(metrics):
        stop = False
        if epoch >= start:
            wait += 1
            if sign * m + delta < best:
                best = sign * m
                if baseline is None or sign * m + delta < sign * baseline:
                    wait = 0
            else:
                stop = wait >= patience and epoch > 0
        out.append(stop)
    return out


def stops():
    none = np.nan
    for name, metrics in sequences():
        metrics = np.asarray(metrics, float)
        for number, (mode, delta, patience, finite, stop_at, diverged) in enumerate((
                ("min", 0, 3, 1, None, None), ("min", 0.01, 5, 0, 0.45, None),
                ("max", 0, 1, 1, None, -1.02), ("max", 0.05, 0, 0, 2.5, 0.1))):
            OUT.case("stop-%s-%d" % (name, number))
            OUT.put("options", [mode == "max", delta, patience, not finite,
                                none if stop_at is None else stop_at,
                                none if diverged is None else diverged, 0])
            OUT.put("stops", lightning_stop(metrics, mode, delta, patience, finite, stop_at,
                                            diverged))
        for number, (mode, delta, patience, baseline, start) in enumerate((
                ("min", 0, 0, None, 0), ("min", 0.01, 4, 0.55, 0), ("max", 0, 2, None, 3),
                ("max", 0.001, 3, 0.8, 1))):
            OUT.case("stop-%s-%d-keras" % (name, number))
            OUT.put("options", [mode == "max", delta, patience, 0,
                                none if baseline is None else baseline, start, 1])
            OUT.put("stops", keras_stop(metrics, mode, delta, patience, baseline, start))


if __name__ == "__main__":
    curves_of_torch()
    compositions_of_torch()
    curves_of_formulas()
    plateaus()
    stops()
    OUT.close()
