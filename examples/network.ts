/** A network of two layers in plain TypeScript, with gradients by back-propagation. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { CLASSES, type Digits } from './digits';

/** Loss (cross-entropy) and accuracy, means over samples. */
export interface Quality {
  loss: number;
  accuracy: number;
}

/** pixels → hidden (ReLU) → classes (softmax). All weights lie in one vector, see `layers`. */
export class Network {
  /** Hidden weights (hidden × pixels), hidden biases, output weights (classes × hidden), biases. */
  readonly layers: [number, number, number, number];
  readonly dimension: number;

  constructor(
    readonly pixels: number,
    readonly hidden: number,
  ) {
    this.layers = [pixels * hidden, hidden, hidden * CLASSES, CLASSES];
    this.dimension = this.layers.reduce((sum, length) => sum + length, 0);
  }

  /** Weights to start from: normal, by the width of the layer before; biases 0. */
  start(seed: number): Float32Array {
    const random = xoroshiro128plus(seed);
    const normal = () =>
      Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) *
      Math.cos(2 * Math.PI * uniformFloat64(random));
    const scales = [Math.sqrt(2 / this.pixels), 0, Math.sqrt(1 / this.hidden), 0];
    const weights = new Float32Array(this.dimension);
    for (const [i, part] of this.split(weights).entries()) {
      for (let k = 0; k < part.length; k++) part[k] = scales[i]! * normal();
    }
    return weights;
  }

  /** The parts of a vector of weights, without a copy. */
  split(weights: Float32Array): [Float32Array, Float32Array, Float32Array, Float32Array] {
    const [a, b, c] = this.layers;
    return [
      weights.subarray(0, a),
      weights.subarray(a, a + b),
      weights.subarray(a + b, a + b + c),
      weights.subarray(a + b + c),
    ];
  }

  /** 1 for weights, 0 for biases. */
  get withoutBiases(): Uint8Array {
    const mask = new Uint8Array(this.dimension);
    let start = 0;
    for (const [i, length] of this.layers.entries()) {
      if (i % 2 === 0) mask.fill(1, start, start + length);
      start += length;
    }
    return mask;
  }

  /** Quality on all digits. */
  evaluate(weights: Float32Array, digits: Digits): Quality {
    const rows = Array.from(digits.y, (_, row) => row);
    return this.run(weights, digits, rows);
  }

  /** The mean gradient over the digits in these rows; with the quality on them. */
  gradient(
    weights: Float32Array,
    digits: Digits,
    rows: readonly number[],
    out: Float32Array,
  ): Quality {
    out.fill(0);
    return this.run(weights, digits, rows, out);
  }

  private run(
    weights: Float32Array,
    { x, y }: Digits,
    rows: readonly number[],
    out?: Float32Array,
  ): Quality {
    const { pixels, hidden } = this;
    const [w, b, v, c] = this.split(weights);
    const gradients = out && this.split(out);
    const inner = new Float64Array(hidden);
    const back = new Float64Array(hidden);
    const outer = new Float64Array(CLASSES);
    const inked = new Int32Array(pixels);
    const share = 1 / rows.length;
    let [loss, right] = [0, 0];
    for (const row of rows) {
      const image = x.data.subarray(row * pixels, (row + 1) * pixels);
      const label = y[row]!;
      let count = 0;
      for (let i = 0; i < pixels; i++) if (image[i] !== 0) inked[count++] = i;
      for (let j = 0; j < hidden; j++) {
        let sum = b[j]!;
        const start = j * pixels;
        for (let k = 0; k < count; k++) sum += w[start + inked[k]!]! * image[inked[k]!]!;
        inner[j] = Math.max(0, sum);
      }
      let top = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < CLASSES; k++) {
        let sum = c[k]!;
        for (let j = 0; j < hidden; j++) sum += v[k * hidden + j]! * inner[j]!;
        outer[k] = sum;
        top = Math.max(top, sum);
      }
      if (outer[label] === top) right++;
      let total = 0;
      for (let k = 0; k < CLASSES; k++) total += Math.exp(outer[k]! - top);
      loss += share * (Math.log(total) + top - outer[label]!);
      if (!gradients) continue;
      const [gw, gb, gv, gc] = gradients;
      back.fill(0);
      for (let k = 0; k < CLASSES; k++) {
        const error = share * (Math.exp(outer[k]! - top) / total - (k === label ? 1 : 0));
        gc[k]! += error;
        for (let j = 0; j < hidden; j++) {
          gv[k * hidden + j]! += error * inner[j]!;
          back[j]! += error * v[k * hidden + j]!;
        }
      }
      for (let j = 0; j < hidden; j++) {
        if (inner[j] === 0) continue;
        gb[j]! += back[j]!;
        const start = j * pixels;
        for (let k = 0; k < count; k++) gw[start + inked[k]!]! += back[j]! * image[inked[k]!]!;
      }
    }
    return { loss, accuracy: right * share };
  }
}

/** Rows of random batches, the same for a seed. */
export function batches(count: number, size: number, seed: number): () => number[] {
  const random = xoroshiro128plus(seed);
  return () => Array.from({ length: size }, () => Math.floor(uniformFloat64(random) * count));
}
