// FisherBlocks against dense float64 matrices.

import { FisherBlocks } from 'secondorder/mfac';
import t from 'tap';
import {
  fisher,
  inverse,
  randomRows,
  relativeError,
  removal,
  single,
  toMatrix,
} from './fixtures/dense';
import { Network, spiral } from './fixtures/network';

const d = 30;
const weights = single(randomRows(1, d, 9)[0]!);
const shapes = [
  { m: 12, blockSize: undefined },
  { m: 12, blockSize: 7 },
  { m: 50, blockSize: 7 },
  { m: 50, blockSize: d },
  { m: 8, blockSize: 8 },
  { m: 5, blockSize: 1 },
  { m: 1, blockSize: undefined },
] as const;

async function* stream(rows: number[][]): AsyncGenerator<Float32Array> {
  // The same array every time, as a careful producer would have it.
  const shared = new Float32Array(rows[0]!.length);
  for (const row of rows) {
    shared.set(row);
    yield shared;
  }
}

t.test('diagonal, elements, products and removals are those of the dense inverse', async (t) => {
  for (const { m, blockSize } of shapes) {
    const rows = randomRows(m, d, m);
    const damping = 1e-3;
    const size = blockSize === undefined ? {} : { blockSize };
    const blocks = await FisherBlocks.fromGradients(stream(rows), { ...size, damping });
    const h = fisher(rows, damping, size);
    const dense = inverse(h);
    const name = `m = ${m}, B = ${blockSize}`;
    t.same([blocks.dimension, blocks.gradients, blocks.damping], [d, m, damping], name);
    t.equal(blocks.blockSize, blockSize ?? d);
    t.ok(blocks.bytes > 0);

    const diagonal = await blocks.diagonal();
    t.ok(
      relativeError(
        diagonal,
        dense.map((row, i) => row[i]!),
      ) < 1e-10,
      `${name}: diagonal`,
    );
    t.same(blocks.diagonalSync(), diagonal);
    for (const [i, j] of [
      [0, 0],
      [2, 3],
      [3, 2],
      [6, 7],
      [29, 1],
      [28, 29],
    ] as const) {
      const difference = Math.abs((await blocks.element(i, j)) - dense[i]![j]!);
      t.ok(difference <= 1e-9 * diagonal[i]!, `${name}: (${i}, ${j}) is off by ${difference}`);
      t.equal(blocks.elementSync(i, j), await blocks.element(i, j));
    }

    const x = Float64Array.from(randomRows(1, d, 77)[0]!);
    const expected = dense.map((row) => row.reduce((sum, value, j) => sum + value * x[j]!, 0));
    const solution = await blocks.solve(x);
    t.type(solution, Float64Array);
    t.ok(relativeError(solution, expected) < 1e-9, `${name}: product`);
    t.same(blocks.solveSync(x), solution);
    const inSingle = await blocks.solve(single(x));
    t.type(inSingle, Float32Array);
    t.ok(relativeError(inSingle, expected) < 1e-5, `${name}: product in float32`);

    const remove = Uint32Array.of(1, 2, 5, 6, 7, 20, 29);
    const joint = await blocks.removalUpdate(weights, remove);
    const truth = removal(h, weights, remove);
    t.ok(relativeError(joint.weights, truth.weights) < 1e-5, `${name}: joint update`);
    const off = Math.abs(joint.lossIncrease / truth.lossIncrease - 1);
    t.ok(off < 1e-6, `${name}: loss increase is off by ${off}`);
    t.ok(
      Array.from(remove).every((place) => joint.weights[place] === 0),
      'exactly 0',
    );
    t.same(blocks.removalUpdateSync(weights, remove), joint);

    const alone = await blocks.removalUpdate(weights, remove, { joint: false });
    const sum = Array.from(weights, (w, i) =>
      remove.reduce((s, q) => s - (weights[q]! / dense[q]![q]!) * dense[i]![q]!, w),
    ).map((w, i) => (remove.includes(i) ? 0 : w));
    t.ok(relativeError(alone.weights, sum) < 1e-5, `${name}: independent updates`);
    blocks.dispose();
  }
});

t.test('the joint update of one weight is the independent one', async (t) => {
  const rows = randomRows(10, d, 3);
  const blocks = FisherBlocks.fromGradientsSync(toMatrix(rows), { damping: 1e-2 });
  const remove = Uint32Array.of(4);
  const joint = await blocks.removalUpdate(weights, remove);
  const alone = await blocks.removalUpdate(weights, remove, { joint: false });
  t.ok(relativeError(joint.weights, alone.weights) < 1e-6);
  t.ok(Math.abs(joint.lossIncrease / alone.lossIncrease - 1) < 1e-6);
});

t.test('hard gradients: zero rows, duplicates, huge and tiny ones', async (t) => {
  const rows = randomRows(20, d, 4);
  rows[3]!.fill(0);
  rows[7] = [...rows[6]!];
  for (const scale of [1e-6, 30, 1e4]) {
    const scaled = rows.map((row) => row.map((value) => Math.fround(scale * value)));
    const damping = 1e-6;
    for (const blockSize of [5, 20, d]) {
      const blocks = FisherBlocks.fromGradientsSync(toMatrix(scaled), { blockSize, damping });
      const diagonal = blocks.diagonalSync();
      t.ok(
        diagonal.every((value) => value > 0 && value <= 1.0000001 / damping),
        'positive',
      );
      if (scale > 30) continue;
      const dense = inverse(fisher(scaled, damping, { blockSize }));
      const error = relativeError(
        diagonal,
        dense.map((row, i) => row[i]!),
      );
      t.ok(error < 1e-7, `scale ${scale}, B = ${blockSize}: ${error}`);
    }
  }
});

t.test('gradients of a network', async (t) => {
  const network = new Network(4, 6, 3);
  const samples = spiral(40, 3, 1);
  const start = network.start(2);
  const flat = Float32Array.from(start.flatMap((part) => Array.from(part)));
  const rows = samples.map((sample) => Array.from(network.gradientOf(flat, [sample])));
  const blocks = await FisherBlocks.fromGradients(toMatrix(rows), { damping: 1e-4 });
  const dense = inverse(fisher(rows, 1e-4));
  const diagonal = await blocks.diagonal();
  t.ok(
    relativeError(
      diagonal,
      dense.map((row, i) => row[i]!),
    ) < 1e-9,
  );
});

t.test('what no number can hold is an error, and the blocks stay of use', async (t) => {
  const numerical = { code: 'ERR_NUMERICAL', message: /damping is too small/ };
  const of = (rows: number[][], damping: number, blockSize = rows[0]!.length) =>
    FisherBlocks.fromGradientsSync(toMatrix(rows), { damping, blockSize });

  // Entries of H⁻¹ of 1e30: times 1e9 that is more than float32 holds, and none too much for float64.
  const steep = of([[1, 2, 3]], 1e-30);
  const x = [1e9, 0, 0];
  const out = new Float32Array(3);
  t.throws(() => steep.solveSync(single(x), out), numerical);
  await t.rejects(steep.solve(single(x), out), numerical);
  t.same(out, new Float32Array(3), 'nothing was written');
  t.ok(steep.solveSync(Float64Array.from(x)).every(Number.isFinite));
  t.throws(() => steep.solveSync(Float64Array.of(1e300, 0, 0)), numerical);
  t.ok(steep.solveSync(single([1, 0, 0])).every(Number.isFinite));
  t.ok(steep.diagonalSync().every(Number.isFinite));

  // 1/λ is more than float64 holds, in either form; where the gradient has a block, all is well.
  for (const [m, size] of [
    [1, 2],
    [2, 2],
    [2, 1],
  ] as const) {
    const name = `m = ${m}, B = ${size}`;
    const rows = Array.from({ length: m }, (_, i) => [1 + i, i, 0, 0]);
    const tiny = of(rows, 1e-310, size);
    t.throws(() => tiny.diagonalSync(), numerical, name);
    await t.rejects(tiny.diagonal(), numerical, name);
    t.throws(() => tiny.elementSync(3, 3), numerical, name);
    await t.rejects(tiny.element(2, 2), numerical, name);
    t.throws(() => tiny.solveSync(Float64Array.of(1, 1, 1, 1)), numerical, name);
    const kept = Float32Array.of(1, 1, 1, 1);
    for (const joint of [true, false]) {
      t.throws(() => tiny.removalUpdateSync(kept, Uint32Array.of(2), { joint }), numerical, name);
      await t.rejects(tiny.removalUpdate(kept, Uint32Array.of(2), { joint }), numerical, name);
    }
    if (m === 2) t.ok(Number.isFinite(tiny.elementSync(0, 0)), name);
    t.equal(tiny.elementSync(0, 2), 0, 'between blocks');
  }

  // The other weight would have to grow a thousandfold.
  const grows = of([[1, 1e-3]], 1e-12);
  for (const joint of [true, false]) {
    const remove = Uint32Array.of(0);
    t.throws(() => grows.removalUpdateSync(single([3e38, 0]), remove, { joint }), numerical);
    const { weights } = grows.removalUpdateSync(single([3, 0]), remove, { joint });
    t.ok(Math.abs(weights[1]! / 3000 - 1) < 1e-3, `${weights[1]}`);
  }
});

t.test('every form of gradients gives the same', async (t) => {
  const rows = randomRows(6, d, 8);
  const options = { damping: 0.1, blockSize: 10 };
  const expected = FisherBlocks.fromGradientsSync(toMatrix(rows), options).diagonalSync();
  const doubles = { data: Float64Array.from(rows.flat()), rows: 6, cols: d };
  const forms = [rows, rows.map(single), rows.map((row) => Float64Array.from(row)), doubles];
  for (const form of [...forms, new Set(rows.map(single)), stream(rows)]) {
    const blocks = await FisherBlocks.fromGradients(form, options);
    t.same(await blocks.diagonal(), expected);
  }
});

t.test('storage', async (t) => {
  const rows = randomRows(20, 500, 8);
  const exact = FisherBlocks.fromGradientsSync(toMatrix(rows), { damping: 0.1 });
  const onDisk = FisherBlocks.fromGradientsSync(toMatrix(rows), { damping: 0.1, storage: 'disk' });
  const half = FisherBlocks.fromGradientsSync(toMatrix(rows), {
    damping: 0.1,
    storage: 'bfloat16',
  });
  t.same([exact.paged, onDisk.paged, half.paged], [false, true, false]);
  t.ok(onDisk.diskBytes > 0 && exact.diskBytes === 0);
  t.ok(half.bytes < exact.bytes);
  const x = single(randomRows(1, 500, 1)[0]!);
  t.ok(relativeError(onDisk.solveSync(x), exact.solveSync(x)) < 1e-6);
  t.ok(relativeError(half.solveSync(x), exact.solveSync(x)) < 0.05);
});

t.test('results go where they are asked to', async (t) => {
  const blocks = FisherBlocks.fromGradientsSync(toMatrix(randomRows(6, d, 8)), { damping: 0.1 });
  const [diagonal, solution] = [new Float64Array(d), new Float32Array(d)];
  t.equal(await blocks.diagonal(diagonal), diagonal);
  t.same(diagonal, blocks.diagonalSync());
  t.equal(await blocks.solve(weights, solution), solution);
  t.equal(blocks.solveSync(solution, solution), solution, 'in place');
});

t.test('progress, abort, and streams that fail', async (t) => {
  const rows = randomRows(6, d, 8);
  const options = { damping: 0.1 };
  const seen: number[] = [];
  await FisherBlocks.fromGradients(stream(rows), options, {
    onProgress: ({ iteration }) => seen.push(iteration),
  });
  t.equal(seen.at(-1), 6);
  const controller = new AbortController();
  let closed = false;
  async function* endless() {
    try {
      for (;;) {
        yield weights;
        controller.abort(new Error('enough'));
      }
    } finally {
      closed = true;
    }
  }
  const aborted = FisherBlocks.fromGradients(endless(), options, { signal: controller.signal });
  await t.rejects(aborted, { code: 'ERR_ABORTED', cause: { message: 'enough' } });
  t.ok(closed, 'the stream is closed');
  const waiting = new AbortController();
  async function* stalled() {
    yield weights;
    setTimeout(() => waiting.abort(new Error('no patience')), 5);
    await new Promise(() => undefined);
  }
  const left = FisherBlocks.fromGradients(stalled(), options, { signal: waiting.signal });
  await t.rejects(left, { code: 'ERR_ABORTED', cause: { message: 'no patience' } });
  async function* failing() {
    yield weights;
    throw new RangeError('no more');
  }
  await t.rejects(FisherBlocks.fromGradients(failing(), options), {
    code: 'ERR_EVALUATION',
    argument: 'gradients',
    cause: { name: 'RangeError', message: 'no more' },
  });
  async function* ragged() {
    yield weights;
    yield weights.subarray(1);
  }
  await t.rejects(FisherBlocks.fromGradients(ragged(), options), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'gradients[1]',
  });
  async function* infinite() {
    yield weights;
    yield weights.map((w, i) => (i === 3 ? Number.NaN : w));
  }
  await t.rejects(FisherBlocks.fromGradients(infinite(), options), {
    code: 'ERR_INVALID_ARGUMENT',
    message: 'gradients[1] must be finite numbers, got NaN at 3',
  });
  await t.rejects(FisherBlocks.fromGradients([], options), { code: 'ERR_INVALID_ARGUMENT' });
});

t.test('calls take turns; a handle that was disposed of refuses', async (t) => {
  const blocks = FisherBlocks.fromGradientsSync(toMatrix(randomRows(6, d, 8)), { damping: 0.1 });
  const x = weights.slice();
  const expected = blocks.solveSync(x);
  const first = blocks.diagonal();
  const second = blocks.solve(x);
  x.fill(0);
  t.throws(() => blocks.diagonalSync(), { code: 'ERR_BUSY' });
  await first;
  t.same(await second, expected, 'what was given at the time of the call');
  const last = blocks.diagonal();
  const waiting = blocks.solve(weights);
  blocks.dispose();
  blocks.dispose();
  t.equal((await last).length, d, 'what was under way comes to its end');
  await t.rejects(waiting, { code: 'ERR_DISPOSED' });
  await t.rejects(blocks.diagonal(), { code: 'ERR_DISPOSED' });
  t.throws(() => blocks.elementSync(0, 0), { code: 'ERR_DISPOSED' });
  t.equal(blocks.bytes, 0);
  await t.rejects(FisherBlocks.fromGradients([weights], { damping: 1, device: 'cuda' }), {
    code: /^ERR_CUDA_/,
  });
});
