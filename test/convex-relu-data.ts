// Small data for the tests of convex ReLU, the same at every run.

import type { Matrix } from 'secondorder';

/** Numbers in [0, 1): a linear congruential generator. */
export function uniform(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Inputs, rows × cols, on several scales and away from 0, with a target that is not linear. */
export function regressionData(rows = 60, cols = 3, seed = 1): { x: Matrix; y: Float64Array } {
  const next = uniform(seed);
  const data = Float64Array.from({ length: rows * cols }, (_, i) => {
    const column = i % cols;
    return (next() - 0.5) * 10 ** (column - 1) + column;
  });
  const y = Float64Array.from({ length: rows }, (_, i) => {
    const first = (data[i * cols]! - 0) * 10;
    const second = data[i * cols + 1]! - 1;
    return Math.abs(first) + second;
  });
  return { x: { data, rows, cols }, y };
}

/** Round clusters, one for each class, 2 columns; class k is around a corner of a polygon. */
export function clusters(
  perClass: number,
  classes: number,
  seed = 1,
): { x: Matrix; index: number[] } {
  const next = uniform(seed);
  const index: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < perClass * classes; i++) {
    const k = i % classes;
    const angle = (2 * Math.PI * k) / classes;
    index.push(k);
    values.push(3 * Math.cos(angle) + next() - 0.5, 3 * Math.sin(angle) + next() - 0.5);
  }
  return { x: { data: Float64Array.from(values), rows: index.length, cols: 2 }, index };
}

/** The matrix as CSR, without its zeros. */
export function toSparse({ data, rows, cols }: Matrix) {
  const values: number[] = [];
  const columns: number[] = [];
  const rowOffsets = [0];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const value = data[i * cols + j]!;
      if (value === 0) continue;
      values.push(value);
      columns.push(j);
    }
    rowOffsets.push(values.length);
  }
  return {
    values: Float64Array.from(values),
    columns: Int32Array.from(columns),
    rowOffsets: Int32Array.from(rowOffsets),
    rows,
    cols,
  };
}

/** The rows of a matrix as arrays. */
export function toRows({ data, rows, cols }: Matrix): number[][] {
  return Array.from({ length: rows }, (_, i) =>
    Array.from(data.subarray(i * cols, (i + 1) * cols)),
  );
}

/** Largest distance between entries of two arrays of one length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

/** A · x + b for each row x, in float64. */
export function affine(x: Matrix, weights: Matrix, bias: ArrayLike<number>): number[][] {
  return toRows(x).map((row) =>
    toRows(weights).map((w, i) => w.reduce((sum, weight, j) => sum + weight * row[j]!, bias[i]!)),
  );
}
