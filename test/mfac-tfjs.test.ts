// The optimizer of TensorFlow.js, on real models.

import * as tf from '@tensorflow/tfjs';
import { MFacOptimizer } from 'secondorder';
import { MFac, type MFacOptions } from 'secondorder/tfjs';
import t from 'tap';
import { spiral } from './fixtures/network';

const samples = spiral(240, 3, 1);
const x = tf.tensor2d(samples.map((sample) => sample.x));
const y = tf.tidy(() =>
  tf
    .oneHot(
      tf.tensor1d(
        samples.map(({ label }) => label),
        'int32',
      ),
      3,
    )
    .toFloat(),
);

function createModel(): tf.Sequential {
  const { glorotUniform } = tf.initializers;
  return tf.sequential({
    layers: [
      tf.layers.dense({
        units: 24,
        activation: 'tanh',
        inputShape: [4],
        kernelInitializer: glorotUniform({ seed: 1 }),
      }),
      tf.layers.dense({
        units: 3,
        activation: 'softmax',
        kernelInitializer: glorotUniform({ seed: 2 }),
      }),
    ],
  });
}

const compiled = (optimizer: tf.Optimizer): tf.Sequential => {
  const model = createModel();
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
};
const weightsOf = (model: tf.Sequential) => model.getWeights().map((w) => Array.from(w.dataSync()));
const lossOf = (model: tf.Sequential) => (model.evaluate(x, y) as tf.Scalar[])[0]!.dataSync()[0]!;
/** Batches in the same order every time, which fit() would not have. */
async function train(model: tf.Sequential, from: number, steps: number): Promise<void> {
  for (let i = from; i < from + steps; i++) {
    const start = (i * 48) % 240;
    const batch = [x.slice([start, 0], [48, 4]), y.slice([start, 0], [48, 3])] as const;
    await model.trainOnBatch(...batch);
    tf.dispose([...batch]);
  }
}

t.before(() => tf.setBackend('cpu'));

t.test('model.compile and model.fit', async (t) => {
  const optimizer = new MFac({ learningRate: 0.2, capacity: 32 });
  t.ok(optimizer instanceof tf.Optimizer);
  const model = compiled(optimizer);
  t.equal(optimizer.lastStep, undefined);
  const before = lossOf(model);
  const { history } = await model.fit(x, y, { epochs: 30, batchSize: 48, verbose: 0 });
  const losses = history.loss as number[];
  const accuracies = history.acc as number[];
  t.ok(losses.at(-1)! < 0.25 * before, `${before} to ${losses.at(-1)}`);
  t.ok(accuracies.at(-1)! > 0.9, `accuracy ${accuracies.at(-1)}`);
  t.equal(optimizer.iterations, 150);
  t.match(optimizer.lastStep, { step: 150, size: 32, clipped: false, learningRate: 0.2 });
  t.ok(optimizer.bytes > 32 * 195 * 4);
  const [iterations, ...state] = await optimizer.getWeights();
  t.same(iterations?.tensor.dataSync(), [150]);
  t.same(
    state.map(({ name }) => name),
    ['mfac/state', 'mfac/window'],
  );
  optimizer.dispose();
  t.equal(optimizer.bytes, 0);
});

t.test('minimize', async (t) => {
  const optimizer = new MFac({ learningRate: 0.05, capacity: 8, momentum: 0 });
  const w = tf.variable(
    tf.tensor2d([
      [1, 2],
      [3, 4],
    ]),
  );
  const other = tf.variable(tf.scalar(5));
  const f = () => w.square().sum().add(other.mul(0)).asScalar();
  const gradients = [Float32Array.of(2, 4, 6, 8), Float32Array.of(0)];
  const expected = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5)];
  new MFacOptimizer({ parameters: expected, learningRate: 0.05, momentum: 0 }).stepSync(gradients);
  const cost = optimizer.minimize(f, true, [w, other]);
  t.equal(cost?.dataSync()[0], 30);
  t.same(w.dataSync(), expected[0], 'the step of MFacOptimizer');
  t.same(w.shape, [2, 2]);
  t.equal(other.dataSync()[0], 5);
  const { numTensors } = tf.memory();
  for (let i = 0; i < 250; i++) optimizer.minimize(f, false, [w, other]);
  t.equal(tf.memory().numTensors, numTensors, 'no tensors are left behind');
  t.ok(
    w.dataSync().every((value) => Math.abs(value) < 0.1),
    'near the minimum',
  );
  t.throws(() => optimizer.minimize(f, false, [w]), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'variableGradients',
  });
  const nan = () => w.mul(Number.NaN).sum().asScalar();
  const before = Array.from(w.dataSync());
  t.throws(() => optimizer.minimize(nan, false, [w, other]), { code: 'ERR_INVALID_ARGUMENT' });
  t.same(Array.from(w.dataSync()), before);
  tf.dispose([w, other]);
});

t.test('all trainable variables, when none are named', async (t) => {
  const w = tf.variable(tf.tensor1d([3, -2]), true, 'only');
  const optimizer = new MFac();
  const f = () => w.square().sum().asScalar();
  const { grads } = tf.variableGrads(f, [w]);
  optimizer.applyGradients(grads);
  t.equal(optimizer.iterations, 1);
  t.ok(w.dataSync()[0]! < 3);
  optimizer.learningRate = 0;
  t.equal(optimizer.learningRate, 0);
  const before = Array.from(w.dataSync());
  optimizer.applyGradients([{ name: 'only', tensor: grads.only! }]);
  t.same(Array.from(w.dataSync()), before, 'a rate of 0 stops it');
  tf.dispose([w, grads]);
});

t.test('a model that was saved with its optimizer goes on bit by bit', async (t) => {
  const options: MFacOptions = {
    capacity: 16,
    storage: 'bfloat16',
    damping: { relative: 0.2 },
    clip: Number.POSITIVE_INFINITY,
  };
  const model = compiled(new MFac(options));
  await train(model, 0, 20);
  let saved: tf.io.ModelArtifacts | undefined;
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    // Through JSON, as files would be.
    const { weightData, ...rest } = artifacts;
    saved = {
      ...(JSON.parse(JSON.stringify(rest)) as tf.io.ModelArtifacts),
      weightData: weightData!,
    };
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  });
  await model.save(handler, { includeOptimizer: true });
  const again = (await tf.loadLayersModel(tf.io.fromMemory(saved!))) as tf.Sequential;
  const optimizer = again.optimizer as MFac;
  t.ok(optimizer instanceof MFac);
  t.same(optimizer.getConfig(), { learningRate: 0.1, ...options, clip: null });
  t.equal(optimizer.iterations, 20);
  t.same(weightsOf(again), weightsOf(model));
  await train(model, 20, 10);
  await train(again, 20, 10);
  t.same(weightsOf(again), weightsOf(model));
  t.same(optimizer.lastStep, (model.optimizer as MFac).lastStep);
  t.equal(optimizer.lastStep?.step, 30);

  const fresh = new MFac(options);
  await fresh.setWeights(await optimizer.getWeights());
  const kept = await fresh.getWeights();
  t.equal(kept.length, 3, 'a state that is not in use yet can be asked for again');
  const other = compiled(fresh);
  other.setWeights(again.getWeights());
  await train(other, 30, 3);
  await train(again, 30, 3);
  t.same(weightsOf(other), weightsOf(again));
});

t.test('states that are none are refused', async (t) => {
  const optimizer = new MFac();
  const count = { name: 'iter', tensor: tf.scalar(3, 'int32') };
  const junk = { name: 'mfac/state', tensor: tf.tensor1d([8, 1, 2], 'int32') };
  await t.rejects(optimizer.setWeights([count, junk]), { code: 'ERR_INVALID_ARGUMENT' });
  const long = { name: 'mfac/state', tensor: tf.tensor1d([9, 1, 2], 'int32') };
  await t.rejects(optimizer.setWeights([count, long, junk]), { code: 'ERR_FORMAT' });
  await optimizer.setWeights([count, junk, junk]);
  const w = tf.variable(tf.scalar(1));
  t.throws(() => optimizer.minimize(() => w.square().asScalar(), false, [w]), {
    code: 'ERR_FORMAT',
  });
  t.equal(w.dataSync()[0], 1);
});

t.test('options are checked', (t) => {
  const cases: [object, string][] = [
    [{ learningRate: -1 }, 'options.learningRate'],
    [{ learningRate: () => 1 }, 'options.learningRate'],
    [{ damping: () => 1 }, 'options.damping'],
    [{ capacity: 0 }, 'options.capacity'],
    [{ parameters: [] }, 'options.parameters'],
    [{ momentum: 1 }, 'options.momentum'],
  ];
  for (const [options, argument] of cases) {
    t.throws(() => new MFac(options as MFacOptions), { code: 'ERR_INVALID_ARGUMENT', argument });
  }
  t.throws(() => new MFac({ device: 'cuda' }), { code: /^ERR_CUDA_/ });
  t.equal(new MFac().getClassName(), 'MFac');
  t.end();
});
