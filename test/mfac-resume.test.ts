// An optimizer that was saved goes on bit by bit.

import fs from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  MFacOptimizer,
  type MFacOptimizerOptions,
  readSafetensorsSync,
  writeSafetensorsSync,
} from 'secondorder';
import t from 'tap';
import { randomRows, single } from './fixtures/dense';

const d = 12;
const rows = randomRows(60, d, 1);
const split = (row: ArrayLike<number>) => [
  single(Array.from(row).slice(0, 5)),
  single(Array.from(row).slice(5)),
];
const zeros = () => split(new Array(d).fill(0));
const mask = Uint8Array.from({ length: d }, (_, i) => Number(i % 4 !== 0));

t.test('bit by bit, in every state of the window', async (t) => {
  const variants: Omit<MFacOptimizerOptions, 'parameters'>[] = [
    {},
    { damping: 0.1, storage: 'bfloat16', momentum: 0 },
    { mask, clip: Number.POSITIVE_INFINITY, weightDecay: 0.1 },
  ];
  const root = t.testdir();
  for (const [k, options] of variants.entries()) {
    for (const count of [0, 3, 7, 40]) {
      const folder = join(root, `${k}-${count}`);
      const parameters = split(rows[0]!);
      const optimizer = new MFacOptimizer({ parameters, capacity: 7, ...options });
      for (const row of rows.slice(0, count)) await optimizer.step(split(row));
      await optimizer.save(folder);
      const [again, third] = [zeros(), zeros()];
      const loaded = await MFacOptimizer.load(pathToFileURL(folder), { parameters: again });
      const other = MFacOptimizer.loadSync(folder, { parameters: [{ parameters: third }] });
      t.same(again, parameters, 'the parameters, too');
      t.equal(loaded.steps, count);
      for (const row of rows.slice(count, count + 12)) {
        const info = await optimizer.step(split(row));
        t.same(await loaded.step(split(row)), info);
        t.same(other.stepSync(split(row)), info);
      }
      t.same(again, parameters);
      t.same(third, parameters);
    }
  }
});

t.test('options given replace those saved; functions have to be given again', async (t) => {
  const folder = t.testdir();
  const schedule = (step: number) => 0.1 / (1 + step);
  const optimizer = new MFacOptimizer({
    parameters: zeros(),
    learningRate: schedule,
    momentum: 0.5,
  });
  await optimizer.step(split(rows[0]!));
  optimizer.saveSync(folder);
  await t.rejects(MFacOptimizer.load(folder, { parameters: zeros() }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.learningRate',
  });
  const options = { parameters: zeros(), learningRate: 0.5, damping: 2 };
  const loaded = await MFacOptimizer.load(folder, options);
  t.equal(loaded.learningRate, 0.5);
  const info = await loaded.step(split(rows[1]!));
  t.match(info, { step: 2, learningRate: 0.5, damping: 2 });
  await t.rejects(MFacOptimizer.load(folder, { ...options, parameters: [new Float32Array(3)] }), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'options.parameters',
  });
  const wrong = { ...options, capacity: 3 } as typeof options;
  await t.rejects(MFacOptimizer.load(folder, wrong), {
    argument: 'options.capacity',
    code: /^ERR/,
  });
});

const windowIn = (folder: string): string =>
  fs.readdirSync(folder).find((name) => name.startsWith('window-')) ?? 'none';

t.test('another window of the same step is another file', async (t) => {
  const folder = t.testdir();
  const names = new Set<string>();
  for (const row of rows.slice(0, 2)) {
    const optimizer = new MFacOptimizer({ parameters: zeros(), capacity: 4 });
    optimizer.stepSync(split(row));
    optimizer.saveSync(folder);
    names.add(windowIn(folder));
  }
  t.equal(names.size, 2);
});

t.test('rates of groups are kept, unless others are given', async (t) => {
  const folder = t.testdir();
  const rate = (): number => 0.3;
  const groups = (extra: object[] = []) =>
    zeros().map((values, i) => ({ parameters: [values], ...extra[i] }));
  const settings = [{ learningRate: 0 }, { weightDecay: 0.5 }, { learningRate: rate }];
  const given = settings.slice(0, zeros().length);
  const optimizer = new MFacOptimizer({ parameters: groups(given), capacity: 4 });
  await optimizer.step(split(rows[0]!));
  await optimizer.save(folder);
  const parameters = zeros();
  const resumed = await MFacOptimizer.load(folder, { parameters });
  const first = parameters[0]!.slice();
  await resumed.step(split(rows[1]!));
  t.same(parameters[0], first, 'a rate of 0 was kept');
  const other = zeros();
  const faster = await MFacOptimizer.load(folder, {
    parameters: other.map((values) => ({ parameters: [values], learningRate: 0.1 })),
  });
  await faster.step(split(rows[1]!));
  t.not(other[0], first);

  const scheduled = new MFacOptimizer({ parameters: groups([{ learningRate: rate }]) });
  scheduled.stepSync(split(rows[0]!));
  scheduled.saveSync(folder);
  t.throws(() => MFacOptimizer.loadSync(folder, { parameters: zeros() }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.parameters',
  });
  MFacOptimizer.loadSync(folder, { parameters: groups([{ learningRate: rate }]) });
  const whole = [new Float32Array(zeros().reduce((sum, { length }) => sum + length, 0))];
  t.throws(() => MFacOptimizer.loadSync(folder, { parameters: whole }), {
    code: 'ERR_DIMENSION_MISMATCH',
  });
});

t.test('a folder holds one whole state', async (t) => {
  const base = t.testdir({ own: {} });
  const folder = join(base, 'own');
  const optimizer = new MFacOptimizer({ parameters: zeros(), capacity: 4 });
  for (const row of rows.slice(0, 3)) {
    await optimizer.step(split(row));
    await optimizer.save(folder);
    await optimizer.save(folder);
    const [state, window, ...more] = fs.readdirSync(folder).sort();
    t.equal(state, 'state.safetensors');
    t.match(window, new RegExp(`^window-${optimizer.steps}-[0-9a-f]{16}\\.mfac$`));
    t.same(more, []);
  }
  // A state that cannot be put in place leaves the old one.
  const before = zeros();
  await MFacOptimizer.load(folder, { parameters: before });
  const twin = await MFacOptimizer.load(folder, { parameters: zeros() });
  const elsewhere = join(base, 'twin');
  await twin.step(split(rows[5]!));
  await twin.save(elsewhere);
  await optimizer.step(split(rows[5]!));
  fs.mkdirSync(join(folder, windowIn(elsewhere)));
  await t.rejects(optimizer.save(folder), { code: 'ERR_INVALID_ARGUMENT', argument: 'folder' });
  const after = zeros();
  t.equal((await MFacOptimizer.load(folder, { parameters: after })).steps, 3);
  t.same(after, before);
  t.same(
    fs.readdirSync(folder).filter((name) => name.endsWith('.part')),
    [],
  );
});

t.test('damaged folders are refused', async (t) => {
  const folder = t.testdir();
  const optimizer = new MFacOptimizer({ parameters: zeros(), capacity: 4 });
  for (const row of rows.slice(0, 3)) await optimizer.step(split(row));
  await optimizer.save(folder);
  const state = join(folder, 'state.safetensors');
  const window = join(folder, windowIn(folder));
  const [stateBytes, windowBytes] = [fs.readFileSync(state), fs.readFileSync(window)];
  const untouched = zeros();
  const load = () => MFacOptimizer.load(folder, { parameters: untouched });
  for (const [file, whole] of [
    [state, stateBytes],
    [window, windowBytes],
  ] as const) {
    for (const length of [0, 9, whole.length >> 1, whole.length - 1]) {
      fs.writeFileSync(file, whole.subarray(0, length));
      await t.rejects(load(), { code: 'ERR_FORMAT' }, `${file} cut to ${length}`);
    }
    for (let i = 0; i < 60; i++) {
      const altered = Buffer.from(whole);
      altered[Math.floor((i * (whole.length - 1)) / 59)]! ^= 1 << (i % 8);
      fs.writeFileSync(file, altered);
      await t.rejects(load(), { code: 'ERR_FORMAT' });
      t.throws(() => MFacOptimizer.loadSync(folder, { parameters: untouched }), {
        code: 'ERR_FORMAT',
      });
    }
    fs.writeFileSync(file, whole);
  }
  t.same(untouched, zeros(), 'parameters are written last');
  fs.rmSync(window);
  await t.rejects(load(), { code: 'ERR_INVALID_ARGUMENT' });
  // Another window, whole in itself, in the place of the right one.
  const other = join(folder, 'other');
  const small = new MFacOptimizer({ parameters: [new Float32Array(3)], capacity: 4 });
  for (let i = 0; i < 3; i++) await small.step([new Float32Array(3).fill(1)]);
  await small.save(other);
  fs.copyFileSync(join(other, windowIn(other)), window);
  await t.rejects(load(), { code: 'ERR_FORMAT', message: /is not the window of the state/ });
  // One of the same shape, from another run.
  const stranger = new MFacOptimizer({ parameters: zeros(), capacity: 4 });
  for (const row of rows.slice(4, 7)) await stranger.step(split(row));
  fs.rmSync(other, { recursive: true });
  await stranger.save(other);
  fs.copyFileSync(join(other, windowIn(other)), window);
  await t.rejects(load(), { code: 'ERR_FORMAT', message: /is not the window of the state/ });
  // A file of another kind.
  writeSafetensorsSync(state, { a: { data: Float32Array.of(1), shape: [1] } });
  await t.rejects(load(), { code: 'ERR_FORMAT', message: /no state of an MFacOptimizer/ });
  // A state that names a file elsewhere.
  const { tensors, metadata } = readSafetensorsSync(stateBytes);
  const header = metadata.secondorder!.replace('window-3', '../window-3');
  writeSafetensorsSync(state, tensors, { ...metadata, secondorder: header });
  await t.rejects(load(), { code: 'ERR_FORMAT' });
  await t.rejects(MFacOptimizer.load(join(folder, 'none'), { parameters: zeros() }), {
    code: 'ERR_INVALID_ARGUMENT',
  });
});
