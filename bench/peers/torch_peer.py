"""PyTorch: Linear, ReLU, BCEWithLogitsLoss, torch.optim."""

import numpy as np
import torch
from training import runs, slice_of


def version():
    return f"PyTorch {torch.__version__}"


def prepare(job, folder, precision):
    return runs(Network, job, folder, np.dtype(precision).type)


class Network:
    def __init__(self, job, x, y, weights):
        self.job, self.first = job, weights
        self.x = None if x is None else torch.from_numpy(x)
        self.y = torch.from_numpy(y)
        self.loss = torch.nn.BCEWithLogitsLoss()
        self.restart()

    def restart(self):
        layers = []
        for l, w in enumerate(self.first):
            linear = torch.nn.Linear(w.shape[1], w.shape[0])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w))
                linear.bias.zero_()
            layers += [linear] + ([torch.nn.ReLU()] if l < len(self.first) - 1 else [])
        self.net = torch.nn.Sequential(*layers)
        adam = self.job.get("adam", False)
        self.optimizer = (torch.optim.Adam if adam else torch.optim.SGD)(self.net.parameters(), lr=self.job.get("rate", 1))

    def steps(self, k, count):
        return [self.step(i) for i in range(k, k + count)]

    def answer(self, x):
        with torch.inference_mode():
            return torch.sigmoid(self.net(torch.from_numpy(x))[:, 0]).numpy()

    def step(self, k):
        part = slice_of(self.job, k)
        self.optimizer.zero_grad()
        cost = self.loss(self.net(self.x[part])[:, 0], self.y[part])
        cost.backward()
        self.optimizer.step()
        return float(cost)
