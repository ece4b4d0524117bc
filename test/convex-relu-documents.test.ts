// Networks and estimators as files and JSON: nothing is lost, and damage is told.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  ConvexReLUClassifier,
  ConvexReLURegressor,
  GatedReLUNetwork,
  loadModel,
  modelFromJSON,
  ReLUNetwork,
  trainConvexReLUSync,
  verify,
} from 'secondorder';
import t from 'tap';
import { clusters, regressionData } from './convex-relu-data';

const { x, y } = regressionData(30);
const folder = t.testdir();
const small = { gates: 12, maxIterations: 60, components: 2 } as const;

t.test('a plain network', async (t) => {
  const network = new ReLUNetwork({
    hidden: [
      [1, -1],
      [0.1, 3],
    ],
    output: [[2, -0.3]],
  });
  for (const name of ['plain.safetensors', 'plain.json']) {
    const file = path.join(folder, name);
    await network.save(file);
    const loaded = await ReLUNetwork.load(file);
    t.same(
      loaded.predict([
        [3, 1],
        [-2, 5],
      ]),
      network.predict([
        [3, 1],
        [-2, 5],
      ]),
    );
    t.same(loaded.hidden, network.hidden);
    t.same([loaded.certificate, loaded.options], [null, null]);
    await t.rejects(GatedReLUNetwork.load(file), { code: 'ERR_FORMAT' });
    await t.rejects(ConvexReLUClassifier.load(file), { code: 'ERR_FORMAT' });
  }
});

t.test('a network without neurons', async (t) => {
  const none = new Float64Array(0);
  const network = new ReLUNetwork({
    hidden: { data: none, rows: 0, cols: 2 },
    output: { data: none, rows: 1, cols: 0 },
    outputBias: [0.5],
  });
  const file = path.join(folder, 'none.safetensors');
  await network.save(file);
  const loaded = await ReLUNetwork.load(file);
  t.same(
    [
      ...loaded.predict([
        [3, 1],
        [-2, 5],
      ]).data,
    ],
    [0.5, 0.5],
  );
  t.equal(loaded.neurons, 0);
});

for (const model of ['relu', 'gated'] as const) {
  t.test(`a trained network, ${model}`, async (t) => {
    const { network } = trainConvexReLUSync(x, y, { ...small, model });
    const kind = model === 'relu' ? ReLUNetwork : GatedReLUNetwork;
    for (const name of [`${model}.safetensors`, `${model}.json`]) {
      const file = path.join(folder, name);
      await network.save(file);
      const loaded = await kind.load(file);
      t.same(loaded.predict(x), network.predict(x));
      t.same(loaded.options, network.options);
      t.same(loaded.certificate, network.certificate);
      t.same(verify(loaded, x, y), verify(network, x, y), 'verified from the file and the data');
      t.same((await loadModel(file)).toJSON(), network.toJSON());
    }
    const text = JSON.stringify(network);
    t.same(kind.fromJSON(text).predict(x), network.predict(x));
    t.same(kind.fromJSON(JSON.parse(text)).predict(x), network.predict(x));
  });
}

t.test('estimators', async (t) => {
  const { x: points, index } = clusters(10, 3);
  const labels = index.map((k) => `class ${k}`);
  const classifier = new ConvexReLUClassifier({ gates: 20 }).fitSync(points, labels);
  const regressor = new ConvexReLURegressor({ gates: 20 }).fitSync(x, y);
  for (const end of ['safetensors', 'json']) {
    const file = path.join(folder, `classifier.${end}`);
    await classifier.save(file);
    const loaded = await ConvexReLUClassifier.load(file);
    t.same(loaded.classes, classifier.classes);
    t.same(loaded.predictProba(points), classifier.predictProba(points));
    t.same(verify(loaded, points, labels), verify(classifier, points, labels));
    t.equal(loaded.report, null, 'the report is not kept');
    t.ok((await loadModel(file)) instanceof ConvexReLUClassifier);
    await t.rejects(ConvexReLURegressor.load(file), { code: 'ERR_FORMAT' });
    t.same(loaded.fitSync(points, labels).predict(points), labels, 'it can be fitted again');

    const other = path.join(folder, `regressor.${end}`);
    await regressor.save(other);
    t.same((await ConvexReLURegressor.load(other)).predict(x), regressor.predict(x));
    t.same(verify(await ConvexReLURegressor.load(other), x, y), verify(regressor, x, y));
  }
  t.same(modelFromJSON(classifier.toJSON()).predict(points), labels);
});

t.test('damaged documents', async (t) => {
  const whole = new ReLUNetwork({ hidden: [[1, -1]], output: [[2]] }).toJSON();
  const damages: ((document: Record<string, unknown>) => void)[] = [
    (d) => delete d.format,
    (d) => Object.assign(d, { version: 2 }),
    (d) => delete d.tensors,
    (d) => delete d.model,
    (d) => Object.assign(d.model as object, { kind: 'other' }),
    (d) => Object.assign(d.model as object, { features: 3 }),
    (d) => Object.assign(d.model as object, { outputs: 0 }),
    (d) => Object.assign(d.model as object, { outputScale: 0 }),
    (d) => delete (d.tensors as Record<string, unknown>).hidden,
    (d) => Object.assign(d.tensors as object, { mean: { dtype: 'F32', shape: [2], data: [0, 0] } }),
    (d) => Object.assign(d.tensors as object, { scale: { dtype: 'F64', shape: [2], data: [1] } }),
    (d) =>
      Object.assign(d.tensors as object, { scale: { dtype: 'F64', shape: [2], data: [1, '1'] } }),
    (d) => Object.assign(d, { options: { loss: 'none' } }),
    (d) => Object.assign(d, { estimator: { type: 'classifier', classes: [1, 'b'] } }),
    (d) => Object.assign(d, { certificate: { loss: 'squared', beta: 1 } }),
  ];
  for (const [i, damage] of damages.entries()) {
    const copy: Record<string, unknown> = structuredClone(whole);
    damage(copy);
    t.throws(() => ReLUNetwork.fromJSON(copy), { code: 'ERR_FORMAT' }, `damage ${i}`);
  }
  t.throws(() => ReLUNetwork.fromJSON('{'), { code: 'ERR_FORMAT' });

  const file = path.join(folder, 'cut.safetensors');
  await new ReLUNetwork({ hidden: [[1, -1]], output: [[2]] }).save(file);
  const bytes = await readFile(file);
  for (const length of [0, 7, 40, bytes.length - 1]) {
    await writeFile(file, bytes.subarray(0, length));
    await t.rejects(ReLUNetwork.load(file), { code: 'ERR_FORMAT' }, `cut to ${length} bytes`);
  }
  await t.rejects(ReLUNetwork.load(path.join(folder, 'absent.json')), {
    code: 'ERR_INVALID_ARGUMENT',
  });
});
