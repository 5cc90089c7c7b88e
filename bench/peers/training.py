"""What NumPy, PyTorch and scikit-learn have in common: the data of a job, and the kinds of run over a model.

A model has step(k) -> cost before the update, restart(), and answer(x (m, n_x)) -> p.
"""

import numpy as np

BLOCK = 1000  # pictures that are widened together; a whole array of 10,000 takes every peer longer


def load(job, folder, dtype):
    """@returns pixels (m, n_x) uint8, labels (m), W of each layer (n_out, n_in)"""
    m, features, dims = job["m"], job["features"], job["dims"]
    pixels = np.fromfile(f"{folder}/pixels-{job['name']}.bin", np.uint8, m * features).reshape(m, features)
    labels = np.fromfile(f"{folder}/labels-{job['name']}.bin", np.uint8, m).astype(dtype)
    flat = np.fromfile(f"{folder}/weights-{job['name']}.bin", np.float64)
    weights, at = [], 0
    for n_in, n_out in zip(dims, dims[1:]):
        weights.append(flat[at : at + n_in * n_out].reshape(n_out, n_in).astype(dtype))
        at += n_in * n_out
    return pixels, labels, weights


def widen(pixels, dtype):
    x = pixels.astype(dtype)
    x /= dtype(255)
    return x


def slice_of(job, k):
    """The pictures of step k."""
    m, batch = job["m"], job["batch"]
    first = (k * batch) % (m - batch + 1) if batch < m else 0
    return slice(first, first + batch)


def runs(Model, job, folder, dtype):
    """@returns run(count) and check(result) of a job"""
    pixels, labels, weights = load(job, folder, dtype)
    if job["kind"] == "inference":
        model = Model(job, None, labels, weights)

        def answer(_):
            blocks = range(0, len(pixels), BLOCK)
            return np.concatenate([model.answer(widen(pixels[i : i + BLOCK], dtype)) for i in blocks])

        return answer, lambda p: [p.mean(dtype=np.float64), np.square(p).mean(dtype=np.float64), p[0], p[-1]]
    model = Model(job, widen(pixels, dtype), labels, weights)
    if job["kind"] == "whole":

        def train(count):
            model.restart()
            return model.steps(0, count)

        return train, lambda costs: costs[::100]
    taken = 0

    def steps(count):
        nonlocal taken
        taken += count
        return model.steps(taken - count, count)[-1:]

    return steps, lambda costs: costs
