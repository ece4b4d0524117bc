// Pruning against brute force on dense matrices, and what it does for a network.

import {
  AbortError,
  FisherBlocks,
  prune,
  pruneSync,
  selectWeights,
  selectWeightsSync,
} from 'secondorder';
import type { PruneProgress, PruneResult, SelectionOptions } from 'secondorder/mfac';
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
import { join, Network, spiral } from './fixtures/network';

const d = 24;
const rows = randomRows(10, d, 1);
const weights = single(randomRows(1, d, 2)[0]!);
const damping = 1e-2;
const blocks = FisherBlocks.fromGradientsSync(toMatrix(rows), { damping });

/** Places of the zeros of a mask. */
const gone = (mask: Uint8Array) => Array.from(mask.keys()).filter((i) => mask[i] === 0);

/** The `count` places with the lowest w²/(2 diag H⁻¹), ascending. */
function worthLeast(h: number[][], w: ArrayLike<number>, count: number): number[] {
  const dense = inverse(h);
  const scores = Array.from(w, (value, i) => value ** 2 / (2 * dense[i]![i]!));
  const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  return order.slice(0, count).sort((a, b) => a - b);
}

t.test('one shot is optimal brain surgeon on the dense matrix', async (t) => {
  const before = weights.slice();
  for (const sparsity of [0, 0.25, 0.5, 0.95]) {
    const result = await prune(weights, blocks, { sparsity });
    const h = fisher(rows, damping);
    const remove = worthLeast(h, weights, Math.round(sparsity * d));
    t.same(gone(result.mask), remove, `${sparsity}: the weights that are worth least`);
    const truth = removal(h, weights, remove);
    t.ok(relativeError(result.weights, truth.weights) < 1e-5, `${sparsity}: joint update`);
    t.ok(Math.abs(result.lossIncrease - truth.lossIncrease) <= 1e-6 * truth.lossIncrease);
    t.ok(
      result.weights.every((w, i) => result.mask[i] === 1 || Object.is(w, 0)),
      'exact zeros',
    );
    t.match(result.steps, [
      { step: 1, removed: remove.length, sparsity: remove.length / d, gradients: 10 },
    ]);
    t.same(pruneSync(weights, blocks, { sparsity }), result);
  }
  t.same(weights, before, 'the weights given are not changed');
  t.ok(blocks.bytes > 0, 'blocks that were given stay');
});

t.test('independent updates lose more than joint ones', async (t) => {
  const h = fisher(rows, damping);
  const truth = (result: PruneResult) => {
    const delta = Array.from(result.weights, (w, i) => w - weights[i]!);
    return (
      0.5 * delta.reduce((s, a, i) => s + a * h[i]!.reduce((r, v, j) => r + v * delta[j]!, 0), 0)
    );
  };
  const joint = await prune(weights, blocks, { sparsity: 0.6 });
  const alone = await prune(weights, blocks, { sparsity: 0.6, joint: false });
  t.same(joint.mask, alone.mask);
  t.ok(truth(joint) < 0.9 * truth(alone), `${truth(joint)} and ${truth(alone)}`);
  t.ok(Math.abs(truth(joint) - joint.lossIncrease) < 1e-5 * joint.lossIncrease);
});

t.test('layers, patterns and weights that stay', async (t) => {
  const count = (mask: Uint8Array, from: number, to: number) =>
    mask.subarray(from, to).reduce((sum, kept) => sum + kept, 0);
  const layered = await prune(weights, blocks, { sparsity: 0.5, layers: [4, 20] });
  t.same([count(layered.mask, 0, 4), count(layered.mask, 4, d)], [2, 10]);

  for (const recompute of [0, 3]) {
    const source = { gradients: () => toMatrix(rows), damping };
    const paired = await prune(weights, source, { pattern: [2, 4], recompute });
    for (let i = 0; i < d; i += 4) t.equal(count(paired.mask, i, i + 4), 2, '2 of every 4');
  }

  const prunable = Uint8Array.from({ length: d }, (_, i) => (i >= 6 && i < 12 ? 0 : 1));
  const protecting = await prune(weights, blocks, { sparsity: 0.5, prunable });
  t.equal(count(protecting.mask, 6, 12), 6);
  t.equal(count(protecting.mask, 0, d), 6 + 9, 'half of those that may go');
  const byLayer = await prune(weights, blocks, { sparsity: 0.5, prunable, layers: [6, 6, 8, 4] });
  t.same(
    [
      [0, 6],
      [6, 12],
      [12, 20],
      [20, d],
    ].map(([a, b]) => count(byLayer.mask, a!, b!)),
    [3, 6, 4, 2],
  );
  const paired = await prune(weights, blocks, { pattern: [1, 4], prunable });
  t.same(
    [0, 4, 8, 12, 16, 20].map((i) => count(paired.mask, i, i + 4)),
    [1, 2, 4, 1, 1, 1],
    'groups stand where they are',
  );
});

t.test('a share below that of the pattern: of each layer, and of those that may go', (t) => {
  const scores = Float32Array.of(1, 1, 1, 1, 9, 9, 9, 9);
  const pattern = [2, 4] as const;
  const chosen = (options: SelectionOptions, of = scores) =>
    gone(selectWeightsSync(of, { pattern, ...options }));
  t.same(chosen({ sparsity: 0.25 }), [0, 1], 'the lowest of all');
  t.same(chosen({ sparsity: 0.25, layers: [4, 4] }), [0, 4], 'one of each layer');
  const distinct = Float32Array.of(1, 2, 3, 4, 9, 9, 9, 9);
  const first = Uint8Array.of(1, 1, 1, 1, 0, 0, 0, 0);
  t.same(chosen({ sparsity: 0.25, prunable: first }, distinct), [0], 'a quarter of four');
  t.same(chosen({ sparsity: 0.5, prunable: first }, distinct), [0, 1]);
  t.same(chosen({ prunable: first }, distinct), [0, 1], 'all that the pattern lets go');
  const some = Uint8Array.of(0, 1, 0, 1, 1, 1, 1, 1);
  t.same(chosen({ sparsity: 0.4, layers: [4, 4], prunable: some }), [1, 4, 5], '0.8 and 1.6');
  t.same(chosen({ layers: [4, 4], prunable: some }), [1, 3, 4, 5]);
  t.same(chosen({ sparsity: 0.5, prunable: new Uint8Array(8) }), [], 'none may go');
  t.end();
});

t.test('patterns on the way: shares of the prunable weights of each layer', async (t) => {
  const layers = [8, 16];
  const prunable = Uint8Array.from({ length: d }, (_, i) => Number(i % 4 !== 1 && i !== 23));
  const source = { gradients: () => toMatrix(rows), damping };
  const masks: Uint8Array[] = [];
  const tune = (w: Float32Array, mask: Uint8Array) => {
    masks.push(mask);
    return w;
  };
  const options = { sparsity: 0.5, layers, pattern: [2, 4] as const, prunable, recompute: 3, tune };
  const { mask, steps } = await prune(weights, source, options);
  // Of 6 and 11 that may go.
  const shares = [1, 2, 3, 4].map((step) => 0.5 * (1 - (1 - step / 4) ** 3));
  const counts = shares.map((share) => [Math.round(6 * share), Math.round(11 * share)]);
  for (const [i, after] of [...masks, mask].entries()) {
    const left = gone(after);
    t.same([left.filter((q) => q < 8).length, left.filter((q) => q >= 8).length], counts[i]);
    t.ok(left.every((q) => prunable[q] === 1));
    t.ok(
      left.every((q) => masks.slice(i).every((later) => later[q] === 0)),
      'nothing comes back',
    );
    for (let q = 0; q < d; q += 4) {
      t.ok(left.filter((place) => place >= q && place < q + 4).length <= 2, 'at most 2 of 4');
    }
  }
  t.same(
    steps.map(({ removed }) => removed),
    counts.map(([a, b]) => a! + b!),
  );
});

t.test('masks by scores of one’s own', async (t) => {
  const magnitudes = weights.map(Math.abs);
  const mask = await selectWeights(magnitudes, { sparsity: 0.25 });
  const order = Array.from(magnitudes.keys()).sort((a, b) => magnitudes[a]! - magnitudes[b]!);
  t.same(
    gone(mask),
    order.slice(0, 6).sort((a, b) => a - b),
  );
  t.same(selectWeightsSync(magnitudes, { sparsity: 0.25 }), mask);
});

t.test('gradual: gradients of the weights as they are, removed ones stay removed', async (t) => {
  const seen: Float32Array[] = [];
  const masks: Uint8Array[] = [];
  const events: PruneProgress[] = [];
  const source = {
    // Different at every step, and not 0 where weights are gone: those entries must not count.
    gradients: (w: Float32Array) => {
      seen.push(w.slice());
      return toMatrix(randomRows(10, d, seen.length));
    },
    damping,
    blockSize: 8,
  };
  const tune = (w: Float32Array, mask: Uint8Array) => {
    masks.push(mask.slice());
    return w.map((value) => value + 0.01);
  };
  for (const growth of ['cubic', 'geometric'] as const) {
    seen.length = masks.length = events.length = 0;
    const result = await prune(
      weights,
      source,
      { sparsity: 0.75, recompute: 3, growth, tune },
      { onProgress: (event) => events.push(event) },
    );
    const shares = [1, 2, 3, 4].map((step) =>
      growth === 'cubic' ? 0.75 * (1 - (1 - step / 4) ** 3) : 1 - 0.25 ** (step / 4),
    );
    t.same(
      result.steps.map(({ removed }) => removed),
      shares.map((share) => Math.round(share * d)),
    );
    t.equal(seen.length, 4);
    t.equal(masks.length, 3, 'tuned between the steps');
    t.match(events.at(-1), { iteration: 4, steps: 4, sparsity: 0.75, gradients: 10 });

    // The same by hand, on dense matrices of the weights that are left.
    let current = single(weights);
    let mask = new Uint8Array(d).fill(1);
    let lossIncrease = 0;
    for (const [i, share] of shares.entries()) {
      t.ok(relativeError(seen[i]!, current) < 1e-5, `step ${i + 1}`);
      const left = randomRows(10, d, i + 1).map((row) => row.map((g, j) => g * mask[j]!));
      const h = fisher(left, damping, { blockSize: 8 });
      const remove = worthLeast(h, current, Math.round(share * d));
      const update = removal(h, current, remove);
      lossIncrease += update.lossIncrease;
      mask = Uint8Array.from({ length: d }, (_, j) => (remove.includes(j) ? 0 : 1));
      current = single(update.weights.map((w, j) => (i < 3 ? w + 0.01 : w) * mask[j]!));
    }
    t.same(result.mask, mask);
    t.ok(relativeError(result.weights, current) < 1e-5);
    t.ok(Math.abs(result.lossIncrease / lossIncrease - 1) < 1e-5);
    for (const [i, before] of masks.entries()) {
      const after = masks[i + 1] ?? result.mask;
      t.ok(
        after.every((kept, j) => kept <= before[j]!),
        'nothing comes back',
      );
    }
  }
});

t.test('a network keeps its accuracy', async (t) => {
  const network = new Network(4, 48, 3);
  const samples = spiral(300, 3, 1);
  const parts = network.start(3);
  // Trained by plain descent with momentum.
  const velocity = parts.map((part) => new Float32Array(part.length));
  for (let step = 0; step < 800; step++) {
    const { gradients } = network.evaluate(parts, samples);
    for (const [k, part] of parts.entries()) {
      part.forEach((w, i) => {
        velocity[k]![i] = 0.9 * velocity[k]![i]! + gradients[k]![i]!;
        part[i] = w - 0.3 * velocity[k]![i]!;
      });
    }
  }
  const trained = join(parts);
  const accuracy = (w: Float32Array) => network.evaluate(network.split(w), samples).accuracy;
  t.ok(accuracy(trained) > 0.9, `trained: ${accuracy(trained)}`);
  async function* gradients(w: Float32Array) {
    for (const sample of samples) yield network.gradientOf(w, [sample]);
  }
  const sparsity = 0.85;
  const mask = await selectWeights(trained.map(Math.abs), { sparsity });
  const magnitude = accuracy(trained.map((w, i) => w * mask[i]!));
  const source = { gradients, damping: 1e-5 };
  const once = await prune(trained, source, { sparsity });
  const often = await prune(trained, source, { sparsity, recompute: 5 });
  t.comment(`${magnitude}, ${accuracy(once.weights)}, ${accuracy(often.weights)}`);
  t.ok(accuracy(once.weights) > magnitude + 0.04, 'better than magnitude');
  t.ok(accuracy(often.weights) > magnitude + 0.1, 'and more so in steps');
});

t.test('abort, and callbacks that fail', async (t) => {
  const controller = new AbortController();
  let calls = 0;
  const source = {
    gradients: () => {
      if (++calls === 3) controller.abort(new Error('enough'));
      return toMatrix(rows);
    },
    damping,
  };
  const options = { sparsity: 0.8, recompute: 5 };
  const error = await prune(weights, source, options, { signal: controller.signal }).catch(
    (reason: unknown) => reason,
  );
  if (!(error instanceof AbortError)) throw error;
  t.equal((error.cause as Error).message, 'enough');
  const partial = error.partial as PruneResult;
  t.equal(partial.steps.length, 2, 'what was reached');
  t.equal(gone(partial.mask).length, partial.steps[1]!.removed);

  const aborted = prune(weights, blocks, { sparsity: 0.5 }, { signal: AbortSignal.abort() });
  await t.rejects(aborted, { name: 'AbortError', partial: undefined });
  const waiting = new AbortController();
  const stalled = {
    gradients: () => {
      setTimeout(() => waiting.abort(new Error('no patience')), 5);
      return new Promise<never>(() => undefined);
    },
    damping,
  };
  const left = prune(weights, stalled, { sparsity: 0.5 }, { signal: waiting.signal });
  await t.rejects(left, { code: 'ERR_ABORTED', cause: { message: 'no patience' } });
  const failing = {
    gradients: () => {
      throw new RangeError('none');
    },
    damping,
  };
  await t.rejects(prune(weights, failing, { sparsity: 0.5 }), {
    code: 'ERR_EVALUATION',
    argument: 'fisher.gradients',
    cause: { message: 'none' },
  });
  const tune = () => {
    throw new RangeError('untuned');
  };
  const fresh = { gradients: () => toMatrix(rows), damping };
  const options2 = { sparsity: 0.5, recompute: 1, tune };
  const expected = {
    code: 'ERR_EVALUATION',
    argument: 'options.tune',
    cause: { message: 'untuned' },
  };
  await t.rejects(prune(weights, fresh, options2), expected);
  t.throws(() => pruneSync(weights, fresh, options2), expected);
  const short = { ...options2, tune: (w: Float32Array) => w.subarray(1) };
  await t.rejects(prune(weights, fresh, short), { code: 'ERR_DIMENSION_MISMATCH' });
  const wrong = { gradients: () => toMatrix(randomRows(3, d + 1, 1)), damping };
  await t.rejects(prune(weights, wrong, { sparsity: 0.5 }), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'fisher.gradients',
  });
});

t.test('an abort by a callback leaves both forms the steps that were taken', async (t) => {
  for (const callback of ['tune', 'gradients'] as const) {
    for (const throws of [false, true]) {
      const attempt = () => {
        const controller = new AbortController();
        let estimated = 0;
        const abort = () => {
          controller.abort(new Error('enough'));
          if (throws) throw new RangeError('besides');
        };
        const source = {
          gradients: () => {
            if (++estimated === 2 && callback === 'gradients') abort();
            return toMatrix(rows);
          },
          damping,
        };
        const tune = (w: Float32Array) => {
          if (callback === 'tune') abort();
          return w.map((value) => 2 * value);
        };
        const options = { sparsity: 0.8, recompute: 3, tune };
        return [source, options, { signal: controller.signal }] as const;
      };
      const failed: unknown[] = [];
      await prune(weights, ...attempt()).catch((error) => failed.push(error));
      try {
        pruneSync(weights, ...attempt());
      } catch (error) {
        failed.push(error);
      }
      const partials = failed.map((error) => {
        if (!(error instanceof AbortError)) throw error;
        t.equal((error.cause as Error).message, 'enough');
        return error.partial as PruneResult;
      });
      t.equal(partials.length, 2);
      t.equal(partials[0]!.steps.length, 1, `${callback}: one step was taken`);
      t.equal(gone(partials[0]!.mask).length, partials[0]!.steps[0]!.removed);
      t.same(partials[1], partials[0]);
    }
  }
  const run = { signal: AbortSignal.abort() };
  const early = { name: 'AbortError', partial: undefined };
  t.throws(() => pruneSync(weights, blocks, { sparsity: 0.5 }, run), early);
});

t.test('what does not go together is refused', async (t) => {
  const cases: [object, string][] = [
    [{}, 'options.sparsity'],
    [{ sparsity: 1 }, 'options.sparsity'],
    [{ sparsity: 0.5, recompute: 2 }, 'options.recompute'],
    [{ sparsity: 0.5, layers: [3] }, 'options.layers'],
    [{ pattern: [4, 4] }, 'options.pattern[0]'],
    [{ pattern: [2] }, 'options.pattern'],
    [{ sparsity: 0.5, prunable: new Uint8Array(3) }, 'options.prunable'],
    [{ sparsity: 0.5, prunable: new Uint8Array(d).fill(2) }, 'options.prunable'],
    [{ sparsity: 0.5, growth: 'linear' }, 'options.growth'],
    [{ sparsity: 0.5, sparsty: 1 }, 'options.sparsty'],
  ];
  for (const [options, argument] of cases) {
    await t.rejects(prune(weights, blocks, options), { code: /^ERR_/, argument });
    t.throws(() => pruneSync(weights, blocks, options), { code: /^ERR_/, argument });
  }
  await t.rejects(prune(weights.subarray(1), blocks, { sparsity: 0.5 }), {
    code: /^ERR_/,
    argument: 'fisher',
  });
  const nothing = {} as unknown as FisherBlocks;
  await t.rejects(prune(weights, nothing, { sparsity: 0.5 }), {
    code: /^ERR_/,
    argument: 'fisher.gradients',
  });
});
