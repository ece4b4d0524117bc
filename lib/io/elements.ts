/** Types of stored numbers, and their conversion into typed arrays in the byte order of the machine. */
import { endianness } from 'node:os';
import { allocate } from '../floats';
import type { BinaryReader, ByteCursor } from './binary';

/** Typed arrays of plain numbers. */
export type NumericArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Numbers as numpy names their types. */
export type DType =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64';

/**
 * An array of a file: entries in row-major (C) order.
 *
 * `dtype` is how the file stores them. `data` has the same type, except that 64-bit integers become
 * float64 (exactly, or it is an error), float16 becomes float32 and booleans become 0 and 1.
 */
export interface NumericTensor {
  /** The entries. */
  data: NumericArray;
  /** Size of each axis; empty for a single number. */
  shape: number[];
  /** Type in the file. */
  dtype: DType;
}

/** How an array lies in a file. */
export interface StoredElements {
  dtype: DType;
  littleEndian: boolean;
  shape: readonly number[];
  /** Whether the first index runs fastest. */
  fortranOrder: boolean;
}

/** Bytes of one number. */
export const ELEMENT_BYTES: Readonly<Record<DType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

/** Whether this machine stores the low byte first. */
export const HOST_IS_LITTLE_ENDIAN = endianness() === 'LE';

/** What each type is read into. */
const ARRAYS: Readonly<Record<DType, new (length: number) => NumericArray>> = {
  bool: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: Float64Array,
  uint64: Float64Array,
  float16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
};

const BLOCK_ENTRIES = 2 ** 14;
const EXACT = BigInt(Number.MAX_SAFE_INTEGER) + 1n;

/** Reads `length` numbers; the caller has checked that so many bytes can follow. */
export function* readElements(
  cursor: ByteCursor,
  stored: StoredElements,
  length: number,
): BinaryReader<NumericArray> {
  const { dtype } = stored;
  const data = allocate((n) => createArray(dtype, n), length, cursor.name);
  const moved = stored.fortranOrder && stored.shape.length > 1;
  const swap = stored.littleEndian !== HOST_IS_LITTLE_ENDIAN;
  const decode = decoderOf(dtype);
  if (decode === undefined && !moved) {
    const bytes = bytesOf(data);
    yield* cursor.fill(bytes, 'the data');
    if (swap) swapBytes(bytes, ELEMENT_BYTES[dtype]);
    return data;
  }
  const place = moved ? fortranPlaces(stored.shape) : (k: number) => k;
  const block = Buffer.alloc(Math.min(length, BLOCK_ENTRIES) * ELEMENT_BYTES[dtype]);
  for (let done = 0; done < length; ) {
    const count = Math.min(length - done, BLOCK_ENTRIES);
    const start = cursor.position;
    const part = block.subarray(0, count * ELEMENT_BYTES[dtype]);
    yield* cursor.fill(part, 'the data');
    if (swap) swapBytes(part, ELEMENT_BYTES[dtype]);
    const values = decode?.(part) ?? plainView(dtype, part);
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      if (Number.isNaN(value) && decode !== undefined && dtype !== 'float16') {
        throw cursor.error(refusal(dtype), start + i * ELEMENT_BYTES[dtype]);
      }
      data[place(done + i)] = value;
    }
    done += count;
  }
  return data;
}

/** Whether the value is a typed array, other than of big integers or clamped. */
export function isNumericArray(value: unknown): value is NumericArray {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array) &&
    !(value instanceof Uint8ClampedArray)
  );
}

/** The memory of a typed array. */
export function bytesOf(array: ArrayBufferView): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** Turns the byte order of numbers of a given size around, in place. */
export function swapBytes(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16();
  else if (size === 4) bytes.swap32();
  else if (size === 8) bytes.swap64();
}

function createArray(dtype: DType, length: number): NumericArray {
  return new ARRAYS[dtype](length);
}

function plainView(dtype: DType, bytes: Buffer): NumericArray {
  const copy = createArray(dtype, bytes.length / ELEMENT_BYTES[dtype]);
  bytesOf(copy).set(bytes);
  return copy;
}

/** For types that have no typed array of plain numbers: their values, NaN for those refused. */
function decoderOf(dtype: DType): ((bytes: Buffer) => Float64Array) | undefined {
  switch (dtype) {
    case 'bool':
      return (bytes) => Float64Array.from(bytes, (byte) => (byte > 1 ? Number.NaN : byte));
    case 'float16':
      return (bytes) => decode(bytes, 2, (at) => halfToNumber(readUint16(bytes, at)));
    case 'int64':
      return (bytes) => decode(bytes, 8, (at) => exactly(readBigInt(bytes, at, true)));
    case 'uint64':
      return (bytes) => decode(bytes, 8, (at) => exactly(readBigInt(bytes, at, false)));
    default:
      return undefined;
  }
}

function decode(bytes: Buffer, size: number, valueAt: (at: number) => number): Float64Array {
  return Float64Array.from({ length: bytes.length / size }, (_, i) => valueAt(i * size));
}

function readUint16(bytes: Buffer, at: number): number {
  return HOST_IS_LITTLE_ENDIAN ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
}

function readBigInt(bytes: Buffer, at: number, signed: boolean): bigint {
  if (signed) return HOST_IS_LITTLE_ENDIAN ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at);
  return HOST_IS_LITTLE_ENDIAN ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
}

function exactly(value: bigint): number {
  return value >= -EXACT && value <= EXACT ? Number(value) : Number.NaN;
}

function refusal(dtype: DType): string {
  return dtype === 'bool'
    ? 'a boolean is neither 0 nor 1'
    : 'an integer above 2^53 in size has no exact float64';
}

/** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */
function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Where the k-th entry of a column-major array belongs in a row-major one, for k = 0, 1, ... */
function fortranPlaces(shape: readonly number[]): () => number {
  const index = new Float64Array(shape.length);
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, n) => product * n, 1));
  let place = 0;
  return () => {
    const current = place;
    for (let axis = 0; axis < shape.length; axis++) {
      place += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      place -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
    return current;
  };
}
