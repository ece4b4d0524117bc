import { HandleQueue } from './handle-queue';
import { checkOperation, type OperationOptions } from './operation';
import {
  loadOptimizer,
  loadOptimizerSync,
  type ResumeOptions,
  saveOptimizer,
  saveOptimizerSync,
} from './optimizer-folder';
import {
  DAMPINGS,
  type MFacOptimizerOptions,
  type OptimizerSettings,
  RATES,
  readOptimizerOptions,
  type StepSettings,
} from './optimizer-options';
import type { OptimizerContents } from './optimizer-state';
import { accumulate, type Momenta, type Part, squaredNorm, update } from './optimizer-step';
import { checkPresent, gatherGradients } from './parameter-groups';
import { RowScale } from './row-scale';
import { readSchedule, type Schedule, valueAt } from './schedule';
import { FisherWindow } from './window';

/** What a step did. */
export interface StepInfo {
  /** Steps taken, this one included. */
  step: number;
  gradientNorm: number;
  /** Of the change of all parameters, weight decay left out. */
  updateNorm: number;
  /** Cosine of the angle between the change and −gradient: 1 is straight downhill. */
  cosine: number;
  /** Whether `clip` shortened the change. */
  clipped: boolean;
  learningRate: number;
  /** λ in use. */
  damping: number;
  /** Gradients in the window. */
  size: number;
}

/** What a product with a tiny factor must not fall below. */
const SMALLEST_DAMPING = 2 ** -1022;

/** An optimizer that was read from files. */
class Resumed {
  constructor(readonly contents: OptimizerContents) {}
}

/**
 * An optimizer that follows the inverse of the damped Fisher matrix of the last m gradients,
 * H = λ I + (1/k) Σ gᵢ gᵢᵀ. With g the newest gradient:
 *
 *     u = H⁻¹ g
 *     v ← μ v + u / ‖u‖          direction
 *     n ← μ n + g                length, as SGD with momentum has it
 *     w ← w − lr ‖n‖ v / ‖v‖ − lr · weightDecay · w
 *
 * So a learning rate means what it means for SGD with momentum, for any window, damping and number of
 * parameters; with one row in the window the step is SGD's.
 *
 * ```js
 * const optimizer = new MFacOptimizer({ parameters: [weights, bias] });
 * for (const batch of batches) await optimizer.step(gradients(batch)); // in place
 * ```
 *
 * Steps take place in the order in which they were asked for; one that fails or is aborted changes
 * nothing (but where an array of parameters was transferred away in its midst, its gradient is in the
 * window). A synchronous call while steps are under way throws ERR_BUSY.
 */
export class MFacOptimizer implements Disposable {
  readonly #settings: OptimizerSettings;
  readonly #window: FisherWindow;
  readonly #queue: HandleQueue;
  readonly #momenta: Momenta;
  readonly #scale: RowScale;
  readonly #gradient: Float32Array;
  readonly #solution: Float32Array;
  #steps = 0;

  /**
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_OUT_OF_MEMORY,
   * ERR_CUDA_…
   */
  constructor(options: MFacOptimizerOptions | Resumed) {
    const contents = options instanceof Resumed ? options.contents : start(options);
    const { dimension } = contents.settings.parameters;
    this.#settings = contents.settings;
    this.#window = contents.window;
    this.#momenta = contents.momenta;
    this.#scale = contents.scale;
    this.#steps = contents.steps;
    this.#gradient = new Float32Array(dimension);
    this.#solution = new Float32Array(dimension);
    this.#queue = new HandleQueue('MFacOptimizer', () => this.#window.dispose());
  }

  /** Steps taken. */
  get steps(): number {
    return this.#steps;
  }

  /** Parameters, all arrays together. */
  get dimension(): number {
    return this.#settings.parameters.dimension;
  }

  /** Gradients in the window. */
  get size(): number {
    return this.#window.size;
  }

  /** Memory held, in bytes: the window, and four vectors as long as the parameters. */
  get bytes(): number {
    const { direction, gradient } = this.#momenta;
    const vectors = [direction, gradient, this.#gradient, this.#solution];
    return vectors.reduce((sum, { byteLength }) => sum + byteLength, this.#window.bytes);
  }

  /** Of groups that have none of their own. May be set between steps. */
  get learningRate(): number | Schedule {
    return this.#settings.learningRate;
  }

  set learningRate(value: number | Schedule) {
    this.#settings.learningRate = readSchedule(value, 'learningRate', RATES);
  }

  /** λ, a function of the step, or in proportion to the gradients. */
  get damping(): StepSettings['damping'] {
    return this.#settings.damping;
  }

  /**
   * Takes one step, in place.
   *
   * @param gradients one array for each array of parameters, in the same order
   * @throws SecondOrderError ERR_INVALID_ARGUMENT (also: NaN or infinity, with its position),
   * ERR_DIMENSION_MISMATCH, ERR_EVALUATION (a schedule), ERR_DISPOSED, ERR_ABORTED
   */
  async step(gradients: Float32Array[], run?: OperationOptions): Promise<StepInfo> {
    const options = checkOperation(run);
    // The vector of this object may still be in use by the step before.
    const vector = this.#queue.busy ? new Float32Array(this.dimension) : this.#gradient;
    this.#queue.checkOpen();
    this.#gather(gradients, vector);
    return this.#queue.run(async () => {
      const damping = this.#chooseDamping(vector);
      const rates = this.#rates();
      if (damping.value !== this.#window.damping) {
        await this.#window.setDamping(damping.value, options);
      }
      await this.#window.pushAndSolve(vector, this.#solution, options);
      return this.#apply(vector, damping, rates);
    });
  }

  /** {@link step} on the calling thread. */
  stepSync(gradients: Float32Array[], run?: OperationOptions): StepInfo {
    const options = checkOperation(run);
    this.#queue.checkIdle();
    this.#gather(gradients, this.#gradient);
    const damping = this.#chooseDamping(this.#gradient);
    const rates = this.#rates();
    if (damping.value !== this.#window.damping) {
      this.#window.setDampingSync(damping.value, options);
    }
    this.#window.pushAndSolveSync(this.#gradient, this.#solution, options);
    return this.#apply(this.#gradient, damping, rates);
  }

  /**
   * Writes everything that the next steps depend on into a folder, which is made where there is none:
   * the window, the momenta, the parameters. {@link load} goes on from it bit by bit. What an earlier
   * call wrote there is replaced, and stays whole when this one fails.
   *
   * @throws SecondOrderError ERR_INVALID_ARGUMENT (cannot be written), ERR_DISPOSED, ERR_ABORTED
   */
  async save(folder: string | URL, run?: OperationOptions): Promise<void> {
    const options = checkOperation(run);
    await this.#queue.run(() => saveOptimizer(folder, this.#contents, options));
  }

  /** {@link save} on the calling thread. */
  saveSync(folder: string | URL, run?: OperationOptions): void {
    const options = checkOperation(run);
    this.#queue.checkIdle();
    saveOptimizerSync(folder, this.#contents, options);
  }

  /**
   * Goes on from what {@link save} wrote. The parameters saved are written into the arrays given;
   * other options, and rates that groups set, replace those saved; functions have to be given again.
   *
   * @param options the parameters, of the same lengths, and options of the step
   * @throws SecondOrderError ERR_FORMAT (damaged, or not an optimizer), ERR_INVALID_ARGUMENT,
   * ERR_DIMENSION_MISMATCH, ERR_OUT_OF_MEMORY, ERR_ABORTED
   */
  static async load(
    folder: string | URL,
    options: ResumeOptions,
    run?: OperationOptions,
  ): Promise<MFacOptimizer> {
    const contents = await loadOptimizer(folder, options, checkOperation(run));
    return new MFacOptimizer(new Resumed(contents));
  }

  /** {@link load} on the calling thread. */
  static loadSync(
    folder: string | URL,
    options: ResumeOptions,
    run?: OperationOptions,
  ): MFacOptimizer {
    return new MFacOptimizer(new Resumed(loadOptimizerSync(folder, options, checkOperation(run))));
  }

  /** Frees the window, as soon as no step is under way; other calls throw ERR_DISPOSED then. */
  dispose(): void {
    this.#queue.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #contents(): OptimizerContents {
    return {
      settings: this.#settings,
      window: this.#window,
      momenta: this.#momenta,
      scale: this.#scale,
      steps: this.#steps,
    };
  }

  #gather(gradients: unknown, into: Float32Array): void {
    const { parameters, mask } = this.#settings;
    checkPresent(parameters);
    gatherGradients(gradients, parameters, mask, into);
  }

  /** λ for a window with this gradient in it. */
  #chooseDamping(gradient: Float32Array): Damping {
    const square = squaredNorm(gradient);
    const { damping } = this.#settings;
    if (typeof damping !== 'object') {
      const value = valueAt(damping, this.#steps, 'options.damping', DAMPINGS);
      return { value, square, reference: this.#scale.reference };
    }
    const reference = this.#scale.next(square);
    const value = Math.max(damping.relative * reference, SMALLEST_DAMPING);
    return { value, square, reference };
  }

  /** Rates of each array of parameters; every schedule is asked once. */
  #rates(): Rates {
    const { parameters, learningRate: rate, weightDecay: decay } = this.#settings;
    const asked = new Map<number | Schedule, number>();
    const rateOf = (schedule: number | Schedule): number => {
      const known = asked.get(schedule);
      if (known !== undefined) return known;
      const value = valueAt(schedule, this.#steps, 'options.learningRate', RATES);
      asked.set(schedule, value);
      return value;
    };
    const parts = parameters.segments.map(({ values, start, group }) => ({
      values,
      start,
      learningRate: rateOf(group.learningRate ?? rate),
      weightDecay: group.weightDecay ?? decay,
    }));
    return { parts, learningRate: rateOf(rate) };
  }

  #apply(gradient: Float32Array, damping: Damping, { parts, learningRate }: Rates): StepInfo {
    const { momentum, clip, mask, parameters } = this.#settings;
    checkPresent(parameters);
    this.#scale.reference = damping.reference;
    this.#scale.add(damping.square);
    const norms = accumulate(this.#momenta, gradient, this.#solution, momentum);
    const { active } = this.#window;
    const limits = { length: norms.length, clip, active, mask };
    const { norm, clipped } = update(this.#momenta.direction, parts, limits);
    return {
      step: ++this.#steps,
      gradientNorm: norms.gradient,
      updateNorm: norm,
      cosine: norms.cosine,
      clipped,
      learningRate,
      damping: this.#window.damping,
      size: this.#window.size,
    };
  }
}

/** The rates of a step: the optimizer's own, and those of each array. */
interface Rates {
  parts: Part[];
  learningRate: number;
}

/** λ, and what it was chosen by. */
interface Damping {
  value: number;
  /** ‖g‖² */
  square: number;
  reference: number;
}

/** An optimizer that has not taken a step. */
function start(options: unknown): OptimizerContents {
  const settings = readOptimizerOptions(options);
  const { capacity, storage, damping, mask, device } = settings;
  const { dimension } = settings.parameters;
  const window = new FisherWindow({
    dimension,
    capacity,
    storage,
    device,
    // The first step sets it otherwise, while there are no rows to factor.
    damping: typeof damping === 'number' ? damping : 1,
    ...(mask ? { mask } : {}),
  });
  const momenta = {
    direction: new Float32Array(dimension),
    gradient: new Float32Array(dimension),
  };
  return { settings, window, momenta, scale: new RowScale(capacity), steps: 0 };
}
