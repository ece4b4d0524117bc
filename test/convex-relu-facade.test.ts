// Training of convex ReLU networks through the public functions: what is returned fits together.

import {
  AbortError,
  type ConvexProgress,
  type ConvexReLUOptions,
  estimateMemory,
  type Matrix,
  ReLUNetwork,
  trainConvexReLU,
  trainConvexReLUSync,
  verify,
  verifyAsync,
} from 'secondorder';
import t from 'tap';
import {
  affine,
  clusters,
  largestDifference,
  regressionData,
  toRows,
  toSparse,
  uniform,
} from './convex-relu-data';

const { x, y } = regressionData();
const exact = {
  precision: 'float64',
  gates: 40,
  maxIterations: 5000,
} satisfies ConvexReLUOptions;

/** Outputs from the arrays that a network shows. */
function byHand(network: ReLUNetwork, inputs: Matrix): number[] {
  const { hidden, hiddenBias, output, outputBias } = network;
  return affine(inputs, hidden, hiddenBias).flatMap((inner) =>
    toRows(output).map((weights, k) =>
      weights.reduce((sum, weight, i) => sum + weight * Math.max(0, inner[i]!), outputBias[k]!),
    ),
  );
}

t.test('a network, its report and its certificate agree', async (t) => {
  const { network, solution, report } = await trainConvexReLU(x, y, exact);
  t.equal(report.status, 'converged');
  t.ok(report.gap <= 1e-3 && report.infeasibility <= 1e-3, 'within the default tolerance');
  t.ok(report.dualBound <= report.objective, 'the bound is below the objective');
  t.equal(report.history.at(-1)?.iteration, report.iterations);
  t.equal(report.neurons, network.neurons);
  t.equal(report.device, 'cpu');
  const again = verify(network, x, y);
  t.ok(Math.abs(again.objective - report.objective) <= 1e-9 * report.objective);
  t.ok(Math.abs(again.dualBound - report.dualBound) <= 1e-9 * Math.abs(report.dualBound));
  t.ok(Math.abs(network.objective(x, y) - report.objective) <= 1e-9 * report.objective);
  t.same(await verifyAsync(network, x, y), again);
  t.equal(solution.certificate, network.certificate);
  t.match(solution.options, { loss: 'squared', model: 'relu', gates: { count: 40 }, beta: 1e-3 });
});

t.test('a certificate proves nothing about other data', async (t) => {
  const { network } = await trainConvexReLU(x, y, exact);
  const other = verify(
    network,
    x,
    y.map((value) => -value),
  );
  t.ok(other.gap > 0.5, `gap ${other.gap}`);
  t.throws(() => verify(network, { ...x, rows: 2, data: x.data.slice(0, 6) }, y), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'x',
  });
});

t.test('objective is the one that is documented', (t) => {
  const network = new ReLUNetwork({ hidden: [[3, 0]], hiddenBias: [4], output: [[-2]] });
  t.same(
    [
      ...network.predict([
        [1, 9],
        [-2, 9],
      ]).data,
    ],
    [-14, 0],
  );
  const objective = network.objective(
    [
      [1, 9],
      [-2, 9],
    ],
    [-13, 3],
    { beta: 0.1 },
  );
  t.ok(Math.abs(objective - ((1 + 9) / 4 + 0.1 * 10)) < 1e-12, `${objective}`);
  t.end();
});

t.test('folded weights give what predict gives', async (t) => {
  const variants: Omit<ConvexReLUOptions, 'model'>[] = [
    {},
    { preprocess: 'none' },
    { preprocess: 'unit-columns' },
    { components: 2 },
    { components: 2, preprocess: 'standardize' },
    { bias: false },
  ];
  for (const variant of variants) {
    const { network } = await trainConvexReLU(x, y, { ...exact, maxIterations: 40, ...variant });
    const difference = largestDifference(byHand(network, x), network.predict(x).data);
    t.ok(difference < 1e-9, `${JSON.stringify(variant)}: ${difference}`);
  }
});

t.test('every form of the data gives the same network', async (t) => {
  const options = { ...exact, maxIterations: 50 };
  const expected = trainConvexReLUSync(x, y, options).network.predict(x).data;
  const forms = [toRows(x), toSparse(x), toRows(x).map((row) => Float64Array.from(row))];
  for (const form of forms) {
    const { network } = await trainConvexReLU(form, [...y], options);
    t.ok(largestDifference(network.predict(form).data, expected) < 1e-12);
    t.ok(largestDifference((await network.predictAsync(form)).data, expected) < 1e-12);
  }
  t.equal(trainConvexReLUSync(x, y, options).network.predict([]).rows, 0, 'no rows, no outputs');
});

t.test('the gated network is its formula, and nearly its ReLU network', async (t) => {
  const targets: Matrix = { data: new Float64Array(2 * x.rows), rows: x.rows, cols: 2 };
  for (const [i, value] of y.entries()) targets.data.set([value, 1 - value], 2 * i);
  const { network, report } = await trainConvexReLU(x, targets, {
    ...exact,
    model: 'gated',
    gates: { count: 40, from: 'gaussian' },
  });
  t.equal(report.status, 'converged');
  t.ok(verify(network, x, targets).gap <= 1e-3);

  const zeros = new Float64Array(network.weights.rows);
  const ones = toRows(x).map((row) => [...row, 1]);
  const inputs: Matrix = { data: Float64Array.from(ones.flat()), rows: x.rows, cols: x.cols + 1 };
  const open = affine(inputs, network.gates, zeros);
  const linear = affine(inputs, network.weights, zeros);
  const count = network.gates.rows;
  const outputs = open.flatMap((gates, row) =>
    [0, 1].map((k) =>
      gates.reduce((sum, gate, i) => sum + (gate >= 0 ? linear[row]![k * count + i]! : 0), 0),
    ),
  );
  const predicted = network.predict(x).data;
  t.ok(largestDifference(outputs, predicted) < 1e-9);

  const plain = network.toReLU(1e6);
  t.equal(plain.certificate, null, 'the certificate does not carry over');
  t.ok(plain.neurons <= count * 3);
  const close = Array.from(plain.predict(x).data, (value, i) => Math.abs(value - predicted[i]!));
  const median = close.sort((a, b) => a - b)[close.length >> 1]!;
  t.ok(median < 1e-6, `median difference ${median}`);
  t.throws(() => network.toReLU(0), { code: 'ERR_INVALID_ARGUMENT', argument: 'scale' });
});

t.test('losses', async (t) => {
  const { x: points, index } = clusters(15, 2);
  const signs = index.map((k) => 2 * k - 1);
  const options = { ...exact, beta: 0.05, tolerance: 1e-2 };
  for (const loss of ['logistic', 'hinge'] as const) {
    const { network, report } = await trainConvexReLU(points, signs, { ...options, loss });
    t.equal(report.status, 'converged', loss);
    const outputs = network.predict(points).data;
    t.ok(
      signs.every((sign, i) => sign * outputs[i]! > 0),
      `${loss} separates`,
    );
  }
  const oneHot = index.map((k) => [1 - k, k]);
  const { network } = await trainConvexReLU(points, oneHot, { ...options, loss: 'softmax' });
  const outputs = toRows(network.predict(points));
  t.ok(
    outputs.every(([a, b], i) => a! < b! === (index[i] === 1)),
    'softmax separates',
  );
});

t.test('a warm start saves iterations', async (t) => {
  const cold = await trainConvexReLU(x, y, exact);
  const warm = await trainConvexReLU(x, y, { ...exact, warmStart: cold.solution });
  t.equal(warm.report.status, 'converged');
  t.ok(warm.report.iterations < cold.report.iterations);
  const network = await trainConvexReLU(x, y, { ...exact, warmStart: cold.network });
  t.equal(network.report.status, 'converged');
  const options = { ...exact, model: 'gated', warmStart: cold.solution } as const;
  await t.rejects(trainConvexReLU(x, y, options), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.warmStart',
  });
  await t.rejects(trainConvexReLU([[1], [2]], [1, 2], { warmStart: cold.network }), {
    code: 'ERR_DIMENSION_MISMATCH',
  });
});

t.test('gates given as a matrix are used', async (t) => {
  const next = uniform(5);
  const data = Float64Array.from({ length: 10 * x.cols }, () => next() - 0.5);
  const gates = { data, rows: 10, cols: x.cols };
  const { report, solution } = await trainConvexReLU(x, y, { ...exact, gates });
  t.ok(report.gates <= 10 && report.gates > 0);
  t.same(solution.options.gates, { count: 10, from: 'given' });
  await t.rejects(trainConvexReLU(x, y, { gates: [[1]] }), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'options.gates',
  });
});

t.test('the same seed gives the same network, another seed another one', async (t) => {
  const options = { ...exact, maxIterations: 30 };
  const predict = async (seed: number) =>
    (await trainConvexReLU(x, y, { ...options, seed })).network.predict(x).data;
  const [first, second, third] = [await predict(3), await predict(3), await predict(4)];
  t.same(first, second);
  t.not(largestDifference(first!, third!), 0);
});

t.test('a run can be watched, limited and aborted', async (t) => {
  const endless = { ...exact, gates: 60, tolerance: 1e-15, maxIterations: 1e8 };
  const events: ConvexProgress[] = [];
  const limited = await trainConvexReLU(x, y, endless, {
    timeLimit: 0.3,
    onProgress: (event) => events.push(event),
  });
  t.equal(limited.report.status, 'time_limit');
  t.ok(events.length > 0 && events.every((event) => event.objective > 0));
  t.ok(events.every(({ iteration, round }) => (iteration === 0) === (round !== undefined)));

  const controller = new AbortController();
  const running = trainConvexReLU(x, y, endless, {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  });
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AbortError)) throw error;
  t.equal(error.code, 'ERR_ABORTED');
  t.equal((error.cause as Error).message, 'enough');
  const partial = error.partial as typeof limited;
  t.equal(partial.report.status, 'aborted');
  t.ok(partial.network.objective(x, y) >= partial.report.dualBound);
});

t.test('memory is told beforehand', (t) => {
  const small = estimateMemory({ rows: 100, cols: 10 });
  const large = estimateMemory({ rows: 10000, cols: 10 }, { gates: 512 });
  t.ok(small.bytes > 0 && large.bytes > 10 * small.bytes);
  t.ok(['woodbury', 'gram', 'cg'].includes(small.route));
  t.end();
});
