/**
 * The IDX format of MNIST, big-endian: two zero bytes, the type, the number of axes, the size of each
 * axis in 32 bits, the entries in row-major order.
 */
import { type BinaryReader, type ByteCursor, parseBinary, parseBinarySync } from './binary';
import { type DType, ELEMENT_BYTES, type NumericTensor, readElements } from './elements';
import { sizeOf } from './shape';
import type { DataSource, ReadOptions } from './source';

const TYPES: ReadonlyMap<number, DType> = new Map<number, DType>([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);

/**
 * Reads an IDX file, such as those of MNIST and Fashion-MNIST.
 *
 * @param source path (gzip too, whatever its name) or bytes
 * @returns the array in its own type; `toMatrix(images, { divideBy: 255 })` makes it a matrix with
 * entries from 0 to 1 and a row for each image
 * @throws SecondOrderError ERR_FORMAT with `byteOffset`; ERR_INVALID_ARGUMENT (options, or a file that
 * cannot be read); ERR_OUT_OF_MEMORY; ERR_ABORTED
 */
export async function readIdx(
  source: DataSource,
  options: ReadOptions = {},
): Promise<NumericTensor> {
  return parseBinary(source, options, readTensor);
}

/** As {@link readIdx}, on the calling thread. */
export function readIdxSync(source: DataSource, options: ReadOptions = {}): NumericTensor {
  return parseBinarySync(source, options, readTensor);
}

function* readTensor(cursor: ByteCursor): BinaryReader<NumericTensor> {
  const magic = yield* cursor.take(4, 'the IDX header');
  if (magic[0] !== 0 || magic[1] !== 0) {
    throw cursor.error('an IDX file begins with two zero bytes', 0);
  }
  const dtype = TYPES.get(magic.readUInt8(2));
  if (dtype === undefined) throw cursor.error(`unknown IDX type ${magic[2]}`, 2);
  const axes = magic.readUInt8(3);
  if (axes === 0) throw cursor.error('an IDX file has at least one axis', 3);
  const sizes = yield* cursor.take(4 * axes, 'the IDX header');
  const shape = Array.from({ length: axes }, (_, i) => sizes.readUInt32BE(4 * i));
  const length = sizeOf(shape);
  cursor.expect(length * ELEMENT_BYTES[dtype], `an array of ${shape.join(' x ')}`, 4);
  const stored = { dtype, littleEndian: false, shape, fortranOrder: false };
  return { data: yield* readElements(cursor, stored, length), shape, dtype };
}
