"""Reads memory as fast as NumPy can: x · x by OpenBLAS, or the sum of 64-bit numbers; each thread a share of the bytes."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the threads are ours

from concurrent.futures import ThreadPoolExecutor

import numpy as np


def version():
    return f"NumPy {np.__version__}"


def prepare(job, folder, way, threads):
    threads = int(threads)
    share = job["bytes"] // threads
    if way == "dot":
        parts = [np.full(share // 4, 0.5, np.float32) for _ in range(threads)]
        read, right = lambda part: float(np.dot(part, part)) / (part.size / 4), threads
    else:
        parts = [np.ones(share // 8, np.uint64) for _ in range(threads)]
        read, right = lambda part: int(part.sum()) / part.size, threads
    pool = ThreadPoolExecutor(threads)
    return lambda _: list(pool.map(read, parts)), lambda sums: [sum(sums) / right]
