"""Minimizes problems by SciPy whose functions live in another process.

Reads one JSON object a line: { method, x0, constraints, jacobian: { rows, cols },
hessian: { rows, cols }, tolerance, maxIterations }. For it writes lines { evaluate, x, ... }, each
answered by a line with an array of numbers, and at the end one line { result }. Numbers that are
not finite are null.
"""

import json
import sys
import warnings

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

warnings.filterwarnings("ignore")


def write(message: dict) -> None:
    print(json.dumps(message), flush=True)


def listed(values: np.ndarray) -> list:
    return [float(v) if np.isfinite(v) else None for v in values]


class Remote:
    """The functions of a problem, asked for one at a time."""

    def __init__(self, spec: dict) -> None:
        self.n, self.m = len(spec["x0"]), spec["constraints"]
        self.jacobian_at = (spec["jacobian"]["rows"], spec["jacobian"]["cols"])
        self.hessian_at = (spec["hessian"]["rows"], spec["hessian"]["cols"])

    def ask(self, name: str, x: np.ndarray, **more) -> np.ndarray:
        write({"evaluate": name, "x": listed(x), **more})
        answer = json.loads(sys.stdin.readline())
        return np.array([np.nan if v is None else v for v in answer], dtype=float)

    def objective(self, x):
        return self.ask("objective", x)[0]

    def gradient(self, x):
        return self.ask("gradient", x)

    def constraint(self, x):
        return self.ask("constraint", x)

    def jacobian(self, x):
        matrix = np.zeros((self.m, self.n))
        np.add.at(matrix, self.jacobian_at, self.ask("jacobian", x))
        return matrix

    def hessian(self, x, sigma, multipliers):
        lower = np.zeros((self.n, self.n))
        entries = self.ask("hessian", x, sigma=sigma, lambda_=listed(multipliers))
        np.add.at(lower, self.hessian_at, entries)
        return lower + np.tril(lower, -1).T


def trust_constr(problem: Remote, spec: dict):
    constraint = NonlinearConstraint(
        problem.constraint, 0, 0, jac=problem.jacobian, hess=lambda x, v: problem.hessian(x, 0.0, v)
    )
    result = minimize(
        problem.objective,
        np.array(spec["x0"], dtype=float),
        method="trust-constr",
        jac=problem.gradient,
        hess=lambda x: problem.hessian(x, 1.0, np.zeros(problem.m)),
        constraints=[constraint],
        # By default a step of 1e-8 counts as success.
        options={"gtol": spec["tolerance"], "xtol": 1e-14, "maxiter": spec["maxIterations"]},
    )
    return result, result.status == 1, result.v[0]


def slsqp(problem: Remote, spec: dict):
    result = minimize(
        problem.objective,
        np.array(spec["x0"], dtype=float),
        method="SLSQP",
        jac=problem.gradient,
        constraints=[{"type": "eq", "fun": problem.constraint, "jac": problem.jacobian}],
        # It stops by changes of the objective: KKT residuals need smaller ones than themselves.
        options={"ftol": spec["tolerance"] ** 2, "maxiter": spec["maxIterations"]},
    )
    # It gives no multipliers: those that fit best.
    jacobian, gradient = problem.jacobian(result.x), problem.gradient(result.x)
    if not (np.isfinite(jacobian).all() and np.isfinite(gradient).all()):
        return result, False, np.zeros(problem.m)
    multipliers = np.linalg.lstsq(jacobian.T, -gradient, rcond=None)[0]
    return result, bool(result.success), multipliers


METHODS = {"trust-constr": trust_constr, "SLSQP": slsqp}

for line in sys.stdin:
    spec = json.loads(line)
    try:
        found, converged, multipliers = METHODS[spec["method"]](Remote(spec), spec)
        outcome = {
            "converged": bool(converged),
            "x": listed(found.x),
            "lambda": listed(multipliers),
            "iterations": int(found.nit),
        }
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        outcome = {"error": f"{type(error).__name__}: {error}"}
    write({"result": outcome})
