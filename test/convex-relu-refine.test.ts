// Gate refinement as the public functions give it: better networks, and reports that say so.

import {
  AbortError,
  type ConvexProgress,
  type ConvexReLUOptions,
  type Matrix,
  type ReLUNetwork,
  trainConvexReLU,
  verify,
} from 'secondorder';
import t from 'tap';
import { affine, largestDifference, toRows, uniform } from './convex-relu-data';

const next = uniform(5);
const x: Matrix = {
  data: Float64Array.from({ length: 80 * 5 }, () => 2 * next() - 1),
  rows: 80,
  cols: 5,
};
/** ±1, by the parity of two signs, with a tenth of them wrong. */
const signs = toRows(x).map(([a, b]) => (a! * b! > 0 === next() < 0.9 ? 1 : -1));
const numbers = toRows(x).map(([a, b, c]) => Math.abs(a! + b!) - Math.max(0, c!));

/** Three classes by the sum of two inputs. */
const classes: Matrix = { rows: 80, cols: 3, data: new Float64Array(3 * 80) };
for (const [k, [a, b]] of toRows(x).entries()) {
  classes.data[3 * k + (a! + b! > 0.4 ? 0 : a! + b! < -0.4 ? 1 : 2)] = 1;
}

/** F of a network without preprocessing, from its arrays: (1/n) Σ ½(ŷ − y)² + β Σ ‖uⱼ‖·|aⱼ|. */
function squaredObjective(network: ReLUNetwork, y: readonly number[], beta: number): number {
  const { hidden, hiddenBias, output, outputBias } = network;
  const weights = output.data;
  const loss = affine(x, hidden, hiddenBias).reduce((sum, inner, k) => {
    const value = inner.reduce((s, h, j) => s + weights[j]! * Math.max(0, h), outputBias[0]!);
    return sum + 0.5 * (value - y[k]!) ** 2;
  }, 0);
  const penalty = toRows(hidden).reduce(
    (sum, u, j) => sum + Math.hypot(...u, hiddenBias[j]!) * Math.abs(weights[j]!),
    0,
  );
  return loss / y.length + beta * penalty;
}

const plain = { preprocess: 'none', precision: 'float64', gates: 12, beta: 3e-3 } as const;

t.test('on by default: a lower objective, as the network itself says', async (t) => {
  const { network, report } = await trainConvexReLU(x, numbers, plain);
  const fixed = await trainConvexReLU(x, numbers, { ...plain, refine: false });
  t.ok(report.rounds > 0 && report.refinement.length === report.rounds + 1);
  t.same([fixed.report.rounds, fixed.report.refinement], [0, []]);
  t.ok(report.objective < 0.9 * fixed.report.objective, 'these gates matter');
  const own = squaredObjective(network, numbers, plain.beta);
  t.ok(Math.abs(own / report.objective - 1) < 1e-9, `${own} and ${report.objective}`);
  t.match(verify(network, x, numbers), { objective: Number, dualBound: Number });
  t.ok(Math.abs(verify(network, x, numbers).objective / report.objective - 1) < 1e-9);
});

const cases: [string, readonly number[] | Matrix, ConvexReLUOptions][] = [
  ['squared', numbers, {}],
  ['logistic', signs, { loss: 'logistic' }],
  ['hinge', signs, { loss: 'hinge' }],
  ['float32, standardized', numbers, { precision: 'float32', preprocess: 'standardize' }],
  ['components', numbers, { preprocess: 'standardize', components: 3 }],
  ['softmax of three', classes, { loss: 'softmax' }],
  [
    'two outputs',
    { rows: 80, cols: 2, data: Float64Array.from(numbers.flatMap((v, k) => [v, signs[k]!])) },
    {},
  ],
];
for (const [name, y, options] of cases) {
  t.test(`${name}: never up from round to round, within the width`, async (t) => {
    const all = { ...plain, tolerance: 1e-2, refine: { maxGates: 9 }, ...options };
    const { network, report } = await trainConvexReLU(x, y, all);
    const objectives = report.refinement.map(({ objective }) => objective);
    for (const [i, value] of objectives.slice(1).entries()) {
      t.ok(value <= objectives[i]!, `round ${i + 1}: ${value}`);
    }
    t.ok(report.objective <= objectives.at(-1)! * (1 + 1e-6), 'the network returned is no worse');
    const { rows } = (network as ReLUNetwork).hidden;
    t.ok(rows <= 9 && report.neurons === rows, `${rows} neurons`);
    t.ok(report.dualBound <= report.objective);
    t.match(report.status, /^(converged|refined|width_limit)$/);
    t.equal(report.status === 'converged', report.gap <= 1e-2, `${report.status}, ${report.gap}`);
    t.same(
      report.refinement.map(({ round }) => round),
      objectives.map((_, i) => i),
    );
    const again = await trainConvexReLU(x, y, all);
    t.equal(again.report.objective, report.objective, 'the same seed, the same network');
  });
}

t.test('when it is on by itself', async (t) => {
  const gates = Array.from({ length: 8 }, () => Array.from({ length: 6 }, () => 2 * next() - 1));
  const rounds = async (options: ConvexReLUOptions) => {
    const all = { ...plain, tolerance: 0.1, maxIterations: 50, ...options };
    return (await trainConvexReLU(x, numbers, all)).report.rounds;
  };
  t.equal(await rounds({ gates }), 0, 'gates that were given are kept');
  t.ok((await rounds({ gates, refine: {} })) > 0, 'unless asked');
  t.equal(await rounds({ model: 'gated' }), 0);
  t.equal(await rounds({ refine: { rounds: 1 } }), 1);
  await t.rejects(rounds({ model: 'gated', refine: {} }), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^options\.refine/,
  });
});

t.test('from a network: no worse than it', async (t) => {
  const narrow = { ...plain, gates: 3, refine: { rounds: 1 } };
  const first = await trainConvexReLU(x, numbers, narrow);
  const options = { ...plain, gates: 20, refine: {}, warmStart: first.network };
  const { report } = await trainConvexReLU(x, numbers, options);
  const known = squaredObjective(first.network, numbers, plain.beta);
  t.ok(report.refinement[0]!.objective <= known * (1 + 1e-9), 'the descent begins there');
  t.ok(report.objective < known);
});

t.test('stopped on the way: the best network so far', async (t) => {
  const options = {
    ...plain,
    gates: 40,
    tolerance: 1e-300,
    maxIterations: 1e8,
    refine: {},
  };
  const controller = new AbortController();
  const onProgress = ({ round }: ConvexProgress) => {
    if (round !== undefined && round >= 0) controller.abort();
  };
  const run = { signal: controller.signal, onProgress };
  const error = await trainConvexReLU(x, numbers, options, run).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  t.ok(error instanceof AbortError);
  const { network, report } = (error as AbortError).partial as Awaited<
    ReturnType<typeof trainConvexReLU>
  >;
  t.equal(report.status, 'aborted');
  const own = squaredObjective(network as ReLUNetwork, numbers, plain.beta);
  t.ok(Math.abs(own / report.objective - 1) < 1e-9);
  const mean = numbers.reduce((a, b) => a + b) / numbers.length;
  const constant = numbers.reduce((s, v) => s + 0.5 * (v - mean) ** 2, 0) / numbers.length;
  t.ok(own < constant, 'better than a constant');
});

t.test('threads change nothing but rounding', async (t) => {
  const options = { ...plain, tolerance: 1e-4, refine: { rounds: 3 } };
  const [one, two] = await Promise.all(
    [1, 2].map((threads) => trainConvexReLU(x, numbers, options, { threads })),
  );
  const predictions = [one, two].map((result) => result!.network.predict(x).data);
  t.ok(largestDifference(predictions[0]!, predictions[1]!) < 1e-2);
  t.ok(Math.abs(one!.report.objective / two!.report.objective - 1) < 1e-4);
});
