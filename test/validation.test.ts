// Whatever is passed to a public function of the convex ReLU family, it fails with a typed error that
// names the argument, and never with anything else.

import path from 'node:path';
import fc from 'fast-check';
import {
  ConvexReLUClassifier,
  type ConvexReLUOptions,
  ConvexReLURegressor,
  crossValidateSync,
  estimateMemory,
  GatedReLUNetwork,
  loadModel,
  type Matrix,
  maximumBetaSync,
  modelFromJSON,
  ReLUNetwork,
  regularizationPathSync,
  trainConvexReLU,
  trainConvexReLUSync,
  verify,
  verifyAsync,
} from 'secondorder';
import t from 'tap';
import { plain, x, y } from './fixtures/tiny-problem';
import { anything, as, typedCalls } from './fixtures/typed-errors';

const { isTyped, isTypedAsync, hold } = typedCalls(
  [
    'ERR_INVALID_ARGUMENT',
    'ERR_DIMENSION_MISMATCH',
    'ERR_FORMAT',
    'ERR_NOT_FITTED',
    'ERR_OUT_OF_MEMORY',
    'ERR_NUMERICAL',
    'ERR_CUDA_NO_BACKEND',
    'ERR_EVALUATION',
  ],
  1500,
);

const size = fc.oneof(
  fc.integer({ min: -2, max: 5 }),
  fc.constantFrom(2.5, Number.NaN, 2 ** 40, '2'),
);
const number = fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }), fc.constant(Number.NaN));
const floats = fc.oneof(
  fc.array(number, { maxLength: 12 }).map((values) => Float32Array.from(values)),
  fc.array(number, { maxLength: 12 }).map((values) => Float64Array.from(values)),
  anything,
);
const integers = fc.oneof(
  fc.array(fc.integer({ min: -1, max: 6 }), { maxLength: 8 }).map((v) => Int32Array.from(v)),
  anything,
);
/** Things that look like matrices, right and wrong. */
const matrix = fc.oneof(
  fc.record({ data: floats, rows: size, cols: size }, { requiredKeys: [] }),
  fc.record({ values: floats, columns: integers, rowOffsets: integers, rows: size, cols: size }),
  fc.array(fc.oneof(fc.array(number, { maxLength: 3 }), floats), { maxLength: 5 }),
  anything,
);
const optionNames = [
  'loss',
  'beta',
  'gates',
  'model',
  'penalty',
  'refine',
  'method',
  'adversarial',
  'preprocess',
  'components',
  'bias',
  'tolerance',
  'maxIterations',
  'checkEvery',
  'rho',
  'relaxation',
  'route',
  'sampleWeights',
  'warmStart',
  'device',
  'precision',
  'seed',
];
const options = fc.oneof(
  fc.dictionary(fc.oneof(fc.constantFrom(...optionNames), fc.string()), anything, { maxKeys: 3 }),
  anything,
);

t.test('matrices', async (t) => {
  await hold(
    t,
    fc.property(matrix, (m) => isTyped(() => plain.predict(as(m)))),
  );
  await hold(
    t,
    fc.property(matrix, matrix, (h, o) => isTyped(() => build(h, o))),
  );
  await hold(
    t,
    fc.property(matrix, matrix, (m, v) => isTyped(() => plain.objective(as(m), as(v)))),
  );
  await hold(
    t,
    fc.property(anything, (arrays) => isTyped(() => new ReLUNetwork(as(arrays)))),
  );
});

function build(hidden: unknown, output: unknown): ReLUNetwork {
  return new ReLUNetwork(as({ hidden, output }));
}

t.test('options', async (t) => {
  const shape = { rows: 4, cols: 2 };
  await hold(
    t,
    fc.property(options, (o) => isTyped(() => estimateMemory(shape, as(o)))),
  );
  await hold(
    t,
    fc.property(options, (o) => isTyped(() => new ConvexReLUClassifier(as(o)))),
  );
  await hold(
    t,
    fc.property(options, (o) => isTyped(() => new ConvexReLURegressor(as(o)))),
  );
  await hold(
    t,
    fc.property(anything, (s) => isTyped(() => estimateMemory(as(s)))),
  );
  await hold(
    t,
    fc.property(options, (o) => isTyped(() => plain.objective(x, y, as(o)))),
  );
});

t.test('ONNX models', async (t) => {
  const classifier = new ConvexReLUClassifier({ gates: 4, maxIterations: 5 }).fitSync(x, y);
  const exports = fc.oneof(
    fc.record(
      {
        output: fc.oneof(
          fc.constantFrom('raw', 'probabilities', 'label', ['raw', 'label'], []),
          anything,
        ),
        certificate: anything,
      },
      { requiredKeys: [] },
    ),
    anything,
  );
  for (const model of [classifier, classifier.network]) {
    await hold(
      t,
      fc.property(exports, (o) => isTyped(() => model.toONNX(as(o)))),
    );
  }
});

t.test('training', async (t) => {
  const quick = { gates: 4, maxIterations: 5 };
  const train = (a: unknown, b: unknown, o: unknown, run?: unknown) =>
    trainConvexReLU(as<Matrix>(a), as<number[]>(b), as<ConvexReLUOptions>(o), as(run));
  const property = fc.asyncProperty(matrix, anything, (m, v) =>
    isTypedAsync(() => train(m, v, quick)),
  );
  await hold(t, property);
  await hold(
    t,
    fc.asyncProperty(matrix, (v) => isTypedAsync(() => train(x, v, quick))),
  );
  await hold(
    t,
    fc.asyncProperty(anything, (run) => isTypedAsync(() => train(x, y, quick, run))),
  );
  const weights = fc.oneof(fc.array(number, { minLength: 4, maxLength: 4 }), anything);
  await hold(
    t,
    fc.asyncProperty(weights, (sampleWeights) =>
      isTypedAsync(() => train(x, y, { ...quick, sampleWeights })),
    ),
  );
  t.ok(isTyped(() => trainConvexReLUSync(x, y, { ...quick, warmStart: as({}) })));
});

t.test('estimators', async (t) => {
  const quick = { gates: 4, maxIterations: 5 };
  const classifier = new ConvexReLUClassifier(quick);
  const regressor = new ConvexReLURegressor(quick);
  const labels = fc.oneof(
    fc.array(fc.oneof(fc.string(), fc.integer(), number), { minLength: 4, maxLength: 4 }),
    anything,
  );
  for (let round = 0; round < 2; round++) {
    await hold(
      t,
      fc.property(labels, (v) => isTyped(() => classifier.fitSync(x, as(v)))),
    );
    await hold(
      t,
      fc.property(labels, (v) => isTyped(() => regressor.fitSync(x, as(v)))),
    );
    classifier.fitSync(x, y);
    regressor.fitSync(x, y);
    for (const model of [classifier, regressor]) {
      await hold(
        t,
        fc.property(matrix, (m) => isTyped(() => model.predict(as(m)))),
      );
      await hold(
        t,
        fc.property(labels, (v) => isTyped(() => model.score(x, as(v)))),
      );
      await hold(
        t,
        fc.property(labels, (v) => isTyped(() => verify(model, x, as(v)))),
      );
    }
    await hold(
      t,
      fc.property(matrix, (m) => isTyped(() => classifier.predictProba(as(m)))),
    );
    await hold(
      t,
      fc.property(matrix, (m) => isTyped(() => classifier.decisionFunction(as(m)))),
    );
  }
});

t.test('paths and cross-validation', async (t) => {
  const quick = { gates: 4, maxIterations: 2 };
  const classifier = new ConvexReLUClassifier(quick);
  const betas = fc.oneof(
    fc.array(number, { maxLength: 3 }),
    fc.record({ count: size, ratio: number }, { requiredKeys: [] }),
    anything,
  );
  const run = fc.oneof(fc.constant(undefined), anything);
  await hold(
    t,
    fc.property(betas, run, (b, r) =>
      isTyped(() => regularizationPathSync(x, y, as(b), quick, as(r))),
    ),
  );
  const choices = fc.record(
    {
      betas,
      folds: size,
      stratified: fc.oneof(fc.boolean(), anything),
      scoring: fc.oneof(fc.constantFrom('accuracy', 'r2'), anything),
      seed: size,
      rule: fc.oneof(fc.constantFrom('best', 'one-standard-error'), anything),
    },
    { requiredKeys: [] },
  );
  await hold(
    t,
    fc.property(fc.oneof(choices, anything), run, (c, r) =>
      isTyped(() => crossValidateSync(classifier, x, y, as(c), as(r))),
    ),
  );
  await hold(
    t,
    fc.property(anything, matrix, anything, (e, m, v) =>
      isTyped(() => crossValidateSync(as<ConvexReLUClassifier>(e), as(m), as(v))),
    ),
  );
  await hold(
    t,
    fc.property(options, (o) =>
      isTyped(() => maximumBetaSync(x, y, { ...as<object>(o), ...quick })),
    ),
  );
});

t.test('certificates', async (t) => {
  const { network } = trainConvexReLUSync(x, y, { gates: 4, maxIterations: 5 });
  const entries = fc.record({
    loss: fc.constantFrom('squared', 'logistic', 'softmax', 1),
    beta: number,
    gates: floats,
    nu: floats,
    muRows: fc.oneof(integers, fc.constant(null)),
    mu: fc.oneof(floats, fc.constant(null)),
    sampleWeights: fc.oneof(floats, fc.constant(null)),
  });
  const certificate = fc.oneof(entries, anything);
  await hold(
    t,
    fc.property(certificate, (c) => isTyped(() => verify(network, x, y, as(c)))),
  );
  await hold(
    t,
    fc.property(anything, matrix, matrix, (n, m, v) => isTyped(() => verify(as(n), as(m), as(v)))),
  );
  await hold(
    t,
    fc.asyncProperty(matrix, (m) => isTypedAsync(() => verifyAsync(network, as(m), y))),
  );
});

t.test('documents', async (t) => {
  const readers = [
    ReLUNetwork.fromJSON,
    GatedReLUNetwork.fromJSON,
    (d: unknown) => ConvexReLUClassifier.fromJSON(as(d)),
    (d: unknown) => ConvexReLURegressor.fromJSON(as(d)),
    modelFromJSON,
  ];
  const whole = plain.toJSON();
  const damaged = fc
    .tuple(fc.constantFrom(...Object.keys(whole), ...Object.keys(whole.tensors)), anything)
    .map(([key, value]) =>
      key in whole
        ? { ...whole, [key]: value }
        : { ...whole, tensors: { ...whole.tensors, [key]: value } },
    );
  const document = fc.oneof(damaged, anything, fc.json());
  for (const read of readers) {
    await hold(
      t,
      fc.property(document, (d) => isTyped(() => read(d))),
    );
  }
  const folder = t.testdir();
  const names = fc.string().map((name) => path.join(folder, 'absent', encodeURIComponent(name)));
  const paths = fc.oneof(
    names,
    anything.filter((value) => typeof value !== 'string'),
  );
  await hold(
    t,
    fc.asyncProperty(paths, (p) => isTypedAsync(() => loadModel(as(p)))),
  );
  await hold(
    t,
    fc.asyncProperty(paths, (p) => isTypedAsync(() => plain.save(as(p)))),
  );
});
