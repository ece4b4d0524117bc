/** The types of safetensors, and the typed arrays that hold them. */
import type { NumericArray } from './elements';

/** The entries of a tensor; F16, BF16 and F8 as the bits of each entry. */
export type TensorData = NumericArray | BigInt64Array | BigUint64Array;

interface TensorArray {
  new (length: number): TensorData;
  readonly BYTES_PER_ELEMENT: number;
}

/** The name of a safetensors type. */
export type TensorType =
  | 'I8'
  | 'U8'
  | 'BOOL'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'I16'
  | 'U16'
  | 'F16'
  | 'BF16'
  | 'I32'
  | 'U32'
  | 'F32'
  | 'I64'
  | 'U64'
  | 'F64';

/**
 * The array for each type; its entries are as wide as those in a file. Of several types in the same
 * array, the first is the one that the array itself means.
 */
export const TENSOR_ARRAYS: Readonly<Record<TensorType, TensorArray>> = {
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F64: Float64Array,
};

/** The names of the types. */
export const TENSOR_TYPES = Object.keys(TENSOR_ARRAYS).filter(isTensorType);

/** Whether a value is the name of a type. */
export function isTensorType(value: unknown): value is TensorType {
  return typeof value === 'string' && Object.hasOwn(TENSOR_ARRAYS, value);
}

/** The types that an array can hold, its own first; none when it is no array of tensors. */
export function typesOf(data: unknown): TensorType[] {
  return TENSOR_TYPES.filter((type) => data instanceof TENSOR_ARRAYS[type]);
}
