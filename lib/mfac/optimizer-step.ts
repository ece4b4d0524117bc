/**
 * One step on the long vector of all parameters. With g the gradient and u = H⁻¹g of the window that
 * has it as its newest row:
 *
 *     v ← μ v + u / ‖u‖          where to go
 *     n ← μ n + g                how far: the step that SGD with momentum would take
 *     w ← w − lr · ‖n‖ · v / ‖v‖ − lr · weightDecay · w
 *
 * The window turns the step and SGD sets its length. H⁻¹g alone grows with the number of rows and as
 * gradients shrink; divided by its norm it does neither, and nothing depends on the dimension.
 */

/** The vectors that are kept from step to step. */
export interface Momenta {
  /** v */
  direction: Float32Array;
  /** n */
  gradient: Float32Array;
}

/** Lengths found on the way. */
export interface StepNorms {
  /** ‖g‖ */
  gradient: number;
  /** ‖n‖ */
  length: number;
  /** Cosine of the angle between v and g: how much of the step goes straight downhill. */
  cosine: number;
}

/** Updates v and n; gives the norms that the update needs. */
export function accumulate(
  { direction, gradient: history }: Momenta,
  gradient: Float32Array,
  solution: Float32Array,
  momentum: number,
): StepNorms {
  const size = norm(solution);
  const scale = size > 0 ? 1 / size : 0;
  let [squares, lengths, directions, products] = [0, 0, 0, 0];
  for (let i = 0; i < gradient.length; i++) {
    const g = gradient[i]!;
    direction[i] = momentum * direction[i]! + scale * solution[i]!;
    history[i] = bounded(momentum * history[i]! + g);
    const [v, n] = [direction[i]!, history[i]!];
    squares += g * g;
    lengths += n * n;
    directions += v * v;
    products += v * g;
  }
  const both = Math.sqrt(squares * directions);
  return {
    gradient: Math.sqrt(squares),
    length: Math.sqrt(lengths),
    cosine: both > 0 ? products / both : 0,
  };
}

/** A part of the parameters with its rates. */
export interface Part {
  values: Float32Array;
  start: number;
  learningRate: number;
  weightDecay: number;
}

/** How an update is limited. */
interface Limits {
  /** ‖n‖ */
  length: number;
  clip: number;
  /** Weights that are not frozen. */
  active: number;
  mask: Uint8Array | undefined;
}

/** Writes the update into the parameters; gives its norm, decay left out, and whether it was cut. */
export function update(
  direction: Float32Array,
  parts: readonly Part[],
  { length, clip, active, mask }: Limits,
): { norm: number; clipped: boolean } {
  let whole = 0;
  let weighted = 0;
  for (const { start, values, learningRate } of parts) {
    const part = squaredNorm(direction.subarray(start, start + values.length));
    whole += part;
    weighted += learningRate * learningRate * part;
  }
  const unit = whole > 0 ? length / Math.sqrt(whole) : 0;
  const wanted = unit * Math.sqrt(weighted);
  const most = clip * Math.sqrt(active);
  const clipped = wanted > most;
  const scale = clipped ? (unit * most) / wanted : unit;
  for (const { values, start, learningRate, weightDecay } of parts) {
    const step = learningRate * scale;
    const keep = 1 - learningRate * weightDecay;
    for (let i = 0; i < values.length; i++) {
      if (mask?.[start + i] === 0) continue;
      values[i] = bounded(keep * values[i]! - step * direction[start + i]!);
    }
  }
  return { norm: clipped ? most : wanted, clipped };
}

const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** Within float32, where a sum of finite numbers may not be. */
function bounded(value: number): number {
  return Math.min(Math.max(value, -LARGEST), LARGEST);
}

export function norm(values: Float32Array): number {
  return Math.sqrt(squaredNorm(values));
}

export function squaredNorm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}
