"""Constrained logistic regression by SciPy; prints, as JSON, what it took.

Usage: scipy_logistic.py FOLDER METHOD TOLERANCE, where FOLDER holds values.npy, columns.npy,
offsets.npy (X by rows), y.npy, a.npy (m x n), b.npy and x0.npy: minimize the mean of
log(1 + exp(-y X w)) subject to A w = b and w.w = 1.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint, minimize
from scipy.sparse import csr_matrix, diags
from scipy.special import expit

warnings.filterwarnings("ignore")


class Logistic:
    """The objective with its derivatives; a point is seen once."""

    def __init__(self, folder: Path) -> None:
        def load(name: str) -> np.ndarray:
            return np.load(folder / f"{name}.npy")

        self.y, self.a, self.b, self.x0 = (load(name) for name in ("y", "a", "b", "x0"))
        columns, offsets = load("columns").astype(int), load("offsets").astype(int)
        shape = (self.y.size, self.x0.size)
        self.x = csr_matrix((load("values"), columns, offsets), shape=shape)
        self.xt = self.x.T.tocsr()
        self.seen = None
        self.counts = {"objective": 0, "gradient": 0, "hessian": 0}

    def margins(self, w: np.ndarray) -> np.ndarray:
        if self.seen is None or not np.array_equal(w, self.seen):
            self.seen = w.copy()
            self.margin = self.y * (self.x @ w)
        return self.margin

    def objective(self, w):
        self.counts["objective"] += 1
        return np.logaddexp(0, -self.margins(w)).mean()

    def gradient(self, w):
        self.counts["gradient"] += 1
        return self.xt @ (-self.y * expit(-self.margins(w))) / self.y.size

    def hessian(self, w):
        self.counts["hessian"] += 1
        s = expit(-self.margins(w))
        return (self.xt @ (diags(s * (1 - s) / self.y.size) @ self.x)).toarray()


def trust_constr(problem: Logistic, tolerance: float):
    n = problem.x0.size
    constraints = [
        LinearConstraint(problem.a, problem.b, problem.b),
        NonlinearConstraint(
            lambda w: w @ w - 1, 0, 0, jac=lambda w: 2 * w, hess=lambda w, v: 2 * v[0] * np.eye(n)
        ),
    ]
    return minimize(
        problem.objective,
        problem.x0,
        method="trust-constr",
        jac=problem.gradient,
        hess=problem.hessian,
        constraints=constraints,
        options={"gtol": tolerance, "xtol": 1e-14, "maxiter": 1000},
    )


def slsqp(problem: Logistic, tolerance: float):
    constraints = [
        {"type": "eq", "fun": lambda w: problem.a @ w - problem.b, "jac": lambda w: problem.a},
        {"type": "eq", "fun": lambda w: w @ w - 1, "jac": lambda w: 2 * w},
    ]
    return minimize(
        problem.objective,
        problem.x0,
        method="SLSQP",
        jac=problem.gradient,
        constraints=constraints,
        options={"ftol": tolerance**2, "maxiter": 1000},
    )


def multipliers(problem: Logistic, w: np.ndarray) -> np.ndarray:
    """Those that fit best, for either method."""
    jacobian = np.vstack([problem.a, 2 * w])
    return np.linalg.lstsq(jacobian.T, -problem.gradient(w), rcond=None)[0]


def main(folder: Path, method: str, tolerance: float) -> None:
    problem = Logistic(folder)
    started = time.perf_counter()
    found = {"trust-constr": trust_constr, "SLSQP": slsqp}[method](problem, tolerance)
    seconds = time.perf_counter() - started
    result = {
        "seconds": seconds,
        "iterations": int(found.nit),
        "evaluations": dict(problem.counts),
        "converged": bool(found.status == 1 if method == "trust-constr" else found.success),
        "x": found.x.tolist(),
        "lambda": multipliers(problem, found.x).tolist(),
    }
    print(json.dumps(result))


main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
