#!/usr/bin/env python3
"""A training step of the network `air` (docs/photographs.md) by PyTorch, in its usual layout and in channels_last: milliseconds, medians. Debian: python3-torch."""
import statistics
import time

import torch
from torch import nn

torch.set_num_threads(2)


def block(channels, filters, kernel=3, stride=1):
    padding = (kernel - stride + 1) // 2
    return [nn.Conv2d(channels, filters, kernel, stride, padding, bias=False), nn.BatchNorm2d(filters), nn.ReLU()]


def air():
    return nn.Sequential(
        *block(3, 24, 4, 2), *block(24, 32), nn.MaxPool2d(2), *block(32, 32), *block(32, 64), nn.MaxPool2d(2),
        *block(64, 64), *block(64, 96), nn.MaxPool2d(2), *block(96, 96), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(96, 1))


def measure(layout, steps=33):
    torch.manual_seed(1)
    net = air().to(memory_format=layout)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.003, weight_decay=0.02)
    x = torch.randn(64, 3, 64, 64).to(memory_format=layout)
    y = torch.arange(64) % 2 * 1.0
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(x)[:, 0], y).backward()
        optimizer.step()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times[3:])


if __name__ == '__main__':
    print(f'PyTorch {torch.__version__}: {measure(torch.contiguous_format):.0f} ms, channels_last {measure(torch.channels_last):.0f} ms')
