/** `secondorder prune`: weights and their gradients in files, to weights with zeros. */
import { type Command, InvalidArgumentError } from 'commander';
import { type PruneProgress, type PruneResult, prune as pruneWeights } from '../mfac';
import type { Context } from './context';
import { interruptible } from './interrupt';
import { addJsonOption, addThreadsOption, integer, number } from './options';
import { checkWritable } from './output';
import type { Terminal } from './terminal';
import { UsageError } from './usage-error';
import { readWeightFiles, type WeightFiles, type WeightPart } from './weight-files';

interface PruneFlags {
  sparsity?: number;
  pattern?: [n: number, m: number];
  perLayer: boolean;
  blockSize?: number;
  damping: number;
  joint: boolean;
  biases: boolean;
  threads?: number;
  out?: string;
  mask?: string;
}

/** Adds the command. */
export function addPrune(program: Command, context: Context): void {
  const command = program
    .command('prune')
    .description(
      'Remove the weights of a network that its loss needs least, and adjust the others (M-FAC).',
    )
    .argument('<weights>', 'npy or safetensors file, gzip or plain')
    .argument(
      '<gradients>',
      'file of the same kind: one axis more, the first, for one gradient after the other',
    )
    .option('--sparsity <share>', 'share of the weights to remove', number({ min: 0, below: 1 }))
    .option('--pattern <n:m>', 'keep n of every m weights, as in 2:4', pattern)
    .option('--per-layer', 'the share holds for each tensor (safetensors)', false)
    .option(
      '--block-size <n>',
      'weights whose interplay is looked at together (default: all)',
      integer({ min: 1 }),
    )
    .option('--damping <number>', 'added to the diagonal of the matrix', number({ above: 0 }), 1e-5)
    .option('--no-joint', 'add up what each removed weight alone would ask of the others')
    .option('--biases', 'also remove from tensors with one axis (safetensors)', false);
  addThreadsOption(command)
    .option('--out <file>', 'write the weights, in the format they came in')
    .option('--mask <file>', 'write 1 for each weight that was kept, 0 for the others');
  addJsonOption(command)
    .addHelpText(
      'after',
      '\nExample:\n  secondorder prune weights.npy gradients.npy --sparsity 0.9 --out pruned.npy',
    )
    .action(async (weights: string, gradients: string, flags: PruneFlags) => {
      await interruptible(context.terminal, (signal) =>
        prune(weights, gradients, flags, context.terminal, signal),
      );
    });
}

function pattern(text: string): [number, number] {
  const match = /^(\d{1,9}):(\d{1,9})$/.exec(text.trim());
  const [n, m] = [Number(match?.[1]), Number(match?.[2])];
  if (!(n >= 1 && n < m)) throw new InvalidArgumentError('Write n:m with n below m, as in 2:4.');
  return [n, m];
}

async function prune(
  weightPath: string,
  gradientPath: string,
  flags: PruneFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  if (flags.sparsity === undefined && flags.pattern === undefined) {
    throw new UsageError('either --sparsity or --pattern says how much to remove');
  }
  await checkWritable(flags.out);
  await checkWritable(flags.mask);
  const files = await readWeightFiles(weightPath, gradientPath, signal);
  const start = performance.now();
  const result = await run(files, flags, terminal, signal);
  const seconds = (performance.now() - start) / 1000;
  if (flags.out !== undefined) await files.writeWeights(flags.out, result.weights);
  if (flags.mask !== undefined) await files.writeMask(flags.mask, result.mask);
  print(terminal, files, result, seconds);
  if (flags.out !== undefined) terminal.print(`\nWeights written to ${flags.out}`);
  if (flags.mask !== undefined) terminal.print(`Mask written to ${flags.mask}`);
}

async function run(
  files: WeightFiles,
  flags: PruneFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<PruneResult> {
  const { parts, weights, count } = files;
  const { blockSize, damping, sparsity, joint, threads } = flags;
  const bar = terminal.bar('{bar} gradient {gradients} of {count}', {
    gradients: '0',
    count: String(count),
  });
  const onProgress = (event: PruneProgress): void => {
    terminal.event('progress', { ...event });
    bar.update(event.gradients / count, {
      gradients: String(event.gradients),
      count: String(count),
    });
  };
  const source = {
    gradients: () => files.gradients(),
    damping,
    expected: count,
    ...(blockSize !== undefined && { blockSize }),
  };
  const layers = parts.map(({ length }) => length);
  const options = {
    joint,
    prunable: prunableOf(parts, weights.length, flags.biases),
    ...(sparsity !== undefined && { sparsity }),
    ...(flags.pattern && { pattern: flags.pattern }),
    // Groups of a pattern end where a tensor does.
    ...((flags.perLayer || flags.pattern) && { layers }),
  };
  try {
    return await pruneWeights(weights, source, options, {
      signal,
      onProgress,
      ...(threads !== undefined && { threads }),
    });
  } finally {
    bar.stop();
  }
}

/** 1 for weights that may go: those of tensors with one axis, biases mostly, stay unless asked for. */
function prunableOf(parts: readonly WeightPart[], length: number, biases: boolean): Uint8Array {
  const prunable = new Uint8Array(length).fill(1);
  if (biases || parts.length === 1) return prunable;
  for (const { shape, start, length: size } of parts) {
    if (shape.length < 2) prunable.fill(0, start, start + size);
  }
  return prunable;
}

function print(
  terminal: Terminal,
  { parts, count }: WeightFiles,
  { mask, lossIncrease }: PruneResult,
  seconds: number,
): void {
  const tensors = parts.map(({ name, start, length }) => ({
    name,
    weights: length,
    removed: length - mask.subarray(start, start + length).reduce((sum, kept) => sum + kept, 0),
  }));
  const removed = tensors.reduce((sum, tensor) => sum + tensor.removed, 0);
  const sparsity = removed / mask.length;
  const facts = {
    weights: mask.length,
    removed,
    sparsity,
    lossIncrease,
    gradients: count,
    seconds,
  };
  terminal.event('result', { ...facts, tensors });
  terminal.table([
    ['weights', String(mask.length)],
    ['removed', `${removed} (${(100 * sparsity).toFixed(2)} %)`],
    ...(tensors.length > 1
      ? tensors.map((k) => [`  ${k.name}`, `${k.removed} of ${k.weights}`] as const)
      : []),
    ['gradients', String(count)],
    ['expected rise of the loss', lossIncrease.toPrecision(4)],
    ['seconds', seconds.toFixed(2)],
  ]);
}
