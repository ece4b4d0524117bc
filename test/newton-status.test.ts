// How runs end where there is no solution, or none that can be reached: with a status that says so,
// and without a NaN.

import {
  type LinearSolver,
  type MinimizeOptions,
  type MinimizeResult,
  minimizeSync,
  type Problem,
} from 'secondorder/newton';
import t, { type Test } from 'tap';
import { isOptimum } from './fixtures/kkt';
import { findProblem } from './problems';

/** A result of which every figure is a number. */
function solve(t: Test, problem: Problem, options: MinimizeOptions = {}): MinimizeResult {
  const result = minimizeSync(problem, options);
  const { x, lambda, objective, stationarity, infeasibility, scaledKkt, history } = result;
  const figures = [...x, ...lambda, objective, stationarity, infeasibility, scaledKkt];
  t.ok(figures.every(Number.isFinite), `${result.status}: figures are finite`);
  t.ok(history.flatMap((record) => Object.values(record)).every(Number.isFinite), 'history too');
  t.ok(result.message.length > 0);
  return result;
}

/** min ½‖x − start‖² under constraints with a dense Jacobian. */
function nearest(
  x0: number[],
  constraint: (x: Float64Array) => number[],
  jacobian: (x: Float64Array) => number[],
): Problem {
  const away = (x: Float64Array) => x.map((value, j) => value - x0[j]!);
  return {
    variables: x0.length,
    constraints: constraint(Float64Array.from(x0)).length,
    x0,
    objective: (x) => away(x).reduce((sum, value) => sum + value ** 2 / 2, 0),
    gradient: (x, out) => out.set(away(x)),
    constraint: (x, out) => out.set(constraint(x)),
    jacobian: { values: (x, out) => out.set(jacobian(x)) },
  };
}

t.test('more constraints than variables', async (t) => {
  const agreeing = nearest(
    [1, 1],
    ([x = 0, y = 0]) => [x - 3, 2 * x - 6, x * y - 6, x + y - 5],
    ([x = 0, y = 0]) => [1, 0, 2, 0, y, x, 1, 1],
  );
  const { status, x } = solve(t, agreeing);
  t.equal(status, 'converged');
  t.ok(Math.hypot(x[0]! - 3, x[1]! - 2) < 1e-6);
  const contradicting = nearest(
    [5],
    ([x = 0]) => [x, x - 1],
    () => [1, 1],
  );
  const least = solve(t, contradicting);
  t.equal(least.status, 'locally_infeasible');
  t.ok(Math.abs(least.x[0]! - 0.5) < 1e-5, 'the least squares of the violations');
  t.ok(Math.abs(least.infeasibility - 0.5) < 1e-5);
});

t.test('constraints that nothing satisfies', async (t) => {
  for (const [name, problem, infeasibility] of [
    [
      'parallel lines',
      nearest(
        [0, 0],
        ([x = 0, y = 0]) => [x + y - 1, x + y - 2],
        () => [1, 1, 1, 1],
      ),
      0.5,
    ],
    [
      'x² + 1 = 0',
      nearest(
        [2],
        ([x = 0]) => [x * x + 1],
        ([x = 0]) => [2 * x],
      ),
      1,
    ],
    [
      '1 = 0',
      nearest(
        [2, 1],
        () => [1],
        () => [0, 0],
      ),
      1,
    ],
  ] as const) {
    const bend = {
      values: (_x: Float64Array, sigma: number, [l = 0]: Float64Array, out: Float64Array) => {
        const n = problem.variables;
        for (let j = 0; j < n; j++) out[j * n + j] = sigma + (name.startsWith('x²') ? 2 * l : 0);
      },
    };
    for (const globalization of ['filter', 'exact-augmented-lagrangian'] as const) {
      const result = solve(t, { ...problem, hessian: bend }, { globalization });
      t.match(result.status, /infeasible$/, `${name}, ${globalization}: ${result.status}`);
      t.ok(
        Math.abs(result.infeasibility - infeasibility) < 1e-4,
        `${name}: ${result.infeasibility}`,
      );
    }
  }
});

t.test('the same constraint twice', async (t) => {
  const twice = nearest(
    [3, -1],
    ([x = 0, y = 0]) => [x + y - 1, 2 * x + 2 * y - 2],
    () => [1, 1, 2, 2],
  );
  const { status, x } = solve(t, twice);
  t.equal(status, 'converged');
  t.ok(Math.hypot(x[0]! - 2.5, x[1]! + 1.5) < 1e-6);
});

t.test('an objective without bound', async (t) => {
  const falling: Problem = {
    variables: 1,
    constraints: 0,
    x0: [1],
    objective: ([x = 0]) => -(x ** 3),
    gradient: ([x = 0], out) => out.fill(-3 * x ** 2),
    hessian: { values: ([x = 0], sigma, _, out) => out.fill(-6 * sigma * x) },
  };
  const result = solve(t, falling);
  t.equal(result.status, 'unbounded');
  t.ok(result.objective < -1e19);
});

t.test('a tolerance that rounding does not allow', async (t) => {
  for (const name of ['HS40', 'BT6', 'HS100LNP']) {
    const entry = findProblem(name);
    const result = solve(t, entry.problem(), { tolerance: 1e-300 });
    t.not(result.status, 'converged', name);
    t.ok(isOptimum(entry, result.objective), `${name}: the best is still given`);
  }
});

t.test('every linear solver, both ways to choose a step', async (t) => {
  const solvers: LinearSolver[] = [
    'auto',
    'ldl',
    'dense-ldl',
    'sparse-ldl',
    'minres',
    'nystrom-minres',
    'kaczmarz',
    'block-kaczmarz',
    'gaussian',
    'countsketch',
    'srht',
    'kaczmarz++',
  ];
  for (const name of ['HS40', 'HS79', 'BT11']) {
    const entry = findProblem(name);
    const problem = entry.problem();
    for (const linearSolver of solvers) {
      const result = solve(t, problem, { linearSolver });
      t.equal(result.status, 'converged', `${name}, ${linearSolver}`);
      t.ok(isOptimum(entry, result.objective), `${name}, ${linearSolver}`);
      const exact = ['auto', 'ldl'].includes(linearSolver);
      if (!exact) t.equal(result.linear.solver, linearSolver);
      const factors = exact || linearSolver.endsWith('-ldl');
      t.equal(result.linear.innerSteps > 0, !factors, `${linearSolver} steps`);
      t.equal(result.history.at(-1)!.innerSteps, result.linear.innerSteps);
      if (factors) continue;
      const short = solve(t, problem, { linearSolver, maxInnerSteps: 1 });
      t.equal(short.status, 'converged', `${name}, ${linearSolver} with one inner step`);
      t.ok(short.linear.fallbacks > 0, 'with the help of factors, which is told');
    }
    const merit = solve(t, problem, { globalization: 'exact-augmented-lagrangian' });
    t.equal(merit.status, 'converged');
    t.ok(isOptimum(entry, merit.objective), name);
  }
});

t.test('scaling', async (t) => {
  // The same problem in other units.
  const problem = findProblem('HS79').problem();
  const { hessian } = problem;
  const by = 1e7;
  const scale = (out: Float64Array) =>
    out.forEach((value, i) => {
      out[i] = by * value;
    });
  const large: Problem = {
    ...problem,
    objective: (x) => by * problem.objective(x),
    gradient(x, out) {
      problem.gradient(x, out);
      scale(out);
    },
    hessian: {
      ...hessian,
      values: (x, sigma, lambda, out) => hessian.values(x, by * sigma, lambda, out),
    },
  };
  const expected = minimizeSync(problem);
  for (const largestGradient of [undefined, 1, Number.POSITIVE_INFINITY]) {
    const options = largestGradient === undefined ? {} : { largestGradient };
    const { x, status, lambda } = solve(t, large, options);
    t.equal(status, 'converged');
    t.ok(Math.hypot(...x.map((value, j) => value - expected.x[j]!)) < 1e-5);
    t.ok(Math.abs(lambda[0]! / by - expected.lambda[0]!) < 1e-5, 'multipliers of the units given');
  }
});

t.test('a long chain', async (t) => {
  const problem = findProblem('LUKVLE1').family!.member(20_000).problem();
  const { status, linear, seconds } = solve(t, problem);
  t.equal(status, 'converged');
  t.equal(linear.solver, 'sparse-ldl');
  t.ok(seconds < 20, `${seconds} s`);
});

t.test(
  'products with a Hessian that overflow end a run, however often they are tried',
  async (t) => {
    const problem: Problem = {
      variables: 3,
      constraints: 0,
      x0: [1, -2, 3],
      objective: ([a = 0]) => a,
      gradient: (x, out) => out.set(x),
      hessian: {
        product: (x, _sigma, _lambda, _v, out) => out.set(x.map((value) => 1e155 * value)),
      },
    };
    for (const linearSolver of ['minres', 'nystrom-minres', 'kaczmarz++'] as const) {
      const result = solve(t, problem, { linearSolver });
      t.equal(result.status, 'stalled_feasible', linearSolver);
    }
  },
);
