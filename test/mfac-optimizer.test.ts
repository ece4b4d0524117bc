// MFacOptimizer: its step against the equations on dense matrices, and what it does on problems.

import { MFacOptimizer, type MFacOptimizerOptions, prune } from 'secondorder';
import t from 'tap';
import { fisher, norm, normals, randomRows, relativeError, single, solve } from './fixtures/dense';
import { join, Network, spiral } from './fixtures/network';

const d = 12;
const split = (row: ArrayLike<number>) => [
  single(Array.from(row).slice(0, 5)),
  single(Array.from(row).slice(5)),
];

t.test('a step is what the equations say', async (t) => {
  const rows = randomRows(25, d, 1);
  const start = randomRows(1, d, 2)[0]!;
  for (const damping of [0.05, { relative: 0.3 }, (step: number) => 0.1 / (1 + step)]) {
    const [parameters, twins] = [split(start), split(start)];
    const options = {
      learningRate: (step: number) => 0.2 / (1 + 0.1 * step),
      momentum: 0.8,
      weightDecay: 0.01,
      damping,
      capacity: 6,
      clip: 0.25,
    };
    const optimizer = new MFacOptimizer({ parameters, ...options });
    const twin = new MFacOptimizer({ parameters: twins, ...options });
    let w = [...start];
    let v = new Array<number>(d).fill(0);
    let n = new Array<number>(d).fill(0);
    let reference = 0;
    for (const [step, g] of rows.entries()) {
      const info = await optimizer.step(split(g));
      t.same(twin.stepSync(split(g)), info);
      const kept = rows.slice(Math.max(0, step - 5), step + 1);
      const mean = kept.reduce((sum, row) => sum + norm(row) ** 2, 0) / kept.length ** 2;
      if (mean > 2 * reference || mean < reference / 2) reference = mean;
      const lambda =
        typeof damping === 'number'
          ? damping
          : typeof damping === 'function'
            ? damping(step)
            : 0.3 * reference;
      const u = solve(fisher(kept, lambda), g);
      v = v.map((value, i) => 0.8 * value + u[i]! / norm(u));
      n = n.map((value, i) => 0.8 * value + g[i]!);
      const rate = 0.2 / (1 + 0.1 * step);
      const wanted = rate * norm(n);
      const length = Math.min(wanted, 0.25 * Math.sqrt(d));
      w = w.map((value, i) => value - rate * 0.01 * value - (length * v[i]!) / norm(v));
      const error = relativeError(join(parameters), w);
      t.ok(error < 1e-4, `${damping}, step ${step + 1}: ${error}`);
      t.equal(info.step, step + 1);
      t.equal(info.size, kept.length);
      t.ok(Math.abs(info.damping / lambda - 1) < 1e-6, `λ ${info.damping}`);
      t.ok(Math.abs(info.gradientNorm / norm(g) - 1) < 1e-6);
      t.ok(Math.abs(info.updateNorm / length - 1) < 1e-4);
      t.equal(info.clipped, wanted > length);
      t.equal(info.learningRate, rate);
      t.ok(Math.abs(info.cosine) <= 1);
    }
    t.same(join(twins), join(parameters), 'the synchronous form does the same');
    t.equal(optimizer.steps, 25);
  }
});

t.test('the first step is that of plain descent', async (t) => {
  const g = randomRows(1, d, 1)[0]!;
  const parameters = split(new Array(d).fill(0));
  const info = await new MFacOptimizer({ parameters, learningRate: 0.05 }).step(split(g));
  t.ok(
    relativeError(
      join(parameters),
      g.map((value) => -0.05 * value),
    ) < 1e-6,
  );
  t.ok(Math.abs(info.cosine - 1) < 1e-6);
});

t.test('the scale of the loss only scales the step', async (t) => {
  const rows = randomRows(20, d, 3);
  const run = async (scale: number) => {
    const parameters = split(new Array(d).fill(0));
    const optimizer = new MFacOptimizer({ parameters, learningRate: 0.01 / scale, capacity: 8 });
    for (const row of rows) await optimizer.step(split(row.map((value) => scale * value)));
    return join(parameters);
  };
  const expected = await run(1);
  for (const scale of [2 ** -20, 2 ** 14]) {
    t.ok(relativeError(await run(scale), expected) < 1e-5, `${scale}`);
  }
});

t.test('groups have rates of their own', async (t) => {
  const g = split(randomRows(1, d, 1)[0]!);
  const [first, second] = split(new Array(d).fill(1)) as [Float32Array, Float32Array];
  const optimizer = new MFacOptimizer({
    parameters: [
      { parameters: [first], learningRate: () => 0, weightDecay: 7 },
      { parameters: [second], weightDecay: 0.5 },
    ],
    learningRate: 0.1,
    clip: Number.POSITIVE_INFINITY,
  });
  await optimizer.step(g);
  t.same(first, new Float32Array(5).fill(1), 'a rate of 0 changes nothing');
  const expected = Array.from(g[1]!, (value) => 1 - 0.1 * 0.5 - 0.1 * value);
  t.ok(relativeError(second, expected) < 1e-6);
  optimizer.learningRate = 0;
  const before = second.slice();
  await optimizer.step(g);
  t.same(second, before);
});

t.test('zero gradients and empty arrays', async (t) => {
  const parameters = [new Float32Array(0), ...split(new Array(d).fill(1))];
  const optimizer = new MFacOptimizer({ parameters });
  for (let i = 0; i < 3; i++) {
    const info = await optimizer.step(parameters.map(({ length }) => new Float32Array(length)));
    t.equal(info.updateNorm, 0);
    t.same(join(parameters), new Float32Array(d).fill(1));
  }
  await optimizer.step([new Float32Array(0), ...split(randomRows(1, d, 1)[0]!)]);
  t.ok(join(parameters).every(Number.isFinite), 'and goes on');
});

t.test('frozen weights are never touched', async (t) => {
  const network = new Network(4, 20, 3);
  const samples = spiral(120, 3, 2);
  const weights = join(network.start(1));
  async function* gradients(w: Float32Array) {
    for (const sample of samples) yield network.gradientOf(w, [sample]);
  }
  const pruned = await prune(weights, { gradients, damping: 1e-4 }, { sparsity: 0.6 });
  const trained = pruned.weights.slice();
  const optimizer = new MFacOptimizer({
    parameters: [trained],
    mask: pruned.mask,
    weightDecay: 0.1,
    capacity: 16,
  });
  const before = network.evaluate(network.split(trained), samples).loss;
  for (let i = 0; i < 60; i++) await optimizer.step([network.gradientOf(trained, samples)]);
  t.ok(network.evaluate(network.split(trained), samples).loss < 0.7 * before, 'it learns');
  t.ok(
    trained.every((w, i) => pruned.mask[i] === 1 || Object.is(w, 0)),
    'zeros stay zeros, exactly',
  );
  const odd = new Float32Array(d).fill(3);
  const parts = [odd.subarray(0, 5), odd.subarray(5)];
  const mask = [Uint8Array.of(0, 1, 1, 1, 1), new Uint8Array(7).fill(1)];
  const some = new MFacOptimizer({ parameters: parts, mask, weightDecay: 1 });
  await some.step(split(randomRows(1, d, 4)[0]!));
  t.equal(odd[0], 3);
  t.ok(odd.slice(1).every((w) => w !== 3));
});

/** ½ Σ eᵢ (Qw)ᵢ² with gradients that are noisy in proportion. */
function quadratic(size: number, condition: number) {
  const values = Array.from({ length: size }, (_, i) => condition ** (-i / (size - 1)));
  const basis = randomRows(size, size, 8);
  for (const [i, row] of basis.entries()) {
    for (const other of basis.slice(0, i)) {
      const dot = row.reduce((sum, x, j) => sum + x * other[j]!, 0);
      for (const [j, x] of other.entries()) row[j]! -= dot * x;
    }
    const length = norm(row);
    for (const j of row.keys()) row[j]! /= length;
  }
  const next = normals(4);
  const along = (w: Float32Array) =>
    basis.map((row) => row.reduce((sum, x, j) => sum + x * w[j]!, 0));
  return {
    start: Float32Array.from({ length: size }, (_, j) =>
      basis.reduce((sum, row) => sum + row[j]!, 0),
    ),
    loss: (w: Float32Array) => along(w).reduce((sum, c, i) => sum + 0.5 * values[i]! * c * c, 0),
    gradient(w: Float32Array, noise: number) {
      const slopes = along(w).map(
        (c, i) => values[i]! * c + noise * Math.sqrt(values[i]! / size) * next(),
      );
      return single(
        basis[0]!.map((_, j) => slopes.reduce((sum, s, i) => sum + s * basis[i]![j]!, 0)),
      );
    },
  };
}

t.test('an ill-conditioned quadratic: better than SGD with momentum', async (t) => {
  const size = 60;
  for (const noise of [0, 0.1]) {
    const problem = quadratic(size, 1e4);
    const w = problem.start.slice();
    const optimizer = new MFacOptimizer({ parameters: [w], capacity: 32, damping: 1e-3 });
    const plain = problem.start.slice();
    const velocity = new Float32Array(size);
    for (let i = 0; i < 400; i++) {
      await optimizer.step([problem.gradient(w, noise)]);
      const g = problem.gradient(plain, noise);
      for (let j = 0; j < size; j++) {
        velocity[j] = 0.9 * velocity[j]! + g[j]!;
        plain[j]! -= 0.1 * velocity[j]!;
      }
    }
    const [ours, theirs] = [problem.loss(w), problem.loss(plain)];
    t.ok(ours < 0.5 * theirs, `noise ${noise}: ${ours}, SGD ${theirs}`);
  }
});

t.test('the defaults do not blow up', async (t) => {
  const network = new Network(4, 24, 3);
  const samples = spiral(300, 3, 1);
  const next = normals(6);
  const batch = () =>
    Array.from({ length: 32 }, () => samples[Math.floor(Math.abs(next()) * 1e6) % 300]!);
  const variants: Omit<MFacOptimizerOptions, 'parameters'>[] = [
    {},
    { learningRate: 1 },
    { learningRate: 0.01 },
    { capacity: 8 },
    { damping: 1e-8 },
    { damping: 1 },
    { momentum: 0 },
    { storage: 'bfloat16' },
    { storage: 'int8' },
  ];
  for (const options of variants) {
    const parameters = network.start(3);
    const optimizer = new MFacOptimizer({ parameters, ...options });
    const first = network.evaluate(parameters, samples).loss;
    let worst = 0;
    for (let i = 0; i < 200; i++) {
      const { loss, gradients } = network.evaluate(parameters, batch());
      worst = Math.max(worst, loss);
      await optimizer.step(gradients);
    }
    const { loss, accuracy } = network.evaluate(parameters, samples);
    const name = JSON.stringify(options);
    t.ok(worst < 3 * first, `${name}: at most ${worst}, ${first} at first`);
    t.ok(loss < 0.75 * first, `${name}: ${loss}, accuracy ${accuracy}`);
  }
  // Logistic regression from zero, on inputs that are not scaled.
  const points = spiral(200, 2, 5).map(({ x, label }) => ({
    x: x.map((v, i) => v * 10 ** i),
    label,
  }));
  const w = new Float32Array(4);
  const optimizer = new MFacOptimizer({ parameters: [w] });
  const losses: number[] = [];
  for (let i = 0; i < 300; i++) {
    const gradient = new Float32Array(4);
    let loss = 0;
    for (const { x, label } of points) {
      const score = x.reduce((sum, v, j) => sum + v * w[j]!, 0);
      const p = 1 / (1 + Math.exp(-score));
      loss += Math.log1p(Math.exp(label === 1 ? -score : score));
      for (const [j, v] of x.entries()) gradient[j]! += (v * (p - label)) / points.length;
    }
    losses.push(loss / points.length);
    await optimizer.step([gradient]);
  }
  t.ok(Math.max(...losses) < 50, `at most ${Math.max(...losses)}`);
  t.ok(w.every(Number.isFinite));
});

t.test('steps take turns; a step that fails changes nothing', async (t) => {
  const rows = randomRows(8, d, 1);
  const [parameters, twins] = [split(rows[0]!), split(rows[0]!)];
  const optimizer = new MFacOptimizer({ parameters, capacity: 4 });
  const twin = new MFacOptimizer({ parameters: twins, capacity: 4 });
  const pending = rows.map((row) => {
    const gradients = split(row);
    const step = optimizer.step(gradients);
    for (const gradient of gradients) gradient.fill(Number.NaN); // they were copied
    return step;
  });
  t.throws(() => optimizer.stepSync(split(rows[0]!)), { code: 'ERR_BUSY' });
  for (const [i, step] of pending.entries()) t.same(await step, twin.stepSync(split(rows[i]!)));
  const before = join(parameters);
  const good = split(rows[0]!) as [Float32Array, Float32Array];
  const cases: [unknown, RegExp][] = [
    [[good[0]], /ERR_DIMENSION/],
    [[good[0], good[1].subarray(1)], /ERR_DIMENSION/],
    [[good[0], good[1].map((v, i) => (i === 2 ? Number.POSITIVE_INFINITY : v))], /ERR_INVALID/],
    [[good[0], [1, 2]], /ERR_INVALID/],
    [good[0], /ERR_INVALID/],
  ];
  for (const [gradients, code] of cases) {
    await t.rejects(optimizer.step(gradients as Float32Array[]), { code, argument: 'gradients' });
    t.throws(() => optimizer.stepSync(gradients as Float32Array[]), {
      code,
      argument: 'gradients',
    });
  }
  const aborted = optimizer.step(good, { signal: AbortSignal.abort() });
  await t.rejects(aborted, { code: 'ERR_ABORTED' });
  t.same(join(parameters), before);
  t.same(
    await optimizer.step(good),
    twin.stepSync(good),
    'and the next one is as it would have been',
  );
  t.ok(optimizer.bytes > 4 * 4 * d);
  optimizer.dispose();
  await t.rejects(optimizer.step(good), { code: 'ERR_DISPOSED' });
  t.throws(() => optimizer.stepSync(good), { code: 'ERR_DISPOSED' });
});

t.test('schedules that fail', async (t) => {
  const [parameters, gradients] = [split(new Array(d).fill(1)), split(new Array(d).fill(1))];
  const fail = () => {
    throw new RangeError('none');
  };
  for (const key of ['learningRate', 'damping'] as const) {
    const optimizer = new MFacOptimizer({ parameters, [key]: fail });
    await t.rejects(optimizer.step(gradients), {
      code: 'ERR_EVALUATION',
      argument: `options.${key}`,
      cause: { message: 'none' },
    });
    const wrong = new MFacOptimizer({ parameters, [key]: () => -1 });
    t.throws(() => wrong.stepSync(gradients), {
      code: 'ERR_EVALUATION',
      argument: `options.${key}`,
    });
    t.equal(wrong.size, 0);
  }
  t.same(join(parameters), new Float32Array(d).fill(1));
});

t.test('options are checked', (t) => {
  const parameters = [new Float32Array(4)];
  const buffer = new Float32Array(8);
  const cases: [object, string][] = [
    [{}, 'options.parameters'],
    [{ parameters: [] }, 'options.parameters'],
    [{ parameters: [new Float64Array(2)] }, 'options.parameters[0]'],
    [{ parameters: [new Float32Array(0)] }, 'options.parameters'],
    [{ parameters: [{ parameters: [1] }] }, 'options.parameters[0].parameters[0]'],
    [{ parameters: [{ parameters, learningrate: 1 }] }, 'options.parameters[0].learningrate'],
    [{ parameters: [{ parameters, learningRate: -1 }] }, 'options.parameters[0].learningRate'],
    [{ parameters: [buffer.subarray(0, 5), buffer.subarray(4)] }, 'options.parameters'],
    [{ parameters, learningRate: -1 }, 'options.learningRate'],
    [{ parameters, momentum: 1 }, 'options.momentum'],
    [{ parameters, weightDecay: -1 }, 'options.weightDecay'],
    [{ parameters, damping: 0 }, 'options.damping'],
    [{ parameters, damping: { relative: 0 } }, 'options.damping.relative'],
    [{ parameters, damping: { relativ: 1 } }, 'options.damping.relativ'],
    [{ parameters, clip: 0 }, 'options.clip'],
    [{ parameters, capacity: 0 }, 'options.capacity'],
    [{ parameters, storage: 'double' }, 'options.storage'],
    [{ parameters, mask: new Uint8Array(4) }, 'options.mask'],
    [{ parameters, mask: [new Uint8Array(3)] }, 'options.mask'],
    [{ parameters, precision: 'float64' }, 'options.precision'],
  ];
  for (const [options, argument] of cases) {
    const create = () => new MFacOptimizer(options as MFacOptimizerOptions);
    t.throws(create, { code: /^ERR_(INVALID_ARGUMENT|DIMENSION_MISMATCH)$/, argument });
  }
  t.end();
});

t.test('a schedule is asked once a step, and one that throws changes nothing', (t) => {
  const weights = Float32Array.of(1, 2);
  let asked = 0;
  const once = new MFacOptimizer({
    parameters: [Float32Array.of(1), Float32Array.of(2)],
    learningRate: () => {
      asked++;
      return 0.1;
    },
  });
  once.stepSync([Float32Array.of(1), Float32Array.of(2)]);
  t.equal(asked, 1);
  const optimizer = new MFacOptimizer({
    parameters: [{ parameters: [weights], learningRate: 0.1 }],
    learningRate: () => {
      throw new Error('no');
    },
  });
  t.throws(() => optimizer.stepSync([Float32Array.of(1, 2)]), { code: 'ERR_EVALUATION' });
  t.same(weights, Float32Array.of(1, 2));
  t.equal(optimizer.size, 0);
  t.end();
});

t.test('gradients at the end of float32 leave finite weights', (t) => {
  for (const size of [3e38, 4e37]) {
    const weights = Float32Array.of(1, -1);
    const optimizer = new MFacOptimizer({ parameters: [weights], clip: Infinity });
    for (let i = 0; i < 40; i++) optimizer.stepSync([Float32Array.of(size, -size)]);
    t.ok(weights.every(Number.isFinite), `${weights}`);
  }
  const still = new MFacOptimizer({
    parameters: [new Float32Array(2)],
    damping: { relative: 1e-300 },
  });
  t.equal(still.stepSync([new Float32Array(2)]).updateNorm, 0);
  t.end();
});
