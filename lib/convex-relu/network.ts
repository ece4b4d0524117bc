import { type DenseMatrixLike, type Matrix, toDenseMatrix } from '../matrix';
import type { NativeModel, NativeSolution } from '../native-interface';
import { checkObject, invalid, toNumbers } from '../validate';
import { loadDocument } from './document-file';
import { readJson } from './document-json';
import { expectKind } from './expect';
import {
  identityScaling,
  inPrecisionOf,
  joinBias,
  overRawInputs,
  overScaledInputs,
} from './raw-space';
import { innerLength, StoredModel } from './stored-model';
import { TrainedNetwork } from './trained-network';

/** The arrays of a two-layer ReLU network. */
export interface ReLUNetworkArrays {
  /** neurons × features. */
  hidden: DenseMatrixLike;
  /** One for each neuron; zeros when left out. */
  hiddenBias?: ArrayLike<number>;
  /** outputs × neurons. */
  output: DenseMatrixLike;
  /** One for each output; zeros when left out. */
  outputBias?: ArrayLike<number>;
}

/**
 * A two-layer ReLU network, ŷ = output · relu(hidden · x + hiddenBias) + outputBias.
 *
 * `hidden`, `hiddenBias`, `output` and `outputBias` apply to raw inputs: the scaling chosen in
 * training is folded into them, and `predict` gives the same up to rounding. Trained networks come
 * from {@link trainConvexReLU}; one can also be put together from arrays:
 *
 * ```js
 * new ReLUNetwork({ hidden: [[1, -1]], hiddenBias: [0.5], output: [[2]] }).predict([[3, 1]])
 * ```
 */
export class ReLUNetwork extends TrainedNetwork {
  #hidden: { weights: Matrix; bias: Float32Array | Float64Array } | undefined;
  #output: Matrix | undefined;

  /**
   * @param arrays weights over raw inputs; float32 when all matrices are Float32Array
   * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  constructor(arrays: ReLUNetworkArrays);
  /** @internal */
  constructor(stored: StoredModel);
  constructor(arrays: ReLUNetworkArrays | StoredModel) {
    super(arrays instanceof StoredModel ? arrays : new StoredModel(modelOf(arrays)));
  }

  /** Hidden weights over raw inputs, neurons × features. */
  get hidden(): Matrix {
    return this.fold().weights;
  }

  /** Hidden biases, one for each neuron. */
  get hiddenBias(): Float32Array | Float64Array {
    return this.fold().bias;
  }

  /** Output weights, outputs × neurons. */
  get output(): Matrix {
    this.#output ??= this.scaleOutput();
    return this.#output;
  }

  /** Output biases, one for each output. */
  get outputBias(): Float32Array | Float64Array {
    const { hidden, outputBias } = this.stored.model;
    return inPrecisionOf(hidden, outputBias);
  }

  /** Number of hidden neurons. */
  get neurons(): number {
    const { output, outputs } = this.stored.model;
    return (output?.length ?? 0) / outputs;
  }

  /**
   * Reads a network that `save` wrote.
   *
   * @throws SecondOrderError ERR_FORMAT; ERR_INVALID_ARGUMENT (a file that cannot be read)
   */
  static async load(path: string): Promise<ReLUNetwork> {
    const document = await loadDocument(path);
    return new ReLUNetwork(expectKind(document, 'relu', path).stored);
  }

  /**
   * Reads a document that `toJSON` gave, as an object or as text.
   *
   * @throws SecondOrderError ERR_FORMAT
   */
  static fromJSON(document: unknown): ReLUNetwork {
    return new ReLUNetwork(expectKind(readJson(document), 'relu', 'the document').stored);
  }

  /** @internal */
  toWarmStart(): NativeSolution {
    return { ...this.stored.model, kind: 'network' };
  }

  private fold(): { weights: Matrix; bias: Float32Array | Float64Array } {
    this.#hidden ??= foldHidden(this.stored.model);
    return this.#hidden;
  }

  private scaleOutput(): Matrix {
    const { output = new Float32Array(0), outputs, outputScale } = this.stored.model;
    return {
      data: output.map((weight) => weight * outputScale),
      rows: outputs,
      cols: this.neurons,
    };
  }
}

function foldHidden(model: NativeModel): { weights: Matrix; bias: Float32Array | Float64Array } {
  const hidden = model.hidden ?? new Float32Array(0);
  const scaled = overScaledInputs(model, hidden, innerLength(model));
  const { weights, constants } = overRawInputs(model, scaled);
  return {
    weights: {
      data: inPrecisionOf(hidden, weights),
      rows: constants.length,
      cols: model.features,
    },
    bias: inPrecisionOf(hidden, constants),
  };
}

function modelOf(arrays: unknown): NativeModel {
  const raw = checkObject(arrays, 'network', ['hidden', 'hiddenBias', 'output', 'outputBias']);
  const hidden = toDenseMatrix(raw.hidden, 'hidden');
  const { rows: neurons, cols: features } = hidden;
  const output = toDenseMatrix(raw.output, 'output', { cols: neurons });
  const outputs = output.rows;
  if (features === 0) throw invalid('hidden', 'a matrix with at least one column', '0 columns');
  if (outputs === 0) throw invalid('output', 'a matrix with at least one row', '0 rows');
  const joined = joinBias(
    {
      weights: Float64Array.from(hidden.data),
      constants: readBias(raw.hiddenBias, 'hiddenBias', neurons),
    },
    features,
  );
  const single = hidden.data instanceof Float32Array && output.data instanceof Float32Array;
  return {
    ...identityScaling(features),
    kind: 'relu',
    outputs,
    hidden: single ? Float32Array.from(joined) : joined,
    output: single ? Float32Array.from(output.data) : Float64Array.from(output.data),
    groups: Int32Array.from({ length: neurons }, (_, neuron) => neuron),
    outputBias: readBias(raw.outputBias, 'outputBias', outputs),
    outputScale: 1,
  };
}

function readBias(value: unknown, argument: string, length: number): Float64Array {
  return value === undefined ? new Float64Array(length) : toNumbers(value, argument, { length });
}
