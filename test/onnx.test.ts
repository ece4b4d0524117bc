// ONNX models: onnxruntime gives what the networks and estimators give.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  ConvexReLUClassifier,
  type ConvexReLUOptions,
  ConvexReLURegressor,
  GatedReLUNetwork,
  type Label,
  type Loss,
  type Matrix,
  type ONNXOptions,
  ReLUNetwork,
  trainConvexReLUSync,
  verify,
} from 'secondorder';
import t from 'tap';
import { ModelProtoSchema } from '../dist/onnx/onnx_pb.js';
import { clusters, largestDifference, regressionData, uniform } from './convex-relu-data';

const quick = { gates: 20, refine: false, maxIterations: 30 } satisfies ConvexReLUOptions;

/** Outputs of a model for all rows, by name. */
async function run(model: Uint8Array, { data, rows, cols }: Matrix) {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const input = new Tensor('float32', Float32Array.from(data), [rows, cols]);
  const results = await session.run({ input });
  await session.release();
  return results;
}

function numbers(tensor: Tensor | undefined): number[] {
  if (!tensor || tensor.type === 'string') throw new Error('no numbers');
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}

/** Entries of the model's metadata. */
function metadata(model: Uint8Array): Record<string, string> {
  const { metadataProps } = fromBinary(ModelProtoSchema, model);
  return Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
}

/** Largest difference, relative to the largest entry where that is above 1. */
function error(found: number[], expected: ArrayLike<number>): number {
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return largestDifference(found, expected) / largest;
}

/** Numbers as float32 holds them, on several scales, the first far from 0, with a constant column. */
function inputs(rows: number, cols: number, seed: number, far: number): Matrix {
  const next = uniform(seed);
  const data = Float32Array.from({ length: rows * cols }, (_, i) => {
    const column = i % cols;
    if (column === 2) return 7;
    return column === 0 ? far + next() : (next() - 0.5) * 4 ** column;
  });
  return { data, rows, cols };
}

t.test('networks, for every preprocessing', async (t) => {
  let checked = 0;
  for (const model of ['relu', 'gated'] as const) {
    for (const outputs of [1, 3]) {
      for (const bias of [true, false]) {
        for (const scaling of [
          { preprocess: 'standardize' },
          { preprocess: 'unit-columns' },
          { preprocess: 'none' },
          { components: 3 },
          { preprocess: 'standardize', components: 2 },
          { preprocess: 'unit-columns', components: 2 },
        ] as const) {
          // Digits that only centring can save.
          const far = 'components' in scaling || scaling.preprocess === 'standardize' ? 1000 : 1;
          const x = inputs(40, 5, ++checked, far);
          const next = uniform(checked + 100);
          const y = Float64Array.from({ length: 40 * outputs }, () => next() - 0.5);
          const options = { ...quick, ...scaling, model, bias, seed: checked };
          const { network } = trainConvexReLUSync<'relu' | 'gated'>(
            x,
            { data: y, rows: 40, cols: outputs },
            options,
          );
          const fresh = inputs(30, 5, checked + 200, far);
          const { output } = await run(network.toONNX(), fresh);
          t.same(output?.dims, [30, outputs]);
          const wrong = error(numbers(output), network.predict(fresh).data);
          t.ok(wrong < 1e-5, `${JSON.stringify(options)}, ${outputs} outputs: off by ${wrong}`);
        }
      }
    }
  }
  t.equal(checked, 48);
});

t.test('networks from arrays, any number of samples', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const next = uniform(seed);
    const [features, neurons, outputs] = [1 + (seed % 4), seed * 3, 1 + (seed % 3)];
    const random = (rows: number, cols: number) =>
      Array.from({ length: rows }, () => Array.from({ length: cols }, () => 4 * next() - 2));
    const network = new ReLUNetwork({
      hidden: random(neurons, features),
      hiddenBias: random(1, neurons)[0]!,
      output: random(outputs, neurons),
      outputBias: random(1, outputs)[0]!,
    });
    for (const rows of [0, 1, 7]) {
      const data = Float32Array.from(random(1, rows * features)[0]!);
      const x = { data, rows, cols: features };
      const { output } = await run(network.toONNX(), x);
      t.same(output?.dims, [rows, outputs]);
      t.ok(error(numbers(output), network.predict(x).data) < 1e-5, `${rows} samples`);
    }
  }
});

t.test('a network without neurons gives its bias', async (t) => {
  const { x, y } = regressionData(20, 3);
  const zero = trainConvexReLUSync(x, y, { gates: 5, beta: 1e6 }).network;
  t.equal(zero.neurons, 0);
  t.same(numbers((await run(zero.toONNX(), x)).output), new Array(20).fill(0));
  const regressor = new ConvexReLURegressor({ gates: 5, beta: 1e6 }).fitSync(x, y);
  const { output } = await run(regressor.toONNX(), x);
  t.ok(error(numbers(output), regressor.predict(x)) < 1e-6);
});

t.test('samples at the boundary of a gate are on the same side', async (t) => {
  // Weights of their own on both sides of x₀ = x₁: the outputs jump there.
  const next = uniform(5);
  const data = Float32Array.from({ length: 400 }, () => Math.floor(4 * next()) / 4);
  const x = { data, rows: 200, cols: 2 };
  const y = Array.from({ length: 200 }, (_, i) => (data[2 * i]! >= data[2 * i + 1]! ? 1 : -1));
  const gates = [
    [1, -1, 0],
    [-1, 1, 0],
    [1, 0, -0.5],
    [0, -1, 0.25],
  ];
  for (const preprocess of ['none', 'standardize'] as const) {
    const options = { model: 'gated', gates, preprocess, precision: 'float64' } as const;
    const { network } = trainConvexReLUSync(x, y, options);
    if (preprocess === 'none') {
      t.ok(data[0] !== undefined && y.some((_, i) => data[2 * i] === data[2 * i + 1]));
    }
    const { output } = await run(network.toONNX(), x);
    t.ok(error(numbers(output), network.predict(x).data) < 1e-5, preprocess);
  }
});

const LOSSES: Loss[] = ['squared', 'logistic', 'hinge', 'softmax'];
const labelSets: [string, Label[]][] = [
  ['texts', ['ash', 'birch', 'çedar', '木']],
  ['whole numbers', [-3, 0, 7, 2 ** 40]],
  ['fractions', [0.5, 1, 1.5, 2]],
];

for (const classes of [1, 2, 4]) {
  t.test(`classifiers of ${classes} classes`, async (t) => {
    const { x, index } = clusters(10, 4, 3);
    for (const loss of LOSSES) {
      for (const [kind, all] of labelSets) {
        const labels = index.map((k) => all[k % classes]!);
        const classifier = new ConvexReLUClassifier({ ...quick, loss }).fitSync(x, labels);
        const next = uniform(9);
        const data = Float32Array.from({ length: 200 }, () => 10 * next() - 5);
        const fresh = { data, rows: 100, cols: 2 };
        const model = classifier.toONNX({ output: ['label', 'probabilities', 'raw'] });
        const { label, probabilities, output } = await run(model, fresh);
        t.same(label?.dims, [100]);
        t.same(
          label?.type,
          { texts: 'string', 'whole numbers': 'int64', fractions: 'float64' }[kind],
        );
        const read = Array.from(label!.data as ArrayLike<string | number | bigint>, (value) =>
          typeof value === 'bigint' ? Number(value) : value,
        );
        t.same(read, classifier.predict(fresh), `${loss}, ${kind}`);
        const decisions = classifier.decisionFunction(fresh);
        t.same(output?.dims, [100, decisions.cols]);
        t.ok(error(numbers(output), decisions.data) < 1e-5);
        t.same(probabilities?.dims, [100, classes]);
        t.ok(error(numbers(probabilities), classifier.predictProba(fresh).data) < 1e-5);
        t.same(JSON.parse(metadata(model).classes!), classifier.classes);
      }
    }
  });
}

t.test('probabilities where every share is 0', async (t) => {
  const { x, index } = clusters(6, 4);
  const document = new ConvexReLUClassifier({ gates: 8 }).fitSync(x, index).toJSON();
  // Two classes far below 0, and the others too on their samples: no class has a share there.
  document.tensors.outputBias!.data = [-2, -2, -0.5, -0.5];
  const classifier = ConvexReLUClassifier.fromJSON(document);
  const { data } = classifier.decisionFunction(x);
  const none = index.filter((_, i) => data.subarray(4 * i, 4 * i + 4).every((v) => v <= 0)).length;
  t.ok(none > 0 && none < index.length, `${none} of ${index.length} samples`);
  const { probabilities } = await run(classifier.toONNX(), x);
  t.ok(error(numbers(probabilities), classifier.predictProba(x).data) < 1e-5);
});

t.test('regressors answer in the units of their target', async (t) => {
  const { x, y } = regressionData();
  const targets = y.map((value) => 1000 * value - 500);
  for (const model of ['relu', 'gated'] as const) {
    const regressor = new ConvexReLURegressor({ ...quick, model }).fitSync(x, targets);
    const single = { ...x, data: Float32Array.from(x.data) };
    const { output } = await run(regressor.toONNX(), single);
    t.ok(error(numbers(output), regressor.predict(single)) < 1e-5);
  }
});

t.test('probabilities of networks whose loss models them', async (t) => {
  const { x, index } = clusters(10, 3);
  const shares = index.map((k) => [0, 1, 2].map((other) => (other === k ? 1 : 0)));
  const softmax = trainConvexReLUSync(x, shares, { ...quick, loss: 'softmax' }).network;
  const { probabilities } = await run(softmax.toONNX({ output: 'probabilities' }), x);
  const powers = softmax.predict(x).data.map(Math.exp);
  const expected = powers.map((power, i) => {
    const row = 3 * Math.floor(i / 3);
    return power / (powers[row]! + powers[row + 1]! + powers[row + 2]!);
  });
  t.ok(error(numbers(probabilities), expected) < 1e-5);

  const signs = index.map((k) => (k === 0 ? 1 : -1));
  const logistic = trainConvexReLUSync(x, signs, { ...quick, loss: 'logistic' }).network;
  const both = await run(logistic.toONNX({ output: ['raw', 'probabilities'] }), x);
  const sigmoid = logistic.predict(x).data.map((value) => 1 / (1 + Math.exp(-value)));
  t.ok(error(numbers(both.probabilities), sigmoid) < 1e-5);
});

t.test('what is told of the model', async (t) => {
  const { x, index } = clusters(10, 3);
  const options = { ...quick, beta: 0.01, components: 2 };
  const classifier = new ConvexReLUClassifier(options).fitSync(x, index);
  const model = fromBinary(ModelProtoSchema, classifier.toONNX());
  t.match(model, { irVersion: 8n, producerName: 'secondorder', opsetImport: [{ version: 17n }] });
  t.match(model.producerVersion, /^\d+\.\d+\.\d+/);
  const report = classifier.report!;
  const known = { model: 'gated', loss: 'squared', beta: '0.01', components: '2', samples: '30' };
  t.match(metadata(classifier.toONNX()), { ...known, gates: String(report.gates) });
  t.equal(Number(metadata(classifier.toONNX()).dualBound), report.dualBound);

  const loaded = ConvexReLUClassifier.fromJSON(classifier.toJSON());
  const unproved = metadata(loaded.toONNX());
  t.match(unproved, known);
  t.notOk('gap' in unproved, 'the report is not saved');
  const certificate = verify(loaded, x, index);
  t.equal(Number(metadata(loaded.toONNX({ certificate })).gap), certificate.gap);

  const { network } = loaded;
  t.ok(network instanceof GatedReLUNetwork);
  t.notOk('classes' in metadata(network.toONNX()));
});

t.test('what cannot be exported', async (t) => {
  const { x, index } = clusters(5, 2);
  const classifier = new ConvexReLUClassifier(quick);
  t.throws(() => classifier.toONNX(), { code: 'ERR_NOT_FITTED' });
  classifier.fitSync(x, index);
  const wrong = { code: 'ERR_INVALID_ARGUMENT' };
  const options: [ONNXOptions, string][] = [
    [{ output: 'labels' as 'label' }, 'options.output'],
    [{ output: [] }, 'options.output'],
    [{ output: ['raw', 'raw'] }, 'options.output'],
    [{ output: ['raw', 'logits' as 'raw'] }, 'options.output[1]'],
    [{ outputs: 'raw' } as ONNXOptions, 'options.outputs'],
    [{ certificate: {} as never }, 'options.certificate.objective'],
  ];
  for (const [option, argument] of options) {
    t.throws(() => classifier.toONNX(option), { ...wrong, argument });
  }
  t.throws(() => classifier.network.toONNX({ output: 'label' }), wrong);
  t.throws(() => classifier.network.toONNX({ output: 'probabilities' }), wrong);
  const regressor = new ConvexReLURegressor(quick).fitSync(x, index);
  t.throws(() => regressor.toONNX({ output: 'probabilities' }), wrong);
  const large = new ReLUNetwork({ hidden: [[1e200]], output: [[1]] });
  t.throws(() => large.toONNX(), { code: 'ERR_NUMERICAL' });
});

/** A Python with the package onnx. */
const python = [process.env.PYTHON ?? 'python3', '/usr/bin/python3'].find((command) => {
  try {
    execFileSync(command, ['-c', 'import onnx'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

t.test(
  'passes the checker of ONNX',
  { skip: python === undefined && 'the Python package onnx is not on this machine' },
  async (t) => {
    const { x, index } = clusters(10, 3);
    const check = `import onnx, sys
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, True)
print(*(output.name for output in model.graph.output))`;
    for (const model of ['relu', 'gated'] as const) {
      for (const loss of LOSSES) {
        const options = { ...quick, model, loss };
        const classifier = new ConvexReLUClassifier(options).fitSync(x, index);
        const file = join(t.testdir(), 'model.onnx');
        writeFileSync(file, classifier.toONNX({ output: ['raw', 'probabilities', 'label'] }));
        const outputs = execFileSync(python!, ['-c', check, file], { encoding: 'utf8' });
        t.equal(outputs.trim(), 'output probabilities label', `${model}, ${loss}`);
      }
    }
  },
);
