/** Samples kept apart from training, drawn so that `verify` can draw them again. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Inputs, LabelledDataset, Targets } from './dataset';

/** Which rows are for training and which are kept apart, both ascending. */
export interface Split {
  training: Int32Array;
  test: Int32Array;
}

/** Draws `count` of `rows` rows for training; the same for the same numbers and seed. */
export function drawSplit(rows: number, count: number, seed: number): Split {
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  const random = xoroshiro128plus(seed);
  for (let last = rows - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last);
    const row = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = row;
  }
  return { training: order.slice(0, count).sort(), test: order.slice(count).sort() };
}

/** The rows of a dataset, in the order given. */
export function takeRows({ x, y, ...rest }: LabelledDataset, rows: Int32Array): LabelledDataset {
  return { x: takeInputs(x, rows), y: takeTargets(y, rows), ...rest };
}

function takeTargets(y: Targets, rows: Int32Array): Targets {
  if (!Array.isArray(y)) return Float64Array.from(rows, (row) => y[row] ?? 0);
  return Array.from(rows, (row) => y[row] ?? '');
}

function takeInputs(x: Inputs, rows: Int32Array): Inputs {
  const { cols } = x;
  if ('data' in x) {
    const data = new (x.data instanceof Float32Array ? Float32Array : Float64Array)(
      rows.length * cols,
    );
    rows.forEach((row, i) => {
      data.set(x.data.subarray(row * cols, (row + 1) * cols), i * cols);
    });
    return { data, rows: rows.length, cols };
  }
  const bounds = (row: number) => [x.rowOffsets[row] ?? 0, x.rowOffsets[row + 1] ?? 0] as const;
  const rowOffsets = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    const [start, end] = bounds(row);
    rowOffsets[i + 1] = (rowOffsets[i] ?? 0) + end - start;
  });
  const stored = rowOffsets[rows.length] ?? 0;
  const values = new (x.values instanceof Float32Array ? Float32Array : Float64Array)(stored);
  const columns = new Int32Array(stored);
  rows.forEach((row, i) => {
    const [start, end] = bounds(row);
    values.set(x.values.subarray(start, end), rowOffsets[i]);
    columns.set(x.columns.subarray(start, end), rowOffsets[i]);
  });
  return { values, columns, rowOffsets, rows: rows.length, cols };
}
