// The classifier and the regressor of the convex ReLU family.

import {
  AbortError,
  ConvexReLUClassifier,
  ConvexReLURegressor,
  GatedReLUNetwork,
  type Loss,
  ReLUNetwork,
  verify,
} from 'secondorder';
import t from 'tap';
import { clusters, largestDifference, regressionData, toRows } from './convex-relu-data';

const LOSSES: Loss[] = ['squared', 'logistic', 'hinge', 'softmax'];
const options = { gates: 40, beta: 0.05, tolerance: 1e-2, maxIterations: 5000 };
const names = ['ash', 'birch', 'cedar', 'elm'];

t.test('before fit', async (t) => {
  const classifier = new ConvexReLUClassifier();
  const regressor = new ConvexReLURegressor();
  const error = { name: 'SecondOrderError', code: 'ERR_NOT_FITTED' };
  t.throws(() => classifier.predict([[1]]), error);
  t.throws(() => classifier.predictProba([[1]]), error);
  t.throws(() => classifier.decisionFunction([[1]]), error);
  t.throws(() => classifier.score([[1]], [1]), error);
  t.throws(() => classifier.classes, error);
  t.throws(() => classifier.network, error);
  t.throws(() => classifier.toJSON(), error);
  t.throws(() => regressor.predict([[1]]), error);
  t.throws(() => regressor.report, error);
  t.throws(() => verify(regressor, [[1]], [1]), error);
  await t.rejects(regressor.save('never.safetensors'), error);
  await t.rejects(classifier.predictAsync([[1]]), error);
});

for (const classes of [2, 4]) {
  const { x, index } = clusters(12, classes);
  const labels = index.map((k) => names[k]!);
  for (const loss of LOSSES) {
    t.test(`${classes} classes, ${loss}`, async (t) => {
      const classifier = await new ConvexReLUClassifier({ ...options, loss }).fit(x, labels);
      t.same(classifier.classes, names.slice(0, classes));
      t.equal(classifier.report?.status, 'converged');
      t.same(classifier.predict(x), labels);
      t.same(await classifier.predictAsync(x), labels);
      t.equal(classifier.score(x, labels), 1);
      t.equal(
        classifier.score(
          x,
          labels.map(() => 'ash'),
        ),
        1 / classes,
      );

      const decisions = classifier.decisionFunction(x);
      t.equal(decisions.cols, classes === 2 && loss !== 'softmax' ? 1 : classes);
      const shares = toRows(classifier.predictProba(x));
      const sums = shares.map((row) => row.reduce((total, share) => total + share, 0));
      t.ok(
        largestDifference(
          sums,
          sums.map(() => 1),
        ) < 1e-9,
      );
      t.ok(shares.flat().every((share) => share >= 0 && share <= 1));
      const likeliest = shares.map((row) => row.indexOf(Math.max(...row)));
      t.same(likeliest, index, 'the likeliest class is predicted');
      const { gap } = verify(classifier, x, labels);
      t.ok(gap <= options.tolerance, `certified to ${gap}`);
      const kind = classes === 2 ? ReLUNetwork : GatedReLUNetwork;
      t.ok(classifier.network instanceof kind);
    });
  }
}

t.test('number labels come back as numbers, in ascending order', async (t) => {
  const { x, index } = clusters(8, 3);
  const labels = index.map((k) => [10, -2, 9][k]!);
  const classifier = new ConvexReLUClassifier({ gates: 30 }).fitSync(x, Float32Array.from(labels));
  t.same(classifier.classes, [-2, 9, 10]);
  t.same(classifier.predict(x), labels);
  t.throws(
    () =>
      verify(
        classifier,
        x,
        labels.map(() => 7),
      ),
    { code: 'ERR_INVALID_ARGUMENT', argument: 'y' },
  );
});

t.test('one class', async (t) => {
  const { x, index } = clusters(8, 2);
  for (const loss of LOSSES) {
    const classifier = await new ConvexReLUClassifier({ loss, gates: 10 }).fit(
      x,
      index.map(() => 'only'),
    );
    t.same(classifier.classes, ['only']);
    t.same(
      new Set(
        classifier.predict([
          [100, -100],
          [-50, 3],
        ]),
      ),
      new Set(['only']),
    );
    t.same(toRows(classifier.predictProba([[1, 2]])), [[1]]);
  }
});

t.test('labels that cannot be used', async (t) => {
  const classifier = new ConvexReLUClassifier();
  const x = [[1], [2], [3]];
  const bad: unknown[] = [
    [1, 'a', 2],
    [1, Number.NaN, 2],
    [1, null, 2],
    'abc',
    [true, false, true],
  ];
  for (const labels of bad) {
    await t.rejects(classifier.fit(x, labels as number[]), {
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'y',
    });
  }
  await t.rejects(classifier.fit(x, [1, 2]), { code: 'ERR_DIMENSION_MISMATCH', argument: 'y' });
});

t.test('the regressor answers in the units of its target', async (t) => {
  const { x, y } = regressionData();
  // Refinement descends on a nonconvex objective: it would make rounding of the units visible.
  const options = {
    precision: 'float64',
    gates: 60,
    refine: false,
    beta: 0.01,
    tolerance: 1e-2,
  } as const;
  const regressor = await new ConvexReLURegressor(options).fit(x, y);
  t.ok(regressor.score(x, y) > 0.95, `R² ${regressor.score(x, y)}`);
  t.ok(largestDifference(await regressor.predictAsync(x), regressor.predict(x)) === 0);

  const scaled = y.map((value) => 1000 * value - 500);
  const other = new ConvexReLURegressor(options).fitSync(x, scaled);
  const expected = regressor.predict(x).map((value) => 1000 * value - 500);
  t.ok(largestDifference(other.predict(x), expected) < 1e-3, 'whatever they are');
  t.ok(Math.abs(other.score(x, scaled) - regressor.score(x, y)) < 1e-6);

  const { gap, objective } = verify(other, x, scaled);
  t.equal(other.report!.status, 'converged');
  t.ok(gap <= 1e-2, 'certified in the units of training');
  t.ok(Math.abs(objective - other.report!.objective) <= 1e-6 * objective);

  const { hidden, output, outputBias } = other.network as ReLUNetwork;
  t.equal(hidden.rows, output.cols);
  t.ok(Math.abs(outputBias[0]! - scaled.reduce((a, b) => a + b, 0) / scaled.length) < 1e-6);
});

t.test('without standardising, and with a constant target', async (t) => {
  const { x, y } = regressionData();
  const plain = await new ConvexReLURegressor({ standardizeTarget: false, gates: 20 }).fit(x, y);
  t.equal((plain.network as ReLUNetwork).outputBias[0], 0);
  const constant = await new ConvexReLURegressor({ gates: 20 }).fit(x, y.fill(7));
  t.ok(largestDifference(constant.predict(x), y) < 1e-6);
  t.equal(constant.score(x, constant.predict(x)), 1);
});

t.test('an aborted fit keeps the earlier one and gives the partial one', async (t) => {
  const { x, y } = regressionData();
  const regressor = await new ConvexReLURegressor({ gates: 20, maxIterations: 10 }).fit(x, y);
  const before = regressor.predict(x);
  const controller = new AbortController();
  const slow = new ConvexReLURegressor({ gates: 60, tolerance: 1e-15, maxIterations: 1e8 });
  const run = { signal: controller.signal, onProgress: () => controller.abort() };
  const error = await slow.fit(x, y, run).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AbortError)) throw error;
  const partial = error.partial as ConvexReLURegressor;
  t.equal(partial.report?.status, 'aborted');
  t.equal(partial.predict(x).length, x.rows);
  t.throws(() => slow.predict(x), { code: 'ERR_NOT_FITTED' });
  t.same(regressor.predict(x), before);
});
