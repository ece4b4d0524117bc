/** Samples dealt out to the folds of a cross-validation. */
import { shuffledRows } from '../rows';
import type { Label } from './estimator-state';
import { distinct } from './labels';

/**
 * The fold of each sample, drawn by the seed. Sizes of folds differ by at most one; with classes, so
 * do the numbers of samples of each class.
 */
export function dealFolds(
  rows: number,
  folds: number,
  seed: number,
  classes?: readonly Label[],
): Int32Array {
  let order = [...shuffledRows(rows, seed)];
  if (classes) {
    const place = new Map(distinct([...classes]).map((label, i) => [label, i]));
    const classOf = (row: number) => place.get(classes[row] ?? 0) ?? 0;
    // The sort is stable: within a class the order stays as drawn.
    order = order.sort((a, b) => classOf(a) - classOf(b));
  }
  const fold = new Int32Array(rows);
  order.forEach((row, i) => {
    fold[row] = i % folds;
  });
  return fold;
}

/** Rows outside a fold, to train on, and those in it, both ascending. */
export function splitAt(
  folds: Int32Array,
  fold: number,
): { training: Int32Array; test: Int32Array } {
  const rows = Int32Array.from(folds, (_, row) => row);
  return {
    training: rows.filter((row) => folds[row] !== fold),
    test: rows.filter((row) => folds[row] === fold),
  };
}
