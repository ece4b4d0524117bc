// Tolerances and units at the end of float64: the iterate returned is the best one, and a point that
// rounding alone keeps from the constraints is not called infeasible.
import { minimizeSync } from 'secondorder/newton';
import t from 'tap';
import { residuals } from './fixtures/kkt';
import { findProblem, type Problem } from './problems';

/** min a + b on the circle k(a² + b² − u²) = 0. */
function circle(k: number, u: number): Problem {
  return {
    variables: 2,
    constraints: 1,
    x0: Float64Array.of(3 * u, u),
    objective: (x) => x[0]! + x[1]!,
    gradient: (_, out) => void out.fill(1),
    constraint: (x, out) => {
      out[0] = k * (x[0]! ** 2 + x[1]! ** 2 - u * u);
    },
    jacobian: {
      rows: Int32Array.of(0, 0),
      cols: Int32Array.of(0, 1),
      values: (x, out) => void out.set([2 * k * x[0]!, 2 * k * x[1]!]),
    },
    hessian: {
      rows: Int32Array.of(0, 1),
      cols: Int32Array.of(0, 1),
      values: (_x, _sigma, lambda, out) => void out.fill(2 * k * lambda[0]!),
    },
  };
}

t.test('a circle in any units', (t) => {
  for (const [k, u] of [
    [1, 1],
    [1e-8, 1],
    [1e10, 1],
    [1, 1e4],
    [1, 1e8],
  ] as const) {
    const result = minimizeSync(circle(k, u));
    const name = `k = ${k}, radius ${u}: ${result.status}`;
    t.not(result.status, 'locally_infeasible', name);
    const error = Math.max(...result.x.map((value) => Math.abs(value / u + Math.SQRT1_2)));
    t.ok(error < 1e-3, name);
    if (u < 1e8) t.equal(result.status, 'converged', name);
  }
  t.end();
});

t.test('a tolerance that rounding does not allow gives the best iterate', (t) => {
  for (const [name, tolerance] of [
    ['BT8', 1e-13],
    ['DTOC3', 1e-15],
    ['HS100LNP', 1e-14],
    ['HS7', 1e-18],
    ['BT6', 1e-17],
  ] as const) {
    const problem = findProblem(name).problem();
    const result = minimizeSync(problem, { tolerance });
    t.ok(
      ['converged', 'stalled_feasible', 'stalled_infeasible', 'inertia_failed'].includes(
        result.status,
      ),
      `${name}: ${result.status}`,
    );
    const { infeasibility, stationarity } = residuals(problem, result.x, result.lambda);
    t.ok(Math.max(infeasibility, stationarity) < 1e-8, `${name}: ${infeasibility} ${stationarity}`);
    const best = Math.min(...result.history.map((line) => line.scaledKkt));
    const here = result.history.find((line) => line.infeasibility === result.infeasibility);
    t.ok(!here || here.scaledKkt <= 10 * best || result.status === 'converged', name);
    if (result.status === 'stalled_infeasible') t.ok(infeasibility > tolerance, name);
  }
  t.end();
});
