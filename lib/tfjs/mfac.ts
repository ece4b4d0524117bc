import {
  engine,
  type NamedTensorMap,
  Optimizer,
  serialization,
  type Tensor,
  tensor,
  tidy,
} from '@tensorflow/tfjs';
import { MFacOptimizer, type StepInfo } from '../mfac';
import {
  type MFacOptimizerOptions,
  PLAIN_KEYS,
  type RelativeDamping,
  readPlainOptions,
} from '../mfac/optimizer-options';
import { checkObject, describe, invalid, mismatch, toNumber } from '../validate';
import { fromBytes, readState, type StateBytes, toBytes, writeState } from './state';

type NamedTensor = { name: string; tensor: Tensor };

/** Options of {@link MFac}: those of {@link MFacOptimizer}, as plain values, so that models save them. */
export interface MFacOptions
  extends Omit<MFacOptimizerOptions, 'parameters' | 'mask' | 'learningRate' | 'damping'> {
  /** Default 0.1; means what it means for SGD with momentum. */
  learningRate?: number;
  /** λ, or in proportion to the gradients; default `{ relative: 0.1 }`. */
  damping?: number | RelativeDamping;
}

/**
 * M-FAC for models of TensorFlow.js; see {@link MFacOptimizer} for what it does.
 *
 * ```js
 * model.compile({ optimizer: new MFac({ learningRate: 0.1 }), loss: 'categoricalCrossentropy' });
 * await model.fit(x, y);
 * ```
 *
 * It takes the same variables at every step. A step brings gradients and variables from the backend
 * and puts the variables back; the event loop waits for it, as `applyGradients` cannot. A model that
 * is saved with `includeOptimizer: true` takes the window with it, and training goes on from there.
 */
export class MFac extends Optimizer {
  static readonly className = 'MFac';

  readonly #options: MFacOptions;
  #core: Core | undefined;
  /** State to begin with, once the variables are known. */
  #state: StateBytes | undefined;
  #last: StepInfo | undefined;

  /** @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_CUDA_… */
  constructor(options: MFacOptions = {}) {
    super();
    const raw = checkObject(options, 'options', PLAIN_KEYS);
    for (const key of ['learningRate', 'damping'] as const) {
      if (typeof raw[key] !== 'function') continue;
      throw invalid(`options.${key}`, 'a plain value, which can be saved', 'a function');
    }
    readPlainOptions(raw);
    this.#options = { ...options };
  }

  /** May be set between steps. */
  get learningRate(): number {
    return this.#options.learningRate ?? DEFAULT_RATE;
  }

  set learningRate(value: number) {
    this.#options.learningRate = toNumber(value, 'learningRate', { min: 0 });
    if (this.#core) this.#core.optimizer.learningRate = value;
  }

  /** What the last step did; undefined before the first. */
  get lastStep(): StepInfo | undefined {
    return this.#last;
  }

  /** Memory held outside the backend, in bytes. */
  get bytes(): number {
    return this.#core?.optimizer.bytes ?? 0;
  }

  /**
   * Takes a step with the gradients of variables, by name; variables without one count as not
   * changing the loss.
   *
   * @throws SecondOrderError ERR_INVALID_ARGUMENT (NaN or infinity), ERR_DIMENSION_MISMATCH (other
   * variables than before)
   */
  override applyGradients(variableGradients: NamedTensorMap | NamedTensor[]): void {
    const given = Array.isArray(variableGradients)
      ? variableGradients
      : Object.entries(variableGradients).map(([name, gradient]) => ({ name, tensor: gradient }));
    this.#core ??= this.#start(given.map(({ name }) => name));
    const { names, parameters, optimizer } = this.#core;
    const gradients = order(given, names);
    const values = gradients.map(
      (gradient, i) => gradient?.dataSync<'float32'>() ?? new Float32Array(parameters[i]!.length),
    );
    for (const [i, name] of names.entries())
      parameters[i]!.set(variable(name).dataSync<'float32'>());
    this.#last = optimizer.stepSync(values);
    for (const [i, name] of names.entries()) {
      const { shape } = variable(name);
      // A copy: backends may keep the array that a tensor is made from.
      tidy(() => variable(name).assign(tensor(parameters[i]!.slice(), shape, 'float32')));
    }
    this.incrementIterations();
  }

  /** Frees the window. */
  override dispose(): void {
    this.#core?.optimizer.dispose();
    this.#core = undefined;
    this.#state = undefined;
  }

  /** The steps taken and, after the first, the state of the optimizer as two tensors of bytes. */
  override async getWeights(): Promise<NamedTensor[]> {
    const iterations = await this.saveIterations();
    const state = this.#core ? await writeState(this.#core.optimizer) : this.#state;
    if (!state) return [iterations];
    return [
      iterations,
      ...STATE_NAMES.map((key) => ({ name: `mfac/${key}`, tensor: fromBytes(state[key]) })),
    ];
  }

  /** Takes the state that {@link getWeights} gave; the next step goes on from it. */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const tensors = await this.extractIterations(weights);
    this.dispose();
    if (tensors.length === 0) return;
    if (tensors.length !== STATE_NAMES.length) {
      throw invalid('weights', 'what getWeights gave', `${weights.length} tensors`);
    }
    const [state, window] = await Promise.all(tensors.map(({ tensor: bytes }) => toBytes(bytes)));
    this.#state = { state: state!, window: window! };
  }

  override getConfig(): serialization.ConfigDict {
    const given = Object.entries({ learningRate: DEFAULT_RATE, ...this.#options });
    return Object.fromEntries(
      given
        .filter(([, value]) => value !== undefined)
        // JSON has no infinity.
        .map(([key, value]) => [key, value === Number.POSITIVE_INFINITY ? null : value]),
    ) as serialization.ConfigDict;
  }

  static override fromConfig<T extends serialization.Serializable>(
    type: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    // TensorFlow.js adds entries of its own; and JSON has no infinity.
    const options = PLAIN_KEYS.filter((key) => key in config).map((key) => [key, config[key]]);
    const clip = config.clip === null ? { clip: Number.POSITIVE_INFINITY } : {};
    return new type({ ...Object.fromEntries(options), ...clip });
  }

  /** The optimizer for these variables, new or with the state that was set. */
  #start(names: string[]): Core {
    const parameters = names.map((name) => new Float32Array(variable(name).size));
    const state = this.#state;
    const optimizer = state
      ? readState(state, (folder) =>
          MFacOptimizer.loadSync(folder, { parameters, ...stepOptions(this.#options) }),
        )
      : new MFacOptimizer({ ...this.#options, parameters });
    this.#state = undefined;
    return { names, parameters, optimizer };
  }
}

interface Core {
  /** Of the variables, in their order. */
  names: string[];
  /** Copies of the variables, for the time of a step. */
  parameters: Float32Array[];
  optimizer: MFacOptimizer;
}

const DEFAULT_RATE = 0.1;
const STATE_NAMES = ['state', 'window'] as const;

/** Options that a state which is read may be given anew. */
function stepOptions({ learningRate, momentum, weightDecay, damping, clip }: MFacOptions) {
  const given = { learningRate, momentum, weightDecay, damping, clip };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function variable(name: string) {
  const found = engine().registeredVariables[name];
  if (!found) throw invalid('variableGradients', 'gradients of variables', describe(name));
  if (found.dtype === 'float32') return found;
  throw invalid('variableGradients', 'gradients of float32 variables', `${name}: ${found.dtype}`);
}

/** The gradients in the order of the names; undefined where there is none. */
function order(given: readonly NamedTensor[], names: readonly string[]): (Tensor | undefined)[] {
  const byName = new Map(given.map(({ name, tensor: gradient }) => [name, gradient]));
  const extra = given.find(({ name }) => !names.includes(name));
  if (extra || byName.size !== names.length) {
    const message = `A step takes the ${names.length} variables of the first one; got ${byName.size}`;
    throw mismatch('variableGradients', extra ? `${message}, with ${extra.name}` : message);
  }
  return names.map((name) => byName.get(name));
}

serialization.registerClass(MFac);
