/**
 * Trains a small network on handwritten digits, removes 50 to 95 % of its weights in seven ways, and
 * shows what accuracy is left.
 *
 *     npm run example:prune                # a few minutes on two cores
 *     npm run example:prune -- --quick     # small sizes, to see that it runs
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MFacOptimizer, type PruneOptions, prune, selectWeights } from 'secondorder/mfac';
import { type Digits, readDigits, shuffled, slice } from './digits';
import { drawLines, type Line } from './draw';
import { batches, Network } from './network';
import { percent, printTable, seconds, withBar } from './show';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    figure: { type: 'string', default: 'mfac-prune.svg' },
  },
});
const seed = Number(flags.seed);
const QUICK = { training: 1500, test: 500, hidden: 12, steps: 150, gradients: 64, recompute: 2 };
const FULL = { training: 8000, test: 2000, hidden: 32, steps: 1250, gradients: 512, recompute: 7 };
const size = flags.quick ? QUICK : FULL;
const SPARSITIES = [0.5, 0.75, 0.9, 0.95];
const KEPT = SPARSITIES.map((sparsity) => 1 - sparsity);
const BATCH = 64;
/** Digits of a gradient that the Fisher matrix is estimated from. */
const FISHER_BATCH = 15;
const DAMPING = 1e-5;
/** Which digits train and test is the same for every seed. */
const SPLIT_SEED = 0;

/** A way to prune: to a sparsity, giving the weights. */
interface Method {
  name: string;
  run(sparsity: number): Promise<Float32Array>;
}

const digits = readDigits(SPLIT_SEED);
const training = slice(digits, 0, size.training);
const test = slice(digits, size.training, size.training + size.test);
const network = new Network(digits.x.cols, size.hidden);
const prunable = network.withoutBiases;

async function main(): Promise<void> {
  const trained = network.start(seed);
  await withBar(`Training ${network.dimension} weights on ${size.training} digits`, (show) =>
    train(trained, size.steps, undefined, show),
  );
  const quality = network.evaluate(trained, test);
  console.log(`  accuracy on ${size.test} other digits: ${percent(quality.accuracy)}`);

  const lines: Line[] = [];
  const rows: string[][] = [];
  for (const { name, run } of methods(trained)) {
    const start = performance.now();
    const accuracies = await withBar(name, async (show) => {
      const found: number[] = [];
      for (const sparsity of SPARSITIES) {
        found.push(network.evaluate(await run(sparsity), test).accuracy);
        show(found.length / SPARSITIES.length);
      }
      return found;
    });
    const time = (performance.now() - start) / 1000;
    rows.push([name, ...accuracies.map(percent), seconds(time)]);
    lines.push({ name, points: accuracies.map((y, i) => ({ x: KEPT[i]!, y })) });
  }
  console.log('\n  accuracy by the share of weights removed, biases left out\n');
  printTable([['', ...SPARSITIES.map((s) => `${100 * s} %`), 'time'], ...rows]);
  const path = resolve(flags.figure);
  await drawLines(path, [
    {
      lines: [
        { name: 'not pruned', points: KEPT.map((x) => ({ x, y: quality.accuracy })) },
        ...lines,
      ],
      x: { title: 'share of weights kept', format: '.0%', log: true, falling: true, ticks: KEPT },
      y: { title: 'accuracy on test digits', format: '.0%' },
    },
  ]);
  console.log(`\nFigure: ${path}`);
}

function methods(trained: Float32Array): Method[] {
  const { recompute } = size;
  const byFisher = (options: PruneOptions, blockSize?: number) => (sparsity: number) =>
    pruneDigits(trained, { sparsity, ...options }, blockSize);
  return [
    { name: 'magnitude', run: (sparsity) => byMagnitude(trained, sparsity) },
    { name: 'diagonal Fisher', run: byFisher({}, 1) },
    { name: 'M-FAC, blocks of 128, independent', run: byFisher({ joint: false }, 128) },
    { name: 'M-FAC, blocks of 128, joint', run: byFisher({}, 128) },
    { name: 'M-FAC, full, independent', run: byFisher({ joint: false }) },
    { name: 'M-FAC, full, joint', run: byFisher({}) },
    {
      name: `M-FAC, full, joint, H estimated ${recompute + 1} times`,
      run: byFisher({ recompute }),
    },
    {
      name: '  … and trained on for a while',
      run: async (sparsity) => {
        const options: PruneOptions = { sparsity, recompute, prunable };
        const { weights, mask } = await prune(trained, source(), options);
        await train(weights, size.steps / 5, mask);
        if (weights.some((w, i) => mask[i] === 0 && w !== 0)) throw new Error('a zero was lost');
        return weights;
      },
    },
  ];
}

/** Trains in place; weights where the mask has 0 stay as they are. */
async function train(
  weights: Float32Array,
  steps: number,
  mask?: Uint8Array,
  show: (done: number) => void = () => undefined,
): Promise<void> {
  using optimizer = new MFacOptimizer({
    parameters: [weights],
    capacity: 64,
    weightDecay: 0.02,
    ...(mask && { mask }),
  });
  const next = batches(training.y.length, BATCH, seed);
  const gradient = new Float32Array(network.dimension);
  for (let step = 0; step < steps; step++) {
    network.gradient(weights, training, next(), gradient);
    await optimizer.step([gradient]);
    show((step + 1) / steps);
  }
}

async function byMagnitude(weights: Float32Array, sparsity: number): Promise<Float32Array> {
  const mask = await selectWeights(weights.map(Math.abs), { sparsity, prunable });
  return weights.map((w, i) => w * mask[i]!);
}

async function pruneDigits(
  weights: Float32Array,
  options: PruneOptions,
  blockSize?: number,
): Promise<Float32Array> {
  return (await prune(weights, source(blockSize), { ...options, prunable })).weights;
}

/** Gradients to estimate the Fisher matrix from, of the weights as they are. */
function source(blockSize?: number) {
  return {
    gradients: (weights: Float32Array) => fisherGradients(weights, training),
    damping: DAMPING,
    expected: size.gradients,
    ...(blockSize !== undefined && { blockSize }),
  };
}

function* fisherGradients(weights: Float32Array, { y }: Digits): Generator<Float32Array> {
  const order = shuffled(y.length, seed);
  const gradient = new Float32Array(network.dimension);
  for (let i = 0; i < size.gradients; i++) {
    const first = (i * FISHER_BATCH) % (y.length - FISHER_BATCH);
    network.gradient(weights, training, order.slice(first, first + FISHER_BATCH), gradient);
    yield gradient;
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
