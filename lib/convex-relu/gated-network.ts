import type { Matrix } from '../matrix';
import type { NativeModel } from '../native-interface';
import { describe, invalid, toNumber } from '../validate';
import { loadDocument } from './document-file';
import { readJson } from './document-json';
import { expectKind } from './expect';
import { gatedToReLU } from './gated-to-relu';
import { ReLUNetwork } from './network';
import { inPrecisionOf, joinBias, overRawInputs, overScaledInputs, splitBias } from './raw-space';
import { innerLength, StoredModel } from './stored-model';
import { TrainedNetwork } from './trained-network';

/**
 * A gated ReLU network: with [x, 1] the raw input and a constant,
 *
 *     ŷₖ = outputBiasₖ + Σᵢ 1[gatesᵢ · [x, 1] ≥ 0] · (weightsₖᵢ · [x, 1])
 *
 * Its gates are fixed before training, which makes training convex without constraints, and its
 * weights that program's global optimum (Pilanci and Ergen, ICML 2020; Mishkin, Sahiner and Pilanci,
 * ICML 2022). `gates` and `weights` apply to raw inputs: the scaling chosen in training is folded in.
 */
export class GatedReLUNetwork extends TrainedNetwork {
  #gates: Matrix | undefined;
  #weights: Matrix | undefined;

  /** @internal Networks come from {@link trainConvexReLU}, `load` and `fromJSON`. */
  constructor(stored: StoredModel) {
    if (!(stored instanceof StoredModel)) {
      throw invalid('stored', 'a network that training or a file gave', describe(stored));
    }
    super(stored);
  }

  /** Gates over raw inputs, number of gates × (features + 1), bias last. */
  get gates(): Matrix {
    this.#gates ??= foldGates(this.stored.model);
    return this.#gates;
  }

  /**
   * Weights over raw inputs, (outputs · number of gates) × (features + 1), bias last; row
   * k · (number of gates) + i belongs to output k and gate i.
   */
  get weights(): Matrix {
    this.#weights ??= foldWeights(this.stored.model);
    return this.#weights;
  }

  /** Output biases, one for each output. */
  get outputBias(): Float32Array | Float64Array {
    const { weights, outputBias } = this.stored.model;
    return inPrecisionOf(weights, outputBias);
  }

  /**
   * A plain ReLU network with nearly the same outputs, of at most outputs + 1 neurons for each gate
   * (2 · outputs for a gate that is on everywhere): with a gate a, weights u and a large t, 1[a·x ≥ 0] u·x is replaced by
   * relu(t a·x + u·x) − relu(t a·x), which differs only close to the gate's boundary. The certificate
   * does not carry over.
   *
   * @param scale size of t a·x relative to u·x, above 0; default 30. Larger is closer to the gated
   * network, and loses digits in float32.
   * @throws SecondOrderError ERR_INVALID_ARGUMENT
   */
  toReLU(scale = 30): ReLUNetwork {
    return new ReLUNetwork(gatedToReLU(this.stored.model, toNumber(scale, 'scale', { above: 0 })));
  }

  /**
   * Reads a network that `save` wrote.
   *
   * @throws SecondOrderError ERR_FORMAT; ERR_INVALID_ARGUMENT (a file that cannot be read)
   */
  static async load(path: string): Promise<GatedReLUNetwork> {
    const document = await loadDocument(path);
    return new GatedReLUNetwork(expectKind(document, 'gated', path).stored);
  }

  /**
   * Reads a document that `toJSON` gave, as an object or as text.
   *
   * @throws SecondOrderError ERR_FORMAT
   */
  static fromJSON(document: unknown): GatedReLUNetwork {
    return new GatedReLUNetwork(expectKind(readJson(document), 'gated', 'the document').stored);
  }
}

function foldGates(model: NativeModel): Matrix {
  const { features, gates = new Float64Array(0) } = model;
  const rows = overRawInputs(model, splitBias(gates, features));
  return { data: joinBias(rows, features), rows: rows.constants.length, cols: features + 1 };
}

function foldWeights(model: NativeModel): Matrix {
  const { features, outputScale, weights = new Float32Array(0) } = model;
  const rows = overRawInputs(model, overScaledInputs(model, weights, innerLength(model)));
  const joined = joinBias(rows, features).map((weight) => weight * outputScale);
  return {
    data: inPrecisionOf(weights, joined),
    rows: rows.constants.length,
    cols: features + 1,
  };
}
