import { AbortError, SecondOrderError } from '../errors';
import type { DenseMatrixLike } from '../matrix';
import { loadNative } from '../native';
import { untilAborted } from '../run';
import { checkObject, describe, invalid } from '../validate';
import { createBlocks, createBlocksSync, type FisherBlocks } from './blocks';
import { evaluationError, type GradientStream } from './gradient-stream';
import { checkOperation, type OperationOptions, operate, operateSync } from './operation';
import { ThrottledProgress } from './progress';
import {
  type FisherSource,
  type GradientSource,
  type PruneOptions,
  type PruneProgress,
  type PruneRunOptions,
  readFisher,
  readPruneOptions,
} from './prune-options';
import { type PruneResult, Pruning } from './pruning';
import { toSingle } from './vectors';

type Gradients = GradientStream | DenseMatrixLike;

/**
 * Removes the weights that are worth least by ρ = w²/(2 [H⁻¹]ᵢᵢ) and changes the others so that the
 * loss rises least (optimal brain surgeon, with H estimated as in arXiv 2107.03356).
 *
 * With `recompute`, in several steps, each with H of the weights as they are by then, and with
 * training between them where `tune` does it:
 *
 * ```js
 * const { weights, mask } = await prune(
 *   trained,
 *   { gradients: (weights) => gradientsOf(samples, weights), blockSize: 128, damping: 1e-5 },
 *   { sparsity: 0.95, recompute: 7 },
 * );
 * ```
 *
 * Train on with `new MFacOptimizer({ parameters: [weights], mask })`: removed weights stay 0.
 *
 * @param weights d finite numbers; not changed
 * @param fisher H at these weights, or the gradients to estimate it from
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_OUT_OF_MEMORY,
 * ERR_EVALUATION (`gradients` or `tune` threw; `cause`), ERR_NUMERICAL, ERR_DISPOSED; AbortError,
 * whose `partial` is the result after the last whole step, where there is one
 */
export async function prune(
  weights: Float32Array,
  fisher: FisherBlocks | GradientSource<Gradients | Promise<Gradients>>,
  options: PruneOptions,
  run?: PruneRunOptions,
): Promise<PruneResult> {
  const { pruning, source } = prepare<Gradients | Promise<Gradients>>(weights, fisher, options);
  const { limits, onProgress } = toRun(run);
  const { signal } = limits;
  const progress = new ThrottledProgress(onProgress);
  try {
    while (!pruning.done) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      progress.report(pruning.progress(0));
      await takeStep(pruning, source, limits, progress);
      progress.flush();
      if (!pruning.done) await tune(pruning, signal);
    }
    return pruning.result;
  } catch (error) {
    throw pruning.explain(error);
  }
}

/** {@link prune} on the calling thread, with gradients as a matrix. */
export function pruneSync(
  weights: Float32Array,
  fisher: FisherBlocks | GradientSource<DenseMatrixLike>,
  options: PruneOptions,
  run?: OperationOptions,
): PruneResult {
  const { pruning, source } = prepare<DenseMatrixLike>(weights, fisher, options);
  const limits = checkOperation(run);
  try {
    while (!pruning.done) {
      takeStepSync(pruning, source, limits);
      if (!pruning.done) tuneSync(pruning, limits.signal);
    }
    return pruning.result;
  } catch (error) {
    throw pruning.explain(error);
  }
}

function prepare<Given>(weights: unknown, fisher: unknown, options: unknown) {
  const checked = toSingle(weights, 'weights');
  const { length } = checked;
  if (length === 0) throw invalid('weights', 'at least one weight', 'none');
  const settings = readPruneOptions(options, length);
  const source: FisherSource<Given> = readFisher<Given>(fisher, settings, length);
  return { pruning: new Pruning(checked, settings), source };
}

function toRun(run: unknown) {
  const { onProgress, ...operation } = checkObject(run, 'run', ['signal', 'threads', 'onProgress']);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalid('run.onProgress', 'a function', describe(onProgress));
  }
  return {
    limits: checkOperation(operation),
    onProgress: onProgress as PruneRunOptions['onProgress'],
  };
}

async function takeStep(
  pruning: Pruning,
  source: FisherSource<Gradients | Promise<Gradients>>,
  limits: OperationOptions,
  progress: ThrottledProgress<PruneProgress>,
): Promise<void> {
  const blocks =
    'blocks' in source ? source.blocks : await estimate(pruning, source, limits, progress);
  try {
    const request = pruning.selection(await blocks.diagonal(undefined, limits));
    const { pruningMask } = loadNative();
    const remove = await operate(pruningMask, request, limits, (mask) => mask.remove);
    const update = await blocks.removalUpdate(...pruning.removal(remove), limits);
    pruning.take(update, remove, blocks.gradients);
  } finally {
    if (!('blocks' in source)) blocks.dispose();
  }
}

function takeStepSync(
  pruning: Pruning,
  source: FisherSource<DenseMatrixLike>,
  limits: OperationOptions,
): void {
  const blocks = 'blocks' in source ? source.blocks : estimateSync(pruning, source, limits);
  try {
    const request = pruning.selection(blocks.diagonalSync(undefined, limits));
    const { pruningMaskSync } = loadNative();
    const remove = operateSync(pruningMaskSync, request, limits, (mask) => mask.remove);
    const update = blocks.removalUpdateSync(...pruning.removal(remove), limits);
    pruning.take(update, remove, blocks.gradients);
  } finally {
    if (!('blocks' in source)) blocks.dispose();
  }
}

type Estimated<Given> = Exclude<FisherSource<Given>, { blocks: FisherBlocks }>;

async function estimate(
  pruning: Pruning,
  { gradients, settings }: Estimated<Gradients | Promise<Gradients>>,
  limits: OperationOptions,
  progress: ThrottledProgress<PruneProgress>,
): Promise<FisherBlocks> {
  const given = await attemptAsync(
    async () => gradients(pruning.weights),
    'fisher.gradients',
    limits.signal,
  );
  return createBlocks(given, settings, expected(pruning), {
    ...limits,
    onProgress: ({ iteration }) => progress.report(pruning.progress(iteration)),
  });
}

function estimateSync(
  pruning: Pruning,
  { gradients, settings }: Estimated<DenseMatrixLike>,
  limits: OperationOptions,
): FisherBlocks {
  const given = attempt(() => gradients(pruning.weights), 'fisher.gradients', limits.signal);
  return createBlocksSync(given, settings, expected(pruning), limits);
}

function expected({ mask }: Pruning) {
  return { argument: 'fisher.gradients', dimension: mask.length, mask };
}

async function tune(pruning: Pruning, signal: AbortSignal | undefined): Promise<void> {
  const { tune } = pruning.settings;
  if (!tune) return;
  const { weights, mask } = pruning;
  pruning.replace(await attemptAsync(async () => tune(weights, mask), 'options.tune', signal));
}

function tuneSync(pruning: Pruning, signal: AbortSignal | undefined): void {
  const { tune } = pruning.settings;
  if (!tune) return;
  const { weights, mask } = pruning;
  pruning.replace(attempt(() => tune(weights, mask), 'options.tune', signal));
}

/**
 * Calls the user's function; what it throws becomes the cause of a typed error. Where it aborts the
 * run, its result does not count, as in the asynchronous form.
 */
function attempt<Result>(
  call: () => Result,
  argument: string,
  signal: AbortSignal | undefined,
): Result {
  try {
    const result = call();
    if (!signal?.aborted) return result;
  } catch (cause) {
    if (!signal?.aborted) throw asEvaluation(cause, argument);
  }
  throw new AbortError(signal.reason);
}

async function attemptAsync<Result>(
  call: () => Promise<Result>,
  argument: string,
  signal: AbortSignal | undefined,
): Promise<Result> {
  try {
    return await untilAborted(call(), signal);
  } catch (cause) {
    throw asEvaluation(cause, argument);
  }
}

/** An abort from within, for example of the same signal, is one. */
function asEvaluation(cause: unknown, argument: string): unknown {
  if (cause instanceof SecondOrderError && cause.code === 'ERR_ABORTED') return cause;
  return evaluationError(argument, cause);
}
