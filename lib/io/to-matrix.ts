import { createFloats, toPrecision } from '../floats';
import type { Matrix } from '../matrix';
import { checkObject, describe, invalid, isRecord, toNumber } from '../validate';
import { isNumericArray, type NumericArray, type NumericTensor } from './elements';
import { isShape, sizeOf } from './shape';

/** Options of {@link toMatrix}. */
export interface ToMatrixOptions {
  /** Type of the matrix. Default: 'float32' for 8- and 16-bit numbers and float32, else 'float64'. */
  precision?: 'float32' | 'float64';
  /** Every entry is divided by it, as in 255 for images. Default 1. */
  divideBy?: number;
}

/**
 * Makes a matrix of an array from {@link readNpy}, {@link readIdx} or {@link readSafetensors}: the
 * first axis gives the rows, the others together the columns; a vector becomes one column.
 *
 * An array that is already of the right type is shared, not copied.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT
 */
export function toMatrix(
  tensor: Pick<NumericTensor, 'data' | 'shape'>,
  options: ToMatrixOptions = {},
): Matrix {
  checkObject(options, 'options', ['precision', 'divideBy']);
  const data = checkTensor(tensor);
  const precision = toPrecision(options.precision ?? naturalPrecision(data), 'options.precision');
  const divideBy = toNumber(options.divideBy ?? 1, 'options.divideBy');
  if (divideBy === 0) throw invalid('options.divideBy', 'a number other than 0', '0');
  const rows = tensor.shape[0] ?? 1;
  const cols = tensor.shape.slice(1).reduce((product, size) => product * size, 1);
  return { data: convert(data, precision, divideBy), rows, cols };
}

function checkTensor(tensor: unknown): NumericArray {
  if (!isRecord(tensor)) throw invalid('tensor', '{ data, shape }', describe(tensor));
  const { data, shape } = tensor;
  if (!isNumericArray(data)) {
    throw invalid('tensor.data', 'a typed array of plain numbers', describe(data));
  }
  if (!isShape(shape)) throw invalid('tensor.shape', 'an array of sizes', describe(shape));
  if (sizeOf(shape) !== data.length) {
    throw invalid('tensor.data', `${shape.join(' x ')} entries`, `${data.length} entries`);
  }
  return data;
}

function naturalPrecision(data: NumericArray): 'float32' | 'float64' {
  return data.BYTES_PER_ELEMENT <= 2 || data instanceof Float32Array ? 'float32' : 'float64';
}

function convert(
  data: NumericArray,
  precision: 'float32' | 'float64',
  divideBy: number,
): Float32Array | Float64Array {
  if (divideBy === 1) {
    if (precision === 'float32')
      return data instanceof Float32Array ? data : new Float32Array(data);
    return data instanceof Float64Array ? data : new Float64Array(data);
  }
  const converted = createFloats(precision, data.length);
  for (let i = 0; i < converted.length; i++) converted[i] = data[i]! / divideBy;
  return converted;
}
