// What is wrong with a problem or an option is told by a typed error that names it.

import {
  checkDerivatives,
  checkDerivativesAsync,
  constrainedLogisticRegression,
  minimize,
  minimizeSync,
  pdeControl,
} from 'secondorder/newton';
import t from 'tap';
import { as } from './fixtures/typed-errors';
import { findProblem } from './problems';

const invalid = (argument: string, message: RegExp | string) => ({
  code: 'ERR_INVALID_ARGUMENT',
  argument,
  message,
});
const mismatch = (argument: string, message: RegExp | string) => ({
  code: 'ERR_DIMENSION_MISMATCH',
  argument,
  message,
});
const int = (...values: number[]) => Int32Array.from(values);

t.test('problems', async (t) => {
  const hs7 = findProblem('HS7').problem();
  const { jacobian, hessian } = hs7;
  const detached = Float64Array.of(1, 2);
  structuredClone(detached, { transfer: [detached.buffer] });
  for (const [changes, error] of [
    [{ variables: 0 }, invalid('problem.variables', /an integer at least 1.*, got 0/)],
    [{ variables: 2.5 }, invalid('problem.variables', /got 2.5/)],
    [{ variables: 2 ** 31 }, invalid('problem.variables', /at most 2147483647/)],
    [{ constraints: -1 }, invalid('problem.constraints', /at least 0/)],
    [{ constraints: undefined }, invalid('problem.constraints', /got undefined/)],
    [{ variables: 3 }, mismatch('problem.x0', 'problem.x0 has 2 entries; 3 are needed')],
    [{ x0: [1, Number.NaN] }, invalid('problem.x0', 'problem.x0[1] must be a number, got NaN')],
    [
      { x0: Float64Array.of(Number.POSITIVE_INFINITY, 1) },
      invalid('problem.x0', /x0\[0\].*Infinity/),
    ],
    [{ x0: undefined }, invalid('problem.x0', /an array of numbers, got undefined/)],
    [{ x0: detached }, mismatch('problem.x0', /0 entries/)],
    [{ lambda0: [1, 2] }, mismatch('problem.lambda0', /2 entries; 1 are needed/)],
    [{ lambda0: [Number.NaN] }, invalid('problem.lambda0', /NaN/)],
    [{ objective: undefined }, invalid('problem.objective', /is missing/)],
    [{ objective: 5 }, invalid('problem.objective', /a function, got 5/)],
    [{ constraint: undefined }, invalid('problem.constraint', /is missing/)],
    [{ gradient: 'x' }, invalid('problem.gradient', /a function, got "x"/)],
    [{ jacobian: [] }, invalid('problem.jacobian', /an object, got an array/)],
    [{ jacobian: {} }, invalid('problem.jacobian', /\{ values \}/)],
    [{ jacobian: { ...jacobian, values: 3 } }, invalid('problem.jacobian.values', /got 3/)],
    [
      { jacobian: { ...jacobian, rows: int(0, 1) } },
      invalid('problem.jacobian.rows', /is 1, of 1/),
    ],
    [
      { jacobian: { ...jacobian, cols: int(0, -1) } },
      invalid('problem.jacobian.cols', /is -1, of 2/),
    ],
    [
      { jacobian: { ...jacobian, rows: [0, 0] } },
      invalid('problem.jacobian.rows', /an Int32Array/),
    ],
    [{ jacobian: { ...jacobian, rows: undefined } }, invalid('problem.jacobian.rows', /undefined/)],
    [{ jacobian: { ...jacobian, cols: int(0) } }, mismatch('problem.jacobian.cols', /1 elements/)],
    [{ hessian: 'newton' }, invalid('problem.hessian', /'bfgs'/)],
    [{ hessian: {} }, invalid('problem.hessian', /\{ product \}/)],
    [{ hessian: { product: 1 } }, invalid('problem.hessian.product', /got 1/)],
    [
      { hessian: { ...hessian, rows: int(0), cols: int(1) } },
      invalid('problem.hessian.cols', /lower/),
    ],
    [
      { hessian: { ...hessian, rows: int(2), cols: int(0) } },
      invalid('problem.hessian.rows', /of 2/),
    ],
  ] as [object, ReturnType<typeof invalid>][]) {
    const problem = as<typeof hs7>({ ...hs7, ...changes });
    t.throws(() => minimizeSync(problem), error);
    await t.rejects(minimize(problem), error);
  }
  for (const problem of [undefined, null, 5, 'x', [], hs7.x0]) {
    t.throws(() => minimizeSync(as(problem)), invalid('problem', /problem must be an object/));
    t.throws(() => checkDerivatives(as(problem)), invalid('problem', /an object/));
  }
  const shared = new Float64Array(new SharedArrayBuffer(16));
  shared.set(hs7.x0);
  const rows = new Int32Array(new SharedArrayBuffer(8));
  const all = { ...hs7, x0: shared, jacobian: { ...jacobian, rows } };
  t.strictSame(minimizeSync(all).x, minimizeSync(hs7).x, 'shared memory will do');
  const wide = { variables: 100_000, constraints: 100_000, x0: new Float64Array(100_000) };
  t.throws(
    () => minimizeSync({ ...hs7, ...wide, jacobian: { values() {} } }),
    invalid('problem.jacobian', /rows and cols for so large a matrix, got 10000000000 entries/),
  );
});

t.test('options', async (t) => {
  const hs7 = findProblem('HS7').problem();
  for (const [options, argument, message] of [
    [{ tolerance: 0 }, 'options.tolerance', /above 0, got 0/],
    [{ tolerance: '1' }, 'options.tolerance', /got "1"/],
    [{ tolerence: 1 }, 'options.tolerence', /did you mean "tolerance"/],
    [{ preset: 'fast' }, 'options.preset', /"default" or "paper"/],
    [{ linearSolver: 'lu' }, 'options.linearSolver', /"auto" or "ldl"/],
    [{ linearSolver: 'sketch-preconditioner' }, 'options.linearSolver', /data/],
    [{ globalization: 'none' }, 'options.globalization', /"filter"/],
    [{ derivatives: 'automatic' }, 'options.derivatives', /"finite-difference"/],
    [{ differences: 'backward' }, 'options.differences', /"central"/],
    [{ maxIterations: -1 }, 'options.maxIterations', /at least 0/],
    [{ maxIterations: 1e10 }, 'options.maxIterations', /at most/],
    [{ seed: 0.5 }, 'options.seed', /an integer/],
    [{ sketchSize: 0 }, 'options.sketchSize', /at least 1/],
    [{ maxInnerSteps: 0 }, 'options.maxInnerSteps', /at least 1/],
    [{ largestGradient: 0 }, 'options.largestGradient', /above 0/],
    [{ secondOrderCorrections: 1.5 }, 'options.secondOrderCorrections', /an integer/],
    [{ bfgsMemory: 0 }, 'options.bfgsMemory', /at least 1/],
    [null, 'options', /an object, got null/],
  ] as const) {
    t.throws(() => minimizeSync(hs7, as(options)), invalid(argument, message));
    await t.rejects(minimize(hs7, as(options)), invalid(argument, message));
  }
  const { hessian, ...n600 } = {
    ...hs7,
    variables: 600,
    x0: new Float64Array(600),
    jacobian: { ...hs7.jacobian, cols: int(0, 599) },
  };
  t.throws(() => minimizeSync(n600, { preset: 'paper' }), invalid('options.preset', /entries/));
  t.equal(minimizeSync(hs7, { largestGradient: Number.POSITIVE_INFINITY }).status, 'converged');
  t.throws(() => checkDerivatives(hs7, [1]), mismatch('x', /1 entries; 2/));
  t.throws(() => checkDerivatives(hs7, [1, Number.NaN]), invalid('x', /NaN/));
  t.throws(() => checkDerivatives(hs7, [1, 2], { lambda: [] }), mismatch('options.lambda', /0/));
  t.throws(() => checkDerivatives(hs7, [1, 2], as({ eps: 1 })), invalid('options.eps', /unknown/));
  const threads = checkDerivativesAsync(hs7, [1, 2], {}, as({ threads: 1 }));
  await t.rejects(threads, invalid('run.threads', /unknown/));
});

t.test('built-in problems', async (t) => {
  const good = {
    x: [
      [1, 2],
      [3, 4],
      [5, 7],
    ],
    y: [1, -1, 1],
  };
  for (const [changes, error] of [
    [{ x: [] }, invalid('problem.x', /at least one row/)],
    [{ x: [[], [], []] }, invalid('problem.x', /at least one column/)],
    [{ x: [[1], [Number.NaN], [2]] }, invalid('problem.x', /NaN at row 1, column 0/)],
    [{ y: [1, -1] }, mismatch('problem.y', /2 entries; 3 are needed/)],
    [
      { y: [1, 0, 1] },
      invalid('problem.y', 'problem.y must be 1 or -1 for each sample, got 0 for sample 1'),
    ],
    [{ y: ['a', 'b', 'c'] }, invalid('problem.y', /y\[0\]/)],
    [{ a: [[1, 2, 3]], b: [0] }, mismatch('problem.a', /3 columns; 2 are needed/)],
    [{ a: [[1, 2]] }, invalid('problem.b', /got undefined/)],
    [{ a: [[1, 2]], b: [0, 1] }, mismatch('problem.b', /2 entries; 1/)],
    [{ b: [0] }, invalid('problem.a', /given where b is/)],
    [{ sphere: 1 }, invalid('problem.sphere', /true or false/)],
    [{ weightDecay: -1 }, invalid('problem.weightDecay', /at least 0/)],
    [{ x0: [1] }, mismatch('problem.x0', /1 entries; 2/)],
    [{ lambda0: [1] }, mismatch('problem.lambda0', /1 entries; 0/)],
    [{ z: 1 }, invalid('problem.z', /unknown/)],
  ] as [object, ReturnType<typeof invalid>][]) {
    t.throws(() => constrainedLogisticRegression(as({ ...good, ...changes })), error);
  }
  for (const [changes, error] of [
    [{ grid: 0 }, invalid('problem.grid', /at least 1/)],
    [{ grid: 1e6 }, invalid('problem.grid', /at most 10000/)],
    [{ grid: undefined }, invalid('problem.grid', /undefined/)],
    [{ alpha: 0 }, invalid('problem.alpha', /above 0/)],
    [{ target: [1, 2] }, mismatch('problem.target', /2 entries; 9/)],
    [{ x0: [1] }, mismatch('problem.x0', /1 entries; 18/)],
  ] as [object, ReturnType<typeof invalid>][]) {
    t.throws(() => pdeControl(as({ grid: 3, ...changes })), error);
  }
  for (const make of [constrainedLogisticRegression, pdeControl]) {
    for (const data of [undefined, null, 5, []]) {
      t.throws(() => make(as(data)), { code: 'ERR_INVALID_ARGUMENT', argument: 'problem' });
    }
  }
  const values = Float64Array.of(1, 2, 3, 4, 5, 7);
  const kept = constrainedLogisticRegression({ ...good, x: { data: values, rows: 3, cols: 2 } });
  values[3] = Number.NaN;
  await t.rejects(minimize(kept), { code: 'ERR_INVALID_ARGUMENT', argument: /^problem\.x/ });
  structuredClone(values, { transfer: [values.buffer] });
  for (const solve of [minimizeSync, checkDerivatives]) {
    t.throws(() => solve(kept), invalid('problem.x.values', /transferred or detached/));
  }
  t.throws(() => kept.x0, invalid('problem.x.values', /transferred or detached/));
});
