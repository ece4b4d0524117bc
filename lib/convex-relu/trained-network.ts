/** What ReLU networks and gated ReLU networks have in common. */
import { type DenseMatrixLike, type Matrix, type MatrixLike, toNativeMatrix } from '../matrix';
import { loadNative } from '../native';
import type { NativeModel, NativeX } from '../native-interface';
import { type RunOptions, runDirect, runJob, runSync } from '../run';
import { checkObject, toChoice, toNumber } from '../validate';
import { saveDocument } from './document-file';
import { type NetworkDocument, writeJson } from './document-json';
import type { Loss, TrainingOptions } from './option-types';
import { LOSSES } from './options';
import type { DualCertificate, ModelShape } from './solution';
import type { StoredModel } from './stored-model';
import { readSampleWeights, readTargets } from './targets';
import { type ONNXOptions, outputsOfNetwork, toONNX } from './to-onnx';

/** Which objective to evaluate. */
export interface ObjectiveOptions {
  /** Default: the loss the network was trained with, or `'squared'`. */
  loss?: Loss;
  /** Default: the one the network was trained with, or 1e-3. */
  beta?: number;
  /** One weight ≥ 0 for each sample; all 1 when left out. */
  sampleWeights?: ArrayLike<number>;
}

/** A two-layer network that convex training gave, or that was put together from arrays. */
export abstract class TrainedNetwork {
  /** @internal */
  readonly stored: StoredModel;

  /** @internal */
  constructor(stored: StoredModel) {
    this.stored = stored;
  }

  /** Number of inputs: columns of x. */
  get features(): number {
    return this.stored.model.features;
  }

  /** Number of outputs: columns of a prediction. */
  get outputs(): number {
    return this.stored.model.outputs;
  }

  /** The dual certificate from training, or null; see {@link verify}. */
  get certificate(): DualCertificate | null {
    return this.stored.certificate;
  }

  /** The options it was trained with, or null. */
  get options(): TrainingOptions | null {
    return this.stored.options;
  }

  /** @internal */
  get shape(): ModelShape {
    const { kind, features, outputs } = this.stored.model;
    return { kind, features, outputs };
  }

  /**
   * Outputs for raw inputs.
   *
   * @param x n × features
   * @returns n × outputs, in the network's precision
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  predict(x: MatrixLike): Matrix {
    const inputs = this.readInputs(x);
    const spec = { model: this.stored.model, x: inputs };
    return runSync(loadNative().convexReluPredictSync, spec, undefined, (values) =>
      this.toOutputs(inputs, values),
    );
  }

  /** {@link predict} on another thread. */
  async predictAsync(x: MatrixLike, run?: RunOptions): Promise<Matrix> {
    const inputs = this.readInputs(x);
    const spec = { model: this.stored.model, x: inputs };
    return runJob(loadNative().convexReluPredict, spec, run, (values) =>
      this.toOutputs(inputs, values),
    );
  }

  /**
   * The objective F = (1/n) Σ ℓ(ŷ, y) + beta · penalty of this network on data. In the units of
   * training: where the target was standardised (regressor), y is standardised the same way first.
   *
   * @param x n × features
   * @param y n targets, or n × outputs
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  objective(
    x: MatrixLike,
    y: ArrayLike<number> | DenseMatrixLike,
    options: ObjectiveOptions = {},
  ): number {
    const raw = checkObject(options, 'options', ['loss', 'beta', 'sampleWeights']);
    const loss = toChoice(raw.loss ?? this.options?.loss ?? 'squared', 'options.loss', LOSSES);
    const beta = toNumber(raw.beta ?? this.options?.beta ?? 1e-3, 'options.beta', { min: 0 });
    const inputs = this.readInputs(x, 1);
    const problem = this.inTrainingUnits(y, inputs.rows, loss);
    const weights = readSampleWeights(raw.sampleWeights, inputs.rows);
    return runDirect(() =>
      loadNative().convexReluObjective({
        ...problem,
        x: inputs,
        loss,
        beta,
        ...weights,
      }),
    );
  }

  /**
   * Writes the network, its certificate and its options to a file: JSON when the path ends in
   * `.json`, otherwise safetensors.
   *
   * @throws SecondOrderError ERR_INVALID_ARGUMENT (a file that cannot be written)
   */
  async save(path: string): Promise<void> {
    await saveDocument(path, { stored: this.stored });
  }

  /** The network, its certificate and its options as a JSON document; see `fromJSON`. */
  toJSON(): NetworkDocument {
    return writeJson({ stored: this.stored });
  }

  /**
   * The network as an ONNX model (opset 17, IR version 8), to be written to a file or run by
   * onnxruntime: float32, from raw inputs named `input`, batch × features, with everything that
   * training did to them. Loss, beta and the like are in its metadata.
   *
   * @throws SecondOrderError ERR_INVALID_ARGUMENT; ERR_NUMERICAL (a weight beyond float32)
   */
  toONNX(options?: ONNXOptions): Uint8Array {
    return toONNX(this.stored, { outputs: outputsOfNetwork(this.options?.loss) }, options);
  }

  /** @internal Checks inputs against this network. */
  readInputs(x: unknown, minRows = 0): NativeX {
    return toNativeMatrix(x, 'x', { cols: this.features, minRows });
  }

  /**
   * @internal Checks targets against this network, and gives both in the units of training: with a
   * standardised target, the squared loss is that of the standardised values.
   */
  inTrainingUnits(y: unknown, rows: number, loss: Loss): { model: NativeModel; y: Float64Array } {
    const { model } = this.stored;
    const targets = readTargets(y, rows, loss, this.outputs).y;
    if (loss !== 'squared') return { model, y: targets };
    const { outputs, outputBias, outputScale } = model;
    return {
      model: { ...model, outputScale: 1, outputBias: new Float64Array(outputs) },
      y: targets.map((target, i) => (target - outputBias[i % outputs]!) / outputScale),
    };
  }

  private toOutputs(x: NativeX, data: Float32Array | Float64Array): Matrix {
    return { data, rows: x.rows, cols: this.outputs };
  }
}
