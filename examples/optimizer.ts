/**
 * Trains the same network on handwritten digits by M-FAC, by SGD with momentum and by Adam, all in
 * TensorFlow.js from the same weights and batches, and compares the training loss by step and by second.
 *
 *     npm run example:optimizer                # some minutes on two cores
 *     npm run example:optimizer -- --quick     # small sizes, to see that it runs
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { MFac } from 'secondorder/tfjs';
import { accuracy, startTensorFlow } from './adam';
import { CLASSES, readDigits, slice } from './digits';
import { drawLines } from './draw';
import { batches } from './network';
import { percent, printTable, seconds, withBar } from './show';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    figure: { type: 'string', default: 'mfac-optimizer.svg' },
  },
});
const seed = Number(flags.seed);
const QUICK = { training: 500, test: 200, width: 8, steps: 60, every: 20 };
const FULL = { training: 8000, test: 2000, width: 64, steps: 800, every: 40 };
const size = flags.quick ? QUICK : FULL;
const BATCH = 64;
const CAPACITY = 128;
const SPLIT_SEED = 0;

/** An optimizer, and the learning rates of which its best is shown. */
interface Contender {
  name: string;
  rates: number[];
  create(rate: number): tf.Optimizer;
}

const CONTENDERS: Contender[] = [
  {
    name: 'SGD, momentum 0.9',
    rates: [0.03, 0.1, 0.3],
    create: (rate) => tf.train.momentum(rate, 0.9),
  },
  { name: 'Adam', rates: [1e-3, 3e-3, 1e-2], create: (rate) => tf.train.adam(rate) },
  {
    name: `M-FAC, ${CAPACITY} gradients`,
    rates: [0.03, 0.1, 0.3],
    create: (learningRate) => new MFac({ learningRate, capacity: CAPACITY }),
  },
];

/** The training loss on the way. */
interface Point {
  step: number;
  /** Spent in steps, without measuring. */
  seconds: number;
  loss: number;
}

interface Run {
  name: string;
  rate: number;
  points: Point[];
  accuracy: number;
}

const digits = readDigits(SPLIT_SEED);
const training = slice(digits, 0, size.training);
const test = slice(digits, size.training, size.training + size.test);

async function main(): Promise<void> {
  await startTensorFlow();
  const best: Run[] = [];
  for (const { name, rates, create } of CONTENDERS) {
    const runs: Run[] = [];
    await withBar(`${name}: learning rates ${rates.join(', ')}`, async (show) => {
      for (const rate of rates) {
        const done = (share: number) => show((runs.length + share) / rates.length);
        runs.push({ name, rate, ...(await train(create(rate), done)) });
      }
    });
    best.push(runs.reduce((a, b) => (lossOf(b) < lossOf(a) ? b : a)));
  }
  console.log(
    `\n  loss on the ${size.training} training digits, each with its best learning rate\n`,
  );
  print(best);
  const path = resolve(flags.figure);
  const panel = (along: 'step' | 'seconds', title: string) => ({
    lines: best.map(({ name, points }) => ({
      name,
      points: points.map((point) => ({ x: point[along], y: point.loss })),
    })),
    x: { title },
    y: { title: 'training loss', log: true },
  });
  await drawLines(path, [panel('step', 'steps'), panel('seconds', 'seconds of training')]);
  console.log(`\nFigure: ${path}`);
}

/** Loss at the end; one that is no number counts as the worst. */
function lossOf({ points }: Run): number {
  const loss = points.at(-1)!.loss;
  return Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY;
}

async function train(
  optimizer: tf.Optimizer,
  show: (done: number) => void,
): Promise<Pick<Run, 'points' | 'accuracy'>> {
  const network = createNetwork();
  network.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const x = tf.tensor2d(Float32Array.from(training.x.data), [training.x.rows, training.x.cols]);
  const y = tf.tidy(() => tf.oneHot(tf.tensor1d(training.y, 'int32'), CLASSES).toFloat());
  const next = batches(training.y.length, BATCH, seed);
  const measure = () => {
    const loss = network.evaluate(x, y, { batchSize: 2000 }) as tf.Scalar;
    const [value] = loss.dataSync();
    loss.dispose();
    return value!;
  };
  const points: Point[] = [{ step: 0, seconds: 0, loss: measure() }];
  let time = 0;
  for (let step = 1; step <= size.steps; step++) {
    const rows = tf.tensor1d(next(), 'int32');
    const batch = [x.gather(rows), y.gather(rows)] as const;
    const start = performance.now();
    await network.trainOnBatch(...batch);
    time += (performance.now() - start) / 1000;
    tf.dispose([rows, ...batch]);
    if (step % size.every === 0) points.push({ step, seconds: time, loss: measure() });
    show(step / size.steps);
  }
  const read = accuracy(network, test);
  tf.dispose([x, y]);
  optimizer.dispose();
  network.dispose();
  return { points, accuracy: read };
}

/** The same weights for every optimizer. */
function createNetwork(): tf.Sequential {
  const { heNormal, glorotUniform } = tf.initializers;
  const layer = (units: number, kernel: number) => ({
    units,
    kernelInitializer: (units === CLASSES ? glorotUniform : heNormal)({ seed: kernel }),
  });
  return tf.sequential({
    layers: [
      tf.layers.dense({
        ...layer(size.width, 2 * seed + 1),
        activation: 'relu',
        inputShape: [training.x.cols],
      }),
      tf.layers.dense({ ...layer(CLASSES, 2 * seed + 2), activation: 'softmax' }),
    ],
  });
}

function print(runs: readonly Run[]): void {
  const marks = [0.25, 0.5, 1].map(
    (share) => size.every * Math.round((share * size.steps) / size.every),
  );
  const rows = runs.map(({ name, rate, points, accuracy: read }) => [
    name,
    String(rate),
    ...marks.map((mark) => points.find(({ step }) => step === mark)!.loss.toPrecision(3)),
    percent(read),
    seconds(points.at(-1)!.seconds),
  ]);
  const header = ['', 'rate', ...marks.map((mark) => `${mark} steps`), 'test accuracy', 'time'];
  printTable([header, ...rows]);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
