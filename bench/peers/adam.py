"""Trains the ReLU network itself by Adam, in float32 on the full batch, and prints the results as JSON.

Usage: adam.py FOLDER WIDTH BETA STEPS, where FOLDER holds x.npy (n x d) and y.npy (n).

Five learning rates, two seeds, a cosine schedule; the objective is
F = (1/n) sum of (f(x) - y)^2 / 2 + beta / 2 (|W|^2 + |a|^2), whose gradient is written out by hand.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SEEDS = (0, 1)


def adam(x, y, width, beta, rate, steps, seed):
    n, d = x.shape
    random = np.random.default_rng(seed)
    # One vector of parameters: each of Adam's updates is then a few calls.
    weights = np.empty((d + 1) * width, np.float32)
    w, a = weights[: d * width].reshape(d, width), weights[d * width :]
    w[:] = random.standard_normal((d, width)) / np.sqrt(d)
    a[:] = random.standard_normal(width) / np.sqrt(width)
    gradient, first, second = (np.zeros_like(weights) for _ in range(3))
    gradient_w, gradient_a = gradient[: d * width].reshape(d, width), gradient[d * width :]
    xt = np.ascontiguousarray(x.T)
    for step in range(1, steps + 1):
        z = x @ w
        np.maximum(z, 0, out=z)
        residual = (z @ a - y) / np.float32(n)
        np.matmul(residual, z, out=gradient_a)
        np.matmul(xt, np.multiply(z > 0, residual[:, None]), out=gradient_w)
        gradient_w *= a
        gradient += np.float32(beta) * weights
        first += np.float32(0.1) * (gradient - first)
        second += np.float32(0.001) * (gradient * gradient - second)
        scale = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        scale *= np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weights -= np.float32(scale) * first / (np.sqrt(second) + np.float32(1e-8))
    return w.astype(np.float64), a.astype(np.float64)


def objective(x, y, w, a, beta):
    """The penalty of the balanced network: no scaling of its neurons has less weight decay."""
    residual = np.maximum(x @ w, 0) @ a - y
    return residual @ residual / (2 * len(y)) + beta * np.linalg.norm(w, axis=0) @ np.abs(a)


def main(folder: Path, width: int, beta: float, steps: int) -> None:
    x, y = (np.load(folder / f"{name}.npy").astype(np.float64) for name in ("x", "y"))
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    before = time.process_time()
    runs = [adam(x32, y32, width, beta, rate, steps, seed) for rate in RATES for seed in SEEDS]
    cpu = time.process_time() - before
    objectives = [objective(x, y, w, a, beta) for w, a in runs]
    print(json.dumps({"objectives": objectives, "cpu": cpu}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
