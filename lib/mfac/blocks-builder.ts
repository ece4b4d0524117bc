/** Native blocks from gradients: made for the first one, filled, factored; given back on failure. */
import { AbortError } from '../errors';
import type { DenseMatrixLike } from '../matrix';
import { loadNative } from '../native';
import { type Progress, type RunOptions, runDirect } from '../run';
import { checkObject, describe, invalid } from '../validate';
import type { BlocksSettings } from './blocks-options';
import {
  checkGradients,
  type GradientRows,
  type GradientStream,
  readGradients,
  toGradientRows,
} from './gradient-stream';
import type { NativeBlocks } from './native';
import { checkOperation, type OperationOptions, operate, operateSync } from './operation';
import { ThrottledProgress } from './progress';

/** Options of a run that reads gradients; `iteration` of its progress counts them. */
export type BlocksRunOptions = OperationOptions & Pick<RunOptions<Progress>, 'onProgress'>;

/** What gradients are called in messages, and what is asked of them. */
export interface GradientsArgument {
  argument: string;
  /** Entries that each has to have. */
  dimension?: number;
  /** Entries of 0 are left out: they count as 0. */
  mask?: Uint8Array;
}

/** Checks the options of a run that reads gradients. */
export function checkBlocksRun(run: unknown): BlocksRunOptions {
  const { onProgress, ...operation } = checkObject(run, 'run', ['signal', 'threads', 'onProgress']);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalid('run.onProgress', 'a function', describe(onProgress));
  }
  const checked = checkOperation(operation);
  if (onProgress === undefined) return checked;
  return { ...checked, onProgress: onProgress as NonNullable<BlocksRunOptions['onProgress']> };
}

/** Reads the gradients and factors the blocks. */
export async function buildBlocks(
  gradients: GradientStream | DenseMatrixLike,
  settings: BlocksSettings,
  { argument, dimension, mask }: GradientsArgument,
  run: BlocksRunOptions,
): Promise<NativeBlocks> {
  const { onProgress, ...limits } = run;
  const { signal } = limits;
  if (signal?.aborted) throw new AbortError(signal.reason);
  checkGradients(gradients, argument);
  const progress = new ThrottledProgress(onProgress);
  let blocks: NativeBlocks | undefined;
  let read = 0;
  try {
    for await (const rows of readGradients(gradients, { argument, dimension, signal })) {
      blocks ??= create(settings, rows);
      if (add(blocks, mask ? masked(rows, mask) : rows)) await fold(blocks, limits);
      read += rows.rows;
      progress.report({ iteration: read });
    }
    progress.flush();
    if (blocks === undefined) throw invalid(argument, 'at least one gradient', 'none');
    await operate(loadNative().fisherBlocksFactor, { blocks }, limits, nothing);
    return blocks;
  } catch (error) {
    if (blocks !== undefined) loadNative().fisherBlocksDispose(blocks);
    throw error;
  }
}

/** {@link buildBlocks} on the calling thread, from a matrix. */
export function buildBlocksSync(
  gradients: DenseMatrixLike,
  settings: BlocksSettings,
  { argument, dimension, mask }: GradientsArgument,
  run: OperationOptions,
): NativeBlocks {
  const rows = toGradientRows(gradients, argument, dimension);
  const blocks = create(settings, rows);
  try {
    if (add(blocks, mask ? masked(rows, mask) : rows)) {
      operateSync(loadNative().fisherBlocksFoldSync, { blocks }, run, nothing);
    }
    operateSync(loadNative().fisherBlocksFactorSync, { blocks }, run, nothing);
    return blocks;
  } catch (error) {
    loadNative().fisherBlocksDispose(blocks);
    throw error;
  }
}

/** Blocks for gradients like these; a matrix of several rows has all of them. */
function create(settings: BlocksSettings, { rows, cols }: GradientRows): NativeBlocks {
  const { blockSize = cols, ...others } = settings;
  const expected = settings.expected ?? (rows > 1 ? rows : undefined);
  const spec = {
    ...others,
    dimension: cols,
    blockSize: Math.min(blockSize, cols),
    ...(expected === undefined ? {} : { expected }),
  };
  return runDirect(() => loadNative().fisherBlocksCreate(spec));
}

/** A copy with zeros where the mask has them. */
function masked({ data, rows, cols }: GradientRows, mask: Uint8Array): GradientRows {
  const left = data.slice();
  for (let i = 0; i < left.length; i++) if (mask[i % cols] === 0) left[i] = 0;
  return { data: left, rows, cols };
}

/** Copies gradients in; whether they are to be folded into the factors now. */
function add(blocks: NativeBlocks, { data, rows }: GradientRows): boolean {
  return runDirect(() => loadNative().fisherBlocksAdd({ blocks, gradients: data, rows }));
}

function fold(blocks: NativeBlocks, run: OperationOptions): Promise<void> {
  return operate(loadNative().fisherBlocksFold, { blocks }, run, nothing);
}

const nothing = (): void => undefined;
