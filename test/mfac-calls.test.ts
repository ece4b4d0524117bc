// Calls on one window: order, aborts, disposal, memory that goes away, bad arguments.

import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError, FisherWindow } from 'secondorder';
import t from 'tap';
import { randomRows, single } from './fixtures/dense';

const d = 50;
const create = (capacity = 8) => new FisherWindow({ dimension: d, capacity, damping: 1e-2 });
const rows = randomRows(40, d, 1).map(single);

/** Whether two long arrays hold the same bits. */
const equal = (a: Float32Array, b: Float32Array) =>
  Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

t.test('asynchronous calls take place in the order in which they were made', async (t) => {
  const [window, twin] = [create(), create()];
  const given = new Float32Array(d);
  const calls = rows.map((row) => {
    given.set(row);
    return window.pushAndSolve(given); // which may be changed at once
  });
  const between = window.solve(rows[3]!);
  const damped = window.setDamping(0.5);
  const after = window.solve(rows[3]!);
  given.fill(Number.NaN);
  for (const [i, call] of calls.entries()) t.same(await call, twin.pushAndSolveSync(rows[i]!));
  t.same(await between, twin.solveSync(rows[3]!));
  await damped;
  twin.setDampingSync(0.5);
  t.same(await after, twin.solveSync(rows[3]!));
  t.equal(window.damping, 0.5);
});

t.test('one that fails leaves the window as it was, and the next ones go on', async (t) => {
  const [window, twin] = [create(), create()];
  const bad = rows[0]!.map((value, i) => (i === 7 ? Number.NaN : value));
  const ends = await Promise.allSettled([
    window.push(rows[0]!),
    window.push(bad),
    window.push(rows[1]!.subarray(1)),
    window.commit(),
    window.setDamping(0),
    window.push(rows[1]!),
  ]);
  t.same(
    ends.map((end) => (end.status === 'rejected' ? end.reason.code : 'done')),
    [
      'done',
      'ERR_INVALID_ARGUMENT',
      'ERR_DIMENSION_MISMATCH',
      'ERR_INVALID_ARGUMENT',
      'ERR_INVALID_ARGUMENT',
      'done',
    ],
  );
  twin.pushSync(rows[0]!);
  t.throws(() => twin.pushSync(bad), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'gradient',
    message: 'gradient must be finite float32 numbers, but entry 7 is nan',
  });
  twin.pushSync(rows[1]!);
  t.equal(window.size, 2);
  t.same(await window.pushAndSolve(rows[2]!), twin.pushAndSolveSync(rows[2]!));
});

t.test('synchronous calls do not come between asynchronous ones', async (t) => {
  const window = create();
  const push = window.push(rows[0]!);
  const busy = { code: 'ERR_BUSY', message: /1 asynchronous call\(s\) under way/ };
  t.throws(() => window.pushSync(rows[0]!), busy);
  t.throws(() => window.pushAndSolveSync(rows[0]!), busy);
  t.throws(() => window.solveSync(rows[0]!), busy);
  t.throws(() => window.solveManySync([[...rows[0]!]]), busy);
  t.throws(() => window.pushSlice(0, rows[0]!), busy);
  t.throws(() => window.commitSync(), busy);
  t.throws(() => window.setDampingSync(1), busy);
  t.throws(() => window.clear(), busy);
  t.throws(() => window.saveSync('nowhere'), busy);
  t.equal(window.size, 0, 'facts are those after the last call that ended');
  await push;
  t.equal(window.size, 1);
  window.pushSync(rows[1]!);
  t.equal(window.size, 2);
});

t.test('aborts: before, while waiting, under way', async (t) => {
  const dimension = 400_000;
  const window = new FisherWindow({ dimension, capacity: 64, damping: 1 });
  const big = (i: number) => new Float32Array(dimension).fill(Math.sin(i + 1));
  for (let i = 0; i < 64; i++) window.pushSync(big(i));
  const reason = new Error('enough');
  await t.rejects(window.push(big(0), { signal: AbortSignal.abort(reason) }), {
    code: 'ERR_ABORTED',
    cause: reason,
  });
  const x = big(5);
  const before = await window.solve(x);
  for (let i = 0; i < 20; i++) {
    const controller = new AbortController();
    const run = { signal: controller.signal };
    const first = window.solve(x, undefined, run);
    const second = window.solveMany(
      { data: new Float32Array(3 * dimension), rows: 3, cols: dimension },
      undefined,
      run,
    );
    await sleep(i);
    controller.abort(reason);
    for (const end of await Promise.allSettled([first, second])) {
      if (end.status === 'fulfilled') continue;
      t.type(end.reason, AbortError);
      t.equal(end.reason.cause, reason);
    }
  }
  t.ok(equal(await window.solve(x), before), 'nothing has changed');
  // A push takes place as a whole or not at all, and says which.
  const twin = new FisherWindow({ dimension, capacity: 64, damping: 1 });
  for (let i = 0; i < 64; i++) twin.pushSync(big(i));
  for (let i = 0; i < 12; i++) {
    const controller = new AbortController();
    const push = window.pushAndSolve(big(100 + i), undefined, { signal: controller.signal });
    await sleep(i * 2);
    controller.abort();
    const took = await push.then(
      () => true,
      () => false,
    );
    if (took) twin.pushSync(big(100 + i));
    const same = equal(await window.solve(x), twin.solveSync(x));
    t.ok(same, `push ${i} ${took ? 'took place' : 'did not'}`);
  }
});

t.test('threads change nothing but the time', async (t) => {
  const [window, twin] = [create(), create()];
  for (const row of rows.slice(0, 12)) {
    const solution = await window.pushAndSolve(row, undefined, { threads: 2 });
    t.same(twin.pushAndSolveSync(row, undefined, { threads: 1 }), solution);
  }
  for (const run of [{ threads: 0 }, { threds: 1 }, { timeLimit: 1 }, { signal: {} }, 3]) {
    const bad = run as unknown as { threads: number };
    await t.rejects(window.push(rows[0]!, bad), { code: 'ERR_INVALID_ARGUMENT', argument: /^run/ });
    t.throws(() => window.pushSync(rows[0]!, bad), { code: 'ERR_INVALID_ARGUMENT' });
  }
  t.equal(window.size, 8);
});

t.test('a window that was disposed of refuses, once what is under way has ended', async (t) => {
  const window = create();
  const push = window.pushAndSolve(rows[0]!);
  const waiting = window.push(rows[1]!);
  window.dispose();
  window.dispose();
  t.equal((await push).length, d);
  await t.rejects(waiting, { code: 'ERR_DISPOSED' });
  const gone = { code: 'ERR_DISPOSED', message: 'This FisherWindow was disposed of' };
  await t.rejects(window.push(rows[0]!), gone);
  await t.rejects(window.solve(rows[0]!), gone);
  await t.rejects(window.save('nowhere'), gone);
  t.throws(() => window.pushSync(rows[0]!), gone);
  t.throws(() => window.pushSlice(0, rows[0]!), gone);
  t.throws(() => window.clear(), gone);
  t.equal(window.bytes, 0);
  let kept: FisherWindow;
  {
    using short = create();
    short.pushSync(rows[0]!);
    kept = short;
  }
  t.throws(() => kept.clear(), gone);
});

t.test('arrays that were transferred away', async (t) => {
  const window = create();
  const detach = (array: Float32Array) =>
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  const gone = rows[0]!.slice();
  detach(gone);
  await t.rejects(window.push(gone), { code: /^ERR_(INVALID_ARGUMENT|DIMENSION_MISMATCH)$/ });
  const given = rows[0]!.slice();
  const first = window.push(given);
  const queued = rows[1]!.slice();
  const second = window.push(queued);
  detach(given);
  detach(queued);
  await first;
  await second;
  const twin = create();
  twin.pushSync(rows[0]!);
  twin.pushSync(rows[1]!);
  t.same(window.solveSync(rows[2]!), twin.solveSync(rows[2]!), 'they were copied');
  const out = new Float32Array(d);
  const solution = window.solve(rows[2]!, out);
  detach(out);
  await t.rejects(solution, { code: 'ERR_INVALID_ARGUMENT', argument: 'out' });
  const shared = new Float32Array(new SharedArrayBuffer(4 * d));
  shared.set(rows[2]!);
  t.same(await window.solve(shared), twin.solveSync(rows[2]!), 'shared memory is fine');
});

t.test('arguments are named, with what they take and what they got', async (t) => {
  const good = { dimension: d, capacity: 4, damping: 1 };
  const cases: [object, string, RegExp][] = [
    [{ ...good, dimension: 0 }, 'options.dimension', /integer at least 1 .*got 0/],
    [{ ...good, dimension: 2 ** 31 }, 'options.dimension', /at most 2147483647/],
    [{ ...good, capacity: 1.5 }, 'options.capacity', /got 1\.5/],
    [{ ...good, damping: 0 }, 'options.damping', /above 0, got 0/],
    [{ ...good, damping: Number.NaN }, 'options.damping', /got NaN/],
    [{ ...good, storage: 'float64' }, 'options.storage', /"float32" or .*got "float64"/],
    [{ ...good, normalize: 'mean' }, 'options.normalize', /"count" or "capacity"/],
    [{ ...good, mask: new Uint8Array(d) }, 'options.mask', /at least one 1/],
    [{ ...good, mask: new Uint8Array(d).fill(7) }, 'options.mask', /zeros and ones, got 7 at 0/],
    [{ ...good, mask: [1] }, 'options.mask', /Uint8Array/],
    [{ ...good, precision: 'float64' }, 'options.precision', /this version/],
    [{ ...good, device: 'gpu' }, 'options.device', /'cuda:N'/],
    [{ ...good, capacty: 3 }, 'options.capacty', /did you mean "capacity"/],
  ];
  for (const [options, argument, message] of cases) {
    t.throws(() => new FisherWindow(options as typeof good), {
      code: 'ERR_INVALID_ARGUMENT',
      argument,
      message,
    });
  }
  t.throws(() => new FisherWindow({ ...good, mask: new Uint8Array(3).fill(1) }), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'options.mask',
  });
  t.throws(() => new FisherWindow({ ...good, device: 'cuda' }), { code: /^ERR_CUDA_/ });
  t.throws(() => new FisherWindow({ ...good, dimension: 2e9, capacity: 2e9 }), {
    code: 'ERR_OUT_OF_MEMORY',
  });
  const window = create();
  await t.rejects(window.solve([1, 2] as unknown as Float32Array), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'x',
    message: 'x must be a Float32Array or Float64Array, got an array of length 2',
  });
  await t.rejects(window.solve(rows[0]!, new Float64Array(d) as unknown as Float32Array), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'out',
  });
  await t.rejects(window.solve(rows[0]!, new Float32Array(3)), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'out',
  });
  await t.rejects(window.solveMany([[1, 2]]), { code: 'ERR_DIMENSION_MISMATCH', argument: 'x' });
});

t.test('paths with a NUL are refused', async (t) => {
  const window = create();
  const expected = { code: 'ERR_INVALID_ARGUMENT', argument: 'path' };
  for (const path of ['/tmp/a\0b', new URL('file:///tmp/a%00b')]) {
    await t.rejects(window.save(path), expected);
    t.throws(() => window.saveSync(path), expected);
    await t.rejects(FisherWindow.load(path), expected);
  }
});
