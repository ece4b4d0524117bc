// Whatever is passed to the functions of this family, it works or fails with a typed error that names
// the argument.

import fc from 'fast-check';
import {
  checkDerivatives,
  checkDerivativesAsync,
  constrainedLogisticRegression,
  minimize,
  minimizeSync,
  pdeControl,
} from 'secondorder/newton';
import t, { type Test } from 'tap';
import { anything, as, typedCalls } from './fixtures/typed-errors';

const { isTyped, isTypedAsync, hold } = typedCalls(
  ['ERR_INVALID_ARGUMENT', 'ERR_DIMENSION_MISMATCH', 'ERR_OUT_OF_MEMORY', 'ERR_EVALUATION'],
  1000,
);

const number = fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }), fc.constant(Number.NaN));
const size = fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom(2.5, 2 ** 40), anything);
const numbers = fc.oneof(
  fc.array(number, { maxLength: 4 }),
  fc.array(number, { maxLength: 4 }).map((values) => Float64Array.from(values)),
  anything,
);
const places = fc.oneof(
  fc
    .array(fc.integer({ min: -1, max: 3 }), { maxLength: 5 })
    .map((values) => Int32Array.from(values)),
  anything,
);

/** Mostly what it should be, else anything. */
const mostly = <T>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<unknown> = anything) =>
  fc.oneof({ weight: 40, arbitrary: good as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: bad });
/** Entries that are mostly right, some left out, some of another kind, and now and then no record. */
const entries = (good: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[]) =>
  mostly(
    fc.record(
      Object.fromEntries(Object.entries(good).map(([key, value]) => [key, mostly(value)])),
      { requiredKeys },
    ),
  );

/** Functions that write and answer at random, the same at every call or not. */
const work = fc
  .tuple(fc.array(number, { minLength: 1, maxLength: 3 }), mostly(fc.constant(undefined)))
  .map(([values, answer]) => {
    let calls = 0;
    return (...args: unknown[]): unknown => {
      const value = values[calls++ % values.length]!;
      const [x, out] = [args[0], args.at(-1)];
      if (args.length === 1) return answer ?? value * (x as Float64Array)[0]!;
      (out as Float64Array).forEach((_, i, all) => {
        all[i] = value * (x as Float64Array)[i % (x as Float64Array).length]!;
      });
      return answer;
    };
  });
const sparse = fc.record({ rows: mostly(places), cols: mostly(places), values: mostly(work) });
const dense = fc.record({ values: mostly(work) });
const product = fc.record({ product: mostly(work) });
const problem = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 }))
  .chain(([variables, constraints]) =>
    entries(
      {
        variables: fc.constant(variables),
        constraints: fc.constant(constraints),
        x0: mostly(fc.constant([1, -2, 3].slice(0, variables)), numbers),
        lambda0: mostly(fc.constant([1, -2, 3].slice(0, constraints)), numbers),
        objective: work,
        gradient: work,
        constraint: work,
        jacobian: fc.oneof(dense, sparse),
        hessian: fc.oneof(dense, sparse, product, fc.constant('bfgs')),
      },
      ['variables', 'constraints', 'x0', 'objective', 'constraint'],
    ),
  );
const options = entries(
  {
    derivatives: fc.constant('finite-difference'),
    tolerance: mostly(fc.constant(1e-6), number),
    preset: fc.constantFrom('default', 'paper'),
    linearSolver: fc.constantFrom('auto', 'ldl', 'sparse-ldl', 'minres', 'kaczmarz', 'srht'),
    globalization: fc.constantFrom('filter', 'exact-augmented-lagrangian'),
    maxIterations: fc.integer({ min: 0, max: 30 }),
    maxInnerSteps: fc.integer({ min: 1, max: 100 }),
    sketchSize: mostly(fc.integer({ min: 1, max: 5 }), size),
    largestGradient: mostly(fc.constant(10), number),
    bfgsMemory: mostly(fc.integer({ min: 1, max: 5 }), size),
    seed: mostly(fc.nat(), size),
  },
  ['derivatives', 'maxIterations', 'maxInnerSteps'],
);
const run = entries({ timeLimit: fc.constant(0.2), threads: fc.constantFrom(1, 2) }, ['timeLimit']);

/** The property, and that it was not always refused. */
async function holdAndWork<T>(
  t: Test,
  input: fc.Arbitrary<T>,
  call: (input: T) => Promise<unknown>,
): Promise<void> {
  let worked = 0;
  await hold(
    t,
    fc.asyncProperty(input, (value) =>
      isTypedAsync(async () => {
        await call(value);
        worked++;
      }),
    ),
  );
  t.comment(`${worked} worked`);
  t.ok(worked > 100, `${worked} worked`);
}

t.test('any problem under any options', async (t) => {
  await holdAndWork(t, fc.tuple(problem, options, run), async ([p, o, r]) => {
    isTyped(() => minimizeSync(as(p), as(o), as(r)));
    const { x, lambda } = await minimize(as(p), as(o), as(r));
    if (!x.every(Number.isFinite) || !lambda.every(Number.isFinite)) throw new Error('not finite');
  });
});

t.test('any derivatives', async (t) => {
  const at = mostly(fc.constant(undefined), numbers);
  const checks = entries(
    { lambda: numbers, tolerance: number, mostEntries: fc.integer({ min: 0, max: 5 }) },
    [],
  );
  await holdAndWork(t, fc.tuple(problem, at, mostly(fc.constant({}), checks)), ([p, x, o]) => {
    isTyped(() => checkDerivatives(as(p), as(x), as(o)));
    return checkDerivativesAsync(as(p), as(x), as(o));
  });
});

t.test('any data', async (t) => {
  const few = { maxIterations: 20 };
  const row = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 2 });
  const matrix = (rows: number) =>
    mostly(
      fc.array(row, { minLength: rows, maxLength: rows }),
      fc.oneof(
        fc.record({ data: numbers, rows: size, cols: size }),
        fc.record({ values: numbers, columns: places, rowOffsets: places, rows: size, cols: size }),
        fc.array(fc.array(number, { maxLength: 3 }), { maxLength: 3 }),
      ),
    );
  const data = entries(
    {
      x: matrix(3),
      y: fc.array(fc.constantFrom(1, -1), { minLength: 3, maxLength: 3 }),
      a: matrix(1),
      b: mostly(fc.constant([0.5]), numbers),
      sphere: fc.boolean(),
      weightDecay: mostly(fc.constantFrom(0, 0.1), number),
      x0: mostly(fc.constant([0.1, 0.2]), numbers),
      lambda0: mostly(fc.constant([1]), numbers),
    },
    ['x', 'y'],
  );
  await holdAndWork(t, data, async (d) => {
    const native = constrainedLogisticRegression(as(d));
    if (!native.x0.every(Number.isFinite)) throw new Error('not finite');
    await minimize(native, few);
  });
  const grid = entries(
    {
      grid: mostly(fc.integer({ min: 1, max: 5 }), size),
      alpha: mostly(fc.constantFrom(1, 0.01), number),
      target: mostly(fc.constant(undefined), numbers),
      x0: mostly(fc.constant(undefined), numbers),
    },
    ['grid'],
  );
  await holdAndWork(t, grid, (d) => minimize(pdeControl(as(d)), few));
});
