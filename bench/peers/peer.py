"""One peer: reads jobs as JSON, a line each, and answers each with {"ms": …, "cost": …}.

usage: peer.py numpy64|numpy32|sklearn32|torch32 <folder with pixels.bin, labels.bin, weights-<job>.bin>
"""

import json
import sys
import time

import numpy as np

kind, folder = sys.argv[1], sys.argv[2]
dtype = np.float64 if kind.endswith("64") else np.float32
RATE = {"J1": 0.0075, "J2": 0.0003, "J3": 0.001, "L": 0.0003}


def load(job):
    m, features, dims, batch = job["m"], job["features"], job["dims"], job["batch"]
    pixels = np.fromfile(f"{folder}/pixels.bin", np.uint8, m * features).reshape(m, features)
    x = pixels.astype(dtype)
    x /= dtype(255)
    y = np.fromfile(f"{folder}/labels.bin", np.uint8, m).astype(dtype)
    flat = np.fromfile(f"{folder}/weights-{job['name']}.bin", np.float64)
    weights, at = [], 0
    for n_in, n_out in zip(dims, dims[1:]):
        weights.append(flat[at : at + n_in * n_out].reshape(n_out, n_in).astype(dtype))
        at += n_in * n_out
    return x, y, weights, batch


class Numpy:
    """The course's own way: X (n_x, m), whole arrays."""

    def __init__(self, job):
        x, self.y, self.w, self.batch = load(job)
        self.x = x.T
        self.b = [np.zeros((w.shape[0], 1), dtype) for w in self.w]
        self.rate, self.adam, self.t = dtype(RATE[job["name"]]), job["adam"], 0
        self.parameters = self.w + self.b
        self.v = [np.zeros_like(p) for p in self.parameters]
        self.s = [np.zeros_like(p) for p in self.parameters]

    def step(self, k):
        m = self.y.size
        first = (k * self.batch) % (m - self.batch + 1) if self.batch < m else 0
        a = [self.x[:, first : first + self.batch]]
        y = self.y[first : first + self.batch][None]
        last = len(self.w) - 1
        for l, (w, b) in enumerate(zip(self.w, self.b)):
            z = w @ a[-1] + b
            a.append(np.maximum(z, 0) if l < last else z)
        z = a.pop()
        cost = float(np.mean(np.logaddexp(0, z) - y * z))
        dz = (1 / (1 + np.exp(-z)) - y) / dtype(self.batch)
        dw, db = [None] * (last + 1), [None] * (last + 1)
        for l in range(last, -1, -1):
            dw[l], db[l] = dz @ a[l].T, dz.sum(1, keepdims=True)
            if l > 0:
                dz = (self.w[l].T @ dz) * (a[l] > 0)
        self.update(dw + db)
        return cost

    def update(self, gradients):
        self.t += 1
        for p, g, v, s in zip(self.parameters, gradients, self.v, self.s):
            if not self.adam:
                p -= self.rate * g
                continue
            v *= dtype(0.9)
            v += dtype(0.1) * g
            s *= dtype(0.999)
            s += dtype(0.001) * (g * g)
            p -= dtype(self.rate / (1 - 0.9**self.t)) * v / (np.sqrt(s / dtype(1 - 0.999**self.t)) + dtype(1e-8))


class Torch:
    def __init__(self, job):
        import torch

        self.torch = torch
        x, y, weights, self.batch = load(job)
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        layers = []
        for l, w in enumerate(weights):
            linear = torch.nn.Linear(w.shape[1], w.shape[0])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w))
                linear.bias.zero_()
            layers += [linear] + ([torch.nn.ReLU()] if l < len(weights) - 1 else [])
        self.net = torch.nn.Sequential(*layers)
        rule = torch.optim.Adam if job["adam"] else torch.optim.SGD
        self.optimizer = rule(self.net.parameters(), lr=RATE[job["name"]])
        self.loss = torch.nn.BCEWithLogitsLoss()

    def step(self, k):
        m = self.y.numel()
        first = (k * self.batch) % (m - self.batch + 1) if self.batch < m else 0
        self.optimizer.zero_grad()
        z = self.net(self.x[first : first + self.batch])[:, 0]
        cost = self.loss(z, self.y[first : first + self.batch])
        cost.backward()
        self.optimizer.step()
        return float(cost)


models = {}
for line in sys.stdin:
    job = json.loads(line)
    name = job["name"]
    if name not in models:
        models.clear()
        models[name] = [(Torch if kind.startswith("torch") else Numpy)(job), 0]
    model, k = models[name]
    costs = []
    started = time.perf_counter()
    for i in range(job["steps"]):
        costs.append(model.step(k + i))
    ms = (time.perf_counter() - started) * 1000 / job["steps"]
    models[name][1] += job["steps"]
    print(json.dumps({"ms": ms, "cost": costs[-1]}), flush=True)
