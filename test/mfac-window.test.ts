// FisherWindow against dense float64 matrices: what it computes.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FisherWindow, type FisherWindowOptions } from 'secondorder';
import t from 'tap';
import {
  cosine,
  fisher,
  norm,
  normals,
  randomRows,
  relativeError,
  single,
  solve,
  solveInWindow,
  toMatrix,
} from './fixtures/dense';
import { join as flatten, Network, spiral } from './fixtures/network';

const d = 37;
const damping = 1e-3;
const create = (options: Partial<FisherWindowOptions> = {}) =>
  new FisherWindow({ dimension: d, capacity: 8, damping, ...options });

t.test('a step gives H⁻¹ g, with as many rows as there are', async (t) => {
  for (const capacity of [1, 2, 5, 8, 31]) {
    const rows = randomRows(capacity + 12, d, capacity);
    const window = create({ capacity });
    const twin = create({ capacity });
    for (const [i, row] of rows.entries()) {
      const kept = rows.slice(Math.max(0, i + 1 - capacity), i + 1);
      const solution = await window.pushAndSolve(single(row));
      t.same(twin.pushAndSolveSync(Float64Array.from(row)), solution);
      const error = relativeError(solution, solve(fisher(kept, damping), row));
      t.ok(error < 1e-5, `m = ${capacity}, step ${i + 1}: ${error}`);
    }
    t.equal(window.size, capacity);
  }
});

t.test('bar: gradients times 100, λ = 1e-5, error at most 1e-5', async (t) => {
  const rows = randomRows(40, d, 5, 100);
  const window = create({ capacity: 16, damping: 1e-5 });
  for (const [i, row] of rows.entries()) {
    const kept = rows.slice(Math.max(0, i - 15), i + 1);
    const solution = await window.pushAndSolve(single(row));
    const error = relativeError(solution, solveInWindow(kept, 1e-5, kept.length - 1));
    t.ok(error <= 1e-5, `step ${i + 1}: ${error}`);
  }
});

t.test('hard gradients: zeros, duplicates, tiny and huge ones', async (t) => {
  const window = create({ capacity: 6, damping: 1e-6 });
  const next = normals(3);
  let kept: number[][] = [];
  for (let i = 0; i < 300; i++) {
    const scale = [1, 0, 1e-4, 100, 1, 1][i % 6]!;
    const last = kept.at(-1);
    const row =
      i % 6 === 5 && last
        ? [...last]
        : Array.from({ length: d }, () => Math.fround(scale * next()));
    kept = [...kept, row].slice(-6);
    const solution = await window.pushAndSolve(single(row));
    const k = kept.length;
    const inner = row.reduce((sum, g, j) => sum + g * solution[j]!, 0);
    t.ok(inner >= 0 && inner < k * 1.00001, `step ${i + 1}: 0 ≤ gᵀu = ${inner} < ${k}`);
    t.ok(norm(solution) <= Math.sqrt(k / 1e-6) * 1.00001, `‖u‖ = ${norm(solution)}`);
    if (scale === 0) t.equal(norm(solution), 0);
    if (i % 49 === 48 && scale !== 0) {
      const error = relativeError(solution, solveInWindow(kept, 1e-6, k - 1));
      t.ok(error < 1e-5, `step ${i + 1}: ${error}`);
    }
  }
});

t.test('gradients of a network', async (t) => {
  const network = new Network(4, 6, 3);
  const samples = spiral(40, 3, 1);
  const start = flatten(network.start(2));
  const rows = samples.map((sample) => Array.from(network.gradientOf(start, [sample])));
  const [capacity, last] = [16, 24];
  const size = { dimension: network.dimension, capacity, damping: 1e-4 };
  const window = new FisherWindow(size);
  for (const [i, row] of rows.entries()) {
    const kept = rows.slice(Math.max(0, i + 1 - capacity), i + 1);
    const error = relativeError(
      await window.pushAndSolve(single(row)),
      solve(fisher(kept, size.damping), row),
    );
    t.ok(error < 1e-5, `step ${i + 1}: ${error}`);
  }
  const h = fisher(rows.slice(last), size.damping);
  for (const x of randomRows(3, network.dimension, 5)) {
    const error = relativeError(await window.solve(single(x)), solve(h, x));
    t.ok(error < 1e-4, `any vector: ${error}`);
  }
});

t.test('any right-hand side, one and many', async (t) => {
  const rows = randomRows(11, d, 2);
  const window = create();
  const x = randomRows(5, d, 9);
  t.ok(
    relativeError(
      await window.solve(single(x[0]!)),
      x[0]!.map((v) => v / damping),
    ) < 1e-6,
    'empty',
  );
  for (const row of rows) await window.push(single(row));
  const h = fisher(rows.slice(-8), damping);
  const expected = x.map((row) => solve(h, row));
  for (const [i, row] of x.entries()) {
    const solution = await window.solve(single(row));
    t.ok(relativeError(solution, expected[i]!) < 1e-4);
    t.same(window.solveSync(single(row)), solution);
    t.ok(relativeError(await window.solve(Float64Array.from(row)), expected[i]!) < 1e-4);
  }
  for (const form of [toMatrix(x), x, x.map(single)]) {
    const many = await window.solveMany(form);
    t.same([many.rows, many.cols], [5, d]);
    t.ok(relativeError(many.data, expected.flat()) < 1e-4);
    t.same(window.solveManySync(form), many);
  }
  t.equal((await window.solveMany({ data: new Float32Array(0), rows: 0, cols: d })).rows, 0);
});

t.test('results go where they are asked to', async (t) => {
  const rows = randomRows(3, d, 2).map(single);
  const [window, twin] = [create(), create()];
  const out = new Float32Array(d);
  t.equal(await window.pushAndSolve(rows[0]!, out), out);
  t.same(out, twin.pushAndSolveSync(rows[0]!));
  const solution = rows[1]!.slice();
  t.equal(await window.solve(solution, solution), solution, 'in place');
  t.same(solution, twin.solveSync(rows[1]!));
  const many = new Float32Array(2 * d);
  t.equal((await window.solveMany(rows.slice(1), many)).data, many);
  t.same(many, twin.solveManySync(rows.slice(1)).data);
});

t.test('counts: by the rows that are there, or by the capacity', async (t) => {
  const rows = randomRows(3, d, 4);
  const window = create({ capacity: 10, normalize: 'capacity' });
  for (const row of rows) await window.push(single(row));
  const solution = await window.pushAndSolve(single(rows[0]!));
  const h = fisher([...rows, rows[0]!], damping, { count: 10 });
  t.ok(relativeError(solution, solve(h, rows[0]!)) < 1e-5);
  t.equal(window.normalize, 'capacity');
});

t.test('a mask leaves entries out', async (t) => {
  const mask = Uint8Array.from({ length: d }, (_, i) => (i % 3 === 0 ? 0 : 1));
  const window = create({ mask });
  const given = mask.slice();
  mask.fill(0); // the window has its own
  const rows = randomRows(12, d, 6);
  const cut = (row: number[]) => row.filter((_, i) => given[i] === 1);
  for (const [i, row] of rows.entries()) {
    const solution = await window.pushAndSolve(single(row));
    const expected = solve(
      fisher(rows.slice(Math.max(0, i - 7), i + 1).map(cut), damping),
      cut(row),
    );
    t.ok(relativeError(cut(Array.from(solution)), expected) < 1e-5, `step ${i + 1}`);
    t.ok(solution.every((value, j) => given[j] === 1 || value === 0));
  }
  t.equal(window.active, cut(rows[0]!).length);
  const size = { dimension: 100_000, capacity: 64, damping };
  const half = Uint8Array.from({ length: size.dimension }, (_, i) => i % 2);
  const ratio = new FisherWindow({ ...size, mask: half }).bytes / new FisherWindow(size).bytes;
  t.ok(ratio < 0.6, `frozen entries take no memory: ${ratio}`);
});

t.test('storage: exact for the rounded rows, and smaller', async (t) => {
  const rows = randomRows(9, 200, 6);
  for (const storage of ['float32', 'float16', 'bfloat16', 'int8'] as const) {
    const window = new FisherWindow({ dimension: 200, capacity: 5, damping: 1e-2, storage });
    t.equal(window.storage, storage);
    for (const [i, row] of rows.entries()) {
      const kept = rows.slice(Math.max(0, i - 4), i + 1);
      const solution = await window.pushAndSolve(single(row));
      const exact = solve(fisher(kept, 1e-2), row);
      const least = { float32: 0.9999999, float16: 0.99999, bfloat16: 0.9999, int8: 0.998 }[
        storage
      ];
      t.ok(cosine(solution, exact) >= least, `${storage}: ${cosine(solution, exact)}`);
    }
  }
});

t.test(
  'bar: bfloat16, five rows, λ = 1e-6, cosine at least 0.999 on the rounded rows',
  async (t) => {
    // Rounded beforehand: then storage changes nothing.
    const bits = new Uint32Array(1);
    const value = new Float32Array(bits.buffer);
    const round = (x: number) => {
      value[0] = x;
      bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000;
      return value[0]!;
    };
    const rows = randomRows(30, 200, 8).map((row) => row.map(round));
    const window = new FisherWindow({
      dimension: 200,
      capacity: 5,
      damping: 1e-6,
      storage: 'bfloat16',
    });
    for (const [i, row] of rows.entries()) {
      const kept = rows.slice(Math.max(0, i - 4), i + 1);
      const solution = await window.pushAndSolve(single(row));
      t.ok(cosine(solution, solveInWindow(kept, 1e-6, kept.length - 1)) >= 0.999, `step ${i + 1}`);
    }
  },
);

t.test('slices make a gradient', async (t) => {
  const rows = randomRows(4, d, 3).map(single);
  const [window, twin] = [create(), create()];
  for (const [i, row] of rows.entries()) {
    for (const [from, to] of [
      [20, d],
      [0, 7],
      [7, 20],
    ] as const) {
      window.pushSlice(from, row.subarray(from, to));
      t.ok(window.pending);
    }
    t.equal(window.size, i, 'not yet');
    const solution = i % 2 ? await window.commitAndSolve() : window.commitAndSolveSync();
    t.same(solution, twin.pushAndSolveSync(row));
    t.equal(window.size, i + 1);
    t.notOk(window.pending);
  }
  window.pushSlice(3, Float64Array.of(1, 2));
  const lacking = { code: 'ERR_INVALID_ARGUMENT', message: /lack entry 0/ };
  t.throws(() => window.commitSync(), lacking);
  await t.rejects(window.commit(), lacking);
  t.throws(() => window.pushSlice(d - 1, Float32Array.of(1, 2)), { code: /^ERR_/ });
  t.throws(() => window.pushSlice(0, Float32Array.of(Number.NaN)), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'part',
  });
  t.throws(() => window.pushSync(rows[0]!), { code: 'ERR_INVALID_ARGUMENT' }, 'not in between');
  window.discardSlices();
  t.notOk(window.pending);
  t.throws(() => window.commitSync(), { code: 'ERR_INVALID_ARGUMENT' });
  t.same(window.pushAndSolveSync(rows[1]!), twin.pushAndSolveSync(rows[1]!), 'all as before');
});

t.test('damping can be changed, and all forgotten', async (t) => {
  const rows = randomRows(9, d, 3).map(single);
  const window = create();
  for (const row of rows) await window.push(row);
  for (const next of [1e-1, 1e-4]) {
    await window.setDamping(next);
    t.equal(window.damping, next);
    const fresh = create({ damping: next });
    for (const row of rows.slice(1)) await fresh.push(row);
    const x = rows[4]!;
    t.ok(relativeError(await window.solve(x), await fresh.solve(x)) < 1e-5);
  }
  window.setDampingSync(damping);
  window.pushSlice(0, Float32Array.of(1));
  window.clear();
  t.same([window.size, window.pending], [0, false]);
  t.same(await window.pushAndSolve(rows[0]!), create().pushAndSolveSync(rows[0]!));
});

t.test('bytes tell the truth', (t) => {
  for (const [storage, size] of [
    ['float32', 4],
    ['bfloat16', 2],
    ['float16', 2],
    ['int8', 1],
  ] as const) {
    const [m, n] = [200, 100_000];
    const window = new FisherWindow({ dimension: n, capacity: m, damping: 1, storage });
    // The gradients, and besides them a few vectors of float32 and matrices of float64.
    const rest = window.bytes - 1.02 * m * n * size;
    t.ok(window.bytes >= m * n * size, `${storage}: at least m·d·s`);
    t.ok(rest <= 8 * 4 * n + 3 * 8 * m * m, `${storage}: ${rest} bytes more than m·d·s and 2 %`);
    window.dispose();
    t.equal(window.bytes, 0);
  }
  t.end();
});

t.test('a window that was saved goes on bit by bit', async (t) => {
  const folder = t.testdir();
  const rows = randomRows(30, d, 3).map(single);
  const mask = Uint8Array.from({ length: d }, (_, i) => Number(i !== 5));
  for (const storage of ['float32', 'float16', 'bfloat16', 'int8'] as const) {
    for (const count of [0, 3, 13]) {
      const path = join(folder, `${storage}-${count}`);
      const window = create({ storage, mask });
      for (const row of rows.slice(0, count)) await window.push(row);
      await window.save(path);
      const again = await FisherWindow.load(pathToFileURL(path));
      const facts = ({
        dimension,
        capacity,
        active,
        size,
        damping,
        storage,
        normalize,
      }: FisherWindow) => [dimension, capacity, active, size, damping, storage, normalize];
      t.same(facts(again), facts(window));
      const third = FisherWindow.loadSync(path);
      for (const row of rows.slice(count, count + 12)) {
        const solution = await window.pushAndSolve(row);
        t.same(await again.pushAndSolve(row), solution);
        t.same(third.pushAndSolveSync(row), solution);
      }
    }
  }
});

t.test('files that were truncated or altered are refused', async (t) => {
  const folder = t.testdir({ empty: '', text: 'no window'.repeat(100) });
  const path = join(folder, 'window');
  const window = create({ capacity: 4 });
  for (const row of randomRows(3, d, 3)) window.pushSync(single(row));
  window.saveSync(path);
  const whole = readFileSync(path);
  const bad = join(folder, 'bad');
  const refused = async (bytes: Uint8Array, what: string) => {
    writeFileSync(bad, bytes);
    await t.rejects(FisherWindow.load(bad), { code: 'ERR_FORMAT' }, what);
  };
  const cuts = [0, 1, 7, 8, 40, whole.length >> 1, whole.length - 8, whole.length - 1];
  for (const length of cuts) await refused(whole.subarray(0, length), `cut to ${length}`);
  await refused(Buffer.concat([whole, Buffer.of(0)]), 'a byte too much');
  for (let i = 0; i < 200; i++) {
    const at = Math.floor((i * (whole.length - 1)) / 199);
    const altered = Buffer.from(whole);
    altered[at]! ^= 1 << (i % 8);
    await refused(altered, `bit ${i % 8} of byte ${at}`);
  }
  await t.rejects(FisherWindow.load(join(folder, 'text')), { code: 'ERR_FORMAT' });
  await t.rejects(FisherWindow.load(join(folder, 'none')), { code: 'ERR_INVALID_ARGUMENT' });
  await t.rejects(FisherWindow.load(folder), { code: /^ERR_(INVALID_ARGUMENT|FORMAT)$/ });
  await t.rejects(window.save(join(folder, 'no', 'where')), { code: 'ERR_INVALID_ARGUMENT' });
  t.equal((await FisherWindow.load(path)).size, 3, 'the file itself is whole');
});

t.test('a synchronous result may go where its input is', async (t) => {
  const rows = randomRows(9, d, 11);
  const [window, plain] = [create(), create()];
  for (const row of rows.slice(0, 8)) window.pushSync(single(row));
  for (const row of rows.slice(0, 8)) plain.pushSync(single(row));
  const x = single(rows[8]!);
  const expected = plain.solveSync(x);
  const inverse = fisher(rows.slice(0, 8), damping);
  t.ok(relativeError(expected, solve(inverse, rows[8]!)) < 1e-4);

  const same = Float32Array.from(x);
  t.equal(window.solveSync(same, same), same);
  t.same(same, expected);
  const shared = new Float32Array(new SharedArrayBuffer(4 * d));
  t.equal(window.solveSync(x, shared), shared);
  t.same(Float32Array.from(shared), expected);

  const memory = new Float32Array(d + 1);
  memory.set(x);
  window.pushAndSolveSync(memory.subarray(0, d), memory.subarray(1));
  t.same(memory.subarray(1), plain.pushAndSolveSync(x));
  t.equal(memory[0], x[0], 'nothing is written beside the target');
});
