// Repeatability, limits, odd data, verification of saved and tampered results.

import path from 'node:path';
import {
  ConvexReLUClassifier,
  type ConvexReLUOptions,
  GatedReLUNetwork,
  type Matrix,
  ReLUNetwork,
  trainConvexReLU,
  trainConvexReLUSync,
  verify,
} from 'secondorder';
import t from 'tap';
import { largestDifference, regressionData, toRows, uniform } from './convex-relu-data';

const { x, y } = regressionData(50, 4, 21);
const exact = {
  precision: 'float64',
  gates: 24,
  beta: 0.01,
  maxIterations: 20_000,
} satisfies ConvexReLUOptions;
const models = ['relu', 'gated'] as const;

function random(rows: number, cols: number, seed = 1): Matrix {
  const next = uniform(seed);
  return { data: Float64Array.from({ length: rows * cols }, () => next() - 0.5), rows, cols };
}

/** Trains, and checks what must hold however odd the data: finite figures that verify, in order. */
function sound(
  name: string,
  inputs: Matrix,
  values: ArrayLike<number>,
  more: ConvexReLUOptions = {},
) {
  return t.test(name, (t) => {
    for (const model of models) {
      for (const precision of ['float32', 'float64'] as const) {
        const options = { ...exact, model, precision, ...more };
        const { network, report } = trainConvexReLUSync(inputs, values, options);
        const label = `${model}, ${precision}`;
        t.equal(report.status, 'converged', label);
        const { objective, dualBound, gap } = verify(network, inputs, values);
        t.ok([objective, dualBound, gap].every(Number.isFinite), `${label}: finite`);
        t.ok(dualBound <= objective * (1 + 1e-9) + 1e-300, `${label}: ${dualBound} ≤ ${objective}`);
        t.equal(gap, report.gap, `${label}: the gap verifies`);
        // The network of no neurons is always there.
        const empty = Array.from(values, (v) => (v * v) / 2).reduce((a, b) => a + b, 0);
        t.ok(objective <= (empty / values.length) * (1 + 1e-9), `${label}: better than none`);
        t.ok(network.predict(inputs).data.every(Number.isFinite), `${label}: predicts`);
      }
    }
    t.end();
  });
}

const doubled = toRows(x)
  .flatMap((row) => [row, row])
  .flat();
const withConstants = toRows(x).flatMap((row) => [7, ...row, 0]);
sound('constant columns', { data: Float64Array.from(withConstants), rows: 50, cols: 6 }, y);
sound(
  'only constant columns',
  { data: new Float64Array(40).fill(3), rows: 20, cols: 2 },
  y.subarray(0, 20),
);
sound(
  'rows that occur twice',
  { data: Float64Array.from(doubled), rows: 100, cols: 4 },
  [...y].flatMap((v) => [v, v]),
);
sound(
  'contradictory rows',
  { data: Float64Array.from(doubled), rows: 100, cols: 4 },
  [...y].flatMap((v) => [v, -v]),
);
sound('more features than samples', random(12, 60), y.subarray(0, 12));
sound('one sample', { data: Float64Array.of(1, 2, 3), rows: 1, cols: 3 }, [2]);
sound('one sample, as it is', { data: Float64Array.of(1, 2, 3), rows: 1, cols: 3 }, [2], {
  preprocess: 'none',
});
sound('one feature', random(30, 1), y.subarray(0, 30), { tolerance: 1e-2 });
sound('one sample of one feature', { data: Float64Array.of(4), rows: 1, cols: 1 }, [-3]);
sound('targets of 0', x, new Float64Array(50));
sound('one target value', x, new Float64Array(50).fill(2));
sound(
  'tiny targets',
  x,
  y.map((value) => value * 1e-12),
  { beta: 1e-14 },
);
sound('huge features', { ...x, data: x.data.map((value) => value * 1e8) }, y);
sound('tiny features', { ...x, data: x.data.map((value) => value * 1e-8) }, y);
sound('huge features, unit columns', { ...x, data: x.data.map((value) => value * 1e8) }, y, {
  preprocess: 'unit-columns',
  beta: 1e-4,
});
sound('a penalty that allows no neuron', x, y, { beta: 1e4 });

t.test('a scale of the features does not matter after standardising', (t) => {
  const large = { ...x, data: x.data.map((value) => value * 2 ** 27) };
  const [first, second] = [x, large].map((inputs) => trainConvexReLUSync(inputs, y, exact));
  t.equal(first!.report.iterations, second!.report.iterations);
  t.ok(Math.abs(first!.report.objective - second!.report.objective) < 1e-9);
  t.end();
});

t.test('one class', (t) => {
  for (const loss of ['squared', 'logistic', 'hinge', 'softmax'] as const) {
    const model = new ConvexReLUClassifier({ ...exact, loss }).fitSync(x, Array(50).fill('only'));
    t.same(model.classes, ['only']);
    t.ok(
      model.predict(x).every((label) => label === 'only'),
      loss,
    );
  }
  t.end();
});

t.test('bit for bit the same, with one thread and with two', async (t) => {
  const { x, y } = regressionData(400, 6, 4);
  for (const model of models) {
    for (const precision of ['float32', 'float64'] as const) {
      const options = { ...exact, model, precision, maxIterations: 60 };
      const outputs: ArrayLike<number>[] = [];
      for (const threads of [1, 2]) {
        const [first, second] = [
          await trainConvexReLU(x, y, options, { threads }),
          await trainConvexReLU(x, y, options, { threads }),
        ];
        const label = `${model}, ${precision}, ${threads} threads`;
        t.same(first!.network.toJSON(), second!.network.toJSON(), label);
        t.equal(first!.report.objective, second!.report.objective, label);
        outputs.push(first!.network.predict(x).data);
      }
      const off = largestDifference(outputs[0]!, outputs[1]!);
      t.ok(off < (precision === 'float64' ? 1e-8 : 1e-2), `thread counts differ by ${off}`);
      const other = await trainConvexReLU(x, y, { ...options, seed: 1 });
      t.not(largestDifference(other.network.predict(x).data, outputs[0]!), 0, 'another seed');
    }
  }
});

t.test('limits', async (t) => {
  // In float64 the gap of a gated model may come to be exactly 0.
  const hard = { ...exact, precision: 'float32', gates: 60 } as const;
  const endless = { ...hard, tolerance: 1e-300, maxIterations: 2 ** 31 - 1 };
  for (const model of models) {
    const limited = await trainConvexReLU(x, y, { ...endless, model }, { timeLimit: 0.2 });
    t.equal(limited.report.status, 'time_limit', model);
    t.ok(limited.report.seconds < 5, `${limited.report.seconds} s`);
    t.match(verify(limited.network, x, y), {
      objective: limited.report.objective,
      dualBound: limited.report.dualBound,
      gap: limited.report.gap,
      infeasibility: limited.report.infeasibility,
    });
    for (const maxIterations of [1, 2, 11]) {
      const { network, report } = await trainConvexReLU(x, y, { ...endless, model, maxIterations });
      t.equal(report.status, 'iteration_limit');
      t.equal(report.iterations, maxIterations);
      t.equal(report.history.at(-1)?.iteration, maxIterations);
      t.ok(report.dualBound <= report.objective);
      t.equal(verify(network, x, y).gap, report.gap);
    }
  }
});

t.test('a saved network verifies to the same figures; tampered data do not', async (t) => {
  const folder = t.testdir();
  for (const model of models) {
    for (const precision of ['float32', 'float64'] as const) {
      const options = { ...exact, model, precision };
      const { network, report } = await trainConvexReLU(x, y, options);
      const { objective, dualBound, gap, infeasibility } = report;
      const figures = { objective, dualBound, gap, infeasibility };
      const Network = model === 'relu' ? ReLUNetwork : GatedReLUNetwork;
      for (const name of ['network.safetensors', 'network.json']) {
        const file = path.join(folder, name);
        await network.save(file);
        const again = verify(await Network.load(file), x, y);
        for (const [key, value] of Object.entries(figures)) {
          const off = Math.abs(again[key as keyof typeof figures] - value);
          t.ok(off <= 1e-12 * Math.max(1, value), `${model}, ${name}: ${key} off by ${off}`);
        }
      }
      const target = Float64Array.from(y);
      target[7] = target[7]! + 0.5;
      const input = Float64Array.from(x.data);
      input[9] = input[9]! + 0.5;
      for (const found of [verify(network, x, target), verify(network, { ...x, data: input }, y)]) {
        t.ok(Math.abs(found.objective - objective) > 1e-4 * objective, `${found.objective}`);
      }
      const certificate = network.certificate!;
      const spoiled = { ...certificate, nu: certificate.nu.map((v, i) => (i % 2 ? v : -v)) };
      const worse = verify(network, x, y, spoiled);
      t.equal(worse.objective, objective);
      t.ok(worse.dualBound < dualBound, 'a spoiled certificate proves less');
    }
  }
});
