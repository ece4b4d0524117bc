/**
 * Preprocessing folded into weights, so that they apply to raw inputs x:
 * w · z(x) = u · x + u₀ with s(x) = (x − mean) / scale, z(x) = [featureScale · C s(x), biasValue].
 */
import type { NativeModel } from '../native-interface';

type Floats = Float32Array | Float64Array;

/** Preprocessing that leaves x as it is and adds a constant input of 1. */
export function identityScaling(
  features: number,
): Pick<NativeModel, 'features' | 'mean' | 'scale' | 'components' | 'featureScale' | 'biasValue'> {
  return {
    features,
    mean: new Float64Array(features),
    scale: new Float64Array(features).fill(1),
    components: null,
    featureScale: 1,
    biasValue: 1,
  };
}

/** Affine functions of the inputs: row i is u · x + constant, `weights` being rows × features. */
export interface AffineRows {
  weights: Float64Array;
  constants: Float64Array;
}

/** Rows over z(x), each of the model's inner length, as affine functions of s(x). */
export function overScaledInputs(model: NativeModel, rows: Floats, inner: number): AffineRows {
  const { features, components, featureScale, biasValue } = model;
  const count = inner > 0 ? rows.length / inner : 0;
  const directions = biasValue === 0 ? inner : inner - 1;
  const weights = new Float64Array(count * features);
  const constants = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * inner, (i + 1) * inner);
    const target = weights.subarray(i * features, (i + 1) * features);
    for (let k = 0; k < directions; k++) {
      const weight = featureScale * row[k]!;
      if (!components) target[k] = weight;
      else addScaled(target, weight, components.subarray(k * features, (k + 1) * features));
    }
    if (biasValue !== 0) constants[i] = biasValue * row[directions]!;
  }
  return { weights, constants };
}

/** Affine functions of s(x) as affine functions of x. */
export function overRawInputs(model: NativeModel, rows: AffineRows): AffineRows {
  const { features, mean, scale } = model;
  const weights = new Float64Array(rows.weights.length);
  const constants = Float64Array.from(rows.constants);
  for (let i = 0; i < constants.length; i++) {
    let shift = 0;
    for (let j = 0; j < features; j++) {
      const scaleOfFeature = scale[j]!;
      if (scaleOfFeature === 0) continue;
      const weight = rows.weights[i * features + j]! / scaleOfFeature;
      weights[i * features + j] = weight;
      shift += weight * mean[j]!;
    }
    constants[i] = constants[i]! - shift;
  }
  return { weights, constants };
}

/** Gates, rows of features + 1 with the bias last, as affine functions of s(x). */
export function splitBias(rows: Floats, features: number): AffineRows {
  const count = rows.length / (features + 1);
  const weights = new Float64Array(count * features);
  const constants = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * (features + 1);
    weights.set(rows.subarray(start, start + features), i * features);
    constants[i] = rows[start + features]!;
  }
  return { weights, constants };
}

/** Affine functions as rows of features + 1, the constant last. */
export function joinBias({ weights, constants }: AffineRows, features: number): Float64Array {
  const joined = new Float64Array(constants.length * (features + 1));
  constants.forEach((constant, i) => {
    joined.set(weights.subarray(i * features, (i + 1) * features), i * (features + 1));
    joined[i * (features + 1) + features] = constant;
  });
  return joined;
}

/** The values in the precision of `like`. */
export function inPrecisionOf(like: Floats | undefined, values: Float64Array): Floats {
  return like instanceof Float64Array ? values : Float32Array.from(values);
}

function addScaled(target: Float64Array, factor: number, values: Float64Array): void {
  for (let j = 0; j < target.length; j++) {
    target[j] = target[j]! + factor * values[j]!;
  }
}
