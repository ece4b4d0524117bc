import { SecondOrderError } from '../errors';
import { toPath } from '../io/paths';
import { type DenseMatrixLike, type Matrix, toDenseMatrix } from '../matrix';
import { loadNative } from '../native';
import type { Floats } from '../native-interface';
import { runDirect } from '../run';
import { toInteger } from '../validate';
import type { FisherWindowFacts, NativeStorage, NativeWindow } from './native';
import { checkOperation, type OperationOptions, operate, operateSync } from './operation';
import { OwnedHandle } from './owned-handle';
import { apart, deliver, toFloats, toTarget, toVector } from './vectors';
import {
  type FisherWindowOptions,
  readLoadDevice,
  readWindowOptions,
  toDamping,
  type WindowLoadOptions,
} from './window-options';

/** A window that was read from a file. */
class LoadedWindow {
  constructor(readonly handle: NativeWindow) {}
}

/**
 * A sliding window of gradients g₁ … g_k, k ≤ m, and products with the inverse of
 *
 *     H = λ I + (1/k) Σ gᵢ gᵢᵀ
 *
 * (the dynamic algorithm of Frantar, Kurtic and Alistarh, arXiv 2107.03356). A step, `pushAndSolve`,
 * reads the window twice and costs O(m d + m²).
 *
 * ```js
 * const window = new FisherWindow({ dimension: 1e6, capacity: 256, damping: 1e-4 });
 * const direction = await window.pushAndSolve(gradient); // H⁻¹ gradient
 * ```
 *
 * Asynchronous calls take place in the order in which they were made; what they are given may be
 * changed as soon as they return. Each takes place as a whole or, when it fails or is aborted, not at
 * all (`out` of a synchronous call may be written to by then). A synchronous call while asynchronous ones are under way throws ERR_BUSY. The memory is freed
 * by `dispose`, at the end of a `using` block, or by the garbage collector.
 */
export class FisherWindow implements Disposable {
  readonly #owned: OwnedHandle<NativeWindow, FisherWindowFacts>;

  /**
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH (mask), ERR_OUT_OF_MEMORY,
   * ERR_CUDA_…
   */
  constructor(options: FisherWindowOptions | LoadedWindow) {
    const native = loadNative();
    const handle =
      options instanceof LoadedWindow
        ? options.handle
        : runDirect(() => native.fisherWindowCreate(readWindowOptions(options)));
    this.#owned = new OwnedHandle(handle, {
      name: 'FisherWindow',
      info: native.fisherWindowInfo,
      dispose: native.fisherWindowDispose,
    });
  }

  /** Length d of a gradient. */
  get dimension(): number {
    return this.#owned.facts.dimension;
  }

  /** Entries that the mask leaves; d without one. */
  get active(): number {
    return this.#owned.facts.active;
  }

  /** The most gradients held, m. */
  get capacity(): number {
    return this.#owned.facts.capacity;
  }

  /** Gradients held, k. */
  get size(): number {
    return this.#owned.facts.size;
  }

  /** λ. */
  get damping(): number {
    return this.#owned.facts.damping;
  }

  get storage(): NativeStorage {
    return this.#owned.facts.storage;
  }

  get normalize(): 'count' | 'capacity' {
    return this.#owned.facts.normalize;
  }

  /** Where the gradients are kept: `cpu`, or such as `cuda:0`; several GPUs are joined by commas. */
  get device(): string {
    return this.#owned.facts.device;
  }

  /** Why there: asked for, faster by estimate, too small for a GPU to gain, or what a GPU lacks. */
  get deviceReason(): string {
    return this.#owned.facts.deviceReason;
  }

  /** Native memory held, that of GPUs included, in bytes; 0 after `dispose`. */
  get bytes(): number {
    return this.#owned.disposed ? 0 : this.#owned.facts.bytes;
  }

  /** Whether slices were pushed that are not yet committed. */
  get pending(): boolean {
    return this.#owned.facts.pending;
  }

  /**
   * Adds a gradient; the oldest one leaves a full window.
   *
   * @param gradient d finite numbers
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_DISPOSED, ERR_ABORTED
   */
  async push(gradient: Floats, run?: OperationOptions): Promise<void> {
    await this.#push(gradient, false, run);
  }

  /** {@link push} on the calling thread. */
  pushSync(gradient: Floats, run?: OperationOptions): void {
    this.#pushSync(gradient, false, run);
  }

  /**
   * Adds a gradient and gives H⁻¹ · gradient, H with it included. More exact than {@link solve}, since
   * H⁻¹gⱼ = k Gᵀ A⁻¹ eⱼ needs no difference of large numbers; with storage in less than float32 the
   * answer is that of the gradient as it was rounded.
   *
   * @param out d entries to write the result to; a new array when left out
   * @throws SecondOrderError as {@link push}
   */
  async pushAndSolve(
    gradient: Floats,
    out?: Float32Array,
    run?: OperationOptions,
  ): Promise<Float32Array> {
    const target = this.#toTarget(out);
    return solved(await this.#push(gradient, true, run), target);
  }

  /** {@link pushAndSolve} on the calling thread. */
  pushAndSolveSync(gradient: Floats, out?: Float32Array, run?: OperationOptions): Float32Array {
    const target = this.#toTarget(out);
    return solved(this.#pushSync(gradient, true, run, target), target);
  }

  /**
   * H⁻¹ x for any x; x / λ while the window is empty. Where x is the gradient just pushed,
   * {@link pushAndSolve} is more exact.
   *
   * @param x d finite numbers
   * @param out d entries to write the result to; a new array when left out
   * @throws SecondOrderError as {@link push}
   */
  async solve(x: Floats, out?: Float32Array, run?: OperationOptions): Promise<Float32Array> {
    const vector = toVector(x, 'x', this.dimension);
    const target = this.#toTarget(out);
    return deliver(await this.#solve(vector, 1, run), target);
  }

  /** {@link solve} on the calling thread. */
  solveSync(x: Floats, out?: Float32Array, run?: OperationOptions): Float32Array {
    const vector = toVector(x, 'x', this.dimension);
    const target = this.#toTarget(out);
    return deliver(this.#solveSync(vector, 1, run, target), target);
  }

  /**
   * H⁻¹ x for each row x of a matrix; the window is read twice for all of them together.
   *
   * @param x count × d
   * @param out count · d entries to write the result to; a new array when left out
   * @returns count × d
   * @throws SecondOrderError as {@link push}
   */
  async solveMany(x: DenseMatrixLike, out?: Float32Array, run?: OperationOptions): Promise<Matrix> {
    const { data, rows, cols } = toDenseMatrix(x, 'x', { cols: this.dimension });
    const target = toTarget(out, 'out', rows * cols, Float32Array);
    return { data: deliver(await this.#solve(data, rows, run), target), rows, cols };
  }

  /** {@link solveMany} on the calling thread. */
  solveManySync(x: DenseMatrixLike, out?: Float32Array, run?: OperationOptions): Matrix {
    const { data, rows, cols } = toDenseMatrix(x, 'x', { cols: this.dimension });
    const target = toTarget(out, 'out', rows * cols, Float32Array);
    return { data: deliver(this.#solveSync(data, rows, run, target), target), rows, cols };
  }

  /**
   * Takes a part of the next gradient, for example one layer's while back-propagation still runs, and
   * does its share of the work: in the order in which they come, slices have to cover every entry once
   * by {@link commit}.
   *
   * @param offset of the first entry of `part`, from 0
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DISPOSED; ERR_BUSY while asynchronous calls
   * are under way
   */
  pushSlice(offset: number, part: Floats): void {
    const slice = toVector(part, 'part');
    const start = toInteger(offset, 'offset', { min: 0, max: this.dimension });
    const spec = { window: this.#window, offset: start, part: slice };
    this.#owned.direct(() => loadNative().fisherWindowPushSlice(spec));
  }

  /** Forgets the slices pushed since the last {@link commit}. Errors as {@link pushSlice}. */
  discardSlices(): void {
    this.#owned.direct(() => loadNative().fisherWindowDiscardSlices(this.#window));
  }

  /**
   * Adds the gradient whose slices were pushed.
   *
   * @throws SecondOrderError ERR_INVALID_ARGUMENT (an entry is lacking), ERR_DISPOSED, ERR_ABORTED
   */
  async commit(run?: OperationOptions): Promise<void> {
    await this.#commit(false, run);
  }

  /** {@link commit} on the calling thread. */
  commitSync(run?: OperationOptions): void {
    this.#commitSync(false, run);
  }

  /** {@link commit}, and H⁻¹ · gradient as {@link pushAndSolve} gives it. */
  async commitAndSolve(out?: Float32Array, run?: OperationOptions): Promise<Float32Array> {
    const target = this.#toTarget(out);
    return solved(await this.#commit(true, run), target);
  }

  /** {@link commitAndSolve} on the calling thread. */
  commitAndSolveSync(out?: Float32Array, run?: OperationOptions): Float32Array {
    const target = this.#toTarget(out);
    return solved(this.#commitSync(true, run, target), target);
  }

  /**
   * Changes λ and factors anew, in O(m³).
   *
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DISPOSED, ERR_ABORTED
   */
  async setDamping(damping: number, run?: OperationOptions): Promise<void> {
    const spec = { window: this.#window, damping: toDamping(damping, 'damping') };
    await this.#owned.run(loadNative().fisherWindowSetDamping, spec, run, nothing);
  }

  /** {@link setDamping} on the calling thread. */
  setDampingSync(damping: number, run?: OperationOptions): void {
    const spec = { window: this.#window, damping: toDamping(damping, 'damping') };
    this.#owned.runSync(loadNative().fisherWindowSetDampingSync, spec, run, nothing);
  }

  /**
   * Forgets all gradients and slices; the memory stays.
   *
   * @throws SecondOrderError ERR_DISPOSED; ERR_BUSY while asynchronous calls are under way
   */
  clear(): void {
    this.#owned.direct(() => loadNative().fisherWindowClear(this.#window));
  }

  /**
   * Writes the window to a file, from which {@link load} makes one that goes on bit by bit as this
   * one would.
   *
   * @param path or file URL
   * @throws SecondOrderError ERR_INVALID_ARGUMENT (cannot be written), ERR_DISPOSED, ERR_ABORTED
   */
  async save(path: string | URL, run?: OperationOptions): Promise<void> {
    const spec = { window: this.#window, path: toFile(path) };
    await this.#owned.run(loadNative().fisherWindowSave, spec, run, nothing);
  }

  /** {@link save} on the calling thread. */
  saveSync(path: string | URL, run?: OperationOptions): void {
    const spec = { window: this.#window, path: toFile(path) };
    this.#owned.runSync(loadNative().fisherWindowSaveSync, spec, run, nothing);
  }

  /**
   * Reads a window that {@link save} wrote, on whatever device.
   *
   * @param options `device`, where it is to go on; default `'auto'`
   * @throws SecondOrderError ERR_FORMAT (another file, another version, truncated or altered),
   * ERR_INVALID_ARGUMENT (cannot be read), ERR_OUT_OF_MEMORY, ERR_ABORTED, ERR_CUDA_…
   */
  static async load(
    path: string | URL,
    run?: OperationOptions,
    options?: WindowLoadOptions,
  ): Promise<FisherWindow> {
    const operation = checkOperation(run);
    const spec = { path: toFile(path), device: readLoadDevice(options) };
    return operate(loadNative().fisherWindowLoad, spec, operation, fromNative);
  }

  /** {@link load} on the calling thread. */
  static loadSync(
    path: string | URL,
    run?: OperationOptions,
    options?: WindowLoadOptions,
  ): FisherWindow {
    const operation = checkOperation(run);
    const spec = { path: toFile(path), device: readLoadDevice(options) };
    return operateSync(loadNative().fisherWindowLoadSync, spec, operation, fromNative);
  }

  /** Frees the native memory, as soon as no call is under way; other calls throw ERR_DISPOSED then. */
  dispose(): void {
    this.#owned.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #window(): NativeWindow {
    return this.#owned.handle;
  }

  #toTarget(out: unknown): Float32Array | undefined {
    return toTarget(out, 'out', this.dimension, Float32Array);
  }

  /** Native code looks at every entry that the mask leaves. */
  #toGradient(value: unknown): Floats {
    const { dimension, active } = this;
    return (active < dimension ? toVector : toFloats)(value, 'gradient', dimension);
  }

  #push(given: unknown, solve: boolean, run: unknown): Promise<Float32Array | null> {
    const gradient = this.#owned.keep(this.#toGradient(given));
    const spec = { window: this.#window, gradient, solve };
    return this.#owned.run(loadNative().fisherWindowPush, spec, run, solutionOf);
  }

  #pushSync(
    given: unknown,
    solve: boolean,
    run: unknown,
    target?: Float32Array,
  ): Float32Array | null {
    const gradient = this.#toGradient(given);
    const spec = { window: this.#window, gradient, solve, out: apart(target, gradient) };
    return this.#owned.runSync(loadNative().fisherWindowPushSync, spec, run, solutionOf);
  }

  #commit(solve: boolean, run: unknown): Promise<Float32Array | null> {
    const spec = { window: this.#window, solve };
    return this.#owned.run(loadNative().fisherWindowCommit, spec, run, solutionOf);
  }

  #commitSync(solve: boolean, run: unknown, out?: Float32Array): Float32Array | null {
    const spec = { window: this.#window, solve, out };
    return this.#owned.runSync(loadNative().fisherWindowCommitSync, spec, run, solutionOf);
  }

  #solve(x: Floats, count: number, run: unknown): Promise<Float32Array> {
    const spec = { window: this.#window, x: this.#owned.keep(x), count };
    return this.#owned.run(loadNative().fisherWindowSolve, spec, run, solutionOf);
  }

  #solveSync(x: Floats, count: number, run: unknown, target?: Float32Array): Float32Array {
    const spec = { window: this.#window, x, count, out: apart(target, x) };
    return this.#owned.runSync(loadNative().fisherWindowSolveSync, spec, run, solutionOf);
  }
}

const nothing = (): void => undefined;

const solutionOf = <Solution>({ solution }: { solution: Solution }): Solution => solution;

const fromNative = ({ window }: { window: NativeWindow }): FisherWindow =>
  new FisherWindow(new LoadedWindow(window));

function toFile(path: unknown): string {
  return toPath(path, 'path', 'a path or a file: URL');
}

/** The solution that was asked for, where it was asked to be. */
function solved(solution: Float32Array | null, target: Float32Array | undefined): Float32Array {
  if (solution === null) throw new SecondOrderError('ERR_INTERNAL', 'A step gave no solution');
  return deliver(solution, target);
}
