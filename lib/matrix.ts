/**
 * Matrices as users give them, and the one form that the native code takes.
 *
 * A design matrix may be dense and row-major ({@link Matrix}), sparse by rows ({@link SparseMatrix}),
 * or an array of rows. Everything is checked here once: lengths, ragged rows, index ranges, NaN and
 * infinities with their position.
 */
import { allocate, createFloats, isFloatArray } from './floats';
import { loadNative } from './native';
import type { NativeX } from './native-interface';
import {
  checkObject,
  describe,
  invalid,
  isRecord,
  LARGEST_COUNT,
  mismatch,
  toInteger,
} from './validate';

/** A dense, row-major matrix: entry (i, j) is `data[i * cols + j]`. */
export interface Matrix {
  /** rows × cols entries. */
  data: Float32Array | Float64Array;
  /** Number of rows. */
  rows: number;
  /** Number of columns. */
  cols: number;
}

/**
 * A sparse matrix in compressed sparse rows (CSR): row i holds `values[k]` in column `columns[k]` for
 * k from `rowOffsets[i]` up to, not including, `rowOffsets[i + 1]`; columns ascend within a row.
 */
export interface SparseMatrix {
  /** The stored entries, row after row. */
  values: Float32Array | Float64Array;
  /** The column of each stored entry, from 0. */
  columns: Int32Array;
  /** rows + 1 positions in `values`: the first is 0, the last their number. */
  rowOffsets: Int32Array;
  /** Number of rows. */
  rows: number;
  /** Number of columns. */
  cols: number;
}

/** Anything that is read as a matrix; arrays of rows may be plain numbers or typed arrays. */
export type MatrixLike = SparseMatrix | DenseMatrixLike;

/** Anything that is read as a matrix and not sparse. */
export type DenseMatrixLike = Matrix | number[][] | Float32Array[] | Float64Array[];

/** What a matrix argument must satisfy besides being a matrix. */
export interface MatrixExpectation {
  /** Number of columns that it must have. */
  cols?: number;
  /** Fewest rows allowed; 0 when left out. */
  minRows?: number;
  /** Refuse sparse matrices. */
  dense?: boolean;
}

/** Position of the first NaN or infinity, or -1. */
export function findNonFinite(values: Float32Array | Float64Array): number {
  return loadNative().findNonFinite(values);
}

/**
 * Checks a matrix and brings it into the native form. Dense and CSR buffers are passed on as they
 * are; arrays of rows are copied into one buffer (float32 when every row is a Float32Array).
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (not a matrix, ragged, bad index, NaN or infinity) or
 * ERR_DIMENSION_MISMATCH (number of columns)
 */
export function toNativeMatrix(
  value: unknown,
  argument: string,
  expectation: MatrixExpectation = {},
): NativeX {
  const matrix = readMatrix(value, argument, expectation);
  if (expectation.cols !== undefined && matrix.cols !== expectation.cols) {
    throw mismatch(
      argument,
      `${argument} has ${matrix.cols} columns; ${expectation.cols} are needed`,
    );
  }
  const minRows = expectation.minRows ?? 0;
  if (matrix.rows < minRows) {
    throw invalid(
      argument,
      `a matrix with at least ${minRows === 1 ? 'one row' : `${minRows} rows`}`,
      `${matrix.rows} rows`,
    );
  }
  if (minRows > 0 && matrix.cols === 0) {
    throw invalid(argument, 'a matrix with at least one column', '0 columns');
  }
  checkFinite(matrix, argument);
  return matrix;
}

/** Checks a matrix argument and returns it with one buffer, if dense. Errors as {@link toNativeMatrix}. */
export function toMatrix(
  value: unknown,
  argument: string,
  expectation: MatrixExpectation = {},
): Matrix | SparseMatrix {
  const { values, rows, cols, columns, rowOffsets } = toNativeMatrix(value, argument, expectation);
  return columns && rowOffsets
    ? { values, columns, rowOffsets, rows, cols }
    : { data: values, rows, cols };
}

/** Checks a dense matrix argument and returns it with one buffer. Errors as {@link toNativeMatrix}. */
export function toDenseMatrix(
  value: unknown,
  argument: string,
  expectation: MatrixExpectation = {},
): Matrix {
  const native = toNativeMatrix(value, argument, { ...expectation, dense: true });
  return { data: native.values, rows: native.rows, cols: native.cols };
}

function readMatrix(value: unknown, argument: string, expectation: MatrixExpectation): NativeX {
  if (Array.isArray(value)) return fromRows(value, argument, expectation.cols);
  const takes = expectation.dense
    ? '{ data, rows, cols } or an array of rows'
    : '{ data, rows, cols }, CSR { values, columns, rowOffsets, rows, cols } or an array of rows';
  if (!isRecord(value)) throw invalid(argument, takes, describe(value));
  if ('data' in value) return fromDense(value, argument);
  if ('values' in value && !expectation.dense) return fromSparse(value, argument);
  throw invalid(argument, takes, describe(value));
}

function fromRows(rows: unknown[], argument: string, cols?: number): NativeX {
  const first = rows[0];
  if (rows.length === 0) return { values: new Float64Array(0), rows: 0, cols: cols ?? 0 };
  const width = Array.isArray(first) || isFloatArray(first) ? first.length : 0;
  const single = rows.every((row) => row instanceof Float32Array);
  const precision = single ? 'float32' : 'float64';
  const length = rows.length * width;
  if (!Number.isSafeInteger(length) || width > LARGEST_COUNT) {
    throw invalid(argument, 'a matrix that fits into memory', `${rows.length} rows of ${width}`);
  }
  const values = allocate((n) => createFloats(precision, n), length, argument, argument);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (!Array.isArray(row) && !isFloatArray(row)) {
      throw invalid(`${argument}[${i}]`, 'a row of numbers', describe(row), argument);
    }
    if (row.length !== width) {
      throw invalid(
        argument,
        `rows of one length (row 0 has ${width} entries)`,
        `${row.length} entries in row ${i}`,
      );
    }
    if (Array.isArray(row)) checkNumbers(row, `${argument}[${i}]`, argument);
    values.set(row, i * width);
  }
  return { values, rows: rows.length, cols: width };
}

function checkNumbers(row: unknown[], place: string, argument: string): asserts row is number[] {
  for (let j = 0; j < row.length; j++) {
    if (typeof row[j] !== 'number') {
      throw invalid(`${place}[${j}]`, 'a number', describe(row[j]), argument);
    }
  }
}

function fromDense(value: Record<string, unknown>, argument: string): NativeX {
  checkObject(value, argument, ['data', 'rows', 'cols']);
  const { rows, cols } = readShape(value, argument);
  if (!isFloatArray(value.data)) {
    throw invalid(
      `${argument}.data`,
      'a Float32Array or Float64Array',
      describe(value.data),
      argument,
    );
  }
  if (value.data.length !== rows * cols) {
    throw invalid(
      `${argument}.data`,
      `${rows} x ${cols} = ${rows * cols} entries`,
      `${value.data.length} entries`,
      argument,
    );
  }
  return { values: value.data, rows, cols };
}

function fromSparse(value: Record<string, unknown>, argument: string): NativeX {
  checkObject(value, argument, ['values', 'columns', 'rowOffsets', 'rows', 'cols']);
  const { rows, cols } = readShape(value, argument);
  const { values, columns, rowOffsets } = value;
  if (!isFloatArray(values)) {
    throw invalid(
      `${argument}.values`,
      'a Float32Array or Float64Array',
      describe(values),
      argument,
    );
  }
  if (!(columns instanceof Int32Array)) {
    throw invalid(`${argument}.columns`, 'an Int32Array', describe(columns), argument);
  }
  if (!(rowOffsets instanceof Int32Array)) {
    throw invalid(`${argument}.rowOffsets`, 'an Int32Array', describe(rowOffsets), argument);
  }
  if (columns.length !== values.length) {
    throw invalid(
      `${argument}.columns`,
      `one index for each of the ${values.length} values`,
      `${columns.length} indices`,
      argument,
    );
  }
  checkRowOffsets(rowOffsets, rows, values.length, argument);
  checkColumns(columns, rowOffsets, rows, cols, argument);
  return { values, rows, cols, columns, rowOffsets };
}

function readShape(
  value: Record<string, unknown>,
  argument: string,
): { rows: number; cols: number } {
  const bounds = { min: 0, max: LARGEST_COUNT };
  const rows = toInteger(value.rows, `${argument}.rows`, bounds);
  const cols = toInteger(value.cols, `${argument}.cols`, bounds);
  return { rows, cols };
}

function checkRowOffsets(
  offsets: Int32Array,
  rows: number,
  stored: number,
  argument: string,
): void {
  const place = `${argument}.rowOffsets`;
  if (offsets.length !== rows + 1) {
    throw invalid(place, `rows + 1 = ${rows + 1} entries`, `${offsets.length} entries`, argument);
  }
  if (offsets[0] !== 0 || offsets[rows] !== stored) {
    const got = `${offsets[0]} first and ${offsets[rows]} last`;
    throw invalid(place, `0 first and the number of values, ${stored}, last`, got, argument);
  }
  for (let i = 0; i < rows; i++) {
    if (offsets[i + 1]! < offsets[i]!) {
      const got = `${offsets[i + 1]} after ${offsets[i]} at ${i + 1}`;
      throw invalid(place, 'offsets that never fall', got, argument);
    }
  }
}

function checkColumns(
  columns: Int32Array,
  offsets: Int32Array,
  rows: number,
  cols: number,
  argument: string,
): void {
  const place = `${argument}.columns`;
  for (let i = 0; i < rows; i++) {
    let previous = -1;
    for (let k = offsets[i]!; k < offsets[i + 1]!; k++) {
      const column = columns[k]!;
      if (column < 0 || column >= cols) {
        throw invalid(
          place,
          `indices from 0 to ${cols - 1}`,
          `${column} at ${k} (row ${i})`,
          argument,
        );
      }
      if (column <= previous) {
        const got = `${column} after ${previous} at ${k} (row ${i})`;
        throw invalid(place, 'columns that ascend within each row', got, argument);
      }
      previous = column;
    }
  }
}

function checkFinite(matrix: NativeX, argument: string): void {
  const at = findNonFinite(matrix.values);
  if (at < 0) return;
  let row = 0;
  let column = 0;
  if (matrix.columns && matrix.rowOffsets) {
    while (matrix.rowOffsets[row + 1]! <= at) row++;
    column = matrix.columns[at]!;
  } else {
    row = Math.floor(at / matrix.cols);
    column = at % matrix.cols;
  }
  throw invalid(argument, 'finite numbers', `${matrix.values[at]} at row ${row}, column ${column}`);
}
