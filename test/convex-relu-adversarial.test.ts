// Adversarial training and attacks through the public functions.

import {
  AbortError,
  type AdversarialOptions,
  attack,
  attackSync,
  ConvexReLUClassifier,
  type ConvexReLUOptions,
  ConvexReLURegressor,
  estimateMemory,
  GatedReLUNetwork,
  type Matrix,
  ReLUNetwork,
  robustness,
  robustnessSync,
  trainConvexReLU,
  trainConvexReLUSync,
  verify,
} from 'secondorder';
import t from 'tap';
import { clusters, regressionData } from './convex-relu-data';

const { x, index } = clusters(30, 2);
const y = Float64Array.from(index, (k) => 2 * k - 1);
const options = {
  loss: 'hinge',
  gates: 12,
  beta: 0.05,
  precision: 'float64',
  adversarial: { epsilon: 0.2 },
} satisfies ConvexReLUOptions;

/** The largest |moved − x| of each column, over its radius. */
function reach(moved: Matrix, from: Matrix, radius: (column: number) => number): number {
  const steps = Array.from(moved.data, (value, i) => {
    return Math.abs(value - from.data[i]!) / radius(i % from.cols);
  });
  return Math.max(...steps);
}

for (const loss of ['hinge', 'logistic', 'squared'] as const) {
  t.test(`${loss}: report, certificate and network agree`, async (t) => {
    const adversarial = { epsilon: 0.2, descent: false };
    const { network, report } = await trainConvexReLU(x, y, { ...options, loss, adversarial });
    t.match(report, { status: 'converged', route: 'sylvester' });
    t.ok(report.gap <= 1e-3 && report.infeasibility <= 1e-3);
    // Within the tolerance neurons may leave their cones, and the network then be better.
    t.ok(report.dualBound <= report.objective * (1 + 1e-3));
    const again = verify(network, x, y);
    t.ok(Math.abs(again.objective - report.objective) <= 1e-9 * report.objective);
    t.ok(Math.abs(again.dualBound - report.dualBound) <= 1e-9 * report.dualBound);
    const plain = network.objective(x, y);
    t.ok(plain <= report.objective + 1e-12, 'the worst case is no better than the samples');
    // Within its cones the network is linear around each sample: PGD meets the worst case.
    const moved = await attack(network, x, y, { epsilon: 0.2 });
    const attacked = network.objective(moved, y);
    t.ok(attacked <= report.objective * (1 + 1e-9), 'no attack is worse than what is certified');
    t.ok(attacked >= report.objective * (1 - 2e-2), `${attacked} of ${report.objective}`);
    const { robust } = report;
    t.match(robust, { epsilon: 0.2, descended: false, descentIterations: 0 });
    t.ok(robust!.certifiedAccuracy! <= robust!.pgdAccuracy!);
    t.ok(robust!.pgdAccuracy! <= robust!.accuracy!);
    for (const restored of [
      ReLUNetwork.fromJSON(JSON.stringify(network)),
      ReLUNetwork.fromJSON(network.toJSON()),
    ]) {
      t.same(verify(restored, x, y), again, 'the certificate is kept in documents');
    }
  });
}

t.test('the descent is told of, and never worse under attack', async (t) => {
  const { network, report } = trainConvexReLUSync(x, y, options);
  const { robust } = report;
  t.ok(robust!.descentIterations > 0);
  t.ok(robust!.objective <= robust!.programObjective * (1 + 1e-6));
  t.equal(robust!.programObjective, report.objective);
  t.same(network.options?.adversarial, { epsilon: 0.2, descent: true });
  t.ok(verify(network, x, y).dualBound <= report.objective);
});

t.test('a stronger adversary costs more, a vanishing one nothing', async (t) => {
  let last = 0;
  for (const epsilon of [1e-9, 0.1, 0.4]) {
    const adversarial = { epsilon, descent: false };
    const settings = { ...options, gates: [[0, 0, 1]], adversarial, tolerance: 1e-5 };
    const { report } = await trainConvexReLU(x, y, settings);
    t.ok(report.objective >= last - 1e-4);
    last = report.objective;
    if (epsilon > 1e-3) continue;
    const without = { ...settings, adversarial: undefined };
    const { adversarial: _, ...plain } = without;
    const standard = await trainConvexReLU(x, y, plain);
    const difference = Math.abs(report.objective / standard.report.objective - 1);
    t.ok(difference < 1e-4, `differs by ${difference} from the program without an adversary`);
  }
});

t.test('attacks stay within their boxes, in the precision of x', async (t) => {
  const { network } = await trainConvexReLU(x, y, options);
  const { scale } = network.toJSON().tensors;
  const single = { ...x, data: Float32Array.from(x.data) };
  for (const method of ['fgsm', 'pgd'] as const) {
    for (const units of ['input', 'solver'] as const) {
      for (const inputs of [x, single]) {
        const moved = attackSync(network, inputs, y, { epsilon: 0.25, method, units });
        t.equal(moved.data.constructor, inputs.data.constructor);
        const radius = (j: number) => (units === 'input' ? 0.25 : 0.25 * scale!.data[j]!);
        const most = reach(moved, inputs, radius);
        t.ok(most <= 1 + 1e-12 && most > 0.9, `${method} by ${units}: ${most} radii`);
        t.same(await attack(network, inputs, y, { epsilon: 0.25, method, units }), moved);
      }
    }
  }
});

t.test(
  'PGD lowers accuracy at least as far as FGSM, and not below what is certified',
  async (t) => {
    const { network } = await trainConvexReLU(x, y, {
      loss: 'hinge',
      gates: 30,
      maxIterations: 300,
    });
    for (const epsilon of [0.1, 0.3, 0.6]) {
      const { accuracy, pgdAccuracy, certifiedAccuracy } = await robustness(network, x, y, {
        epsilon,
      });
      const moved = network.predict(attackSync(network, x, y, { epsilon, method: 'fgsm' }));
      const fgsm = y.filter((label, i) => label * moved.data[i]! > 0).length / y.length;
      t.ok(certifiedAccuracy! <= pgdAccuracy && pgdAccuracy <= accuracy);
      t.ok(pgdAccuracy <= fgsm, `PGD ${pgdAccuracy}, FGSM ${fgsm}`);
    }
  },
);

t.test('classifiers, regressors and gated networks can be attacked', async (t) => {
  const labels = index.map((k) => (k === 1 ? 'right' : 'left'));
  const classifier = await new ConvexReLUClassifier(options).fit(x, labels);
  const found = await robustness(classifier, x, labels, { epsilon: 0.2 });
  t.equal(found.accuracy, classifier.score(x, labels));
  t.same(robustnessSync(classifier, x, labels, { epsilon: 0.2 }), found);

  const three = clusters(20, 3);
  const gated = await new ConvexReLUClassifier({ gates: 20 }).fit(three.x, three.index);
  t.ok(gated.network instanceof GatedReLUNetwork);
  const under = await robustness(gated, three.x, three.index, { epsilon: 1 });
  t.equal(under.certifiedAccuracy, null, 'gated networks have no certified bound');
  t.ok(under.pgdAccuracy < under.accuracy);

  const data = regressionData();
  const regressor = await new ConvexReLURegressor({ gates: 20 }).fit(data.x, data.y);
  const moved = await attack(regressor, data.x, data.y, { epsilon: 0.3 });
  t.ok(regressor.score(moved, data.y) < regressor.score(data.x, data.y));
});

t.test('a regressor is trained for the worst case too', async (t) => {
  const data = regressionData();
  const adversarial: AdversarialOptions = { epsilon: 0.2 };
  const regressor = new ConvexReLURegressor({ gates: 10, adversarial, maxIterations: 2000 });
  await regressor.fit(data.x, data.y);
  const { robust } = regressor.report!;
  t.equal(robust!.pgdAccuracy, null, 'there are no classes');
  t.ok(robust!.objective <= robust!.programObjective * (1 + 1e-6));
});

t.test('what is not covered is refused, by name', async (t) => {
  const bad = (more: object, argument: string, inputs: unknown = x, targets: unknown = y) =>
    t.rejects(
      trainConvexReLU(inputs as Matrix, targets as Float64Array, { ...options, ...more } as object),
      { code: 'ERR_INVALID_ARGUMENT', argument },
    );
  await bad({ adversarial: {} }, 'options.adversarial.epsilon');
  await bad({ adversarial: { epsilon: 0 } }, 'options.adversarial.epsilon');
  await bad({ adversarial: { epsilon: 1, descent: 1 } }, 'options.adversarial.descent');
  await bad({ adversarial: { epsilom: 1 } }, 'options.adversarial.epsilom');
  await bad({ adversarial: 0.3 }, 'options.adversarial');
  await bad({ model: 'gated' }, 'options.model');
  await bad({ loss: 'softmax' }, 'options.loss');
  await bad({ components: 2 }, 'options.components');
  await bad({ gates: { from: 'data' } }, 'options.gates');
  await bad({}, 'y', x, { data: new Float64Array(2 * y.length).fill(1), rows: y.length, cols: 2 });
  const { network } = await trainConvexReLU(x, y, options);
  await bad({ warmStart: network }, 'options.warmStart');
  const wrong = (more: object, argument: string) =>
    t.rejects(attack(network, x, y, { epsilon: 1, ...more }), {
      code: 'ERR_INVALID_ARGUMENT',
      argument,
    });
  await wrong({ epsilon: -1 }, 'options.epsilon');
  await wrong({ method: 'cw' }, 'options.method');
  await wrong({ units: 'raw' }, 'options.units');
  await wrong({ steps: 0 }, 'options.steps');
  await wrong({ restarts: 1.5 }, 'options.restarts');
  await wrong({ stepSize: 0 }, 'options.stepSize');
  await wrong({ seeds: 1 }, 'options.seeds');
  await t.rejects(attack({} as never, x, y, { epsilon: 1 }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'model',
  });
  await t.rejects(attack(network, [[1, 2, 3]], [1], { epsilon: 1 }), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'x',
  });
  await t.rejects(
    robustness(
      network,
      x,
      y.fill(1).map((v) => 2 * v),
      { epsilon: 1 },
    ),
    { code: 'ERR_INVALID_ARGUMENT', argument: 'y' },
  );
});

t.test('memory is told beforehand, and an abort carries the best network so far', async (t) => {
  const { bytes, route } = estimateMemory({ rows: 500, cols: 20 }, options);
  t.equal(route, 'sylvester');
  t.ok(bytes > 500 * 24 * 8);
  const controller = new AbortController();
  const large = regressionData(800, 12, 3);
  const run = { signal: controller.signal, onProgress: () => controller.abort('enough') };
  const targets = large.y.map((value) => (value > 0.5 ? 1 : -1));
  const started = trainConvexReLU(
    large.x,
    targets,
    { ...options, gates: 64, tolerance: 1e-9 },
    run,
  );
  const error = await started.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.ok(error instanceof AbortError);
  t.match(error, { cause: 'enough', partial: { report: { status: 'aborted' } } });
});
