// Whatever is passed to a public function of the M-FAC family, it fails with a typed error that names
// the argument, and the handles stay what they were.

import fc from 'fast-check';
import {
  FisherBlocks,
  FisherWindow,
  MFacOptimizer,
  prune,
  pruneSync,
  selectWeights,
} from 'secondorder';
import { MFac } from 'secondorder/tfjs';
import t from 'tap';
import { anything, as, typedCalls } from './fixtures/typed-errors';

const { isTyped, isTypedAsync, hold } = typedCalls(
  [
    'ERR_INVALID_ARGUMENT',
    'ERR_DIMENSION_MISMATCH',
    'ERR_FORMAT',
    'ERR_OUT_OF_MEMORY',
    'ERR_NUMERICAL',
    'ERR_EVALUATION',
    'ERR_CUDA_NO_BACKEND',
  ],
  1000,
);

const number = fc.oneof(fc.double(), fc.integer({ min: -3, max: 6 }), fc.constant(Number.NaN));
const floats = fc.oneof(
  fc.array(number, { maxLength: 8 }).map((values) => Float32Array.from(values)),
  fc.array(number, { maxLength: 8 }).map((values) => Float64Array.from(values)),
  anything,
);
const bytes = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 }).map((v) => Uint8Array.from(v)),
  anything,
);
const size = fc.oneof(fc.integer({ min: -2, max: 5 }), fc.constantFrom(2.5, 2 ** 33), anything);
const matrix = fc.oneof(
  fc.record({ data: floats, rows: size, cols: size }, { requiredKeys: [] }),
  fc.array(fc.oneof(fc.array(number, { maxLength: 4 }), floats), { maxLength: 4 }),
  anything,
);
/** Records with these entries, some right, some wrong, and with others. */
const options = (names: Record<string, fc.Arbitrary<unknown>>) =>
  fc.oneof(
    fc.record(names, { requiredKeys: [] }),
    fc.record(names),
    fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(names)), fc.string()), anything, {
      maxKeys: 3,
    }),
    anything,
  );
const storage = fc.constantFrom<unknown>('float32', 'int8', 'auto', 'disk', 3, undefined);
const damping = fc.oneof(fc.constant(0.1), number, anything);
const run = fc.oneof(
  fc.constant(undefined),
  options({ signal: anything, threads: size, timeLimit: number, onProgress: anything }),
);

const d = 4;
t.test('windows', async (t) => {
  const spec = {
    dimension: size,
    capacity: size,
    damping,
    storage,
    normalize: anything,
    mask: bytes,
  };
  await hold(
    t,
    fc.asyncProperty(
      options({ ...spec, device: anything, precision: anything, seed: anything }),
      async (o) => isTyped(() => new FisherWindow(as(o)).dispose()),
    ),
  );
  const window = new FisherWindow({ dimension: d, capacity: 3, damping: 0.1 });
  const twin = new FisherWindow({ dimension: d, capacity: 3, damping: 0.1 });
  const good = Float32Array.of(1, -2, 3, 0.5);
  const methods = ['push', 'pushAndSolve', 'solve', 'solveMany'] as const;
  for (const method of methods) {
    await hold(
      t,
      fc.asyncProperty(fc.oneof(floats, matrix), floats, run, async (x, out, r) => {
        const args = method === 'push' ? [x, r] : [x, out, r];
        const before = window.size;
        const call = window[method] as (...args: unknown[]) => Promise<unknown>;
        await isTypedAsync(() => call.apply(window, args));
        const sync = window[`${method}Sync`] as (...args: unknown[]) => unknown;
        isTyped(() => sync.apply(window, args));
        if (method.startsWith('solve') && window.size !== before) throw new Error('changed');
        window.clear();
        return true;
      }),
    );
  }
  await hold(
    t,
    fc.asyncProperty(size, floats, async (offset, part) => {
      const before = window.pending;
      isTyped(() => window.pushSlice(as(offset), as(part)));
      if (!before && !window.pending) return true;
      window.discardSlices();
      return !window.pending;
    }),
  );
  await hold(
    t,
    fc.asyncProperty(damping, run, async (value, r) => {
      await isTypedAsync(() => window.setDamping(as(value), as(r)));
      isTyped(() => window.setDampingSync(as(value), as(r)));
      window.setDampingSync(0.1);
      return true;
    }),
  );
  const paths = anything.filter((value) => typeof value !== 'string');
  await hold(
    t,
    fc.asyncProperty(paths, async (path) => {
      await isTypedAsync(() => window.save(as(path)));
      return isTypedAsync(() => FisherWindow.load(as(path)));
    }),
  );
  window.clear();
  t.same(window.pushAndSolveSync(good), twin.pushAndSolveSync(good), 'it works as before');
});

t.test('blocks', async (t) => {
  const spec = { blockSize: size, damping, storage, expected: size, directory: anything };
  const good = { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), rows: 2, cols: d };
  await hold(
    t,
    fc.asyncProperty(fc.oneof(fc.constant(good), matrix), options(spec), run, async (g, o, r) => {
      isTyped(() => FisherBlocks.fromGradientsSync(as(g), as(o), as(r)).dispose());
      return isTypedAsync(async () =>
        (await FisherBlocks.fromGradients(as(g), as(o), as(r))).dispose(),
      );
    }),
  );
  const blocks = FisherBlocks.fromGradientsSync(good, { damping: 0.1 });
  const before = blocks.diagonalSync();
  const places = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 }).map((v) => Uint32Array.from(v)),
    anything,
  );
  await hold(
    t,
    fc.asyncProperty(floats, places, options({ joint: anything }), async (w, remove, o) => {
      isTyped(() => blocks.removalUpdateSync(as(w), as(remove), as(o)));
      return isTypedAsync(() => blocks.removalUpdate(as(w), as(remove), as(o)));
    }),
  );
  await hold(
    t,
    fc.asyncProperty(size, size, floats, floats, async (i, j, x, out) => {
      isTyped(() => blocks.elementSync(as(i), as(j)));
      isTyped(() => blocks.diagonalSync(as(out)));
      isTyped(() => blocks.solveSync(as(x), as(out)));
      return isTypedAsync(() => blocks.solve(as(x), as(out)));
    }),
  );
  t.same(blocks.diagonalSync(), before);
  isTyped(() => new (FisherBlocks as unknown as new (x: unknown) => unknown)({}));
});

t.test('optimizers', async (t) => {
  const parameters = fc.oneof(
    fc.constant([new Float32Array(d)]),
    fc.array(fc.oneof(floats, options({ parameters: fc.array(floats), learningRate: number })), {
      maxLength: 2,
    }),
    anything,
  );
  const spec = {
    parameters,
    learningRate: fc.oneof(number, anything),
    momentum: number,
    weightDecay: number,
    damping: fc.oneof(damping, options({ relative: number })),
    capacity: size,
    clip: number,
    storage,
    mask: fc.oneof(bytes, fc.array(bytes, { maxLength: 2 })),
  };
  await hold(
    t,
    fc.asyncProperty(options(spec), async (o) => isTyped(() => new MFacOptimizer(as(o)).dispose())),
  );
  await hold(
    t,
    fc.asyncProperty(options(spec), async (o) => isTyped(() => new MFac(as(o)).dispose())),
  );
  const w = Float32Array.of(1, 2, 3, 4);
  const optimizer = new MFacOptimizer({ parameters: [w], capacity: 2 });
  await hold(
    t,
    fc.asyncProperty(fc.oneof(fc.array(floats, { maxLength: 2 }), anything), run, async (g, r) => {
      isTyped(() => optimizer.stepSync(as(g), as(r)));
      await isTypedAsync(() => optimizer.step(as(g), as(r)));
      return w.every(Number.isFinite);
    }),
  );
  await hold(
    t,
    fc.asyncProperty(anything, options(spec), async (folder, o) =>
      typeof folder === 'string' ? true : isTypedAsync(() => MFacOptimizer.load(as(folder), as(o))),
    ),
  );
});

t.test('pruning', async (t) => {
  const good = { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), rows: 2, cols: d };
  const blocks = FisherBlocks.fromGradientsSync(good, { damping: 0.1 });
  const weights = Float32Array.of(1, -2, 3, -4);
  const selection = {
    sparsity: fc.oneof(fc.constant(0.5), number),
    layers: fc.oneof(fc.constantFrom([4], [1, 3]), fc.array(size, { maxLength: 3 }), anything),
    pattern: fc.oneof(fc.constantFrom([1, 2], [2, 4]), fc.array(size, { maxLength: 3 }), anything),
    prunable: bytes,
  };
  const spec = {
    ...selection,
    recompute: fc.oneof(fc.constantFrom(0, 1), anything),
    growth: anything,
    joint: anything,
    tune: anything,
  };
  const source = fc.oneof(
    fc.constant(blocks),
    options({ gradients: matrix.map((value) => () => value), damping, blockSize: size }),
    fc.record({ gradients: fc.constant(() => good), damping: fc.constant(0.1) }),
  );
  await hold(
    t,
    fc.asyncProperty(
      fc.oneof(fc.constant(weights), floats),
      source,
      options(spec),
      async (w, f, o) => {
        isTyped(() => pruneSync(as(w), as(f), as(o)));
        return isTypedAsync(() => prune(as(w), as(f), as(o)));
      },
    ),
  );
  await hold(
    t,
    fc.asyncProperty(fc.oneof(fc.constant(weights), floats), options(selection), async (s, o) =>
      isTypedAsync(() => selectWeights(as(s), as(o))),
    ),
  );
  t.same(weights, Float32Array.of(1, -2, 3, -4));
});
