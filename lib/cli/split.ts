/** Samples kept apart from training, drawn so that `verify` can draw them again. */
import { shuffledRows, takeMatrixRows } from '../rows';
import type { LabelledDataset, Targets } from './dataset';

/** Which rows are for training and which are kept apart, both ascending. */
export interface Split {
  training: Int32Array;
  test: Int32Array;
}

/** Draws `count` of `rows` rows for training; the same for the same numbers and seed. */
export function drawSplit(rows: number, count: number, seed: number): Split {
  const order = shuffledRows(rows, seed);
  return { training: order.slice(0, count).sort(), test: order.slice(count).sort() };
}

/** The rows of a dataset, in the order given. */
export function takeRows({ x, y, ...rest }: LabelledDataset, rows: Int32Array): LabelledDataset {
  return { x: takeMatrixRows(x, rows), y: takeTargets(y, rows), ...rest };
}

function takeTargets(y: Targets, rows: Int32Array): Targets {
  if (!Array.isArray(y)) return Float64Array.from(rows, (row) => y[row] ?? 0);
  return Array.from(rows, (row) => y[row] ?? '');
}
