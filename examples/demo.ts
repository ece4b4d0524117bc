/**
 * Reads handwritten digits with a gated ReLU network trained to its certified global optimum, then
 * compares it, on few training digits, with a ReLU network of the same width trained by Adam.
 *
 *     npm run demo                    # one or two minutes on two cores
 *     npm run demo -- --quick         # small sizes, to see that it runs
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConvexReLUClassifier, verify } from 'secondorder';
import { convexReport, type Fact, scoreCurve, writeReport } from 'secondorder/report';
import { accuracy, startTensorFlow, toComponents, trainAdam } from './adam';
import { CLASSES, type Digits, IMAGE, readDigits, shuffled, slice, takeRows } from './digits';
import { percent, printTable, seconds, withBar } from './show';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '0' },
    report: { type: 'string', default: 'demo-report.html' },
  },
});
const seed = Number(flags.seed);
const QUICK = {
  training: 1000,
  test: 500,
  few: 200,
  width: 64,
  components: 20,
  beta: 3e-3,
  epochs: 15,
};
/**
 * Width, components and beta: the best of four choices, trained on 6,400 of the training digits and
 * compared on the other 1,600. The test digits had no say.
 */
const FULL = {
  training: 8000,
  test: 2000,
  few: 1000,
  width: 1024,
  components: 50,
  beta: 1e-4,
  epochs: 30,
};
const size = flags.quick ? QUICK : FULL;
const TOLERANCE = 1e-2;
/** Which digits train and test is the same for every seed, so that what follows holds for all. */
const SPLIT_SEED = 0;
/** Of the cross-validations that choose settings on few digits. */
const FOLDS = 3;

interface Result {
  name: string;
  digits: number;
  accuracy: number;
  objective: number;
  dualBound?: number;
  gap?: number;
  seconds: number;
  /** Of choosing the settings. */
  tuning?: number;
}

/** The gated model: gates look at small patches of the image, their weights are the global optimum. */
function createModel(beta: number, limit: { maxIterations?: number } = {}): ConvexReLUClassifier {
  return new ConvexReLUClassifier({
    model: 'gated',
    gates: { count: size.width, from: 'patches', image: IMAGE },
    components: size.components,
    beta,
    tolerance: TOLERANCE,
    checkEvery: 2,
    ...limit,
    seed,
  });
}

async function main(): Promise<void> {
  const digits = readDigits(SPLIT_SEED);
  const training = slice(digits, 0, size.training);
  const test = slice(digits, size.training, size.training + size.test);
  const few = takeRows(training, shuffled(size.training, seed).slice(0, size.few));

  const model = await fit(createModel(size.beta), training);
  const proof = verify(model, training.x, training.y);
  console.log(
    `  ${model.report!.status}; checked anew from the saved certificate: no weights over these gates ` +
      `get below ${proof.dualBound.toPrecision(5)}, these have ${proof.objective.toPrecision(5)}`,
  );
  const many = resultOf(model, training, test);
  printResults([many]);

  const convex = await compareConvex(few, test);
  const adam = await compareAdam(convex.model, few, test);
  printResults([convex.result, adam]);
  console.log(
    '  Objectives of the two are not comparable: squared loss and group norms here, cross-entropy and\n' +
      '  weight decay there. Settings of both were chosen by three-fold cross-validation on the training\n' +
      '  digits (beta; learning rate and weight decay); both see the same principal components. Adam\n' +
      '  runs on one core: the WebAssembly backend of TensorFlow.js has no threads in Node.',
  );

  await report(model, training, test, [many, convex.result, adam]);
}

async function fit(model: ConvexReLUClassifier, { x, y }: Digits): Promise<ConvexReLUClassifier> {
  const title = `Training ${size.width} gates on ${count(y.length)} digits`;
  return withBar(title, (show) =>
    model.fit(x, y, {
      onProgress: ({ iteration, gap }) =>
        show(
          Math.min(1, Math.max(0, Math.log(gap) / Math.log(TOLERANCE))),
          `iteration ${iteration}, gap ${gap.toExponential(1)}`,
        ),
    }),
  );
}

/** The same model on few digits; beta chosen by cross-validation. */
async function compareConvex(few: Digits, test: Digits) {
  const betas = [1e-4, 3e-4, 1e-3];
  const start = performance.now();
  const scores: number[] = [];
  for (const beta of betas) {
    const fold = async (train: Digits, rest: Digits) =>
      (await createModel(beta).fit(train.x, train.y)).score(rest.x, rest.y);
    scores.push(await crossValidate(few, fold));
  }
  const beta = best(betas, scores);
  const tuning = (performance.now() - start) / 1000;
  const model = await fit(createModel(beta), few);
  console.log(`  chosen of ${betas.length}: beta ${beta}`);
  return { model, result: { ...resultOf(model, few, test), tuning } };
}

/** The ReLU network by Adam; learning rate and weight decay chosen by cross-validation. */
async function compareAdam(
  convex: ConvexReLUClassifier,
  few: Digits,
  test: Digits,
): Promise<Result> {
  await startTensorFlow();
  const common = { width: size.width, classes: CLASSES, epochs: size.epochs, seed };
  // The better part of a wider grid, by the same cross-validation: a learning rate of 1e-3 and a
  // weight decay of 3e-3 did worse.
  const settings = [3e-3, 1e-2].flatMap((learningRate) =>
    [3e-4, 1e-3].map((weightDecay) => ({ learningRate, weightDecay })),
  );
  const inputs = toComponents(convex, few);
  const start = performance.now();
  const scores: number[] = [];
  await withBar(`Tuning Adam on ${count(size.few)} digits`, async (show) => {
    for (const [i, setting] of settings.entries()) {
      let part = 0;
      const fold = async (train: Digits, rest: Digits) => {
        const progress = (done: number) => show((i + (part + done) / FOLDS) / settings.length);
        const { network } = await trainAdam(train, { ...common, ...setting }, progress);
        part++;
        return accuracy(network, rest);
      };
      scores.push(await crossValidate(inputs, fold));
    }
  });
  const setting = best(settings, scores);
  const tuned = performance.now();
  const { network, objective } = await withBar('Training by Adam', (show) =>
    trainAdam(inputs, { ...common, ...setting }, show),
  );
  const trained = performance.now();
  const { learningRate, weightDecay } = setting;
  console.log(
    `  chosen of ${settings.length}: learning rate ${learningRate}, weight decay ${weightDecay}; ` +
      `${size.epochs} epochs`,
  );
  return {
    name: 'ReLU network, Adam',
    digits: size.few,
    accuracy: accuracy(network, toComponents(convex, test)),
    objective,
    seconds: (trained - tuned) / 1000,
    tuning: (tuned - start) / 1000,
  };
}

/** Mean score over the folds, each by a model trained on the others. */
async function crossValidate(
  digits: Digits,
  fold: (train: Digits, rest: Digits) => Promise<number>,
): Promise<number> {
  const rows = Array.from(digits.y, (_, row) => row);
  let sum = 0;
  for (let part = 0; part < FOLDS; part++) {
    const train = rows.filter((row) => row % FOLDS !== part);
    const rest = rows.filter((row) => row % FOLDS === part);
    sum += await fold(takeRows(digits, train), takeRows(digits, rest));
  }
  return sum / FOLDS;
}

function best<T>(choices: readonly T[], scores: readonly number[]): T {
  return choices[scores.indexOf(Math.max(...scores))]!;
}

function resultOf(model: ConvexReLUClassifier, training: Digits, test: Digits): Result {
  const { objective, dualBound, gap, seconds } = model.report!;
  return {
    name: 'gated ReLU, convex',
    digits: training.y.length,
    accuracy: model.score(test.x, test.y),
    objective,
    dualBound,
    gap,
    seconds,
  };
}

function printResults(results: Result[]): void {
  const header = ['', 'digits', 'accuracy', 'objective', 'dual bound', 'gap', 'time', 'tuning'];
  const rows = results.map((result) => [
    result.name,
    count(result.digits),
    percent(result.accuracy),
    result.objective.toPrecision(4),
    result.dualBound?.toPrecision(4) ?? 'none',
    result.gap?.toExponential(1) ?? 'none',
    seconds(result.seconds),
    result.tuning === undefined ? 'before' : seconds(result.tuning),
  ]);
  console.log();
  printTable([header, ...rows]);
  console.log(`  accuracy: on ${count(size.test)} digits kept apart from training\n`);
}

async function report(
  model: ConvexReLUClassifier,
  training: Digits,
  test: Digits,
  results: Result[],
): Promise<void> {
  const scores = (of: ConvexReLUClassifier) => ({
    training: of.score(training.x, training.y),
    test: of.score(test.x, test.y),
  });
  const own = scores(model);
  const curve = await withBar('Accuracy along the way, for the report', () =>
    scoreCurve(
      model.report!,
      async (maxIterations) => {
        const earlier = createModel(size.beta, { maxIterations });
        return scores(await earlier.fit(training.x, training.y));
      },
      own,
    ),
  );
  const data = convexReport({
    title: 'Handwritten digits',
    report: model.report!,
    network: model.network,
    x: training.x,
    evaluation: {
      kind: 'classification',
      on: 'test',
      x: test.x,
      truth: test.y,
      predicted: model.predict(test.x),
      probabilities: model.predictProba(test.x),
      classes: model.classes,
      score: own.test,
    },
    trainingScore: own.training,
    scores: curve,
    image: IMAGE,
    generator: 'the demo of secondorder',
  });
  const rows = results.map(
    ({ name, digits, accuracy, seconds }): Fact => ({
      label: `${name}, ${count(digits)} digits`,
      value: accuracy,
      format: 'percent',
      note: `trained in ${seconds.toFixed(1)} s`,
    }),
  );
  data.tables.push({ title: 'Accuracy beside Adam', rows });
  const path = resolve(flags.report);
  await writeReport(path, data);
  console.log(`Report with curves, gates and misread digits: ${path}`);
}

function count(value: number): string {
  return value.toLocaleString('en');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
