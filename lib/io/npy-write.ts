import type { Matrix } from '../matrix';
import { describe, invalid, isRecord } from '../validate';
import { bytesOf, HOST_IS_LITTLE_ENDIAN, isNumericArray } from './elements';
import type { TensorData } from './safetensors-types';
import { isShape, sizeOf } from './shape';
import { type DataTarget, writeParts, writePartsSync } from './write';

/** What can be written as .npy: a matrix, an array with a shape, or a vector. */
export type NpyContent =
  | Matrix
  | { data: TensorData; shape: readonly number[] }
  | TensorData
  | readonly number[];

/** The entries of a .npy file begin at a multiple of it. */
const ALIGNMENT = 64;
const PREAMBLE_BYTES = 10;
const LONGEST_HEADER = 2 ** 16 - 1;

/**
 * Writes a .npy file (version 1, C order, this machine's byte order), as numpy.load reads it. The type
 * is that of the typed array; an array of numbers is written as float64.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (content, or a file that cannot be written)
 */
export async function writeNpy(target: DataTarget, content: NpyContent): Promise<void> {
  return writeParts(target, partsOf(content));
}

/** As {@link writeNpy}, on the calling thread. */
export function writeNpySync(target: DataTarget, content: NpyContent): void {
  writePartsSync(target, partsOf(content));
}

/** The bytes that {@link writeNpy} writes. */
export function encodeNpy(content: NpyContent): Uint8Array {
  return Buffer.concat(partsOf(content));
}

function partsOf(content: unknown): Buffer[] {
  const { data, shape } = toArray(content);
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${typeName(data)}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const unpadded = PREAMBLE_BYTES + text.length + 1;
  const padded = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const length = padded - PREAMBLE_BYTES;
  if (length > LONGEST_HEADER) {
    throw invalid('content.shape', 'a shape that fits an npy header', `${shape.length} axes`);
  }
  const header = Buffer.alloc(padded, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(length, PREAMBLE_BYTES - 2);
  header.write(text, PREAMBLE_BYTES, 'latin1');
  header.write('\n', padded - 1, 'latin1');
  return [header, bytesOf(data)];
}

function toArray(content: unknown): { data: TensorData; shape: number[] } {
  const takes = '{ data, rows, cols }, { data, shape } or an array of numbers';
  if (isStored(content)) return { data: content, shape: [content.length] };
  if (Array.isArray(content)) {
    const data = Float64Array.from(content, (value, i) => {
      if (typeof value === 'number') return value;
      throw invalid(`content[${i}]`, 'a number', describe(value), 'content');
    });
    return { data, shape: [data.length] };
  }
  if (!isRecord(content)) throw invalid('content', takes, describe(content));
  const { data } = content;
  if (!isStored(data)) throw invalid('content.data', 'a typed array', describe(data));
  const shape = 'shape' in content ? content.shape : [content.rows, content.cols];
  if (!isShape(shape)) {
    throw invalid('content', 'given with sizes that are integers from 0', describe(shape));
  }
  if (sizeOf(shape) !== data.length) {
    throw invalid('content.data', `${shape.join(' x ')} entries`, `${data.length} entries`);
  }
  return { data, shape };
}

function isStored(value: unknown): value is TensorData {
  return isNumericArray(value) || value instanceof BigInt64Array || value instanceof BigUint64Array;
}

function typeName(data: TensorData): string {
  const order = data.BYTES_PER_ELEMENT === 1 ? '|' : HOST_IS_LITTLE_ENDIAN ? '<' : '>';
  return `${order}${kindOf(data)}${data.BYTES_PER_ELEMENT}`;
}

function kindOf(data: TensorData): 'f' | 'u' | 'i' {
  if (data instanceof Float32Array || data instanceof Float64Array) return 'f';
  const unsigned =
    data instanceof Uint8Array ||
    data instanceof Uint16Array ||
    data instanceof Uint32Array ||
    data instanceof BigUint64Array;
  return unsigned ? 'u' : 'i';
}
