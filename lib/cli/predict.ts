/** `secondorder predict`: predictions of a saved model, as CSV or as JSON lines. */
import type { Command } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { ConvexReLUClassifier, type Label } from '../convex-relu';
import { writeParts } from '../io/write';
import type { Matrix } from '../matrix';
import type { Context } from './context';
import { readDataset } from './dataset';
import { loadEstimator } from './estimator-file';
import { interruptible } from './interrupt';
import { addDataOptions, addJsonOption, addThreadsOption, type DataFlags } from './options';
import { checkWritable } from './output';
import { score } from './task';
import type { Terminal } from './terminal';
import { UsageError } from './usage-error';

interface PredictFlags extends DataFlags {
  proba: boolean;
  out?: string;
  threads?: number;
}

/** Adds the command. */
export function addPredict(program: Command, context: Context): void {
  const command = program
    .command('predict')
    .description('Predict with a saved model. Targets in the data are not needed.')
    .argument('<model>', 'file that train --out wrote')
    .argument('<data>', 'samples: csv, libsvm, npy or idx file, gzip or plain');
  addThreadsOption(addDataOptions(command))
    .option('--proba', 'add the probability of each class', false)
    .option('--out <file>', 'write CSV to this file instead of standard output');
  addJsonOption(command)
    .addHelpText(
      'after',
      '\nExample:\n  secondorder predict iris.json new.csv --proba --out read.csv',
    )
    .action(async (model: string, data: string, flags: PredictFlags) => {
      await interruptible(context.terminal, (signal) =>
        predict(model, data, flags, context.terminal, signal),
      );
    });
}

async function predict(
  modelPath: string,
  dataPath: string,
  flags: PredictFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  if (flags.missing !== 'error') {
    throw new UsageError(
      `--missing ${flags.missing} would change or leave out samples to predict; fill them in beforehand`,
    );
  }
  await checkWritable(flags.out);
  const model = await loadEstimator(modelPath);
  if (flags.proba && !(model instanceof ConvexReLUClassifier)) {
    throw new UsageError('--proba is for classifiers');
  }
  const features = model.network.features;
  const { x, y } = await readDataset(dataPath, { flags, signal, features });
  const run = { signal, ...(flags.threads !== undefined && { threads: flags.threads }) };
  const predicted: ArrayLike<Label> = await model.predictAsync(x, run);
  const shares =
    flags.proba && model instanceof ConvexReLUClassifier
      ? { classes: model.classes, matrix: model.predictProba(x) }
      : undefined;
  const rows = Array.from(predicted, (label, row) => toRow(label, row, shares?.matrix));

  if (flags.out !== undefined || !terminal.json) {
    const names = ['prediction', ...(shares?.classes.map((label) => `p(${label})`) ?? [])];
    const text = stringify([names, ...rows]);
    if (flags.out === undefined) process.stdout.write(text);
    else await writeParts(flags.out, [Buffer.from(text)]);
  }
  if (flags.out === undefined) {
    for (const [row, [prediction, ...probabilities]] of rows.entries()) {
      const details = shares ? { probabilities } : {};
      terminal.event('prediction', { row, prediction, ...details });
    }
  }
  const known = y && model instanceof ConvexReLUClassifier ? 'accuracy' : 'R²';
  const scored = y && score(model, { x, y });
  const classes = shares ? { classes: shares.classes } : {};
  terminal.event('result', {
    rows: rows.length,
    ...classes,
    ...(scored !== undefined && { score: scored }),
  });
  if (scored !== undefined)
    terminal.note(`${known} ${scored.toFixed(4)} on ${rows.length} samples`);
}

function toRow(label: Label, row: number, shares: Matrix | undefined): Label[] {
  if (!shares) return [label];
  return [label, ...shares.data.subarray(row * shares.cols, (row + 1) * shares.cols)];
}
