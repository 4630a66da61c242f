#!/usr/bin/python3
"""Writes tests/vectors/layers.txt, flat.txt and running.txt, what PyTorch computes in double
precision, for tests/test_modules.c: of each layer its output, its gradients for a given dL/dy.

    python3 tests/layer_vectors.py [DIRECTORY]                  (PyTorch 2.14)

A case is called TYPE-NUMBER; its arrays are options of the layer by their names in tnn_layer, then
x_shape, x, dy, y, dx, and of each parameter p: p, dp. RMS norm and scale are written out by hand.
In flat.txt a case is a network of FLAT in test_modules.c, and its parameters are called as there.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch_vectors import Vectors, coarse

MODES = {"zeros": 1, "reflect": 2, "replicate": 3, "circular": 4, "nearest": 5, "bilinear": 6,
         "aligned": 7}
out = Vectors("layers.txt", "layers: y, and the gradients of sum(y * dy)")
count = 0


def case(name, shape, function, options=None, params=None, scale=1.0, corners=(), after=None):
    """function(x, **params) -> y; params: name -> shape, or a tensor."""
    global count
    number = count
    count += 1
    x = coarse(20000 + 10 * number, *shape) * scale
    flat = x.reshape(-1)
    for i, v in enumerate(corners):
        flat[i] = v
    x.requires_grad_()
    values = {}
    for i, (key, v) in enumerate((params or {}).items()):
        if not isinstance(v, torch.Tensor):
            v = coarse(20001 + 10 * number + i, *v)
        values[key] = v.requires_grad_()
    y = function(x, **values)
    dy = coarse(20009 + 10 * number, *y.shape)
    y.backward(dy)
    out.case("%s-%d" % (name, number))
    for key, v in (options or {}).items():
        out.put(key, [v])
    for key, v in (("x_shape", shape), ("x", x), ("dy", dy), ("y", y), ("dx", x.grad)):
        out.put(key, v)
    for key, v in values.items():
        out.put(key, v)
        out.put("d" + key, v.grad)
    if after:
        after(x)


def activations():
    small = (2, 2, 3, 5)
    corners = (0, -0.0, 3, -3, 6, -1, 1, 0.5, -0.5)
    for name, f, options in (
            ("relu", F.relu, {}), ("leaky_relu", F.leaky_relu, {}),
            ("leaky_relu", lambda x: F.leaky_relu(x, 0.3), {"slope": 0.3}),
            ("leaky_relu", lambda x: F.leaky_relu(x, -0.3), {"slope": -0.3}),
            ("relu6", F.relu6, {}), ("elu", F.elu, {}),
            ("elu", lambda x: F.elu(x, 0.7), {"alpha": 0.7}), ("selu", F.selu, {}),
            ("celu", F.celu, {}), ("celu", lambda x: F.celu(x, 1.75), {"alpha": 1.75}),
            ("gelu", F.gelu, {}),
            ("gelu", lambda x: F.gelu(x, approximate="tanh"), {"approximate": 1}),
            ("silu", F.silu, {}), ("mish", F.mish, {}), ("softplus", F.softplus, {}),
            ("softplus", lambda x: F.softplus(x, 2, 3), {"beta": 2, "threshold": 3}),
            ("softsign", F.softsign, {}), ("sigmoid", torch.sigmoid, {}),
            ("log_sigmoid", F.logsigmoid, {}), ("tanh", torch.tanh, {}),
            ("hardtanh", F.hardtanh, {}),
            ("hardtanh", lambda x: F.hardtanh(x, -0.5, 3), {"min_value": -0.5, "max_value": 3}),
            ("hardsigmoid", F.hardsigmoid, {}), ("hardswish", F.hardswish, {})):
        case(name, small, f, options, scale=7.0, corners=corners)
    case("gelu", (1, 1, 1, 24), F.gelu, scale=40.0)
    case("mish", (1, 1, 1, 24), F.mish, scale=90.0)
    case("softmax", (2, 5, 2, 3), lambda x: F.softmax(x, 1), scale=4.0)
    case("softmax", (3, 17, 1, 1), lambda x: F.softmax(x, 1), scale=30.0)
    case("log_softmax", (2, 5, 2, 3), lambda x: F.log_softmax(x, 1), scale=4.0)
    case("log_softmax", (2, 70, 1, 1), lambda x: F.log_softmax(x, 1), scale=30.0)
    case("glu", (2, 6, 2, 3), lambda x: F.glu(x, 1), scale=4.0)
    case("prelu", (2, 3, 3, 4), lambda x, weight: F.prelu(x, weight), {}, {"weight": (1,)})
    case("prelu", (2, 3, 3, 4), lambda x, weight: F.prelu(x, weight), {"per_channel": 1},
         {"weight": (3,)})


def convolutions():
    for (n, c, h, w, f, k, s, p, d, g, extra) in (
            (2, 3, 4, 5, 4, 3, 1, 0, 1, 1, 0), (1, 3, 4, 3, 2, 3, 2, 1, 1, 1, 1),
            (2, 2, 3, 4, 5, 2, 2, 0, 1, 1, 0), (1, 4, 4, 4, 6, 3, 2, 1, 1, 2, 1),
            (1, 2, 5, 4, 3, 3, 1, 2, 2, 1, 0), (1, 4, 3, 3, 4, 3, 3, 1, 1, 4, 2),
            (1, 20, 3, 2, 18, 2, 1, 0, 1, 2, 0), (1, 2, 3, 3, 2, 2, 3, 1, 2, 1, 2),
            (1, 3, 1, 1, 2, 4, 1, 0, 1, 1, 0)):
        case("conv_transpose2d", (n, c, h, w),
             lambda x, weight, bias: F.conv_transpose2d(x, weight, bias, s, p, extra, g, d),
             {"filters": f, "kernel": k, "stride": s, "pad": p, "dilation": d, "groups": g,
              "output_pad": extra}, {"weight": (c, f // g, k, k), "bias": (f,)})
    case("conv_transpose2d", (2, 3, 3, 3),
         lambda x, weight: F.conv_transpose2d(x, weight, None, 2),
         {"filters": 2, "kernel": 2, "stride": 2, "no_bias": 1}, {"weight": (3, 2, 2, 2)})
    for (n, c, h, w, f, k, s, p, d, g) in (
            (2, 5, 6, 7, 5, 3, 1, 1, 1, 5), (1, 18, 5, 4, 18, 3, 2, 1, 1, 18),
            (1, 17, 5, 6, 17, 5, 1, 2, 1, 17), (2, 3, 7, 7, 3, 3, 1, 2, 2, 3),
            (1, 4, 8, 7, 4, 2, 3, 0, 2, 4), (1, 6, 5, 5, 9, 3, 1, 1, 1, 3),
            (1, 3, 5, 5, 6, 3, 1, 1, 1, 3), (1, 4, 6, 6, 4, 1, 2, 0, 1, 4)):
        case("conv2d", (n, c, h, w),
             lambda x, weight, bias: F.conv2d(x, weight, bias, s, p, d, g),
             {"filters": f, "kernel": k, "stride": s, "pad": p, "dilation": d, "groups": g},
             {"weight": (f, c // g, k, k), "bias": (f,)})
    for mode in ("reflect", "replicate", "circular"):
        def f(x, weight, bias):
            return F.conv2d(F.pad(x, (2, 2, 1, 1), mode), weight, bias)
        case("conv2d", (1, 2, 4, 5), f,
             {"filters": 3, "kernel": 3, "pad_h": 1, "pad_w": 2, "pad_mode": MODES[mode]},
             {"weight": (3, 2, 3, 3), "bias": (3,)})


def shapes():
    for size in ((1, 1), (2, 3), (3, 2), (5, 7), (8, 9)):
        options = {"size_h": size[0], "size_w": size[1]}
        case("adaptive_avgpool2d", (2, 2, 5, 7), lambda x: F.adaptive_avg_pool2d(x, size), options)
        case("adaptive_maxpool2d", (1, 3, 5, 7), lambda x: F.adaptive_max_pool2d(x, size), options)
    for mode in ("nearest", "bilinear", "aligned"):
        def up(x, **size):
            if mode == "nearest":
                return F.interpolate(x, mode="nearest", **size)
            return F.interpolate(x, mode="bilinear", align_corners=mode == "aligned", **size)
        for factor in (2, 3):
            case("upsample", (1, 2, 3, 2), lambda x: up(x, scale_factor=factor),
                 {"mode": MODES[mode], "factor": factor})
        for size in ((5, 7), (2, 3), (1, 1)):
            case("upsample", (1, 2, 3, 4), lambda x: up(x, size=size),
                 {"mode": MODES[mode], "size_h": size[0], "size_w": size[1]})
    for mode in ("zeros", "reflect", "replicate", "circular"):
        def pad(x):
            if mode == "zeros":
                return F.pad(x, (2, 2, 1, 1), value=0.5)
            return F.pad(x, (2, 2, 1, 1), mode)
        case("pad", (2, 2, 3, 4), pad,
             {"mode": MODES[mode], "pad_h": 1, "pad_w": 2, "value": 0.5 if mode == "zeros" else 0})
    case("reshape", (2, 6, 2, 3), lambda x: x.reshape(2, 4, 3, 3),
         {"shape0": 4, "shape1": 3, "shape2": -1})


def norms():
    for shape, options in (((3, 3, 4, 5), {}), ((4, 18, 2, 3), {"eps": 0.01, "momentum": 0.3}),
                           ((5, 7, 1, 1), {}), ((2, 3, 3, 3), {"no_affine": 1}),
                           ((20, 2, 2, 2), {"momentum": 0.9}), ((2, 2, 4, 4), {"no_statistics": 1})):
        c = shape[1]
        statistics = not options.get("no_statistics")
        mean = torch.zeros(c, dtype=torch.float64) if statistics else None
        var = torch.ones(c, dtype=torch.float64) if statistics else None

        def f(x, weight=None, bias=None, training=True):
            return F.batch_norm(x, mean, var, weight, bias, training,
                                options.get("momentum", 0.1), options.get("eps", 1e-5))

        def after(x):
            # the running statistics after this step, and what evaluation makes of them
            w = None if options.get("no_affine") else last["weight"]
            b = None if options.get("no_affine") else last["bias"]
            if statistics:
                out.put("running_mean", mean)
                out.put("running_var", var)
            out.put("y_eval", f(x, w, b, training=not statistics))
        last = {}

        def keep(x, **params):
            last.update(params)
            return f(x * 1.0 + 0.75, **params)
        params = {} if options.get("no_affine") else {"weight": (c,), "bias": (c,)}
        case("batchnorm", shape, lambda x, **p: (last.update(p), f(x, **p))[1], options, params,
             after=after)
    for shape, options in (((2, 3, 2, 4), {}), ((3, 19, 1, 1), {"eps": 0.1}),
                           ((2, 4, 2, 3), {"no_affine": 1}), ((2, 5, 2, 2), {"no_bias": 1})):
        s = shape[1:] if shape[2] * shape[3] > 1 else (shape[1],)
        params = {} if options.get("no_affine") else {"weight": s, "bias": s}
        if options.get("no_bias"):
            del params["bias"]

        def f(x, weight=None, bias=None):
            y = F.layer_norm(x.reshape(shape[0], *s), s, weight, bias, options.get("eps", 1e-5))
            return y.reshape(shape)
        case("layernorm", shape, f, options, params)

        def rms(x, weight=None):
            flat = x.reshape(shape[0], -1)
            eps = options.get("eps", 2.0 ** -23)
            y = x / torch.sqrt((flat ** 2).mean(1).reshape(-1, 1, 1, 1) + eps)
            return y if weight is None else (y.reshape(shape[0], *s) * weight).reshape(shape)
        if not options.get("no_bias"):
            case("rmsnorm", shape, rms, options,
                 {} if options.get("no_affine") else {"weight": s})
    for shape, groups, options in (((2, 6, 3, 4), 3, {}), ((2, 20, 2, 2), 2, {"eps": 0.01}),
                                   ((3, 8, 1, 1), 4, {}), ((1, 4, 3, 3), 1, {}),
                                   ((1, 4, 3, 3), 4, {"no_affine": 1})):
        params = {} if options.get("no_affine") else {"weight": (shape[1],), "bias": (shape[1],)}
        case("groupnorm", shape,
             lambda x, weight=None, bias=None: F.group_norm(x, groups, weight, bias,
                                                            options.get("eps", 1e-5)),
             dict(options, groups=groups), params)
    case("instancenorm", (2, 3, 3, 4), lambda x: F.instance_norm(x))
    case("instancenorm", (2, 3, 3, 4),
         lambda x, weight, bias: F.instance_norm(x, weight=weight, bias=bias), {"affine": 1},
         {"weight": (3,), "bias": (3,)})
    # far from zero: the mean must not eat the digits of the variance
    case("layernorm", (2, 3, 2, 4), lambda x: F.layer_norm(x + 64, (3, 2, 4)),
         {"no_affine": 1, "shift": 64})
    case("scale", (2, 3, 3, 4), lambda x, weight: x * weight.reshape(1, 3, 1, 1), {},
         {"weight": (3,)})
    case("scale", (2, 3, 3, 4), lambda x: x * 0.3, {"value": 0.3, "no_affine": 1})


def seldom():
    """Options at their limits."""
    small, corners = (2, 2, 3, 5), (0, -0.0, 3, -3, 6, -1, 1, 0.5, -0.5)
    case("softplus", small, lambda x: F.softplus(x, -2), {"beta": -2}, scale=7.0, corners=corners)
    case("hardtanh", small, lambda x: F.hardtanh(x, 0.5, 0.5), {"min_value": 0.5, "max_value": 0.5},
         scale=7.0, corners=corners)
    for name in ("dropout", "dropout2d", "alpha_dropout", "stochastic_depth"):
        case(name, small, lambda x: F.dropout(x, 1.0), {"p": 1})        # all give zeros
    for (n, c, h, w, f, k, s, p, d, g, extra) in (
            (1, 2, 3, 4, 3, 3, 1, 0, 2, 1, (1, 0)), (2, 2, 3, 2, 4, 2, (1, 2), 1, 3, 2, (2, 1)),
            (1, 3, 2, 3, 3, 3, (2, 3), 1, 1, 3, (0, 2)), (1, 2, 2, 2, 2, 2, 1, 0, 5, 1, (4, 3)),
            (1, 18, 2, 2, 20, 1, 2, 0, 3, 1, (2, 2))):
        case("conv_transpose2d", (n, c, h, w),
             lambda x, weight, bias: F.conv_transpose2d(x, weight, bias, s, p, extra, g, d),
             {"filters": f, "kernel": k, "stride_h": s if isinstance(s, int) else s[0],
              "stride_w": s if isinstance(s, int) else s[1], "pad": p, "dilation": d, "groups": g,
              "output_pad_h": extra[0], "output_pad_w": extra[1]},
             {"weight": (c, f // g, k, k), "bias": (f,)})
    for shape, k, s, p in (((2, 2, 2, 2), 3, 2, 0), ((1, 3, 2, 5), 4, 3, 0),
                           ((1, 2, 1, 1), 4, 3, 1), ((1, 17, 2, 3), 3, 2, 0)):
        options = {"kernel": k, "stride": s, "pad": p, "ceil": 1}
        case("maxpool2d", shape, lambda x: F.max_pool2d(x, k, s, p, 1, True), options)
        case("avgpool2d", shape, lambda x: F.avg_pool2d(x, k, s, p, True), options)
        case("avgpool2d", shape, lambda x: F.avg_pool2d(x, k, s, p, True, False),
             dict(options, exclude_pad=1))


def running():
    """Running statistics after each of four batches, and what evaluation makes of them."""
    global out
    out = Vectors("running.txt", "running statistics after each batch, and y of the last with them")
    for name, options, layer in (
            ("cumulative", {}, torch.nn.BatchNorm2d(3, momentum=None)),
            ("instance", {"affine": 1}, torch.nn.InstanceNorm2d(3, affine=True,
                                                                track_running_stats=True)),
            ("instance", {"momentum": 0.375, "eps": 0.5}, torch.nn.InstanceNorm2d(
                3, 0.5, 0.375, track_running_stats=True))):
        layer.double()
        x = coarse(31000, 4, 5, 3, 2, 4) * 3 + coarse(31001, 4, 1, 3, 1, 1)
        out.case(name)
        for key, v in options.items():
            out.put(key, [v])
        if layer.affine:
            with torch.no_grad():
                layer.weight.copy_(coarse(31002, 3))
                layer.bias.copy_(coarse(31003, 3))
            out.put("weight", layer.weight)
            out.put("bias", layer.bias)
        seen = []
        for batch in x:
            layer(batch)
            seen.append(torch.cat([layer.running_mean, layer.running_var]))
        layer.eval()
        for key, v in (("x", x), ("running", torch.stack(seen)), ("y", layer(x[3]))):
            out.put(key, v)


def residual():
    """Ten steps of a small residual network with every kind of connection."""
    torch.manual_seed(3)
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.c1, self.b1 = nn.Conv2d(2, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
            self.c2, self.b2 = nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.BatchNorm2d(6)
            self.c3, self.s3 = nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.Conv2d(6, 8, 1, stride=2)
            self.g3 = nn.GroupNorm(2, 16)
            self.fc = nn.Linear(16, 5)

        def forward(self, x):
            x = F.relu(self.b1(self.c1(x)))
            x = F.gelu(x + self.b2(self.c2(x)))
            x = torch.cat([self.c3(x), self.s3(x)], 1)
            x = F.silu(self.g3(x)).mean((2, 3))
            return self.fc(x)
    net = Net().double()
    out.case("residual")
    names = ["c1", "b1", "c2", "b2", "c3", "s3", "g3", "fc"]
    for name in names:
        for key, p in getattr(net, name).named_parameters():
            with torch.no_grad():
                p.copy_(p.float().double())
            out.put("%s.%s" % (name, key), p)
    x = coarse(30000, 6, 2, 6, 5)
    labels = torch.tensor([0, 1, 2, 3, 4, 2])
    out.put("x", x)
    out.put("labels", labels)
    step = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(10):
        loss = F.cross_entropy(net(x), labels)
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.item())
    out.put("losses", losses)
    net.eval()
    out.put("eval", net(x))


def flattened():
    """Layers behind a flattened image, which see its values as channels."""
    global out
    out = Vectors("flat.txt", "layers behind a flattened image: y, and gradients of sum(y * dy)")
    
    conv = {"1.weight": (4, 2, 4, 4), "1.bias": (4,)}   # 16 values, (4, 2, 2)

    def net(name, layer, params=None):
        """conv2d, flatten, then layer(x, its parameters)."""
        def f(x, **p):
            y = F.conv2d(x, p["1.weight"], p["1.bias"])
            return layer(y.flatten(1), p)
        case(name, (2, 2, 5, 5), f, params=dict(conv, **(params or {})))

    def dense(x, p, layer):
        return F.linear(x, p["%d.weight" % layer], p["%d.bias" % layer])

    both = {"3.weight": (16,), "3.bias": (16,)}
    net("layernorm", lambda x, p: F.layer_norm(x, (16,), p["3.weight"], p["3.bias"]), both)
    net("rmsnorm", lambda x, p: F.rms_norm(x, (16,), p["3.weight"]), {"3.weight": (16,)})
    net("batchnorm", lambda x, p: F.batch_norm(x, None, None, p["3.weight"], p["3.bias"], True),
        both)
    net("groupnorm", lambda x, p: F.group_norm(x, 2, p["3.weight"], p["3.bias"]), both)
    net("softmax", lambda x, p: F.softmax(x, 1))
    net("log_softmax", lambda x, p: F.log_softmax(x, 1))
    net("glu", lambda x, p: dense(F.glu(x, 1), p, 4), {"4.weight": (3, 8), "4.bias": (3,)})
    net("prelu", lambda x, p: F.prelu(x, p["3.weight"]), {"3.weight": (16,)})
    fc = {"3.weight": (16, 16), "3.bias": (16,)}
    net("add-dense", lambda x, p: dense(x, p, 3) + x, fc)
    net("dense-add", lambda x, p: x + dense(x, p, 3), fc)
    net("concat-dense", lambda x, p: torch.cat([dense(x, p, 3), x], 1),
        {"3.weight": (5, 16), "3.bias": (5,)})
    net("dense-concat", lambda x, p: dense(torch.cat([x, dense(x, p, 3)], 1), p, 6),
        {"3.weight": (5, 16), "3.bias": (5,), "6.weight": (3, 21), "6.bias": (3,)})
    net("concat-itself", lambda x, p: torch.cat([x, x], 1))

    def images(x, **p):
        y, z = (F.conv2d(x, p[k + "weight"], p[k + "bias"]).flatten(1) for k in ("1.", "3."))
        return y + z if "concat" not in p else torch.cat([z, y], 1)
    params = dict(conv, **{"3.weight": (1, 2, 2, 2), "3.bias": (1,)})
    case("add-images", (2, 2, 5, 5), images, params=params)
    case("concat-images", (2, 2, 5, 5), lambda x, **p: images(x, concat=1, **p), params=params)


if __name__ == "__main__":
    activations()
    convolutions()
    shapes()
    norms()
    seldom()
    residual()
    out.close()
    flattened()
    out.close()
    running()
    out.close()
