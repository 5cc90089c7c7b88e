#!/usr/bin/env python3
"""configs/conv-photos.json by PyTorch, on the very pictures, parts and settings of a run of nn: python3 photos.py PACKED RUN SEED. PACKED is what `nn data pack` made; the parts are those of RUN/split.csv,
epochs, rate, decay, smoothing and sides those of RUN/config.json; network and augmentation are written down here.
Prints balanced accuracy on dev and test, and seconds. Debian: python3-torch."""
import csv
import json
import math
import os
import struct
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from air import air


class Settings:
    """Of a run's resolved config, what its recipe has."""

    def __init__(self, run):
        with open(os.path.join(run, 'config.json')) as file:
            training = json.load(file)['training']
        assert training['optimizer']['name'] == 'adamw' and training['schedule']['name'] == 'oneCycle' and training['mixup'] == 0
        self.epochs, self.batch, self.peak = training['epochs'], training['batchSize'], training['learningRate']
        self.decay, self.warmup = training['optimizer']['weightDecay'], training['schedule']['warmup']
        self.smoothing = training['labelSmoothing']
        self.stages = [(stage['until'], stage['side']) for stage in training['progressive']]

    def rate(self, k, steps):
        w = math.ceil(self.warmup * steps)
        return self.peak * ((1 - math.cos(math.pi * (k + 1) / w)) / 2 if k < w else (1 + math.cos(math.pi * (k - w) / (steps - w))) / 2)

    def side_of(self, epoch):
        return next((side for until, side in self.stages if epoch <= math.floor(until * self.epochs + 1e-9)), None)


def packed(path):
    with open(path, 'rb') as file:
        (length,) = struct.unpack('<Q', file.read(8))
        header = json.loads(file.read(length))
        data = file.read()

    def tensor(name, kind):
        begin, end = header[name]['data_offsets']
        return np.frombuffer(data[begin:end], kind).reshape(header[name]['shape'])

    offsets, names = tensor('nameOffsets', '<i8'), tensor('names', 'u1').tobytes()
    names = [names[a:b].decode() for a, b in zip(offsets[:-1], offsets[1:])]
    return tensor('pixels', 'u1'), tensor('labels', 'u1'), names


def place(name):
    """Of a photograph: its set, its class and its name."""
    return os.sep.join(name.split(os.sep)[-3:])


def augmented(x, random):
    """Images [m, 3, side, side] of 0 to 1, each turned, enlarged, stretched, shifted, mirrored and recoloured."""
    m = len(x)
    within = lambda most, size=m: (2 * torch.rand(size, generator=random) - 1) * most
    mirror = torch.where(torch.rand(m, generator=random) < 0.5, -1.0, 1.0)
    zoom = 0.9 + 0.53 * torch.rand(m, generator=random)
    turn, aspect = within(math.radians(15)), torch.exp(within(0.18) / 2)
    cos, sin = torch.cos(turn) / zoom, torch.sin(turn) / zoom
    map = torch.zeros(m, 2, 3)
    map[:, 0, 0], map[:, 0, 1] = mirror * cos / aspect, -sin
    map[:, 1, 0], map[:, 1, 1] = sin, cos * aspect
    map[:, 0, 2], map[:, 1, 2] = 2 * within(0.1), 2 * within(0.1)
    x = F.grid_sample(x, F.affine_grid(map, x.shape, False), padding_mode='reflection', align_corners=False)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (1 + within(0.5).view(-1, 1, 1, 1))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * (1 + within(0.4).view(-1, 1, 1, 1)) + within(0.15).view(-1, 1, 1, 1)
    return (x + within(0.05, (m, 3)).view(m, 3, 1, 1)).clamp(0, 1)


def balanced(net, x, y):
    net.eval()
    with torch.no_grad():
        p = torch.cat([(torch.sigmoid(net(part)) + torch.sigmoid(net(part.flip(3)))) / 2 for part in x.split(256)])[:, 0]
    right = (p > 0.5) == (y == 1)
    return (right[y == 1].float().mean() + right[y == 0].float().mean()).item() / 2


def main(path, run, seed):
    settings = Settings(run)
    torch.set_num_threads(2)
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    pixels, labels, names = packed(path)
    with open(os.path.join(run, 'split.csv')) as file:
        parts = {place(row['name']): row['part'] for row in csv.DictReader(file)}
    of = np.array([parts[place(name)] for name in names])
    images = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255
    x = {part: images[torch.from_numpy(of == part)] for part in ('train', 'dev', 'test')}
    y = {part: torch.from_numpy(labels[of == part].copy()).float() for part in x}
    mean = x['train'].mean((0, 2, 3), keepdim=True)
    deviation = x['train'].std((0, 2, 3), keepdim=True)
    normal = lambda images: ((images - mean) / deviation).contiguous(memory_format=torch.channels_last)
    net = air().to(memory_format=torch.channels_last)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW([{'params': decayed, 'weight_decay': settings.decay}, {'params': others, 'weight_decay': 0}], lr=settings.peak)
    began = time.perf_counter()
    m = len(y['train'])
    steps, k = settings.epochs * math.ceil(m / settings.batch), 0
    for epoch in range(1, settings.epochs + 1):
        net.train()
        side = settings.side_of(epoch)
        for batch in torch.randperm(m, generator=random).split(settings.batch):
            images = augmented(x['train'][batch], random)
            if side:
                images = F.interpolate(images, size=(side, side), mode='bilinear', antialias=True, align_corners=False)
            for group in optimizer.param_groups:
                group['lr'] = settings.rate(k, steps)
            optimizer.zero_grad()
            target = settings.smoothing + (1 - 2 * settings.smoothing) * y['train'][batch]
            F.binary_cross_entropy_with_logits(net(normal(images))[:, 0], target).backward()
            optimizer.step()
            k += 1
    seconds = time.perf_counter() - began
    dev, test = (balanced(net, normal(x[part]), y[part]) for part in ('dev', 'test'))
    print(f'PyTorch {torch.__version__}, seed {seed}: dev {100 * dev:.1f}%, test {100 * test:.1f}%, {seconds:.0f} s')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
