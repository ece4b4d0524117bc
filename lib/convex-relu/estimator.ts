/** What the classifier and the regressor have in common: options, the state after fitting, files. */
import { AbortError, SecondOrderError } from '../errors';
import { type Matrix, type MatrixLike, toNativeMatrix } from '../matrix';
import type { NativeX } from '../native-interface';
import type { RunOptions } from '../run';
import type { DocumentContents } from './document';
import { saveDocument } from './document-file';
import { type NetworkDocument, writeJson } from './document-json';
import type { EstimatorState } from './estimator-state';
import { GatedReLUNetwork } from './gated-network';
import { ReLUNetwork } from './network';
import type { ConvexReLUOptions } from './option-types';
import type { ConvexReport } from './report';
import type { ConvexSolution } from './solution';
import { type ONNXContext, type ONNXOptions, toONNX } from './to-onnx';
import {
  type ConvexRunOptions,
  type Prepared,
  type TrainResult,
  trainPrepared,
  trainPreparedSync,
} from './train';

/** What an estimator knows once it is fitted; report and solution are not kept in files. */
export interface Fitted<State> {
  state: State;
  network: ReLUNetwork | GatedReLUNetwork;
  report: ConvexReport | null;
  solution: ConvexSolution | null;
}

/** A checked problem, and what the estimator makes of its solution. */
export interface Fit<State> {
  prepared: Prepared;
  finish(result: TrainResult): Fitted<State>;
}

/** A model of data: trained by `fit`, then asked. Its kinds add `predict` and `score`. */
export abstract class Estimator<Y, State extends EstimatorState> {
  #fitted: Fitted<State> | undefined;

  /**
   * The network.
   *
   * @throws SecondOrderError ERR_NOT_FITTED
   */
  get network(): ReLUNetwork | GatedReLUNetwork {
    return this.fitted.network;
  }

  /**
   * The report of the last `fit`, or null after loading from a file.
   *
   * @throws SecondOrderError ERR_NOT_FITTED
   */
  get report(): ConvexReport | null {
    return this.fitted.report;
  }

  /**
   * The solution of the last `fit`, for warm starts, or null after loading from a file.
   *
   * @throws SecondOrderError ERR_NOT_FITTED
   */
  get solution(): ConvexSolution | null {
    return this.fitted.solution;
  }

  /**
   * Trains on x (n × features) and y (n), and resolves to this estimator. A further call starts anew.
   *
   * @throws SecondOrderError as {@link trainConvexReLU}; the `partial` of ERR_ABORTED is a fitted
   * estimator with the best network so far, and this one is left as it was
   */
  async fit(x: MatrixLike, y: Y, run?: ConvexRunOptions): Promise<this> {
    const fit = this.prepareFit(x, y);
    try {
      return this.adopt(fit.finish(await trainPrepared(fit.prepared, run)));
    } catch (error) {
      throw this.withPartial(error, fit);
    }
  }

  /** {@link fit} on the calling thread. */
  fitSync(x: MatrixLike, y: Y, run?: ConvexRunOptions): this {
    const fit = this.prepareFit(x, y);
    try {
      return this.adopt(fit.finish(trainPreparedSync(fit.prepared, run)));
    } catch (error) {
      throw this.withPartial(error, fit);
    }
  }

  /**
   * Writes the estimator, its network, certificate and options to a file: JSON when the path ends
   * in `.json`, otherwise safetensors.
   *
   * @throws SecondOrderError ERR_NOT_FITTED, ERR_INVALID_ARGUMENT (a file that cannot be written)
   */
  async save(path: string): Promise<void> {
    await saveDocument(path, this.toContents());
  }

  /**
   * The estimator, its network, certificate and options as a JSON document; see `fromJSON`.
   *
   * @throws SecondOrderError ERR_NOT_FITTED
   */
  toJSON(): NetworkDocument {
    return writeJson(this.toContents());
  }

  /**
   * The estimator as an ONNX model; see {@link ONNXOptions} and the `toONNX` of networks.
   *
   * @throws SecondOrderError ERR_NOT_FITTED, ERR_INVALID_ARGUMENT; ERR_NUMERICAL (a weight beyond
   * float32)
   */
  toONNX(options?: ONNXOptions): Uint8Array {
    const { network, report, state } = this.fitted;
    return toONNX(network.stored, { certificate: report, ...this.onnxContext(state) }, options);
  }

  /** Checks the data of a fit. */
  protected abstract prepareFit(x: unknown, y: unknown): Fit<State>;

  /** Which outputs an ONNX model can have, and the classes. */
  protected abstract onnxContext(state: State): Pick<ONNXContext, 'outputs' | 'classes'>;

  /** @internal An estimator with the same options but for some changes. */
  abstract sibling(changes?: ConvexReLUOptions): Estimator<Y, State>;

  /** @internal The options as they were given. */
  abstract get givenOptions(): Readonly<ConvexReLUOptions>;

  /** @internal The problem that `fit` would solve. */
  problemOf(x: unknown, y: unknown): Prepared {
    return this.prepareFit(x, y).prepared;
  }

  /** @internal What the network was trained to give for these labels or targets. */
  abstract toTargets(y: unknown, rows: number): unknown;

  protected get fitted(): Fitted<State> {
    if (!this.#fitted) {
      throw new SecondOrderError('ERR_NOT_FITTED', 'The estimator is not fitted: call fit first');
    }
    return this.#fitted;
  }

  /** Takes over a fitted state. */
  protected adopt(fitted: Fitted<State>): this {
    this.#fitted = fitted;
    return this;
  }

  /** Takes over a document. */
  protected adoptContents({ stored }: DocumentContents, state: State): this {
    const { kind } = stored.model;
    const network = kind === 'gated' ? new GatedReLUNetwork(stored) : new ReLUNetwork(stored);
    return this.adopt({ network, state, report: null, solution: null });
  }

  protected outputs(x: MatrixLike): Matrix {
    return this.fitted.network.predict(x);
  }

  protected outputsAsync(x: MatrixLike, run: RunOptions | undefined): Promise<Matrix> {
    return this.fitted.network.predictAsync(x, run);
  }

  protected readTrainingInputs(x: unknown): NativeX {
    return toNativeMatrix(x, 'x', { minRows: 1 });
  }

  private toContents(): DocumentContents {
    const { network, state } = this.fitted;
    return { stored: network.stored, estimator: state };
  }

  private withPartial(error: unknown, fit: Fit<State>): unknown {
    if (!(error instanceof AbortError) || error.partial === undefined) return error;
    const partial = fit.finish(error.partial as TrainResult);
    return new AbortError(error.cause, this.sibling().adopt(partial));
  }
}
