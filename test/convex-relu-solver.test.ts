// The solver against its definition: objectives, bounds and optima computed in plain JavaScript.

import {
  type ConvexReLUOptions,
  type Loss,
  type Matrix,
  type Penalty,
  trainConvexReLUSync,
  verify,
} from 'secondorder';
import t from 'tap';
import { largestDifference, toRows, toSparse, uniform } from './convex-relu-data';
import {
  adjoint,
  dualBound,
  gatedObjective,
  gatedOptimum,
  gatedOutputs,
  gatedRows,
  makeProgram,
  norm,
  reluObjective,
  reshape,
} from './convex-relu-reference';

/** Inputs in [-1, 1). */
function inputs(rows: number, cols: number, seed: number): Matrix {
  const next = uniform(seed);
  return { data: Float64Array.from({ length: rows * cols }, () => 2 * next() - 1), rows, cols };
}

/** Targets that fit the loss, n × outputs. */
function targets(x: Matrix, outputs: number, loss: Loss = 'squared'): number[][] {
  return toRows(x).map((row) => {
    const first = Math.abs(row[0]!) - 0.4;
    const values = Array.from(
      { length: outputs },
      (_, k) => first * (k + 1) - row[k % x.cols]! / 2,
    );
    if (loss === 'squared') return values;
    if (loss !== 'softmax') return values.map((value) => (value >= 0 ? 1 : -1));
    const largest = values.indexOf(Math.max(...values));
    return values.map((_, k) => (k === largest ? 1 : 0));
  });
}

/** Rows of d + 1, so that tests decide the gates rather than the data. */
const gatesFor = (x: Matrix, count: number) => inputs(count, x.cols + 1, 77);
const precise = {
  precision: 'float64',
  preprocess: 'none',
  beta: 0.01,
  tolerance: 1e-6,
  maxIterations: 50_000,
} satisfies ConvexReLUOptions;
const relative = (a: number, b: number) => Math.abs(a - b) / Math.max(Math.abs(b), 1e-300);
const cases: [Loss, number, Penalty][] = [
  ['squared', 1, 'gate'],
  ['squared', 3, 'gate'],
  ['squared', 3, 'neuron'],
  ['logistic', 1, 'gate'],
  ['logistic', 2, 'neuron'],
  ['softmax', 3, 'gate'],
];

for (const [loss, outputs, penalty] of cases) {
  t.test(`gated optimum: ${loss}, ${outputs} outputs, one norm per ${penalty}`, (t) => {
    const x = inputs(36, 4, 3);
    const y = targets(x, outputs, loss);
    const options = { ...precise, loss, penalty, model: 'gated', gates: gatesFor(x, 10) } as const;
    const { network, report } = trainConvexReLUSync(x, y, options);
    t.equal(report.status, 'converged');
    const { gates } = network.certificate!;
    const settings = { loss, penalty, beta: options.beta };
    const optimum = gatedOptimum(makeProgram(x, y, gates, settings));
    t.ok(relative(report.objective, optimum) <= 1e-6, `${report.objective} for ${optimum}`);
    t.ok(report.dualBound <= optimum * (1 + 1e-9), `${report.dualBound} is a bound`);
    const used = makeProgram(x, y, network.stored.model.gates!, settings);
    const byHand = gatedObjective(used, gatedRows(network));
    t.ok(relative(network.objective(x, y), byHand) < 1e-10, 'objective of the weights');
    t.end();
  });
}

t.test('the weights of a gated network satisfy the optimality conditions', (t) => {
  const x = inputs(40, 4, 5);
  const y = targets(x, 2);
  const options = { ...precise, tolerance: 1e-10, model: 'gated', gates: gatesFor(x, 12) } as const;
  const { network, report } = trainConvexReLUSync(x, y, options);
  t.equal(report.status, 'converged');
  const nu = reshape(network.certificate!.nu, 2);
  const bound = x.rows * options.beta;

  const all = adjoint(makeProgram(x, y, network.certificate!.gates), nu);
  for (let i = 0; i < all.length; i += 2) {
    const size = norm([norm(all[i]!), norm(all[i + 1]!)]);
    t.ok(size <= bound * (1 + 1e-4), `gate ${i / 2}: dual norm ${size / bound}`);
  }
  const used = makeProgram(x, y, network.stored.model.gates!);
  const u = gatedRows(network);
  const residual = gatedOutputs(used, u).map((out, i) => out.map((v, k) => v - y[i]![k]!));
  t.ok(largestDifference(residual.flat(), nu.flat()) < 1e-4, 'ν is the residual');
  const gradient = adjoint(used, residual);
  t.ok(u.length > 2, 'gates are in use');
  for (let i = 0; i < u.length; i += 2) {
    const size = norm([norm(u[i]!), norm(u[i + 1]!)]);
    const [weights, slopes] = [u, gradient].map((rows) => [...rows[i]!, ...rows[i + 1]!]);
    const wanted = weights!.map((v) => (-bound * v) / size);
    const off = largestDifference(slopes!, wanted) / bound;
    t.ok(off < 1e-3, `gate ${i / 2}: gradient off by ${off}`);
  }
  t.end();
});

for (const [loss, outputs, penalty] of [...cases, ['hinge', 1, 'gate'] as const]) {
  t.test(`ReLU optimum: ${loss}, ${outputs} outputs, one norm per ${penalty}`, (t) => {
    const x = inputs(30, 6, 8);
    const y = targets(x, outputs, loss);
    const tolerance = loss === 'hinge' || loss === 'softmax' ? 1e-4 : 1e-6;
    const options = { ...precise, loss, penalty, tolerance, gates: gatesFor(x, 12) } as const;
    const { network, report } = trainConvexReLUSync(x, y, options);
    t.equal(report.status, 'converged');
    const certificate = network.certificate!;
    const settings = { loss, penalty, beta: options.beta };
    const program = makeProgram(x, y, certificate.gates, settings);
    const bound = dualBound(program, reshape(certificate.nu, outputs), certificate);
    const objective = reluObjective(network, x, program);
    t.ok(relative(report.objective, objective) < 1e-10, 'objective of the arrays');
    t.ok(relative(report.dualBound, bound) < 1e-6, `bound ${report.dualBound} for ${bound}`);
    t.ok((objective - bound) / objective <= 1.01 * tolerance, 'proved in JavaScript too');
    t.ok(report.infeasibility <= tolerance);
    t.ok(network.neurons > 1, `${network.neurons} neurons`);
    t.end();
  });
}

t.test('objective with standardised inputs', (t) => {
  const raw = inputs(40, 3, 9);
  const data = raw.data.map((value, i) => value * 10 ** ((i % 3) - 1) + (i % 3));
  const x = { ...raw, data };
  const y = targets(raw, 2);
  const rows = toRows(x);
  const mean = [0, 1, 2].map((j) => rows.reduce((sum, row) => sum + row[j]!, 0) / x.rows);
  const deviation = mean.map((m, j) =>
    Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - m) ** 2, 0) / x.rows),
  );
  for (const penalty of ['gate', 'neuron'] as const) {
    const options = { ...precise, preprocess: 'standardize', penalty, maxIterations: 60 } as const;
    const { network, report } = trainConvexReLUSync(x, y, options);
    t.ok(network.neurons > 0);
    const settings = { y, weights: y.map(() => 1), loss: 'squared', beta: 0.01, penalty } as const;
    const byHand = reluObjective(network, x, settings, { mean, deviation });
    t.ok(relative(report.objective, byHand) < 1e-10, `${report.objective} for ${byHand}`);
  }
  t.end();
});

t.test('weights, copies, absent rows, order and storage do not change the optimum', (t) => {
  const x = inputs(32, 5, 11);
  const y = targets(x, 1).map(([value]) => value!);
  const gates = gatesFor(x, 12);
  const pick = (rows: number[]) => ({
    x: rows.map((i) => toRows(x)[i]!),
    y: rows.map((i) => y[i]!),
  });
  const weights = y.map((_, i) => [1, 3, 0, 2][i % 4]!);
  const rows = [...y.keys()];
  const copies = pick(rows.flatMap((i) => Array<number>(weights[i]!).fill(i)));
  const kept = pick(rows.filter((i) => weights[i]! > 0));
  const shuffled = pick(rows.map((i) => (i * 13) % y.length));
  for (const model of ['relu', 'gated'] as const) {
    const options = { ...precise, model, gates };
    const solve = (data: typeof copies | { x: unknown; y: number[] }, sampleWeights?: number[]) => {
      const more = sampleWeights ? { sampleWeights } : {};
      const result = trainConvexReLUSync(data.x as Matrix, data.y, { ...options, ...more });
      t.equal(result.report.status, 'converged', model);
      return result.report;
    };
    const close = (a: number, b: number, what: string) =>
      t.ok(relative(a, b) <= 3e-6, `${model}, ${what}: ${a} and ${b}`);
    const weighted = solve({ x, y }, weights);
    close(weighted.objective, solve(copies).objective, 'copies');
    const ofKept = weights.filter((weight) => weight > 0);
    close(weighted.objective, solve(kept, ofKept).objective, 'absent rows');
    const plain = solve({ x, y });
    close(plain.objective, solve(shuffled).objective, 'order');
    close(plain.objective, solve({ x: toSparse(x), y }).objective, 'CSR');
    t.ok(relative(weighted.objective, plain.objective) > 1e-3, 'weights matter');
  }
  t.end();
});

t.test('warm starts save iterations', (t) => {
  const x = inputs(60, 6, 13);
  const y = targets(x, 1);
  for (const model of ['relu', 'gated'] as const) {
    const options = {
      ...precise,
      tolerance: 1e-5,
      checkEvery: 1,
      model,
      gates: 20,
      refine: false,
    } as const;
    const cold = trainConvexReLUSync(x, y, options);
    const warm = trainConvexReLUSync(x, y, { ...options, warmStart: cold.solution });
    t.equal(warm.report.status, 'converged');
    const [before, after] = [cold.report.iterations, warm.report.iterations];
    t.ok(after <= Math.max(3, 0.2 * before), `${model}: ${after} after ${before}`);
    const changed = { ...options, beta: options.beta * 1.2 };
    const coldChanged = trainConvexReLUSync(x, y, changed).report;
    const moved = trainConvexReLUSync(x, y, { ...changed, warmStart: cold.solution }).report;
    t.equal(moved.status, 'converged');
    const counts = `${moved.iterations}, cold ${coldChanged.iterations}`;
    t.ok(moved.iterations < coldChanged.iterations, `${model}, other beta: ${counts}`);
    t.ok(relative(moved.objective, coldChanged.objective) <= 2e-5, 'to the same optimum');
  }
  const options = { ...precise, tolerance: 1e-4, gates: 20 } as const;
  const { network, report } = trainConvexReLUSync(x, y, options);
  const again = trainConvexReLUSync(x, y, { ...options, warmStart: network });
  t.equal(again.report.status, 'converged', 'from a network');
  t.ok(again.report.objective <= report.objective * (1 + 1e-4), 'its gates are there too');
  t.ok(verify(again.network, x, y).gap <= 1e-4);
  t.end();
});
