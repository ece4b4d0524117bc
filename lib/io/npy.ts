/** NumPy's .npy format, versions 1 to 3: magic, version, length of the header, header, entries. */
import { type BinaryReader, type ByteCursor, parseBinary, parseBinarySync } from './binary';
import { ELEMENT_BYTES, type NumericTensor, readElements } from './elements';
import { parseHeader } from './npy-header';
import { sizeOf } from './shape';
import type { DataSource, ReadOptions } from './source';

const MAGIC = '\x93NUMPY';
/** The most that version 1 can have; what is read here never needs the longer ones of 2 and 3. */
const LONGEST_HEADER = 2 ** 16 - 1;

/**
 * Reads a .npy file: booleans, integers and floats, either byte order, C or Fortran order, any number
 * of axes. Records, strings, complex numbers and objects are refused.
 *
 * NaN and infinities are kept as they are.
 *
 * @param source path (gzip too, whatever its name) or bytes
 * @returns the array in row-major order with its shape; {@link toMatrix} makes it a matrix
 * @throws SecondOrderError ERR_FORMAT with `byteOffset`; ERR_INVALID_ARGUMENT (options, or a file that
 * cannot be read); ERR_OUT_OF_MEMORY; ERR_ABORTED
 */
export async function readNpy(
  source: DataSource,
  options: ReadOptions = {},
): Promise<NumericTensor> {
  return parseBinary(source, options, readTensor);
}

/** As {@link readNpy}, on the calling thread. */
export function readNpySync(source: DataSource, options: ReadOptions = {}): NumericTensor {
  return parseBinarySync(source, options, readTensor);
}

function* readTensor(cursor: ByteCursor): BinaryReader<NumericTensor> {
  const magic = yield* cursor.take(MAGIC.length + 2, 'the npy header');
  if (magic.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw cursor.error('an npy file begins with \\x93NUMPY', 0);
  }
  const version = magic.readUInt8(MAGIC.length);
  if (version < 1 || version > 3) {
    throw cursor.error(`npy version ${version} is not one of 1, 2, 3`, MAGIC.length);
  }
  const lengthAt = cursor.position;
  const lengthBytes = yield* cursor.take(version === 1 ? 2 : 4, 'the npy header');
  const headerLength = version === 1 ? lengthBytes.readUInt16LE() : lengthBytes.readUInt32LE();
  if (headerLength > LONGEST_HEADER) {
    const problem = `an npy header of ${headerLength} bytes; more than ${LONGEST_HEADER} is refused`;
    throw cursor.error(problem, lengthAt);
  }
  const headerAt = cursor.position;
  const header = yield* cursor.take(headerLength, 'the npy header');
  // In latin1 a character is a byte, so positions hold; only names of fields could need UTF-8.
  const stored = parseHeader(header.toString('latin1'), cursor, headerAt);
  const { dtype } = stored;
  const shape = [...stored.shape];
  const length = sizeOf(shape);
  cursor.expect(length * ELEMENT_BYTES[dtype], `an array of ${shape.join(' x ')}`, headerAt);
  return { data: yield* readElements(cursor, stored, length), shape, dtype };
}
