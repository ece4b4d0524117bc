/** Rows of matrices, and orders of them drawn by a seed. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { createFloats, precisionOf } from './floats';
import type { Matrix, SparseMatrix } from './matrix';

/** The numbers from 0 to count − 1 in an order that is the same for the same numbers and seed. */
export function shuffledRows(count: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, row) => row);
  const random = xoroshiro128plus(seed);
  for (let last = count - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last);
    const row = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = row;
  }
  return order;
}

/** A copy of some rows of a matrix, in the order given. */
export function takeMatrixRows(x: Matrix | SparseMatrix, rows: Int32Array): Matrix | SparseMatrix {
  return 'data' in x ? takeDense(x, rows) : takeSparse(x, rows);
}

function takeDense(x: Matrix, rows: Int32Array): Matrix {
  const { cols } = x;
  const data = createFloats(precisionOf(x.data), rows.length * cols);
  rows.forEach((row, i) => {
    data.set(x.data.subarray(row * cols, (row + 1) * cols), i * cols);
  });
  return { data, rows: rows.length, cols };
}

function takeSparse(x: SparseMatrix, rows: Int32Array): SparseMatrix {
  const bounds = (row: number) => [x.rowOffsets[row] ?? 0, x.rowOffsets[row + 1] ?? 0] as const;
  const rowOffsets = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    const [start, end] = bounds(row);
    rowOffsets[i + 1] = (rowOffsets[i] ?? 0) + end - start;
  });
  const stored = rowOffsets[rows.length] ?? 0;
  const values = createFloats(precisionOf(x.values), stored);
  const columns = new Int32Array(stored);
  rows.forEach((row, i) => {
    const [start, end] = bounds(row);
    values.set(x.values.subarray(start, end), rowOffsets[i]);
    columns.set(x.columns.subarray(start, end), rowOffsets[i]);
  });
  return { values, columns, rowOffsets, rows: rows.length, cols: x.cols };
}
