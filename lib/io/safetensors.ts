/** The safetensors format: length of the header in 64 bits, header in JSON, tensors in one block. */
import { allocate, BinaryParser, type BinaryReader, type ByteCursor } from './binary';
import { bytesOf, HOST_IS_LITTLE_ENDIAN, swapBytes } from './elements';
import { parseHeader, TENSOR_BYTES, type TensorType } from './safetensors-header';
import {
  checkReadOptions,
  type DataSource,
  type ParserFactory,
  parseSource,
  parseSourceSync,
  type ReadOptions,
} from './source';

/** The entries of a tensor; F16, BF16 and F8 as the bits of each entry. */
export type TensorData =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** A tensor in row-major order. */
export interface Tensor {
  data: TensorData;
  shape: number[];
  dtype: TensorType;
}

/** The contents of a safetensors file. Both objects have no prototype: any name is safe in them. */
export interface Safetensors {
  tensors: Record<string, Tensor>;
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
  return parseSource(source, options, parser(options));
}

/** As {@link readSafetensors}, on the calling thread. */
export function readSafetensorsSync(source: DataSource, options: ReadOptions = {}): Safetensors {
  return parseSourceSync(source, options, parser(options));
}

function parser(options: ReadOptions): ParserFactory<Safetensors> {
  checkReadOptions(options, []);
  return (origin) => new BinaryParser(origin, readContents);
}

function* readContents(cursor: ByteCursor): BinaryReader<Safetensors> {
  const lengthBytes = yield* cursor.take(LENGTH_BYTES, 'the length of the header');
  const length = Number(lengthBytes.readBigUInt64LE());
  if (length > LONGEST_HEADER) {
    throw cursor.error(`a header of ${length} bytes; the limit is ${LONGEST_HEADER}`, 0);
  }
  cursor.expect(length, 'the header', 0);
  const start = cursor.position;
  const header = yield* cursor.take(length, 'the header');
  const { tensors: entries, metadata } = parseHeader(header, cursor, start);
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { name, dtype, shape, begin, end } of entries) {
    const size = TENSOR_BYTES[dtype];
    const data = allocate((n) => createTensorData(dtype, n), (end - begin) / size, cursor.name);
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

function createTensorData(dtype: TensorType, length: number): TensorData {
  switch (dtype) {
    case 'I8':
      return new Int8Array(length);
    case 'I16':
      return new Int16Array(length);
    case 'U16':
    case 'F16':
    case 'BF16':
      return new Uint16Array(length);
    case 'I32':
      return new Int32Array(length);
    case 'U32':
      return new Uint32Array(length);
    case 'I64':
      return new BigInt64Array(length);
    case 'U64':
      return new BigUint64Array(length);
    case 'F32':
      return new Float32Array(length);
    case 'F64':
      return new Float64Array(length);
    default:
      return new Uint8Array(length);
  }
}
