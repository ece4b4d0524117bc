/**
 * The regularization path of a gated ReLU model of handwritten digits: what each beta gives, and which
 * one cross-validation chooses.
 *
 *     npm run example:path                # half a minute on two cores
 *     npm run example:path -- --quick     # small sizes, to see that it runs
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  ConvexReLUClassifier,
  type ConvexReLUOptions,
  crossValidate,
  regularizationPath,
} from 'secondorder';
import { pathReport, writeReport } from 'secondorder/report';
import { CLASSES, IMAGE, readDigits, slice } from './digits';
import { drawLines } from './draw';
import { percent, printTable, withBar } from './show';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '0' },
    figure: { type: 'string', default: 'path.svg' },
    report: { type: 'string', default: 'path-report.html' },
  },
});
const seed = Number(flags.seed);
const QUICK = { training: 150, test: 300, gates: 32, components: 15, betas: 5, folds: 2 };
const FULL = { training: 1000, test: 3000, gates: 256, components: 40, betas: 12, folds: 5 };
const size = flags.quick ? QUICK : FULL;

async function main(): Promise<void> {
  const digits = readDigits(seed);
  const training = slice(digits, 0, size.training);
  const test = slice(digits, size.training, size.training + size.test);
  const options = {
    model: 'gated',
    gates: { count: size.gates, from: 'patches', image: IMAGE },
    components: size.components,
    tolerance: 1e-2,
    checkEvery: 2,
    seed,
  } as const satisfies ConvexReLUOptions;

  const estimator = new ConvexReLUClassifier(options);
  const title = `Cross-validation over ${size.betas} betas`;
  const { scores, beta, oneStandardErrorBeta } = await withBar(title, (show) =>
    crossValidate(
      estimator,
      training.x,
      training.y,
      { betas: { count: size.betas, ratio: 1e-4 }, folds: size.folds, seed, refit: false },
      {
        onProgress: ({ fold, folds, point, points }) =>
          show((fold + point / points) / folds, `fold ${fold + 1}`),
      },
    ),
  );
  if (beta === null) throw new Error('a cross-validation without a time limit chooses a beta');
  const shares = {
    data: Float64Array.from(
      training.y.flatMap((digit) =>
        Array.from({ length: CLASSES }, (_, k) => (k === digit ? 1 : 0)),
      ),
    ),
    rows: training.y.length,
    cols: CLASSES,
  };
  const betas = scores.map((score) => score.beta);
  const path = await regularizationPath(training.x, shares, betas, options);

  const rows = path.points.map(({ beta, network, report }, i) => {
    const { data } = network.predict(test.x);
    const read = test.y.filter((digit, row) => {
      const outputs = [...data.subarray(row * CLASSES, (row + 1) * CLASSES)];
      return outputs.indexOf(Math.max(...outputs)) === digit;
    });
    return { beta, report, score: scores[i]!, accuracy: read.length / test.y.length };
  });
  printTable([
    ['beta', 'objective', 'gap', 'gates in use', 'iterations', 'cross-validated', 'test'],
    ...rows.map(({ beta, report, score, accuracy }) => [
      beta.toExponential(1),
      report.objective.toPrecision(4),
      report.gap.toExponential(1),
      String(report.neurons),
      String(report.iterations),
      `${percent(score.mean)} ± ${(100 * score.standardError).toFixed(2)}`,
      percent(accuracy),
    ]),
  ]);
  console.log(
    `  chosen: ${beta.toExponential(1)}; within one standard error: ` +
      `${oneStandardErrorBeta!.toExponential(1)}; tested on ${size.test.toLocaleString('en')} digits`,
  );

  const line = (name: string, of: (row: (typeof rows)[number]) => number) => ({
    name,
    points: rows.map((row) => ({ x: row.beta, y: of(row) })),
  });
  const x = { title: 'beta', log: true, format: '.0e' };
  const figure = resolve(flags.figure);
  await drawLines(figure, [
    {
      lines: [
        line('objective', ({ report }) => report.objective),
        line('dual bound', ({ report }) => report.dualBound),
      ],
      ...{ x, y: { title: 'objective', log: true, format: '.2' } },
    },
    {
      lines: [line('gates in use', ({ report }) => report.neurons)],
      ...{ x, y: { title: 'gates in use' } },
    },
    {
      lines: [
        line('accuracy, cross-validated', ({ score }) => score.mean),
        line('accuracy, test', ({ accuracy }) => accuracy),
      ],
      ...{ x, y: { title: 'accuracy', format: '.0%' } },
    },
  ]);
  console.log(`Figure: ${figure}`);
  const page = resolve(flags.report);
  const data = pathReport({
    title: 'Digits by beta',
    path,
    scores,
    scoring: 'accuracy',
    chosen: beta,
  });
  await writeReport(page, data);
  console.log(`Report: ${page}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
