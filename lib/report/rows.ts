import type { Matrix, SparseMatrix } from '../matrix';

/** Row `row` of a dense or sparse matrix. */
export function denseRow(x: Matrix | SparseMatrix, row: number): Float64Array {
  if ('data' in x) return Float64Array.from(x.data.subarray(row * x.cols, (row + 1) * x.cols));
  const values = new Float64Array(x.cols);
  const end = x.rowOffsets[row + 1] ?? 0;
  for (let k = x.rowOffsets[row] ?? 0; k < end; k++) {
    values[x.columns[k] ?? 0] = x.values[k] ?? 0;
  }
  return values;
}

/** Standard deviation of each column. */
export function columnDeviations(x: Matrix | SparseMatrix): Float64Array {
  const values = 'data' in x ? x.data : x.values;
  const sum = new Float64Array(x.cols);
  const squares = new Float64Array(x.cols);
  for (let k = 0; k < values.length; k++) {
    const column = 'data' in x ? k % x.cols : Number(x.columns[k]);
    const value = Number(values[k]);
    sum[column] = Number(sum[column]) + value;
    squares[column] = Number(squares[column]) + value * value;
  }
  return sum.map((total, column) => {
    const mean = total / x.rows;
    return Math.sqrt(Math.max(0, Number(squares[column]) / x.rows - mean * mean));
  });
}
