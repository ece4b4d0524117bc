/** The safetensors format: length of the header in 64 bits, header in JSON, tensors in one block. */
import { allocate } from '../floats';
import { type BinaryReader, type ByteCursor, parseBinary, parseBinarySync } from './binary';
import { bytesOf, HOST_IS_LITTLE_ENDIAN, swapBytes } from './elements';
import { parseHeader } from './safetensors-header';
import { TENSOR_ARRAYS, type TensorData, type TensorType } from './safetensors-types';
import type { DataSource, ReadOptions } from './source';

/** A tensor in row-major order. */
export interface Tensor {
  /** The entries. */
  data: TensorData;
  /** Size of each axis; empty for a single number. */
  shape: number[];
  /** Type in the file. */
  dtype: TensorType;
}

/** The contents of a safetensors file. Both objects have no prototype: any name is safe in them. */
export interface Safetensors {
  /** Tensors by name. */
  tensors: Record<string, Tensor>;
  /** Strings about the file. */
  metadata: Record<string, string>;
}

/** The limit of the format's own reference implementation. */
const LONGEST_HEADER = 100_000_000;
const LENGTH_BYTES = 8;

/**
 * Reads a safetensors file, checked strictly: see safetensors-header.ts. NaN and infinities are kept.
 *
 * @param source path (gzip too, whatever its name) or bytes
 * @throws SecondOrderError ERR_FORMAT with `byteOffset`; ERR_INVALID_ARGUMENT (options, or a file that
 * cannot be read); ERR_OUT_OF_MEMORY; ERR_ABORTED
 */
export async function readSafetensors(
  source: DataSource,
  options: ReadOptions = {},
): Promise<Safetensors> {
  return parseBinary(source, options, readContents);
}

/** As {@link readSafetensors}, on the calling thread. */
export function readSafetensorsSync(source: DataSource, options: ReadOptions = {}): Safetensors {
  return parseBinarySync(source, options, readContents);
}

function* readContents(cursor: ByteCursor): BinaryReader<Safetensors> {
  const lengthBytes = yield* cursor.take(LENGTH_BYTES, 'the length of the header');
  const length = Number(lengthBytes.readBigUInt64LE());
  if (length > LONGEST_HEADER) {
    const problem = `no safetensors file: its header would have ${length} bytes, the most is ${LONGEST_HEADER}`;
    throw cursor.error(problem, 0);
  }
  cursor.expect(length, 'the header', 0);
  const start = cursor.position;
  const header = yield* cursor.take(length, 'the header');
  const { tensors: entries, metadata } = parseHeader(header, cursor, start);
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { name, dtype, shape, begin, end } of entries) {
    const TensorArray = TENSOR_ARRAYS[dtype];
    const size = TensorArray.BYTES_PER_ELEMENT;
    const data = allocate((n) => new TensorArray(n), (end - begin) / size, cursor.name);
    const bytes = bytesOf(data);
    const dataStart = cursor.position;
    yield* cursor.fill(bytes, `tensor ${JSON.stringify(name)}`);
    if (!HOST_IS_LITTLE_ENDIAN) swapBytes(bytes, size);
    const wrong = dtype === 'BOOL' ? bytes.findIndex((byte) => byte > 1) : -1;
    if (wrong >= 0) throw cursor.error('a boolean is neither 0 nor 1', dataStart + wrong);
    tensors[name] = { data, shape, dtype };
  }
  return { tensors, metadata };
}
