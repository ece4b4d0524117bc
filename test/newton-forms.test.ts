// The forms in which a problem may be given: all lead to the same solution, and those that say the
// same take the same steps.

import {
  checkDerivatives,
  checkDerivativesAsync,
  minimize,
  minimizeSync,
  type Problem as NewtonProblem,
} from 'secondorder/newton';
import t from 'tap';
import { isOptimum, residuals } from './fixtures/kkt';
import { findProblem, type Problem } from './problems';
import { denseHessian, denseJacobian } from './problems/reference-solver';

const NAMES = ['HS7', 'HS40', 'HS79', 'BT6', 'HS100LNP'];

/** Row-major entries. */
const flat = (rows: Float64Array[]): number[] => rows.flatMap((row) => [...row]);

const dense = (problem: Problem): Pick<NewtonProblem, 'jacobian' | 'hessian'> => ({
  jacobian: { values: (x, out) => out.set(flat(denseJacobian(problem, x))) },
  hessian: {
    values(x, sigma, lambda, out) {
      out.set(flat(denseHessian(problem, x, sigma, lambda)));
      // Only the lower triangle counts.
      const n = problem.variables;
      for (let i = 0; i < n; i++) out.fill(Number.NaN, i * n + i + 1, (i + 1) * n);
    },
  },
});

const products = (problem: Problem): Pick<NewtonProblem, 'hessian'> => ({
  hessian: {
    product(x, sigma, lambda, v, out) {
      const rows = denseHessian(problem, x, sigma, lambda);
      out.set(rows.map((row) => row.reduce((sum, entry, j) => sum + entry * v[j]!, 0)));
    },
  },
});

/** Every position twice, with half the value, and in reverse order. */
function halved(problem: Problem): Pick<NewtonProblem, 'jacobian' | 'hessian'> {
  const twice = (indices: Int32Array) => Int32Array.of(...indices, ...indices).reverse();
  const spread = (values: Float64Array, out: Float64Array) =>
    out.set([...values, ...values].reverse().map((value) => value / 2));
  const { jacobian, hessian } = problem;
  const entries = [jacobian, hessian].map(({ rows }) => new Float64Array(rows.length));
  return {
    jacobian: {
      rows: twice(jacobian.rows),
      cols: twice(jacobian.cols),
      values(x, out) {
        jacobian.values(x, entries[0]!);
        spread(entries[0]!, out);
      },
    },
    hessian: {
      rows: twice(hessian.rows),
      cols: twice(hessian.cols),
      values(x, sigma, lambda, out) {
        hessian.values(x, sigma, lambda, entries[1]!);
        spread(entries[1]!, out);
      },
    },
  };
}

t.test('sparse, dense, doubled and as products', async (t) => {
  for (const name of NAMES) {
    const entry = findProblem(name);
    const problem = entry.problem();
    const sparse = minimizeSync(problem);
    for (const [form, changes] of Object.entries({
      dense: dense(problem),
      halved: halved(problem),
      products: products(problem),
    })) {
      const result = minimizeSync({ ...problem, ...changes });
      t.equal(result.status, 'converged', `${name}, ${form}`);
      t.equal(result.iterations, sparse.iterations, `${name}, ${form}: the same steps`);
      t.ok(Math.abs(result.objective - sparse.objective) < 1e-9, `${name}, ${form}`);
      t.equal(result.evaluations.hessianProduct > 0, form === 'products');
    }
  }
});

t.test('BFGS and finite differences', async (t) => {
  for (const name of NAMES) {
    const entry = findProblem(name);
    const { hessian, gradient, jacobian, ...functions } = entry.problem();
    const { rows, cols } = jacobian;
    const forms: Record<string, Partial<NewtonProblem>> = {
      'BFGS, left out': { gradient, jacobian },
      'BFGS, asked for': { gradient, jacobian, hessian: 'bfgs' },
      'all by differences': {},
      'the Jacobian by differences, its pattern known': { gradient, jacobian: { rows, cols } },
      'the gradient by differences': { jacobian, hessian },
    };
    for (const [form, parts] of Object.entries(forms)) {
      const differences = form.includes('differences');
      const options = differences ? ({ derivatives: 'finite-difference' } as const) : {};
      const result = minimizeSync({ ...functions, ...parts }, options);
      t.equal(result.status, 'converged', `${name}, ${form}`);
      t.ok(isOptimum(entry, result.objective), `${name}, ${form}: ${result.objective}`);
      const { infeasibility, stationarity } = residuals(entry.problem(), result.x, result.lambda);
      t.ok(infeasibility <= 1.001e-6 && stationarity < 1e-4, `${name}, ${form}`);
    }
    const few = { derivatives: 'finite-difference', differences: 'forward' } as const;
    const forward = minimizeSync(functions, few);
    const central = minimizeSync(functions, { derivatives: 'finite-difference' });
    t.ok(isOptimum(entry, forward.objective), `${name} by forward differences`);
    const each = ({ evaluations, iterations }: typeof forward) =>
      evaluations.objective / (iterations + 1);
    t.ok(each(forward) < each(central), 'they take fewer evaluations');
  }
});

t.test('what is missing must be asked for', async (t) => {
  const { gradient, jacobian, hessian, constraint, objective, ...sizes } =
    findProblem('HS7').problem();
  const whole = { ...sizes, gradient, jacobian, hessian, constraint, objective };
  const { rows, cols } = jacobian;
  for (const [part, missing] of [
    [{ gradient: undefined }, 'problem.gradient'],
    [{ jacobian: undefined }, 'problem.jacobian'],
    [{ jacobian: { rows, cols } }, 'problem.jacobian.values'],
  ] as const) {
    const error = {
      code: 'ERR_INVALID_ARGUMENT',
      argument: missing,
      message: `${missing} is missing; give it, or ask for options.derivatives: 'finite-difference'`,
    };
    t.throws(() => minimizeSync({ ...whole, ...part }), error);
    await t.rejects(minimize({ ...whole, ...part }), error);
  }
});

t.test('equal positions of a pattern get the slope once', async (t) => {
  const { gradient, jacobian, hessian, ...functions } = findProblem('HS40').problem();
  const { rows, cols } = jacobian;
  const twice = (indices: Int32Array) => Int32Array.of(...indices, ...indices.slice().reverse());
  for (const differences of ['central', 'forward'] as const) {
    const options = { derivatives: 'finite-difference', differences } as const;
    const expected = minimizeSync({ ...functions, jacobian: { rows, cols } }, options);
    const repeated = { rows: twice(rows), cols: twice(cols) };
    const { status, x, lambda } = minimizeSync({ ...functions, jacobian: repeated }, options);
    t.strictSame([status, x, lambda], ['converged', expected.x, expected.lambda], differences);
  }
});

t.test('misspelt derivatives are not left out', async (t) => {
  const { gradient, jacobian, hessian, ...functions } = findProblem('HS7').problem();
  const options = { derivatives: 'finite-difference' } as const;
  for (const [entries, key, meant] of [
    [{ gradiant: gradient }, 'gradiant', 'gradient'],
    [{ jacobain: jacobian }, 'jacobain', 'jacobian'],
    [{ Hessian: hessian }, 'Hessian', 'hessian'],
  ] as const) {
    t.throws(() => minimizeSync({ ...functions, ...entries }, options), {
      code: 'ERR_INVALID_ARGUMENT',
      argument: `problem.${key}`,
      message: `problem has an unknown entry "${key}"; did you mean "${meant}"?`,
    });
    const instance = Object.assign(Object.create({ method: () => 1 }), functions, entries);
    t.equal(
      minimizeSync(instance, options).status,
      'converged',
      'an instance may have any entries',
    );
  }
  const helped = { ...functions, gradient, gradients: 5, scale: 2 };
  t.equal(minimizeSync(helped, options).status, 'converged', 'as may a plain object');
});

t.test('an instance of a class', async (t) => {
  class Circle {
    readonly variables = 2;
    readonly constraints = 1;
    readonly x0 = [0.3, -2];
    readonly #radius: number;
    calls = 0;
    readonly jacobian = {
      scale: 2,
      values(x: Float64Array, out: Float64Array) {
        out.set([this.scale * x[0]!, this.scale * x[1]!]);
      },
    };
    constructor(radius: number) {
      this.#radius = radius;
    }
    objective(x: Float64Array): number {
      this.calls++;
      return x[0]! + x[1]!;
    }
    gradient(_x: Float64Array, out: Float64Array): void {
      out.fill(1);
    }
    constraint(x: Float64Array, out: Float64Array): void {
      out[0] = x[0]! ** 2 + x[1]! ** 2 - this.#radius ** 2;
    }
  }
  for (const solve of [minimize, minimizeSync]) {
    const circle = new Circle(3);
    const { status, x, objective, lambda, evaluations } = await solve(circle);
    t.equal(status, 'converged');
    t.ok(Math.abs(objective + 3 * Math.SQRT2) < 1e-6 && Math.abs(x[0]! - x[1]!) < 1e-5);
    t.ok(Math.abs(lambda[0]! - 1 / (3 * Math.SQRT2)) < 1e-6);
    t.equal(circle.calls, evaluations.objective, 'every call is counted');
  }
});

t.test('without constraints', async (t) => {
  // Rosenbrock's function: the constraint may stay away, or be there and never be called.
  const rosenbrock = {
    variables: 2,
    constraints: 0,
    x0: [-1.2, 1],
    objective: ([x = 0, y = 0]: Float64Array) => 100 * (y - x * x) ** 2 + (1 - x) ** 2,
    gradient([x = 0, y = 0]: Float64Array, out: Float64Array) {
      out.set([-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]);
    },
  };
  const hessian = {
    values([x = 0, y = 0]: Float64Array, sigma: number, _: Float64Array, out: Float64Array) {
      out.set([1200 * x * x - 400 * y + 2, 0, -400 * x, 200].map((entry) => sigma * entry));
    },
  };
  const never = () => t.fail('there is nothing to call');
  for (const problem of [
    rosenbrock,
    { ...rosenbrock, hessian },
    { ...rosenbrock, hessian, constraint: never, jacobian: { values: never } },
    { ...rosenbrock, lambda0: [] },
  ]) {
    const { status, x, lambda, infeasibility } = minimizeSync(problem);
    t.equal(status, 'converged');
    t.ok(Math.hypot(x[0]! - 1, x[1]! - 1) < 1e-6);
    t.equal(lambda.length, 0);
    t.equal(infeasibility, 0);
  }
});

t.test('first multipliers', async (t) => {
  const problem = findProblem('HS40').problem();
  const { x, lambda } = minimizeSync(problem, { tolerance: 1e-10 });
  const again = minimizeSync({ ...problem, x0: x, lambda0: lambda });
  t.equal(again.iterations, 0, 'a solution is known as such');
  t.strictSame([again.x, again.lambda], [x, lambda]);
  const wrong = minimizeSync({ ...problem, x0: x, lambda0: lambda.map((value) => value + 1) });
  t.ok(wrong.history[0]!.stationarity > 0.1, 'they are used');
});

t.test('derivatives are checked', async (t) => {
  for (const name of NAMES) {
    const entry = findProblem(name);
    const problem = entry.problem();
    const x = problem.x0.map((value, i) => value + Math.sin(i + 1) / 3);
    for (const form of [
      problem,
      { ...problem, ...dense(problem) },
      { ...problem, ...products(problem) },
    ]) {
      const report = checkDerivatives(form, x);
      t.match(report, { wrongEntries: 0, wrong: [] }, name);
      t.ok(report.gradientError < 1e-7 && report.jacobianError < 1e-7, name);
      t.ok(report.hessianError < 1e-7, name);
      t.strictSame(await checkDerivativesAsync(form, x), report);
    }
  }
  const problem = findProblem('HS7').problem();
  const { jacobian, hessian } = problem;
  const off = {
    gradient: {
      gradient(x: Float64Array, out: Float64Array) {
        problem.gradient(x, out);
        out[1]! += 0.01;
      },
    },
    jacobian: {
      jacobian: {
        ...jacobian,
        values(x: Float64Array, out: Float64Array) {
          jacobian.values(x, out);
          out[0]! *= -1;
        },
      },
    },
    hessian: {
      hessian: {
        ...hessian,
        values(x: Float64Array, sigma: number, lambda: Float64Array, out: Float64Array) {
          hessian.values(x, sigma, lambda, out);
          out[1]! += 7;
        },
      },
    },
  };
  t.match(checkDerivatives({ ...problem, ...off.gradient }).wrong[0], {
    derivative: 'gradient',
    row: 1,
    column: 0,
    given: -0.99,
  });
  const row = { derivative: 'jacobian', row: jacobian.rows[0]!, column: jacobian.cols[0]! };
  const wrong = checkDerivatives({ ...problem, ...off.jacobian }).wrong;
  t.ok(wrong.some((found) => found.derivative === row.derivative && found.column === row.column));
  const slope = wrong.find((found) => found.derivative === 'jacobian')!;
  t.ok(Math.abs(slope.given + slope.difference) < 1e-6, 'the sign is wrong');
  t.match(checkDerivatives({ ...problem, ...off.hessian }).wrong[0], {
    derivative: 'hessian',
    row: hessian.rows[1]!,
    column: hessian.cols[1]!,
  });
  const broken = { ...problem, ...off.gradient, ...off.jacobian };
  t.equal(checkDerivatives(broken, undefined, { mostEntries: 1 }).wrong.length, 1);
  t.equal(checkDerivatives(broken, undefined, { tolerance: 10 }).wrongEntries, 0);
  const { gradient, ...rest } = problem;
  t.equal(checkDerivatives(rest).gradientError, 0, 'what is left out is not checked');
});

t.test('the multipliers of a check', async (t) => {
  const problem = findProblem('HS7').problem();
  const { hessian } = problem;
  const ignoring = {
    ...hessian,
    values(x: Float64Array, sigma: number, lambda: Float64Array, out: Float64Array) {
      hessian.values(x, sigma, new Float64Array(lambda.length), out);
    },
  };
  const forgetful = { ...problem, hessian: ignoring };
  t.ok(checkDerivatives(forgetful).wrongEntries > 0);
  t.equal(checkDerivatives(forgetful, undefined, { lambda: [0] }).wrongEntries, 0);
});
