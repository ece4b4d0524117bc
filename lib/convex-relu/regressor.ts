import type { MatrixLike } from '../matrix';
import type { RunOptions } from '../run';
import { describe, invalid, toBoolean, toNumbers } from '../validate';
import type { DocumentContents } from './document';
import { loadDocument } from './document-file';
import { readJson } from './document-json';
import { retrainingOptions } from './document-options';
import { Estimator, type Fit } from './estimator';
import type { RegressorState } from './estimator-state';
import { expectEstimator } from './expect';
import { GatedReLUNetwork } from './gated-network';
import { ReLUNetwork } from './network';
import type { ConvexReLUOptions } from './option-types';
import { checkOptions, resolveOptions } from './options';
import { meanAndDeviation, rSquared } from './scores';
import { StoredModel } from './stored-model';
import type { ONNXContext } from './to-onnx';
import { prepareTargets, type TrainResult } from './train';

/** Options of {@link ConvexReLURegressor}. */
export interface RegressorOptions extends ConvexReLUOptions {
  /** Only `'squared'`. */
  loss?: 'squared';
  /**
   * Bring the target to mean 0 and variance 1 for training, and predictions back; default true.
   * `beta`, the objective and the certificate are then in those units.
   */
  standardizeTarget?: boolean;
}

/**
 * A regressor of one target: a two-layer ReLU network trained by convex optimisation with the squared
 * loss ({@link trainConvexReLU}). Other options are those of {@link ConvexReLUOptions}.
 */
export class ConvexReLURegressor extends Estimator<ArrayLike<number>, RegressorState> {
  readonly #options: Record<string, unknown>;
  readonly #standardizeTarget: boolean;

  /** @throws SecondOrderError ERR_INVALID_ARGUMENT (options), ERR_CUDA_… (device) */
  constructor(options?: RegressorOptions) {
    super();
    const { standardizeTarget, ...others } = checkOptions(options, ['standardizeTarget']);
    if (others.loss !== undefined && others.loss !== 'squared') {
      throw invalid('options.loss', '"squared" for a regressor', describe(others.loss));
    }
    resolveOptions(others, {});
    this.#options = others;
    this.#standardizeTarget = toBoolean(standardizeTarget ?? true, 'options.standardizeTarget');
  }

  /**
   * The prediction for each row of x, in the units of y.
   *
   * @param x n × features
   * @throws SecondOrderError ERR_NOT_FITTED, ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  predict(x: MatrixLike): Float64Array {
    return Float64Array.from(this.outputs(x).data);
  }

  /** {@link predict} on another thread. */
  async predictAsync(x: MatrixLike, run?: RunOptions): Promise<Float64Array> {
    return Float64Array.from((await this.outputsAsync(x, run)).data);
  }

  /**
   * The coefficient of determination, R² = 1 − Σ(y − ŷ)² / Σ(y − mean y)². For a constant y: 1 when
   * all predictions are right, otherwise 0.
   *
   * @param x n × features, at least one row
   * @param y n targets
   * @throws SecondOrderError ERR_NOT_FITTED, ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  score(x: MatrixLike, y: ArrayLike<number>): number {
    const inputs = this.fitted.network.readInputs(x, 1);
    return rSquared(toNumbers(y, 'y', { length: inputs.rows }), this.predict(x));
  }

  /**
   * Reads a regressor that `save` wrote.
   *
   * @throws SecondOrderError ERR_FORMAT; ERR_INVALID_ARGUMENT (a file that cannot be read)
   */
  static async load(path: string): Promise<ConvexReLURegressor> {
    return ConvexReLURegressor.from(await loadDocument(path), path);
  }

  /**
   * Reads a document that `toJSON` gave, as an object or as text.
   *
   * @throws SecondOrderError ERR_FORMAT
   */
  static fromJSON(document: unknown): ConvexReLURegressor {
    return ConvexReLURegressor.from(readJson(document), 'the document');
  }

  /** @internal */
  static from(contents: DocumentContents, source: string): ConvexReLURegressor {
    const state = expectEstimator(contents, 'regressor', source);
    const { standardizeTarget } = state;
    const options = {
      ...retrainingOptions(contents.stored),
      loss: 'squared' as const,
      standardizeTarget,
    };
    return new ConvexReLURegressor(options).adoptContents(contents, state);
  }

  /** @internal */
  toTargets(y: unknown): unknown {
    return y;
  }

  protected prepareFit(x: unknown, y: unknown): Fit<RegressorState> {
    const inputs = this.readTrainingInputs(x);
    const values = toNumbers(y, 'y', { length: inputs.rows });
    const standardizeTarget = this.#standardizeTarget;
    const { mean, deviation } = standardizeTarget
      ? meanAndDeviation(values)
      : { mean: 0, deviation: 1 };
    const targets = { y: values.map((value) => (value - mean) / deviation), outputs: 1 };
    return {
      prepared: prepareTargets(inputs, targets, this.#options),
      finish: (result) => ({
        ...result,
        network: rescaled(result.network, mean, deviation),
        state: { type: 'regressor', standardizeTarget },
      }),
    };
  }

  protected onnxContext(): Pick<ONNXContext, 'outputs'> {
    return { outputs: ['raw'] };
  }

  /** @internal */
  sibling(changes: ConvexReLUOptions = {}): ConvexReLURegressor {
    return new ConvexReLURegressor({
      ...this.#options,
      ...changes,
      standardizeTarget: this.#standardizeTarget,
    } as RegressorOptions);
  }

  /** @internal */
  get givenOptions(): Readonly<ConvexReLUOptions> {
    return this.#options;
  }
}

/** The network with its output brought back to the units of the target. */
function rescaled(
  network: TrainResult['network'],
  mean: number,
  deviation: number,
): TrainResult['network'] {
  const { model, certificate, options } = network.stored;
  const outputBias = model.outputBias.map((bias) => bias * deviation + mean);
  const outputScale = model.outputScale * deviation;
  const stored = new StoredModel({ ...model, outputBias, outputScale }, certificate, options);
  return model.kind === 'gated' ? new GatedReLUNetwork(stored) : new ReLUNetwork(stored);
}
