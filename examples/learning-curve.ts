/**
 * How many handwritten digits it takes: test accuracy over the number of training digits, of the gated
 * ReLU model and of a ReLU network of the same width trained by Adam, both with their settings chosen by
 * cross-validation on those digits.
 *
 *     npm run example:learning-curve                # a quarter of an hour or more
 *     npm run example:learning-curve -- --quick     # small sizes, to see that it runs
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConvexReLUClassifier, crossValidate } from 'secondorder';
import { accuracy, startTensorFlow, toComponents, trainAdam } from './adam';
import { CLASSES, type Digits, IMAGE, readDigits, shuffled, slice, takeRows } from './digits';
import { drawLines } from './draw';
import { percent, printTable, seconds, withBar } from './show';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '0' },
    figure: { type: 'string', default: 'learning-curve.svg' },
  },
});
const seed = Number(flags.seed);
const QUICK = {
  ...{ sizes: [100, 200], draws: 1, test: 500, width: 64, components: 20 },
  ...{ betas: [3e-3, 1e-3], rates: [1e-2], decays: [1e-3], steps: 100, epochs: 2 },
};
const FULL = {
  ...{ sizes: [200, 500, 1000, 2000, 5000], draws: 3, test: 5000, width: 512, components: 50 },
  ...{ betas: [1e-3, 3e-4, 1e-4], rates: [1e-3, 3e-3, 1e-2], decays: [3e-4, 1e-3] },
  /** Of Adam: at least so many, and at least so many epochs. */
  ...{ steps: 600, epochs: 30 },
};
const size = flags.quick ? QUICK : FULL;
const TOLERANCE = 1e-2;
const FOLDS = 3;
const BATCH = 100;
const SPLIT_SEED = 0;

interface Fit {
  accuracy: number;
  /** Of the last training, with the settings chosen. */
  seconds: number;
  /** Of choosing them. */
  tuning: number;
}

interface Point {
  digits: number;
  convex: Fit[];
  adam: Fit[];
}

async function main(): Promise<void> {
  const digits = readDigits(SPLIT_SEED);
  const test = slice(digits, 0, size.test);
  const rest = slice(digits, size.test, digits.y.length);
  await startTensorFlow();
  const points: Point[] = [];
  for (const count of size.sizes) {
    const point: Point = { digits: count, convex: [], adam: [] };
    await withBar(`${count.toLocaleString('en')} digits`, async (show) => {
      for (let draw = 0; draw < size.draws; draw++) {
        const training = takeRows(rest, shuffled(rest.y.length, seed + draw).slice(0, count));
        show(draw / size.draws, 'convex');
        const { model, fit } = await fitConvex(training, test);
        point.convex.push(fit);
        const report = (done: number) => show((draw + done) / size.draws, 'Adam');
        point.adam.push(await fitAdam(model, training, test, report));
      }
    });
    points.push(point);
  }
  print(points);
  await draw(points);
}

async function fitConvex(
  training: Digits,
  test: Digits,
): Promise<{ model: ConvexReLUClassifier; fit: Fit }> {
  const estimator = new ConvexReLUClassifier({
    model: 'gated',
    gates: { count: size.width, from: 'patches', image: IMAGE },
    components: size.components,
    tolerance: TOLERANCE,
    checkEvery: 2,
    seed,
  });
  const start = performance.now();
  const { estimator: model } = await crossValidate(estimator, training.x, training.y, {
    ...{ betas: size.betas, folds: FOLDS, seed },
  });
  const all = (performance.now() - start) / 1000;
  if (!model?.report) throw new Error('a cross-validation without a time limit gives a model');
  const time = model.report.seconds;
  const fit = { accuracy: model.score(test.x, test.y), seconds: time, tuning: all - time };
  return { model, fit };
}

/** On the same principal components; learning rate and weight decay by cross-validation. */
async function fitAdam(
  convex: ConvexReLUClassifier,
  training: Digits,
  test: Digits,
  report: (done: number) => void,
): Promise<Fit> {
  const inputs = toComponents(convex, training);
  const settings = size.rates.flatMap((learningRate) =>
    size.decays.map((weightDecay) => ({ learningRate, weightDecay })),
  );
  const runs = settings.length * FOLDS + 1;
  let done = 0;
  const train = async (digits: Digits, setting: (typeof settings)[number]) => {
    const batches = Math.ceil(digits.y.length / BATCH);
    const epochs = Math.max(size.epochs, Math.ceil(size.steps / batches));
    const options = { width: size.width, classes: CLASSES, epochs, seed, ...setting };
    const { network } = await trainAdam(digits, options, () => undefined);
    report(++done / runs);
    return network;
  };
  const start = performance.now();
  const rows = Array.from(inputs.y, (_, row) => row);
  const means: number[] = [];
  for (const setting of settings) {
    let sum = 0;
    for (let fold = 0; fold < FOLDS; fold++) {
      const part = (inside: boolean) =>
        takeRows(
          inputs,
          rows.filter((row) => (row % FOLDS === fold) === inside),
        );
      const network = await train(part(false), setting);
      sum += accuracy(network, part(true));
      network.dispose();
    }
    means.push(sum / FOLDS);
  }
  const tuned = performance.now();
  const network = await train(inputs, settings[means.indexOf(Math.max(...means))]!);
  const end = performance.now();
  const read = accuracy(network, toComponents(convex, test));
  network.dispose();
  return { accuracy: read, seconds: (end - tuned) / 1000, tuning: (tuned - start) / 1000 };
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function print(points: readonly Point[]): void {
  const cells = (fits: Fit[]) => [
    percent(mean(fits.map((fit) => fit.accuracy))),
    seconds(mean(fits.map((fit) => fit.seconds))),
    seconds(mean(fits.map((fit) => fit.tuning))),
  ];
  const rows = points.map(({ digits, convex, adam }) => {
    const gained = mean(convex.map((fit, i) => fit.accuracy - adam[i]!.accuracy));
    return [
      digits.toLocaleString('en'),
      ...cells(convex),
      ...cells(adam),
      `${gained < 0 ? '−' : '+'}${(100 * Math.abs(gained)).toFixed(2)}`,
    ];
  });
  const header = ['digits', 'convex', 'fit', 'tuning', 'Adam', 'fit', 'tuning', 'points'];
  printTable([header, ...rows]);
  console.log(
    `  accuracy on ${size.test.toLocaleString('en')} digits kept apart, mean of ${size.draws} draw(s); ` +
      `width ${size.width}; both on ${size.components} principal\n  components, settings by ` +
      `${FOLDS}-fold cross-validation (beta; learning rate and weight decay)`,
  );
}

async function draw(points: readonly Point[]): Promise<void> {
  const line = (name: string, of: (point: Point) => Fit[]) => ({
    name,
    points: points.map((point) => ({
      x: point.digits,
      y: mean(of(point).map((fit) => fit.accuracy)),
    })),
  });
  const path = resolve(flags.figure);
  await drawLines(path, [
    {
      lines: [
        line('gated ReLU, convex', ({ convex }) => convex),
        line('ReLU network, Adam', ({ adam }) => adam),
      ],
      x: { title: 'training digits', log: true, ticks: size.sizes },
      y: { title: 'test accuracy', format: '.0%' },
    },
  ]);
  console.log(`Figure: ${path}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
