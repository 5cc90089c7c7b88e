#!/usr/bin/env python3
"""A short training of a convolutional network in float64 by PyTorch (Debian: python3-torch), written to convolution.json beside it: first weights, pictures, the cost of each
step and the last weights. Images are bytes as (m, height, width, channels); weights of a convolution are (filters, kernel · kernel · channels), as nn has them."""
import json
import pathlib

import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)
HERE = pathlib.Path(__file__).parent


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 9, 4, stride=2, padding=1, bias=False)  # of side 12, as "same" pads
        self.norm1 = nn.BatchNorm2d(9)
        self.conv2 = nn.Conv2d(9, 9, 3, padding=1)  # which goes by Winograd's transform
        self.conv3 = nn.Conv2d(9, 8, 3)
        self.norm3 = nn.BatchNorm2d(8)
        self.out = nn.Linear(8, 1)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        x = torch.tanh(self.conv2(x)) + x
        x = nn.functional.max_pool2d(torch.relu(x), 2)  # the block's own activation is ReLU
        x = nn.functional.leaky_relu(self.norm3(self.conv3(x)), 0.01)
        return self.out(x.mean((2, 3)))[:, 0]


def weights_of(net):
    """In the order and the layout of nn."""
    rows = lambda w: w.detach().permute(0, 2, 3, 1).reshape(w.shape[0], -1)
    return {
        'W1': rows(net.conv1.weight), 'gamma1': net.norm1.weight, 'beta1': net.norm1.bias,
        'W2': rows(net.conv2.weight), 'b2': net.conv2.bias,
        'W3': rows(net.conv3.weight), 'gamma3': net.norm3.weight, 'beta3': net.norm3.bias,
        'W4': net.out.weight, 'b4': net.out.bias,
    }


def listed(net):
    return {name: tensor.detach().flatten().tolist() for name, tensor in weights_of(net).items()}


net = Net()
with torch.no_grad():  # where they begin as 0 and 1, some mistakes do not show
    for norm in (net.norm1, net.norm3):
        norm.weight += 0.2 * torch.randn_like(norm.weight)
        norm.bias += 0.2 * torch.randn_like(norm.bias)
rng = np.random.RandomState(5)
pixels = rng.randint(0, 256, (8, 12, 12, 3), dtype='uint8')
labels = np.arange(8) % 2
x = torch.from_numpy(pixels.astype('float64') / 64 - 2).permute(0, 3, 1, 2)
y = torch.from_numpy(labels.astype('float64'))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
first, costs = listed(net), []
for _ in range(20):
    optimizer.zero_grad()
    cost = nn.functional.binary_cross_entropy_with_logits(net(x), y)
    cost.backward()
    optimizer.step()
    costs.append(cost.item())
out = dict(pixels=pixels.flatten().tolist(), labels=labels.tolist(), rate=0.1, first=first, costs=costs, last=listed(net))
(HERE / 'convolution.json').write_text(json.dumps(out) + '\n')
