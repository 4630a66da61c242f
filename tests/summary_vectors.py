#!/usr/bin/env python3
"""summary_vectors.py - what PyTorch prints of networks, for test_summary.c: vectors/summary.txt

    python3 tests/summary_vectors.py > tests/vectors/summary.txt

For each network: a line "== NAME", print(net), and the table of torchsummary 1.5.1, written anew
here from forward hooks: a module's output shape and the sizes of its weight and bias; 4 bytes a
value, outputs twice, 2^20 bytes a MB. Written with PyTorch 2.14."""
import torch
from torch import nn
import torch.nn.functional as F


class Icons(nn.Module):
    """The icons' final net as its report writes it: ReLU and the flattening are no modules."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(4096, 256)
        self.fc2 = nn.Linear(256, 5)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = F.relu(self.conv2(x)).flatten(1)
        return self.fc2(F.relu(self.fc1(x)))


MODULES = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
    nn.Conv2d(8, 8, (3, 5), stride=(1, 2), padding=(2, 3), dilation=2, groups=2, bias=False),
    nn.LeakyReLU(0.2), nn.Conv2d(8, 8, 3, padding=1, padding_mode='reflect'), nn.PReLU(8),
    nn.MaxPool2d(3, stride=2, padding=1),
    nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1),
    nn.GroupNorm(3, 6), nn.ELU(), nn.InstanceNorm2d(6), nn.CELU(1.5), nn.AvgPool2d(2), nn.SELU(),
    nn.ZeroPad2d(1), nn.GELU(), nn.ReflectionPad2d(2), nn.SiLU(),
    nn.ConstantPad2d((1, 1, 2, 2), 2.5), nn.ReplicationPad2d(1), nn.Upsample(scale_factor=2.0),
    nn.Mish(), nn.Upsample(size=(9, 7), mode='bilinear'), nn.Softplus(), nn.Softsign(),
    nn.LogSigmoid(), nn.Hardtanh(), nn.Hardsigmoid(), nn.Hardswish(), nn.ReLU6(),
    nn.AdaptiveAvgPool2d(4), nn.AdaptiveMaxPool2d((2, 4)), nn.Dropout2d(0.25), nn.Dropout(0.1),
    nn.AlphaDropout(0.5), nn.LayerNorm((6, 2, 4), eps=1e-3), nn.GLU(dim=1), nn.Softmax(dim=1),
    nn.LogSoftmax(dim=1), nn.Identity(), nn.Flatten(), nn.LayerNorm(24, bias=False),
    nn.RMSNorm(24), nn.Linear(24, 20),
    nn.BatchNorm1d(20, eps=1e-6, momentum=0.25), nn.Sigmoid(), nn.Unflatten(1, (5, 2, 2)),
    nn.GELU(approximate='tanh'), nn.Flatten(), nn.Tanh(), nn.Linear(20, 5, bias=False))


def table(net, shape):
    rows = []

    def hook(module, _, output):
        weights = [getattr(module, n, None) for n in ('weight', 'bias')]
        count = sum(w.numel() for w in weights if w is not None)
        rows.append((type(module).__name__, [-1] + list(output.shape[1:]), count))

    for module in net.modules():
        if module is not net:
            module.register_forward_hook(hook)
    net(torch.zeros(2, *shape))
    print('%20s  %25s %15s' % ('Layer (type)', 'Output Shape', 'Param #'))
    values = params = 0
    for i, (name, output, count) in enumerate(rows):
        print('%20s  %25s %15s' % ('%s-%d' % (name, i + 1), output, format(count, ',')))
        size = 1
        for d in output[1:]:
            size *= d
        values += size
        params += count
    sizes = [torch.zeros(shape).numel() * 4 / 2**20, 2 * values * 4 / 2**20, params * 4 / 2**20]
    print('Total params: ' + format(params, ','))
    for name, mb in zip(('Input size', 'Forward/backward pass size', 'Params size',
                         'Estimated Total Size'), sizes + [sum(sizes)]):
        print('%s (MB): %.2f' % (name, mb))


print('# PyTorch %s' % torch.__version__.split('+')[0])
for name, net, shape in (('icons', Icons(), (3, 32, 32)), ('modules', MODULES, (3, 16, 16))):
    print('== ' + name)
    print(net)
    table(net, shape)
