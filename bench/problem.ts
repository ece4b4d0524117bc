// Synthetic regression: Gaussian inputs, targets of a small ReLU network with noise.
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Matrix } from 'secondorder';

export interface Problem {
  x: Matrix;
  y: Float64Array;
}

const NEURONS = 10;
const NOISE = 0.1;

/** The same numbers for the same sizes and seed. */
export function syntheticProblem(rows: number, cols: number, seed = 1): Problem {
  const random = xoroshiro128plus(seed);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) *
    Math.cos(2 * Math.PI * uniformFloat64(random));
  const data = Float64Array.from({ length: rows * cols }, normal);
  const hidden = Float64Array.from({ length: NEURONS * cols }, () => normal() / Math.sqrt(cols));
  const output = Float64Array.from({ length: NEURONS }, normal);
  const y = Float64Array.from({ length: rows }, (_, i) => {
    let sum = NOISE * normal();
    for (let k = 0; k < NEURONS; k++) {
      let product = 0;
      for (let j = 0; j < cols; j++) product += hidden[k * cols + j]! * data[i * cols + j]!;
      sum += output[k]! * Math.max(0, product);
    }
    return sum;
  });
  return { x: { data, rows, cols }, y };
}

/** Targets of several outputs: each those of the one, moved on by a sample. */
export function repeatTargets(y: Float64Array, outputs: number): Matrix {
  const data = Float64Array.from(
    { length: y.length * outputs },
    (_, k) => y[(Math.floor(k / outputs) + (k % outputs)) % y.length]!,
  );
  return { data, rows: y.length, cols: outputs };
}
