/** Scores of predictions. */

/** Share of predictions that equal the truth. */
export function accuracy<T>(truth: ArrayLike<T>, predicted: ArrayLike<T>): number {
  let right = 0;
  for (let i = 0; i < truth.length; i++) right += truth[i] === predicted[i] ? 1 : 0;
  return right / truth.length;
}

/** R²; for a constant truth 1 when all predictions are right, otherwise 0. */
export function rSquared(truth: Float64Array, predicted: Float64Array): number {
  const { mean } = meanAndDeviation(truth);
  const residual = sumOfSquares(truth.map((value, i) => value - predicted[i]!));
  const total = sumOfSquares(truth.map((value) => value - mean));
  if (total > 0) return 1 - residual / total;
  return residual === 0 ? 1 : 0;
}

/** Mean of the squared differences. */
export function meanSquaredError(truth: Float64Array, predicted: Float64Array): number {
  return sumOfSquares(truth.map((value, i) => value - predicted[i]!)) / truth.length;
}

/** Mean, and root mean square distance from it, or 1 for a constant. */
export function meanAndDeviation(values: Float64Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(sumOfSquares(values.map((value) => value - mean)) / values.length);
  // Rounding leaves a trace of deviation in a constant.
  return { mean, deviation: deviation > 1e-14 * Math.abs(mean) ? deviation : 1 };
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
