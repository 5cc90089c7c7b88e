"""NumPy, the course's own way: X (n_x, m), whole arrays."""

import numpy as np
from training import runs, slice_of


def version():
    blas = np.__config__.get_info("blas_opt_info").get("libraries", ["?"])[0]
    return f"NumPy {np.__version__} ({blas})"


def prepare(job, folder, precision):
    return runs(Network, job, folder, np.dtype(precision).type)


class Network:
    def __init__(self, job, x, y, weights):
        self.job, self.y, self.first = job, y, weights
        self.x = None if x is None else x.T
        self.dtype = weights[0].dtype.type
        self.restart()

    def restart(self):
        self.w = [w.copy() for w in self.first]
        self.b = [np.zeros((w.shape[0], 1), self.dtype) for w in self.w]
        self.parameters = self.w + self.b
        self.v = [np.zeros_like(p) for p in self.parameters]
        self.s = [np.zeros_like(p) for p in self.parameters]
        self.t = 0

    def steps(self, k, count):
        return [self.step(i) for i in range(k, k + count)]

    def forward(self, x):
        a = [x]
        last = len(self.w) - 1
        for l, (w, b) in enumerate(zip(self.w, self.b)):
            z = w @ a[-1] + b
            a.append(np.maximum(z, 0) if l < last else z)
        return a

    def answer(self, x):
        return 1 / (1 + np.exp(-self.forward(x.T)[-1][0]))

    def step(self, k):
        part = slice_of(self.job, k)
        a = self.forward(self.x[:, part])
        y = self.y[part][None]
        z = a.pop()
        cost = float(np.mean(np.logaddexp(0, z) - y * z))
        dz = (1 / (1 + np.exp(-z)) - y) / self.dtype(y.size)
        count = len(self.w)
        dw, db = [None] * count, [None] * count
        for l in range(count - 1, -1, -1):
            dw[l], db[l] = dz @ a[l].T, dz.sum(1, keepdims=True)
            if l > 0:
                dz = (self.w[l].T @ dz) * (a[l] > 0)
        self.update(dw + db)
        return cost

    def update(self, gradients):
        dtype, rate = self.dtype, self.dtype(self.job["rate"])
        self.t += 1
        for p, g, v, s in zip(self.parameters, gradients, self.v, self.s):
            if not self.job["adam"]:
                p -= rate * g
                continue
            v *= dtype(0.9)
            v += dtype(0.1) * g
            s *= dtype(0.999)
            s += dtype(0.001) * (g * g)
            p -= dtype(rate / (1 - 0.9**self.t)) * v / (np.sqrt(s / dtype(1 - 0.999**self.t)) + dtype(1e-8))
