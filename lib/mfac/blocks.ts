import type { DenseMatrixLike } from '../matrix';
import { loadNative } from '../native';
import type { Floats } from '../native-interface';
import { checkObject, describe, invalid, toBoolean, toInteger } from '../validate';
import {
  type BlocksRunOptions,
  buildBlocks,
  buildBlocksSync,
  checkBlocksRun,
  type GradientsArgument,
} from './blocks-builder';
import { type BlocksSettings, type FisherBlocksOptions, readBlocksOptions } from './blocks-options';
import type { GradientStream } from './gradient-stream';
import type { FisherBlocksFacts, NativeBlocks } from './native';
import { checkOperation, type OperationOptions } from './operation';
import { OwnedHandle } from './owned-handle';
import { deliver, toSingle, toTarget, toVector } from './vectors';

/** How weights are removed. */
export interface RemovalOptions {
  /**
   * Default true: the best change of the kept weights of each block for the removed ones together.
   * False: the sum of the changes that each removed weight alone would ask for, as in the authors'
   * code; quicker, and worse the more weights go.
   */
  joint?: boolean;
}

/** Weights after a removal. */
export interface RemovalUpdate {
  /** The removed ones exactly 0, the kept ones changed for the least loss. */
  weights: Float32Array;
  /** What the quadratic model expects the loss to rise by. */
  lossIncrease: number;
}

/** Blocks whose gradients are all there. */
class FactoredBlocks {
  constructor(readonly handle: NativeBlocks) {}
}

/**
 * Blocks of H = λ I + (1/m) Σ gᵢ gᵢᵀ over a fixed set of gradients, and its inverse: entries, products
 * and the update that removes weights (the static algorithm of Frantar, Kurtic and Alistarh,
 * arXiv 2107.03356).
 *
 * ```js
 * const fisher = await FisherBlocks.fromGradients(gradients, { blockSize: 128, damping: 1e-4 });
 * const diagonal = await fisher.diagonal(); // of H⁻¹
 * ```
 *
 * Asynchronous calls take place in the order in which they were made. A synchronous call while
 * asynchronous ones are under way throws ERR_BUSY. The memory is freed by `dispose`, at the end of a
 * `using` block, or by the garbage collector.
 */
export class FisherBlocks implements Disposable {
  readonly #owned: OwnedHandle<NativeBlocks, FisherBlocksFacts>;

  /** @internal Blocks come from {@link fromGradients}. */
  constructor(blocks: FactoredBlocks) {
    if (!(blocks instanceof FactoredBlocks)) {
      throw invalid('blocks', 'made by FisherBlocks.fromGradients', describe(blocks));
    }
    const native = loadNative();
    this.#owned = new OwnedHandle(blocks.handle, {
      name: 'FisherBlocks',
      info: native.fisherBlocksInfo,
      dispose: native.fisherBlocksDispose,
    });
  }

  /**
   * Reads gradients, one after the other or the rows of a matrix, and factors the blocks. Each is read
   * once; an iterable's array may be used again for the next one.
   *
   * @param gradients rows of a matrix, or an (async) iterable of arrays of one length
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_OUT_OF_MEMORY,
   * ERR_NUMERICAL (damping too small for the gradients), ERR_EVALUATION (the iterable threw; `cause`),
   * ERR_ABORTED, ERR_CUDA_…
   */
  static async fromGradients(
    gradients: GradientStream | DenseMatrixLike,
    options: FisherBlocksOptions,
    run?: BlocksRunOptions,
  ): Promise<FisherBlocks> {
    const settings = readBlocksOptions(options);
    return createBlocks(gradients, settings, { argument: 'gradients' }, checkBlocksRun(run));
  }

  /** {@link fromGradients} on the calling thread, from a matrix. */
  static fromGradientsSync(
    gradients: DenseMatrixLike,
    options: FisherBlocksOptions,
    run?: OperationOptions,
  ): FisherBlocks {
    const settings = readBlocksOptions(options);
    return createBlocksSync(gradients, settings, { argument: 'gradients' }, checkOperation(run));
  }

  /** Weights, d. */
  get dimension(): number {
    return this.#owned.facts.dimension;
  }

  /** Weights of a block; the last one may be smaller. */
  get blockSize(): number {
    return this.#owned.facts.blockSize;
  }

  /** Gradients read, m. */
  get gradients(): number {
    return this.#owned.facts.gradients;
  }

  /** λ. */
  get damping(): number {
    return this.#owned.facts.damping;
  }

  /** `'direct'`: each block was factored as it is; `'woodbury'`: through the m × m matrix. */
  get form(): 'direct' | 'woodbury' {
    return this.#owned.facts.form;
  }

  /** Whether the gradients lie on disk. */
  get paged(): boolean {
    return this.#owned.facts.paged;
  }

  /** Bytes of the gradients on disk, in files that are gone with this object. */
  get diskBytes(): number {
    return this.#owned.disposed ? 0 : this.#owned.facts.diskBytes;
  }

  /** Native memory held, in bytes; 0 after `dispose`. */
  get bytes(): number {
    return this.#owned.disposed ? 0 : this.#owned.facts.bytes;
  }

  /**
   * The diagonal of H⁻¹; all of it positive.
   *
   * @param out d entries to write it to; a new array when left out
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_NUMERICAL (beyond the
   * range of float64: the damping is too small), ERR_DISPOSED, ERR_ABORTED
   */
  async diagonal(out?: Float64Array, run?: OperationOptions): Promise<Float64Array> {
    const target = toTarget(out, 'out', this.dimension, Float64Array);
    const { fisherBlocksDiagonal } = loadNative();
    const diagonal = this.#owned.run(fisherBlocksDiagonal, this.#spec, run, (d) => d.diagonal);
    return deliver(await diagonal, target);
  }

  /** {@link diagonal} on the calling thread. */
  diagonalSync(out?: Float64Array, run?: OperationOptions): Float64Array {
    const target = toTarget(out, 'out', this.dimension, Float64Array);
    const { fisherBlocksDiagonalSync } = loadNative();
    const of = (native: { diagonal: Float64Array }) => native.diagonal;
    return deliver(this.#owned.runSync(fisherBlocksDiagonalSync, this.#spec, run, of), target);
  }

  /**
   * Entry (i, j) of H⁻¹; 0 between blocks.
   *
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_NUMERICAL (as in {@link diagonal}),
   * ERR_DISPOSED, ERR_ABORTED
   */
  async element(i: number, j: number, run?: OperationOptions): Promise<number> {
    const spec = { ...this.#spec, ...this.#toEntry(i, j) };
    return this.#owned.run(loadNative().fisherBlocksElement, spec, run, ({ value }) => value);
  }

  /** {@link element} on the calling thread. */
  elementSync(i: number, j: number, run?: OperationOptions): number {
    const spec = { ...this.#spec, ...this.#toEntry(i, j) };
    return this.#owned.runSync(loadNative().fisherBlocksElementSync, spec, run, (e) => e.value);
  }

  /**
   * H⁻¹ x, in the precision of x.
   *
   * @param x d finite numbers
   * @param out d entries of the same type to write the result to; a new array when left out
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_NUMERICAL (beyond the
   * range of its precision: the damping is too small), ERR_DISPOSED, ERR_ABORTED
   */
  async solve<Vector extends Floats>(
    x: Vector,
    out?: Vector,
    run?: OperationOptions,
  ): Promise<Vector> {
    const { spec, target } = this.#toSolve(x, out);
    const kept = { ...spec, x: this.#owned.keep(spec.x) };
    const solution = this.#owned.run(loadNative().fisherBlocksSolve, kept, run, (s) => s.solution);
    return deliver(await solution, target) as Vector;
  }

  /** {@link solve} on the calling thread. */
  solveSync<Vector extends Floats>(x: Vector, out?: Vector, run?: OperationOptions): Vector {
    const { spec, target } = this.#toSolve(x, out);
    const { fisherBlocksSolveSync } = loadNative();
    const solution = this.#owned.runSync(fisherBlocksSolveSync, spec, run, (s) => s.solution);
    return deliver(solution, target) as Vector;
  }

  /**
   * Removes weights and changes those kept so that the quadratic model ½ δᵀHδ of the loss rises least.
   *
   * @param weights d finite numbers; not changed
   * @param remove places of the weights to remove, each once, in any order
   * @throws SecondOrderError ERR_INVALID_ARGUMENT (also: a place twice or out of range),
   * ERR_DIMENSION_MISMATCH, ERR_NUMERICAL (weights beyond the range of float32, or a diagonal beyond
   * that of float64), ERR_DISPOSED, ERR_ABORTED
   */
  async removalUpdate(
    weights: Float32Array,
    remove: Uint32Array,
    options: RemovalOptions = {},
    run?: OperationOptions,
  ): Promise<RemovalUpdate> {
    const spec = this.#toRemoval(weights, remove, options);
    const kept = { ...spec, weights: this.#owned.keep(spec.weights), remove: spec.remove.slice() };
    return this.#owned.run(loadNative().fisherBlocksRemovalUpdate, kept, run, (update) => update);
  }

  /** {@link removalUpdate} on the calling thread. */
  removalUpdateSync(
    weights: Float32Array,
    remove: Uint32Array,
    options: RemovalOptions = {},
    run?: OperationOptions,
  ): RemovalUpdate {
    const spec = this.#toRemoval(weights, remove, options);
    const { fisherBlocksRemovalUpdateSync } = loadNative();
    return this.#owned.runSync(fisherBlocksRemovalUpdateSync, spec, run, (update) => update);
  }

  /** Frees the native memory, as soon as no call is under way; other calls throw ERR_DISPOSED then. */
  dispose(): void {
    this.#owned.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #spec(): { blocks: NativeBlocks } {
    return { blocks: this.#owned.handle };
  }

  #toEntry(i: unknown, j: unknown): { i: number; j: number } {
    const range = { min: 0, max: this.dimension - 1 };
    return { i: toInteger(i, 'i', range), j: toInteger(j, 'j', range) };
  }

  #toSolve(x: unknown, out: unknown) {
    const vector = toVector(x, 'x', this.dimension);
    const target =
      vector instanceof Float32Array
        ? toTarget(out, 'out', this.dimension, Float32Array)
        : toTarget(out, 'out', this.dimension, Float64Array);
    return { spec: { ...this.#spec, x: vector, count: 1 }, target: target as Floats | undefined };
  }

  #toRemoval(weights: unknown, remove: unknown, options: unknown) {
    const { joint = true } = checkObject(options, 'options', ['joint']);
    return {
      ...this.#spec,
      weights: toSingle(weights, 'weights', this.dimension),
      remove: toPlaces(remove, this.dimension),
      joint: toBoolean(joint, 'options.joint'),
    };
  }
}

/** Distinct places from 0 to below `dimension`. */
function toPlaces(value: unknown, dimension: number): Uint32Array {
  if (!(value instanceof Uint32Array)) throw invalid('remove', 'a Uint32Array', describe(value));
  const seen = new Uint8Array(dimension);
  for (const [i, place] of value.entries()) {
    if (place >= dimension) {
      throw invalid('remove', `places from 0 to ${dimension - 1}`, `${place} at ${i}`);
    }
    if (seen[place] === 1) throw invalid('remove', 'distinct places', `${place} again at ${i}`);
    seen[place] = 1;
  }
  return value;
}

/** {@link FisherBlocks.fromGradients} with checked settings. */
export async function createBlocks(
  gradients: GradientStream | DenseMatrixLike,
  settings: BlocksSettings,
  argument: GradientsArgument,
  run: BlocksRunOptions,
): Promise<FisherBlocks> {
  return new FisherBlocks(
    new FactoredBlocks(await buildBlocks(gradients, settings, argument, run)),
  );
}

/** {@link FisherBlocks.fromGradientsSync} with checked settings. */
export function createBlocksSync(
  gradients: DenseMatrixLike,
  settings: BlocksSettings,
  argument: GradientsArgument,
  run: OperationOptions,
): FisherBlocks {
  return new FisherBlocks(new FactoredBlocks(buildBlocksSync(gradients, settings, argument, run)));
}
