/** The plain ReLU network that stands in for a gated one; see GatedReLUNetwork.toReLU. */
import type { NativeModel } from '../native-interface';
import type { ReLUNetworkArrays } from './network';
import {
  type AffineRows,
  inPrecisionOf,
  overRawInputs,
  overScaledInputs,
  splitBias,
} from './raw-space';
import { innerLength } from './stored-model';

/**
 * relu(t a·x + u·x) for each gate a and output with u ≠ 0, and one −relu(t a·x) for each such gate. A
 * gate without weights is on or off everywhere: u·x = relu(u·x) − relu(−u·x), or nothing.
 */
export function gatedToReLU(model: NativeModel, scale: number): ReLUNetworkArrays {
  const { features, outputs, outputScale, gates = new Float64Array(0) } = model;
  const modelWeights = model.weights ?? new Float32Array(0);
  const scaledGates = splitBias(gates, features);
  const scaledWeights = overScaledInputs(model, modelWeights, innerLength(model));
  const rawGates = overRawInputs(model, scaledGates);
  const rawWeights = overRawInputs(model, scaledWeights);
  const weightNorms = norms(scaledWeights, features);
  const gateNorms = norms(scaledGates, features);
  const count = gateNorms.length;
  const network = new NeuronList(features, outputs);

  for (let i = 0; i < count; i++) {
    const active = Array.from({ length: outputs }, (_, k) => k).filter(
      (k) => weightNorms[k * count + i]! > 0,
    );
    if (active.length === 0) continue;
    if (isConstant(scaledGates, i, features)) {
      if (scaledGates.constants[i]! < 0) continue;
      for (const k of active) {
        network.add(only([k], outputScale, outputs), [1, rawWeights, k * count + i]);
        network.add(only([k], -outputScale, outputs), [-1, rawWeights, k * count + i]);
      }
      continue;
    }
    // |t a·x| must outweigh |u·x|; their norms over scaled inputs tell their typical sizes.
    const largest = Math.max(...active.map((k) => weightNorms[k * count + i]!));
    const gate: Term = [(scale * largest) / gateNorms[i]!, rawGates, i];
    for (const k of active) {
      network.add(only([k], outputScale, outputs), gate, [1, rawWeights, k * count + i]);
    }
    network.add(only(active, -outputScale, outputs), gate);
  }
  return network.toArrays(modelWeights, model.outputBias);
}

/** A weight for some outputs, 0 for the others. */
function only(active: number[], weight: number, outputs: number): Float64Array {
  return new Float64Array(outputs).map((_, k) => (active.includes(k) ? weight : 0));
}

function isConstant({ weights }: AffineRows, row: number, features: number): boolean {
  return weights.subarray(row * features, (row + 1) * features).every((weight) => weight === 0);
}

type Term = [factor: number, rows: AffineRows, row: number];

/** Neurons as they are made. */
class NeuronList {
  readonly #hidden: Float64Array[] = [];
  readonly #bias: number[] = [];
  readonly #output: Float64Array[] = [];

  constructor(
    private readonly features: number,
    private readonly outputs: number,
  ) {}

  /** A neuron of a sum of affine functions, with its weight in each output. */
  add(outputWeights: Float64Array, ...terms: Term[]): void {
    const hidden = new Float64Array(this.features);
    let bias = 0;
    for (const [factor, { weights, constants }, row] of terms) {
      for (let j = 0; j < hidden.length; j++) {
        hidden[j] = hidden[j]! + factor * weights[row * this.features + j]!;
      }
      bias += factor * constants[row]!;
    }
    this.#hidden.push(hidden);
    this.#bias.push(bias);
    this.#output.push(outputWeights);
  }

  toArrays(like: Float32Array | Float64Array, outputBias: Float64Array): ReLUNetworkArrays {
    const neurons = this.#bias.length;
    const hidden = new Float64Array(neurons * this.features);
    const output = new Float64Array(this.outputs * neurons);
    this.#hidden.forEach((row, i) => {
      hidden.set(row, i * this.features);
    });
    this.#output.forEach((weights, i) => {
      weights.forEach((weight, k) => {
        output[k * neurons + i] = weight;
      });
    });
    return {
      hidden: { data: inPrecisionOf(like, hidden), rows: neurons, cols: this.features },
      hiddenBias: this.#bias,
      output: { data: inPrecisionOf(like, output), rows: this.outputs, cols: neurons },
      outputBias,
    };
  }
}

/** Norm of each row, its constant included. */
function norms({ weights, constants }: AffineRows, features: number): Float64Array {
  return constants.map((constant, i) => {
    const row = weights.subarray(i * features, (i + 1) * features);
    return Math.hypot(constant, Math.sqrt(row.reduce((sum, weight) => sum + weight * weight, 0)));
  });
}
