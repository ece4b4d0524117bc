"""Trains scnn's convex ReLU model by its augmented Lagrangian and prints, as JSON, what it took.

Usage: scnn.py FOLDER BETA, where FOLDER holds x.npy (n x d), y.npy (n) and gates.npy (P x d).
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

# This folder comes first in the search path, and this file has the name of the package.
sys.path.pop(0)

from scnn.metrics import Metrics
from scnn.models import ConvexReLU
from scnn.optimize import optimize_model
from scnn.regularizers import NeuronGL1
from scnn.solvers import AL


def main(folder: Path, beta: float) -> None:
    x, y, gates = (np.load(folder / f"{name}.npy") for name in ("x", "y", "gates"))
    gates = gates.T
    # scnn sorts the patterns and drops doubles; in this order its weights are those of our patterns.
    patterns, first = np.unique(x @ gates > 0, axis=1, return_index=True)
    open_somewhere = patterns.any(axis=0)
    patterns, gates = patterns[:, open_somewhere], gates[:, first[open_somewhere]]

    model = ConvexReLU(gates)
    started, before = time.perf_counter(), time.process_time()
    model, _ = optimize_model(
        model,
        AL(model),
        Metrics(metric_freq=10**9),
        x,
        y,
        regularizer=NeuronGL1(beta),
        return_convex=True,
        unitize_data=False,
    )
    wall, cpu = time.perf_counter() - started, time.process_time() - before

    v, w = (np.asarray(p, dtype=np.float64).reshape(patterns.shape[1], -1) for p in model.parameters)
    products = x @ v.T, x @ w.T
    signs = 2.0 * patterns - 1
    # The network that the solution gives, as our objective counts it.
    outputs = sum(sign * np.maximum(z, 0).sum(axis=1) for sign, z in zip((1, -1), products))
    loss = 0.5 * np.mean((outputs - y) ** 2)
    norms = sum(np.linalg.norm(u, axis=1).sum() for u in (v, w))
    violation = np.sqrt(sum((np.minimum(signs * z, 0) ** 2).sum() for z in products))
    size = np.sqrt(sum((z**2).sum() for z in products))
    result = {
        "wall": wall,
        "cpu": cpu,
        "objective": float(loss + beta * norms),
        "infeasibility": float(violation / size) if size > 0 else 0.0,
    }
    print(json.dumps(result))


main(Path(sys.argv[1]), float(sys.argv[2]))
