/** `secondorder train`: from a data file to a certified model, and a report if asked. */
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import type { ConvexReport } from '../convex-relu';
import { AbortError } from '../errors';
import { packageVersion } from '../native';
import { convexReport, writeReport } from '../report';
import type { Context } from './context';
import { type LabelledDataset, readLabelled } from './dataset';
import { interruptible } from './interrupt';
import { addDataOptions, addJsonOption, addThreadsOption, type DataFlags } from './options';
import { checkWritable, writeModel } from './output';
import { showRun } from './progress';
import { showScoreCurve } from './score-curve';
import { drawSplit, takeRows } from './split';
import { createModel, evaluate, fitModel, guessTask, type Model, score, type Task } from './task';
import type { Terminal } from './terminal';
import { addTrainingOptions, type TrainingFlags, toModelOptions } from './training-options';
import { UsageError } from './usage-error';

interface TrainFlags extends DataFlags, TrainingFlags {
  task: Task | 'auto';
  testFraction?: number;
  test?: string;
  testLabels?: string;
  threads?: number;
  out?: string;
  report?: string;
  accuracyCurve: boolean;
}

/** Adds the command. */
export function addTrain(program: Command, context: Context): void {
  const command = program
    .command('train')
    .description('Train a classifier or regressor by convex optimisation.')
    .argument('<data>', 'csv, libsvm, npy or idx file, gzip or plain');
  addDataOptions(command)
    .addOption(
      new Option('--task <name>', 'auto: text and few whole numbers are classes')
        .choices(['auto', 'classification', 'regression'])
        .default('auto'),
    )
    .option('--test-fraction <share>', 'keep this share of the samples apart to test on', share)
    .addOption(new Option('--test <file>', 'file of samples to test on').conflicts('testFraction'))
    .option('--test-labels <file>', 'labels of the samples of --test (npy, idx)');
  addThreadsOption(addTrainingOptions(command))
    .option('--out <file>', 'write the model: .json, .onnx, or safetensors for any other name')
    .option('--report <file>', 'write a report page (html)')
    .option(
      '--no-accuracy-curve',
      'leave the accuracy along the way, which takes further runs, out of the report',
    );
  addJsonOption(command)
    .addHelpText(
      'after',
      '\nExample:\n  secondorder train iris.csv --test-fraction 0.2 --out iris.json --report iris.html\n' +
        '\nCtrl-C ends the run with its best result; a second one ends the program.',
    )
    .action(async (data: string, flags: TrainFlags) => {
      await interruptible(context.terminal, async (signal) => {
        context.exitCode = await train(data, flags, context.terminal, signal);
      });
    });
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new UsageError('--test-fraction must lie between 0 and 1');
  return value;
}

async function train(
  path: string,
  flags: TrainFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  for (const file of [flags.out, flags.report]) await checkWritable(file);
  const { training, test } = await readSamples(path, flags, signal);
  const image = flags.image ?? training.image;
  if (image && image[0] * image[1] !== training.x.cols) {
    const { cols } = training.x;
    throw new UsageError(`--image ${image.join('x')} does not fit samples of ${cols} features`);
  }
  const task = flags.task === 'auto' ? guessTask(training.y) : flags.task;
  const options = toModelOptions(flags, image);
  const model = await fit(createModel(task, options), training, flags, terminal, signal);
  if (flags.out !== undefined) await writeModel(model, flags.out);

  const trainingScore = score(model, training);
  const testScore = test && score(model, test);
  printResult(terminal, model, task, trainingScore, testScore);
  if (flags.out !== undefined) terminal.print(`\nModel written to ${flags.out}`);
  if (flags.report !== undefined) {
    const { threads } = flags;
    const create = (maxIterations: number) => createModel(task, { ...options, maxIterations });
    const wanted = flags.accuracyCurve && !signal.aborted;
    const scores = wanted
      ? await showScoreCurve({ model, create, training, test, threads, signal, terminal })
      : [];
    const shown = test ?? training;
    const data = convexReport({
      title: basename(path),
      report: reportOf(model),
      network: model.network,
      x: training.x,
      evaluation: await evaluate(model, shown, test ? 'test' : 'training'),
      trainingScore,
      scores,
      ...(image && { image }),
      generator: `secondorder ${packageVersion()}`,
    });
    await writeReport(flags.report, data);
    terminal.print(`Report written to ${flags.report}`);
  }
  return reportOf(model).status === 'aborted' ? 1 : 0;
}

async function readSamples(
  path: string,
  flags: TrainFlags,
  signal: AbortSignal,
): Promise<{ training: LabelledDataset; test?: LabelledDataset }> {
  const all = await readLabelled(path, { flags, signal });
  if (flags.test !== undefined) {
    const { labels: _, ...others } = flags;
    const testFlags = { ...others, ...(flags.testLabels && { labels: flags.testLabels }) };
    const context = { flags: testFlags, signal, features: all.x.cols };
    const test = await readLabelled(flags.test, { ...context, labelsOption: '--test-labels' });
    return { training: all, test };
  }
  if (flags.testLabels !== undefined) throw new UsageError('--test-labels goes with --test');
  if (flags.testFraction === undefined) return { training: all };
  const { rows } = all.x;
  const split = drawSplit(rows, rows - Math.round(rows * flags.testFraction), flags.seed);
  if (split.test.length === 0 || split.training.length === 0) {
    throw new UsageError(
      `--test-fraction ${flags.testFraction} of ${rows} samples leaves one part empty`,
    );
  }
  return { training: takeRows(all, split.training), test: takeRows(all, split.test) };
}

/** Fits the model; an interrupted run gives its best one. */
async function fit(
  model: Model,
  training: LabelledDataset,
  flags: TrainFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Model> {
  const shown = showRun(terminal, flags.tolerance);
  const { threads, timeLimit } = flags;
  const limits = {
    ...(threads !== undefined && { threads }),
    ...(timeLimit !== undefined && { timeLimit }),
  };
  try {
    return await fitModel(model, training, { signal, onProgress: shown.onProgress, ...limits });
  } catch (error) {
    if (error instanceof AbortError && isModel(error.partial, model)) return error.partial;
    throw error;
  } finally {
    shown.stop();
  }
}

function isModel(partial: unknown, like: Model): partial is Model {
  return partial instanceof like.constructor;
}

function reportOf({ report }: Model): ConvexReport {
  if (!report) throw new TypeError('a model that was just fitted has a report');
  return report;
}

function printResult(
  terminal: Terminal,
  model: Model,
  task: Task,
  training: number,
  test: number | undefined,
): void {
  const { history: _, ...report } = reportOf(model);
  const name = task === 'classification' ? 'accuracy' : 'R²';
  terminal.event('result', { task, ...report, training, ...(test !== undefined && { test }) });
  terminal.table([
    ['status', report.status.replaceAll('_', ' ')],
    ['objective', report.objective.toPrecision(7)],
    ['dual bound', report.dualBound.toPrecision(7)],
    ['relative gap', report.gap.toExponential(2)],
    ...(report.globalBound === null
      ? []
      : [['bound over all networks', report.globalBound.toPrecision(7)] as const]),
    ['infeasibility', report.infeasibility.toExponential(2)],
    ...(report.rounds === 0 ? [] : [['rounds of refinement', String(report.rounds)] as const]),
    ['iterations', String(report.iterations)],
    ['seconds', report.seconds.toFixed(2)],
    ['gates', String(report.gates)],
    ['neurons', String(report.neurons)],
    ['device', report.device],
    ['seed', String(report.seed)],
    ...robustFacts(report.robust),
    [`${name}, training`, training.toFixed(4)],
    ...(test === undefined ? [] : [[`${name}, test`, test.toFixed(4)] as const]),
  ]);
}

/** What adversarial training says of the training samples. */
function robustFacts(robust: ConvexReport['robust']): [string, string][] {
  if (!robust) return [];
  const shares: [string, number | null][] = [
    ['accuracy under PGD, training', robust.pgdAccuracy],
    ['certified accuracy, training', robust.certifiedAccuracy],
  ];
  return shares.flatMap(([name, share]) => (share === null ? [] : [[name, share.toFixed(4)]]));
}
