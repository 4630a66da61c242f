#!/usr/bin/python3
"""Writes tests/vectors/search.txt for tests/test_search.c.

    /usr/bin/python3 tests/search_vectors.py [DIRECTORY]

What TPE makes of fixed histories, worked here in numpy from the published algorithm (Bergstra et
al. 2011; Watanabe 2023, arXiv:2304.11127; Optuna 3's TPESampler): split, weights, bandwidths,
truncated normal mixtures, log l(x) and log g(x) of given candidates. The masses of the normal
distribution are integrals by Gauss-Legendre quadrature of 60 nodes in as many pieces as it
takes, not error functions. Then curves with the decisions of the median and successive halving
pruners, worked with numpy's median and sorting; and logarithms of tails and masses of the normal
distribution in 75 digits (decimal).

A case "tpe-..." has the space (type 0 float, 1 int, 2 categorical: low, high, step, log of each;
for categorical ones high + 1 choices), options, a history (x by trial, value, state 2 done, 3
pruned, 4 failed, last step and its report), and for each variable 24 candidates, their log
densities, and which is chosen.
"""
from decimal import Decimal, getcontext

import numpy as np

from torch_vectors import Vectors

OUT = Vectors("search.txt", "TPE's densities on fixed histories, pruners, the normal distribution")
OUT.lines[0] = OUT.lines[0][:OUT.lines[0].index(";")] + "; written by search_vectors.py with numpy"
NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)


# ---- the normal distribution -------------------------------------------------------------------

def log_mass(a, b):
    """log of the integral of the standard normal density over [a, b]."""
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    out = np.empty(a.shape)
    for i in np.ndindex(a.shape):
        lo, hi = a[i], b[i]
        if lo > 0:
            lo, hi = -b[i], -a[i]                           # the peak is at 0 or hi
        top = min(max(0.0, lo), hi)
        lo, hi = max(lo, -40 + min(top, 0)), min(hi, 40)    # e^-800 of it
        if top < -1:
            lo = max(lo, top - 45/-top)                     # e^(-45) of it
        if not hi > lo:                                     # so far out that doubles end
            out[i] = -np.inf
            continue
        edges = np.linspace(lo, hi, max(2, int(np.ceil((hi - lo)/0.5)) + 1))
        middle, half = 0.5*(edges[1:] + edges[:-1]), 0.5*np.diff(edges)
        z = middle[:, None] + half[:, None]*NODES
        f = np.exp(0.5*(top*top - z*z))
        out[i] = np.log((half*(f*WEIGHTS).sum(axis=1)).sum()) - 0.5*top*top - 0.5*np.log(2*np.pi)
    return out


# ---- TPE ---------------------------------------------------------------------------------------

def split(h, maximize):
    """Indices of the trials below and above, in order of their numbers."""
    sign = -1 if maximize else 1
    done = [i for i in range(len(h["state"])) if h["state"][i] == 2]
    pruned = [i for i in range(len(h["state"])) if h["state"][i] == 3]
    n = len(done) + len(pruned)
    n_below = min(int(np.ceil(0.1*n)), 25)
    done.sort(key=lambda i: sign*h["value"][i])

    def rank(i):
        if h["last"][i] < 0:
            return (1, 0.0)
        v = h["report"][i]
        return (-h["last"][i], np.inf if np.isnan(v) else sign*v)
    pruned.sort(key=rank)
    order = done + pruned
    return sorted(order[:n_below]), sorted(order[n_below:])


def ramp(n):
    if n < 25:
        return np.ones(n)
    return np.concatenate([np.linspace(1.0/n, 1.0, n - 25), np.ones(25)])


def density(variable, seen, candidates, prior_weight=1.0, magic=True, endpoints=False):
    """log density of the candidates under the Parzen estimator of the values seen."""
    kind, low, high, step, log = variable
    n = len(seen)
    weights = np.append(ramp(n), prior_weight) if n else np.array([1.0])
    weights = weights/weights.sum()
    x = np.asarray(candidates, float)
    if kind == 2:
        choices = int(high) + 1
        table = np.full((n + 1, choices), prior_weight/(n + 1))
        table[np.arange(n), np.asarray(seen, int)] += 1
        table /= table.sum(axis=1, keepdims=True)
        return np.log((weights[:, None]*table[:, x.astype(int)]).sum(axis=0))
    if log:
        half = 0.5 if kind == 1 else 0
        low, high, step = np.log(low - half), np.log(high + half), 0
        seen, x = np.log(seen), np.log(x)
    low, high = low - step/2, high + step/2
    mus = np.append(seen, 0.5*(low + high))
    order = np.argsort(mus, kind="stable")
    padded = np.concatenate([[low], mus[order], [high]])
    gaps = np.diff(padded)
    wide = np.maximum(gaps[:-1], gaps[1:])
    if not endpoints and len(mus) >= 2:
        wide[0], wide[-1] = gaps[1], gaps[-2]
    sigmas = np.empty(n + 1)
    sigmas[order] = wide
    floor = (high - low)/min(100.0, n + 2.0) if magic else 1e-12
    sigmas = np.clip(sigmas, floor, high - low)
    sigmas[n] = high - low
    z = (x[:, None] - mus)/sigmas
    if step:
        terms = log_mass(z - 0.5*step/sigmas, z + 0.5*step/sigmas)
    else:
        terms = -0.5*z*z - 0.5*np.log(2*np.pi) - np.log(sigmas)
    terms = terms - log_mass((low - mus)/sigmas, (high - mus)/sigmas) + np.log(weights)
    top = terms.max(axis=1)
    return top + np.log(np.exp(terms - top[:, None]).sum(axis=1))


SPACE = [(0, -2.0, 3.0, 0, 0), (0, 1e-5, 1e-1, 0, 1), (1, 0, 40, 4, 0), (1, 1, 300, 1, 1),
         (0, 0.25, 2.0, 0.25, 0), (2, 0, 3, 1, 0)]


def draw(rng, variable):
    kind, low, high, step, log = variable
    if kind == 2:
        return float(rng.integers(int(high) + 1))
    if log:
        x = np.exp(rng.uniform(np.log(low), np.log(high)))
        return float(np.round(x)) if kind == 1 else float(x)
    if step:
        return float(low + step*rng.integers(int(round((high - low)/step)) + 1))
    return float(np.round(rng.uniform(low, high), 2))       # some are equal


def tpe(name, n, seed, maximize=0, pruned=0.0, failed=0.0, **options):
    rng = np.random.default_rng(seed)
    x = np.array([[draw(rng, v) for v in SPACE] for _ in range(n)])
    u = rng.uniform(size=n)
    h = {"state": np.where(u < pruned, 3, np.where(u > 1 - failed, 4, 2)),
         "value": np.round(rng.normal(size=n), 1),          # some are equal
         "last": rng.integers(-1, 6, size=n), "report": np.round(rng.normal(size=n), 2)}
    h["last"][h["state"] != 3] = -1
    if pruned:
        h["report"][np.flatnonzero(h["state"] == 3)[0]] = np.nan
    below, above = split(h, maximize)
    OUT.case("tpe-" + name)
    OUT.put("space", np.array(SPACE), "%.17g")
    OUT.put("maximize", [maximize])
    OUT.put("prior_weight", [options.get("prior_weight", 1.0)], "%.17g")
    OUT.put("magic", [options.get("magic", True)])
    OUT.put("endpoints", [options.get("endpoints", False)])
    OUT.put("x", x, "%.17g")
    for key in ("state", "value", "last", "report"):
        OUT.put(key, h[key], "%.17g")
    candidates, left, right = [], [], []
    for i, v in enumerate(SPACE):
        candidates.append([v[1], v[2]] + [draw(rng, v) for _ in range(22)])
        left.append(density(v, x[below, i], candidates[-1], **options))
        right.append(density(v, x[above, i], candidates[-1], **options))
    OUT.put("candidates", candidates, "%.17g")
    OUT.put("l", left, "%.13g")
    OUT.put("g", right, "%.13g")
    OUT.put("chosen", np.argmax(np.array(left) - np.array(right), axis=1))


tpe("startup", 10, 1)
tpe("one", 1, 2)
tpe("small", 17, 3, maximize=1)
tpe("ramp", 27, 4)
tpe("first-ramp", 29, 5, maximize=1, pruned=0.2)
tpe("large", 120, 6, pruned=0.3, failed=0.1)
tpe("all-pruned", 20, 7, pruned=0.95)
tpe("options", 40, 8, prior_weight=2.5, endpoints=True)
tpe("no-clip", 30, 9, magic=False)


# ---- pruners: trials one after the other, reports until one is stopped or the curve ends ---------

def curve(trial, step):
    """A curve that rises to a level of the trial's own, in multiples of 1/64."""
    return np.round(64*(np.sin(trial*1.7) + np.log1p(step)*(1 + 0.3*np.cos(trial*2.3))
                        + 0.2*np.sin(trial*step)))/64


def median_decides(done, seen, step, value, maximize, startup, warmup, interval):
    if not done or len(done) < startup or step < warmup:
        return 0
    before = max([s for s, _ in seen], default=-1)
    if before >= (step - warmup)//interval*interval + warmup:
        return 0
    values = np.array([v for _, v in seen] + [value])
    if np.isnan(values).all():
        return 1
    best = np.nanmax(values) if maximize else np.nanmin(values)
    others = np.array([d[step] for d in done if step in d])
    others = others[~np.isnan(others)]
    if not others.size:
        return 0
    return int(best < np.median(others)) if maximize else int(best > np.median(others))


def pruner(name, kind, curves, steps, maximize, **o):
    done, rungs, stopped = [], {}, []
    resource = o.get("min_resource", 0)
    for k, row in enumerate(curves):
        seen, stop, rung = [], 0, 0
        for step, value in zip(steps, row):
            if kind == 1:
                stop = median_decides(done, seen, step, value, maximize, o.get("startup", 5),
                                      o.get("warmup", 0), o.get("interval", 1))
            else:
                while not stop:
                    if not resource and done:
                        resource = max(steps[-1]//100, 1)
                    if not resource or step < resource*o["factor"]**(o.get("min_rate", 0) + rung):
                        break
                    if np.isnan(value):
                        stop = 1
                        break
                    others = rungs.setdefault(rung, [])
                    others.append(value)
                    place = max(len(others)//o["factor"] - 1, 0)
                    ranked = sorted(others, reverse=bool(maximize))
                    stop = int(value < ranked[place] if maximize else value > ranked[place])
                    rung += 1
            seen.append((step, value))
            if stop:
                break
        stopped.append(len(seen) if stop else 0)
        if not stop:
            done.append(dict(seen))
    OUT.case("prune-" + name)
    OUT.put("pruner", [kind])
    OUT.put("maximize", [maximize])
    for key in ("startup", "warmup", "interval", "min_resource", "factor", "min_rate"):
        OUT.put(key, [o.get(key, 0)])
    OUT.put("steps", steps)
    OUT.put("curves", curves, "%.17g")
    OUT.put("stopped", stopped)
    assert 0 < np.count_nonzero(stopped) < len(stopped), name


def curves(trials, steps, sign, nan=()):
    c = sign*np.array([[curve(t, s) for s in steps] for t in range(trials)])
    for t, i in nan:
        c[t, i] = np.nan
    return c


every, sparse = list(range(9)), [0, 3, 10, 20, 50, 170, 300, 500]
pruner("median", 1, curves(24, every, 1), every, 1)
pruner("median-min", 1, curves(24, every, -1, [(8, 0), (9, 0), (9, 1), (2, 3)]), every, 0,
       startup=3)
pruner("median-late", 1, curves(24, every, 1), every, 1, startup=2, warmup=2, interval=3)
pruner("median-sparse", 1, curves(20, sparse, 1), sparse, 1, startup=1, warmup=5, interval=40)
pruner("halving", 2, curves(30, every, 1, [(8, 3)]), every, 1, factor=4, min_resource=1)
pruner("halving-min", 2, curves(30, every, -1), every, 0, factor=2, min_resource=2, min_rate=1)
pruner("halving-auto", 2, curves(30, sparse, 1), sparse, 1, factor=3)


# ---- the normal distribution in 75 digits ------------------------------------------------------

getcontext().prec = 75
PI = Decimal("3.141592653589793238462643383279502884197169399375105820974944592307816406286209")


def tail(x):
    """Q(x) = 1/2 - phi(x) (x + x^3/3 + x^5/15 + ...), with digits to spare up to x = 12."""
    x = Decimal(float(x))
    term = total = x
    k = 1
    while abs(term) > Decimal(10)**-74:
        k += 2
        term = term*x*x/k
        total += term
    return Decimal("0.5") - (-x*x/2).exp()/(2*PI).sqrt()*total


def log_mass_exactly(a, b):
    if a >= 0:
        return (tail(a) - tail(b)).ln()
    return log_mass_exactly(-b, -a) if b <= 0 else (1 - tail(-a) - tail(b)).ln()


xs = np.concatenate([np.arange(0, 4, 0.125), np.arange(4, 12.5, 0.5)])
OUT.case("normal")
OUT.put("x", xs, "%.17g")
OUT.put("log_tail", [tail(x).ln() for x in xs], "%.17g")
pairs = [(a, b) for a in (-9, -3, -1, -0.25, 0, 0.5, 2, 7) for b in (-8, -2.5, 0, 0.125, 1, 3, 10)
         if a < b]
OUT.put("a", [a for a, _ in pairs], "%.17g")
OUT.put("b", [b for _, b in pairs], "%.17g")
OUT.put("log_mass", [log_mass_exactly(a, b) for a, b in pairs], "%.17g")
worst = np.abs(log_mass(*np.array(pairs, float).T)
               - np.array([float(log_mass_exactly(a, b)) for a, b in pairs])).max()
assert worst < 1e-13, worst                                 # the quadrature above
OUT.close()
