/** `secondorder verify`: recomputes what a saved model's certificate proves. */
import type { Command } from 'commander';
import { type Certificate, verifyAsync } from '../convex-relu';
import type { Context } from './context';
import { type LabelledDataset, readLabelled } from './dataset';
import { loadEstimator } from './estimator-file';
import { interruptible } from './interrupt';
import { addDataOptions, addJsonOption, addThreadsOption, type DataFlags, number } from './options';
import { drawSplit, takeRows } from './split';
import type { Model } from './task';
import type { Terminal } from './terminal';

interface VerifyFlags extends DataFlags {
  tolerance?: number;
  threads?: number;
}

/** Adds the command. */
export function addVerify(program: Command, context: Context): void {
  const command = program
    .command('verify')
    .description(
      'Recompute objective, dual bound and gap of a saved model from its certificate and the data.',
    )
    .argument('<model>', 'file that train --out wrote')
    .argument('<data>', 'the data it was trained on; a test share is left out as train did');
  addThreadsOption(addDataOptions(command)).option(
    '--tolerance <number>',
    'gap and infeasibility that hold (default: those the model was trained to)',
    number({ above: 0, below: 1 }),
  );
  addJsonOption(command)
    .addHelpText(
      'after',
      '\nExits with 1 when the certificate does not hold.\n\nExample:\n  secondorder verify iris.json iris.csv',
    )
    .action(async (model: string, data: string, flags: VerifyFlags) => {
      await interruptible(context.terminal, async (signal) => {
        const holds = await check(model, data, flags, context.terminal, signal);
        context.exitCode = holds ? 0 : 1;
      });
    });
}

async function check(
  modelPath: string,
  dataPath: string,
  flags: VerifyFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  const model = await loadEstimator(modelPath);
  const { network } = model;
  const features = network.features;
  const all = await readLabelled(dataPath, { flags, signal, features });
  const { x, y } = trainingPart(model, all);
  const run = { signal, ...(flags.threads !== undefined && { threads: flags.threads }) };
  const certificate = await verifyAsync(model, x, y, undefined, run);
  const tolerance = flags.tolerance ?? network.options?.tolerance ?? 0;
  const holds = certificate.gap <= tolerance && certificate.infeasibility <= tolerance;
  const samples = { samples: x.rows, of: all.x.rows };
  terminal.event('result', { holds, tolerance, ...certificate, ...samples });
  print(terminal, certificate, tolerance, holds, samples);
  return holds;
}

/** The samples it was trained on, when the file has more: `train` drew them by its seed. */
function trainingPart({ network }: Model, all: LabelledDataset): LabelledDataset {
  const { certificate, options, outputs } = network;
  const samples = certificate ? certificate.nu.length / outputs : all.x.rows;
  if (!options || samples >= all.x.rows) return all;
  return takeRows(all, drawSplit(all.x.rows, samples, options.seed).training);
}

function print(
  terminal: Terminal,
  certificate: Certificate,
  tolerance: number,
  holds: boolean,
  { samples, of }: { samples: number; of: number },
): void {
  terminal.table([
    ['samples', samples === of ? String(samples) : `${samples} of ${of}, drawn as in training`],
    ['objective', certificate.objective.toPrecision(9)],
    ['dual bound', certificate.dualBound.toPrecision(9)],
    ['relative gap', certificate.gap.toExponential(3)],
    ['infeasibility', certificate.infeasibility.toExponential(3)],
    ['tolerance', tolerance.toExponential(0)],
    ['certificate', holds ? 'holds' : 'does not hold'],
  ]);
}
