// The sampled convex program (method 'scp') through the public functions.

import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  AbortError,
  ConvexReLUClassifier,
  type ConvexReLUOptions,
  ConvexReLURegressor,
  estimateMemory,
  maximumBetaSync,
  ReLUNetwork,
  regularizationPathSync,
  scpSampleCount,
  trainConvexReLU,
  trainConvexReLUSync,
  verify,
} from 'secondorder';
import t from 'tap';
import { clusters, largestDifference, regressionData, toRows } from './convex-relu-data';

const { x, y } = regressionData(80, 3);
const signs = y.map((value) => (value > 1 ? 1 : -1));
const options = {
  method: 'scp',
  gates: 300,
  beta: 1e-2,
  tolerance: 1e-5,
  precision: 'float64',
  seed: 3,
} satisfies ConvexReLUOptions;

/** The targets of a loss over the shared inputs. */
const targets = (loss: string): Float64Array => (loss === 'squared' ? y : signs);

t.test('every loss: converged, recomputed, no worse with more hidden vectors', async (t) => {
  for (const loss of ['squared', 'logistic', 'hinge'] as const) {
    const few = await trainConvexReLU(x, targets(loss), { ...options, loss });
    const many = trainConvexReLUSync(x, targets(loss), { ...options, loss, gates: 900 });
    t.equal(few.report.status, 'converged', loss);
    t.ok(few.report.gap <= 1e-5, `${loss}: gap ${few.report.gap}`);
    t.ok(few.network instanceof ReLUNetwork);
    t.equal(few.report.gates, 300);
    t.equal(few.report.device, 'cpu');
    t.equal(few.report.route, 'coordinate-descent');
    const again = verify(few.network, x, targets(loss));
    t.equal(again.objective, few.report.objective);
    t.equal(again.dualBound, few.report.dualBound);
    const of = { loss, beta: options.beta };
    const own = few.network.objective(x, targets(loss), of);
    t.ok(Math.abs(own - few.report.objective) <= 1e-12 * own);
    t.ok(many.report.objective <= few.report.objective, 'the first 300 are among the 900');
  }
});

t.test('what is said of the hidden vectors', async (t) => {
  const { report } = await trainConvexReLU(x, y, { ...options, gates: 4000 });
  const { sampling } = report;
  if (!sampling) throw new Error('no sampling');
  t.match(sampling, { directions: 4000, drawn: 4000, xi: 0.05, tested: 1000 });
  const decisions = 81;
  const assured = Math.min(decisions / (0.05 * 4001), (2 / 4000) * (decisions - Math.log(0.05)));
  t.ok(Math.abs((sampling.psi ?? 1) - assured) < 1e-12);
  t.equal(sampling.asked, scpSampleCount({ samples: 80, psi: 0.05, xi: 0.05 }));
  const share = sampling.violating / sampling.tested;
  t.ok(sampling.limit !== null && sampling.limit > share, 'a limit above what was found');
  t.ok(share <= assured, 'as the theorem says');
  t.ok(report.pricingRatio > 0.99, `price ${report.pricingRatio}`);
  const few = trainConvexReLUSync(x, y, { ...options, gates: 20 }).report.sampling;
  t.equal(few?.psi, null, 'too few for any assurance');
  t.equal(trainConvexReLUSync(x, y, { gates: 8, refine: false }).report.sampling, null);
});

t.test('sample counts', async (t) => {
  t.equal(scpSampleCount({ samples: 99, psi: 0.1, xi: 0.5 }), 1999);
  t.equal(
    scpSampleCount({ samples: 99, psi: 0.1, xi: 0.01 }),
    Math.ceil(20 * (100 - Math.log(0.01))),
  );
  t.equal(
    scpSampleCount({ samples: 33, outputs: 3, psi: 0.1, xi: 0.01 }),
    scpSampleCount({ samples: 99, psi: 0.1, xi: 0.01 }),
  );
  const wrong = (given: object, argument: string): void => {
    const all = { samples: 10, psi: 0.1, xi: 0.1, ...given };
    t.throws(() => scpSampleCount(all), { code: 'ERR_INVALID_ARGUMENT', argument });
  };
  wrong({ psi: 0 }, 'options.psi');
  wrong({ xi: 1 }, 'options.xi');
  wrong({ samples: 0 }, 'options.samples');
  wrong({ outputs: 1.5 }, 'options.outputs');
});

t.test('given hidden vectors: their lengths do not matter', async (t) => {
  const gates = { data: Float64Array.of(1, 0, 0, 0, 0, 2, 0, 1, -1, 1, 1, 0), rows: 3, cols: 4 };
  const longer = { ...gates, data: gates.data.map((value) => 5 * value) };
  const a = trainConvexReLUSync(x, y, { ...options, gates });
  const b = trainConvexReLUSync(x, y, { ...options, gates: longer });
  t.equal(a.report.status, 'converged');
  t.equal(a.report.gates, 3);
  t.ok(a.report.neurons <= 3);
  t.ok(Math.abs(a.report.objective - b.report.objective) < 1e-9);
  t.equal(a.report.sampling?.psi, null);
  t.ok(verify(a.network, x, y).gap <= 1e-5);
});

t.test('several outputs share the norm of a hidden vector', async (t) => {
  const both = { data: new Float64Array(160), rows: 80, cols: 2 };
  for (let k = 0; k < 80; k++) both.data.set([y[k]!, -2 * y[k]!], 2 * k);
  const { network, report } = trainConvexReLUSync(x, both, options);
  t.equal(report.status, 'converged');
  t.equal(network.output.rows, 2);
  t.ok(verify(network, x, both).gap <= 1e-5);
});

t.test('estimators', async (t) => {
  const { x: inputs, index } = clusters(30, 3);
  const labels = index.map((k) => `class ${k}`);
  const several = await new ConvexReLUClassifier({ method: 'scp', gates: 200 }).fit(inputs, labels);
  t.ok(several.network instanceof ReLUNetwork, 'relu for several classes too');
  t.equal(several.score(inputs, labels), 1);
  const regressor = await new ConvexReLURegressor(options).fit(x, y);
  t.ok(regressor.score(x, y) > 0.9);
  t.ok(verify(regressor, x, y).gap <= 1e-5);
  t.equal(regressor.report?.sampling?.directions, 300);
});

t.test(
  'saved and loaded, with the certificate: seed and count stand for the hidden vectors',
  async (t) => {
    const { network } = trainConvexReLUSync(x, y, options);
    t.match(network.certificate?.drawn, { seed: 3, count: 300 });
    t.equal(network.certificate?.gates.length, 0);
    const expected = verify(network, x, y);
    for (const name of ['model.json', 'model.safetensors']) {
      const file = join(t.testdir(), name);
      await network.save(file);
      const loaded = await ReLUNetwork.load(file);
      t.same(verify(loaded, x, y), expected);
      t.equal(loaded.options?.method, 'scp');
    }
    const document = network.toJSON();
    const copy = ReLUNetwork.fromJSON(JSON.parse(JSON.stringify(document)));
    t.same(verify(copy, x, y, network.certificate ?? undefined), expected);
    const broken = JSON.parse(JSON.stringify(document));
    broken.certificate.drawn.count = 0;
    t.throws(() => ReLUNetwork.fromJSON(broken), { code: 'ERR_FORMAT' });
    broken.certificate.drawn = { seed: -1, count: 3 };
    t.throws(() => ReLUNetwork.fromJSON(broken), { code: 'ERR_FORMAT' });
    broken.certificate.drawn = { seed: 3, count: 40 };
    t.ok(verify(ReLUNetwork.fromJSON(broken), x, y).infeasibility > 0.1, 'other hidden vectors');
  },
);

t.test('onnxruntime predicts the same', async (t) => {
  const { network } = trainConvexReLUSync(x, y, options);
  const session = await InferenceSession.create(network.toONNX());
  const inputs = Float32Array.from(x.data);
  const { output } = await session.run({ input: new Tensor('float32', inputs, [80, 3]) });
  const own = network.predict({ ...x, data: inputs }).data;
  t.ok(largestDifference(output?.data as Float32Array, own) < 1e-4);
});

t.test('warm starts and paths', async (t) => {
  const first = trainConvexReLUSync(x, y, options);
  const same = trainConvexReLUSync(x, y, { ...options, warmStart: first.solution });
  t.equal(same.report.iterations, 0);
  const lower = { ...options, gates: 10, beta: 5e-3, warmStart: first.network };
  const { report } = trainConvexReLUSync(x, y, lower);
  t.equal(report.status, 'converged');
  t.equal(report.gates, 10 + first.report.neurons);
  const invalid = { code: 'ERR_INVALID_ARGUMENT', argument: 'options.warmStart' };
  const admm = { gates: 8, refine: false } as const;
  t.throws(() => trainConvexReLUSync(x, y, { ...admm, warmStart: first.solution }), invalid);
  const { solution } = trainConvexReLUSync(x, y, admm);
  t.throws(() => trainConvexReLUSync(x, y, { ...options, warmStart: solution }), invalid);
  const largest = maximumBetaSync(x, y, options);
  const none = trainConvexReLUSync(x, y, { ...options, beta: largest * 1.001 });
  t.equal(none.report.neurons, 0);
  t.ok(trainConvexReLUSync(x, y, { ...options, beta: largest * 0.95 }).report.neurons > 0);
  const { status, points } = regularizationPathSync(x, y, { count: 4, ratio: 0.01 }, options);
  t.equal(status, 'converged');
  const objectives = points.map((point) => point.report.objective);
  t.same(
    objectives,
    [...objectives].sort((a, b) => b - a),
  );
});

t.test('aborts, time limits, progress, memory', async (t) => {
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  const endless = { ...options, tolerance: 1e-300, maxIterations: 1e9 };
  const run = trainConvexReLU(x, y, endless, { signal: controller.signal, onProgress });
  const error = await run.catch((caught: unknown) => caught);
  t.ok(error instanceof AbortError);
  const { report } = trainConvexReLUSync(x, y, options, { timeLimit: 1e-9 });
  t.equal(report.status, 'time_limit');
  const events: number[] = [];
  const done = await trainConvexReLU(x, y, options, {
    onProgress: ({ objective }) => events.push(objective),
  });
  const known = done.report.history.map(({ objective }) => objective);
  t.ok(
    events.every((objective) => known.includes(objective)),
    'events are of the history',
  );
  const small = estimateMemory({ rows: 1000, cols: 20 }, options);
  const large = estimateMemory({ rows: 4000, cols: 20 }, { ...options, gates: 4000 });
  t.ok(large.bytes > 4000 * 4000 * 8 && large.bytes > small.bytes);
  t.equal(small.route, 'coordinate-descent');
  const enormous = { ...options, gates: 2 ** 31 - 1 };
  await t.rejects(trainConvexReLU(toRows(x), y, enormous), { code: 'ERR_OUT_OF_MEMORY' });
});

t.test('what does not go with it is refused by name', async (t) => {
  const wrong = (given: object, argument: string, of = targets('hinge')): void => {
    t.throws(() => trainConvexReLUSync(x, of, { ...options, ...given }), {
      code: 'ERR_INVALID_ARGUMENT',
      argument,
    });
  };
  wrong({ method: 'lasso' }, 'options.method');
  wrong({ model: 'gated' }, 'options.model');
  wrong({ penalty: 'neuron' }, 'options.penalty');
  wrong({ adversarial: { epsilon: 0.1 } }, 'options.adversarial');
  wrong({ refine: {} }, 'options.refine');
  wrong({ globalBound: true }, 'options.globalBound');
  wrong({ rho: 1 }, 'options.rho');
  wrong({ route: 'gram' }, 'options.route');
  const both = { data: Float64Array.from([...signs, ...signs]), rows: 80, cols: 2 };
  t.throws(() => trainConvexReLUSync(x, both, { ...options, loss: 'hinge' }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'loss',
  });
  t.throws(() => trainConvexReLUSync(x, y, { ...options, device: 'cuda' }), {
    code: 'ERR_CUDA_NO_BACKEND',
  });
});
