"""FISTA with restarts on the sampled convex program: processor time to a relative duality gap.

fista.py FOLDER LOSS BETA TOLERANCE SECONDS, with x.npy, u.npy and y.npy in the folder.
"""

import json
import sys
import time

import numpy as np

folder, loss, beta, tolerance, seconds = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
x, u, y = (np.load(f"{folder}/{name}.npy") for name in ("x", "u", "y"))
u /= np.linalg.norm(u, axis=1, keepdims=True)
columns = np.ascontiguousarray(np.maximum(u @ x.T, 0).astype(np.float32))  # directions x samples
y = y.astype(np.float32).ravel()
beta *= len(y)


def slopes(z):
    return z - y if loss == "squared" else -y / (1 + np.exp(y * z))


def gap(alpha):
    z = (alpha @ columns).astype(np.float64)
    nu = slopes(z).astype(np.float64)
    largest = np.abs(columns @ nu.astype(np.float32)).max()
    penalty = beta * np.abs(alpha).sum(dtype=np.float64)
    if loss == "squared":
        objective = 0.5 * ((z - y) ** 2).sum() + penalty
        tau = np.clip(-(nu @ y) / (nu @ nu), 0, beta / largest)
        bound = -tau * (0.5 * tau * (nu @ nu) + nu @ y)
    else:
        objective = np.logaddexp(0, -y * z).sum() + penalty
        t = -y * nu * min(1, beta / largest)
        bound = -(t * np.log(t) + (1 - t) * np.log1p(-t)).sum()
    return (objective - bound) / objective


start = time.process_time()
v = np.ones(len(columns), np.float32)
for _ in range(30):
    v /= np.linalg.norm(v)
    v = columns @ (v @ columns)
lipschitz = 1.01 * np.linalg.norm(v) * (1 if loss == "squared" else 0.25)
alpha = np.zeros(len(columns), np.float32)
ahead, t, iterations, reached = alpha, 1.0, 0, 1.0
while time.process_time() - start < seconds:
    iterations += 1
    step = ahead - columns @ slopes(ahead @ columns) / lipschitz
    after = np.sign(step) * np.maximum(np.abs(step) - beta / lipschitz, 0)
    restart = (ahead - after) @ (after - alpha) > 0
    longer = 1.0 if restart else (1 + np.sqrt(1 + 4 * t * t)) / 2
    ahead = after + np.float32(0 if restart else (t - 1) / longer) * (after - alpha)
    alpha, t = after, longer
    if iterations % 20 == 0:
        reached = gap(alpha)
        if reached <= tolerance:
            break
print(json.dumps({"cpu": time.process_time() - start, "iterations": iterations, "gap": reached}))
