// The built-in problems against the same ones written out in JavaScript.

import {
  checkDerivatives,
  constrainedLogisticRegression,
  type LinearSolver,
  type MinimizeResult,
  minimize,
  minimizeSync,
  pdeControl,
} from 'secondorder/newton';
import t, { type Test } from 'tap';
import { residuals } from './fixtures/kkt';
import { logisticProblem, pdeProblem } from './fixtures/written-out';
import type { Problem } from './problems';

/** Rows of numbers without a pattern, the same in every run. */
const draw = (rows: number, cols: number, seed: number): number[][] =>
  Array.from({ length: rows }, (_, i) =>
    Array.from({ length: cols }, (_, j) => Math.sin(seed + 12.9898 * i * i + 78.233 * j * (i + 1))),
  );

/** A result is a solution of the problem written out, with the residuals that it claims. */
function checkSolution(t: Test, problem: Problem, result: MinimizeResult, tolerance: number): void {
  t.equal(result.status, 'converged', result.message);
  const actual = residuals(problem, result.x, result.lambda);
  t.ok(Math.abs(actual.objective - result.objective) <= 1e-12 * (1 + actual.objective));
  t.ok(Math.abs(actual.stationarity - result.stationarity) <= 1e-9, 'stationarity');
  t.ok(Math.abs(actual.infeasibility - result.infeasibility) <= 1e-9, 'infeasibility');
  t.ok(actual.stationarity <= 2 * tolerance && actual.infeasibility <= 2 * tolerance);
}

const [samples, features] = [60, 7];
const x = draw(samples, features, 1);
const y = x.map((row, i) => (row[0]! + row[3]! > 0.3 * Math.sin(i) ? 1 : -1));
const a = draw(2, features, 5);

t.test('logistic regression', async (t) => {
  for (const data of [
    { x, y, a: [], b: [], sphere: false, weightDecay: 0.01 },
    { x, y, a, b: [0.1, -0.2], sphere: false, weightDecay: 0 },
    { x, y, a: [], b: [], sphere: true, weightDecay: 0 },
    { x, y, a, b: [0.1, -0.2], sphere: true, weightDecay: 0.1 },
  ]) {
    const written = logisticProblem(data);
    t.equal(checkDerivatives(written).wrongEntries, 0, 'the formulas are right');
    const native = constrainedLogisticRegression(data);
    t.match(native, { variables: features, constraints: written.constraints });
    t.equal(checkDerivatives(native).wrongEntries, 0);
    const tolerance = 1e-9;
    const result = minimizeSync(native, { tolerance });
    checkSolution(t, written, result, tolerance);
    const own = minimizeSync({ ...written, x0: native.x0 }, { tolerance });
    t.ok(Math.hypot(...own.x.map((value, j) => value - result.x[j]!)) < 1e-6, 'one solution');
    checkSolution(t, written, await minimize(native, { tolerance }), tolerance);
    for (const linearSolver of ['ldl', 'minres', 'sketch-preconditioner'] as LinearSolver[]) {
      const other = minimizeSync(native, { tolerance: 1e-7, linearSolver });
      checkSolution(t, written, other, 1e-7);
      t.ok(Math.abs(other.objective - result.objective) < 1e-8, linearSolver);
    }
  }
});

t.test('forms of the data', async (t) => {
  const data = Float64Array.from(x.flat(), (value) => (Math.abs(value) < 0.4 ? 0 : value));
  const dense = { data, rows: samples, cols: features };
  const kept = Array.from(data.keys()).filter((k) => data[k] !== 0);
  const sparse = {
    values: Float64Array.from(kept, (k) => data[k]!),
    columns: Int32Array.from(kept, (k) => k % features),
    rowOffsets: Int32Array.from(
      { length: samples + 1 },
      (_, i) => kept.filter((k) => k < i * features).length,
    ),
    rows: samples,
    cols: features,
  };
  const solve = (problem: Parameters<typeof constrainedLogisticRegression>[0]) =>
    minimizeSync(constrainedLogisticRegression({ sphere: true, ...problem }), { tolerance: 1e-10 });
  const expected = solve({ x: dense, y });
  const shared = new Float64Array(new SharedArrayBuffer(8 * data.length));
  shared.set(data);
  for (const form of [
    { x: sparse, y },
    { x: { ...dense, data: shared }, y: Float64Array.from(y) },
    { x: dense, y: Int8Array.from(y) },
    {
      x: Array.from({ length: samples }, (_, i) => [
        ...data.subarray(i * features, (i + 1) * features),
      ]),
      y,
    },
  ]) {
    const result = solve(form);
    t.equal(result.status, 'converged');
    t.ok(Math.hypot(...result.x.map((value, j) => value - expected.x[j]!)) < 1e-8);
  }
  const single = solve({ x: { ...dense, data: Float32Array.from(data) }, y });
  t.ok(Math.abs(single.objective - expected.objective) < 1e-6);
});

t.test('where it starts', async (t) => {
  const data = { x, y, a, b: [0.1, -0.2], sphere: true };
  const start = constrainedLogisticRegression(data).x0;
  const written = logisticProblem({ ...data, weightDecay: 0 });
  const { infeasibility } = residuals(written, start, new Float64Array(3));
  t.ok(infeasibility < 1e-12, 'at a feasible point');
  const none = { maxIterations: 0 };
  t.strictSame(minimizeSync(constrainedLogisticRegression(data), none).x, start);
  const x0 = draw(1, features, 9)[0]!;
  const given = constrainedLogisticRegression({ ...data, x0, lambda0: [1, 2, 3] });
  t.same([...given.x0], x0);
  const { lambda, x: first } = minimizeSync(given, none);
  t.same([...first], x0);
  t.ok(Math.hypot(...[1, 2, 3].map((value, i) => value - lambda[i]!)) < 1e-12);
  given.x0.fill(7);
  t.same([...given.x0], x0, 'a copy');
  t.same(pdeControl({ grid: 3 }).x0, new Float64Array(18));
});

t.test('control of a partial differential equation', async (t) => {
  for (const grid of [1, 2, 5, 9]) {
    for (const alpha of [0.1, 1e-3]) {
      const target = draw(1, grid * grid, grid)[0]!;
      const written = pdeProblem(grid, alpha, target);
      const native = pdeControl({ grid, alpha, target });
      t.match(native, { variables: 2 * grid * grid, constraints: grid * grid });
      t.equal(checkDerivatives(native).wrongEntries, 0);
      for (const linearSolver of ['auto', 'ldl', 'sparse-ldl', 'minres'] as LinearSolver[]) {
        const result = minimizeSync(native, { tolerance: 1e-8, linearSolver });
        checkSolution(t, written, result, 1e-7);
        const most = linearSolver === 'minres' ? 6 : 2; // inexact steps are more
        t.ok(result.iterations <= most, `${result.iterations} steps for a quadratic problem`);
      }
      checkSolution(t, written, await minimize(native), 1e-6);
    }
  }
  // The default target, by its formula.
  const grid = 6;
  const [step, middle] = [0.1 / Math.sqrt(15), (grid - 1) / 2];
  const target = Array.from({ length: grid * grid }, (_, p) => {
    const [i, j] = [Math.floor(p / grid) - middle, (p % grid) - middle];
    return Math.sin(4 + step * i) + Math.cos(3 + step * j);
  });
  checkSolution(t, pdeProblem(grid, 0.1, target), minimizeSync(pdeControl({ grid })), 1e-6);
});

t.test('a sketch of data is refused where there is no data', async (t) => {
  const linearSolver = 'sketch-preconditioner';
  const refused = { code: 'ERR_INVALID_ARGUMENT', argument: 'options.linearSolver' };
  const regression = constrainedLogisticRegression({ x, y, sphere: true });
  t.throws(() => minimizeSync(pdeControl({ grid: 5 }), { linearSolver }), refused);
  await t.rejects(minimize(pdeControl({ grid: 5 }), { linearSolver }), refused);
  t.throws(() => minimizeSync(pdeProblem(2, 0.1, [1, 2, 3, 4]), { linearSolver }), refused);
  t.throws(() => minimizeSync(regression, { linearSolver, preset: 'paper' }), refused);
  t.equal(minimizeSync(regression, { linearSolver }).linear.solver, linearSolver);
});

t.test('any number of threads gives the same', async (t) => {
  const large = draw(3000, 12, 2);
  const labels = large.map((row) => (row[1]! > 0.1 ? 1 : -1));
  for (const problem of [
    constrainedLogisticRegression({ x: large, y: labels, sphere: true }),
    pdeControl({ grid: 40 }),
  ]) {
    const [one, two] = [1, 2].map((threads) => minimizeSync(problem, {}, { threads }));
    t.strictSame([one!.x, one!.lambda], [two!.x, two!.lambda]);
  }
});
