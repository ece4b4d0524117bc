import { checkObject, describe, invalid, isRecord } from '../validate';
import { bytesOf, HOST_IS_LITTLE_ENDIAN, swapBytes } from './elements';
import { METADATA_KEY } from './safetensors-header';
import { isTensorType, type TensorData, type TensorType, typesOf } from './safetensors-types';
import { isShape, sizeOf } from './shape';
import { type DataTarget, writeParts, writePartsSync } from './write';

/** A tensor to be written. `dtype` is needed only where the array alone does not tell (F16, BOOL …). */
export interface TensorContent {
  data: TensorData;
  shape: readonly number[];
  dtype?: TensorType;
}

/** The header is padded so that the tensors begin at a multiple of it. */
const ALIGNMENT = 8;

/**
 * Writes a safetensors file. Tensors of wide types come first, so that each lies at a multiple of its
 * entry size, and the same content always gives the same bytes.
 *
 * @param metadata strings about the file
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (content, or a file that cannot be written)
 */
export async function writeSafetensors(
  target: DataTarget,
  tensors: Readonly<Record<string, TensorContent>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  return writeParts(target, partsOf(tensors, metadata));
}

/** As {@link writeSafetensors}, on the calling thread. */
export function writeSafetensorsSync(
  target: DataTarget,
  tensors: Readonly<Record<string, TensorContent>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writePartsSync(target, partsOf(tensors, metadata));
}

/** The bytes that {@link writeSafetensors} writes. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, TensorContent>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return Buffer.concat(partsOf(tensors, metadata));
}

interface Named {
  name: string;
  data: TensorData;
  shape: number[];
  dtype: TensorType;
}

function partsOf(tensors: unknown, metadata: unknown): Buffer[] {
  if (!isRecord(tensors)) throw invalid('tensors', 'an object of tensors', describe(tensors));
  const sorted = Object.entries(tensors)
    .map(([name, tensor]) => checkTensor(name, tensor))
    .sort((a, b) => entryBytes(b) - entryBytes(a) || (a.name < b.name ? -1 : 1));
  const entries: [string, unknown][] = [];
  const strings = checkMetadata(metadata);
  if (strings.length > 0) entries.push([METADATA_KEY, Object.fromEntries(strings)]);
  let end = 0;
  for (const { name, data, shape, dtype } of sorted) {
    const begin = end;
    end += data.byteLength;
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(Math.ceil(text.length / ALIGNMENT) * ALIGNMENT, ' ');
  text.copy(header);
  const length = Buffer.alloc(ALIGNMENT);
  length.writeBigUInt64LE(BigInt(header.length));
  return [length, header, ...sorted.map(littleEndianBytes)];
}

function checkTensor(name: string, value: unknown): Named {
  const argument = `tensors[${JSON.stringify(name)}]`;
  if (name === METADATA_KEY) throw invalid(argument, 'given another name', `"${METADATA_KEY}"`);
  const { data, shape, dtype } = checkObject(value, argument, ['data', 'shape', 'dtype']);
  if (!isTensorData(data)) throw invalid(`${argument}.data`, 'a typed array', describe(data));
  if (!isShape(shape) || sizeOf(shape) !== data.length) {
    throw invalid(`${argument}.shape`, `sizes of ${data.length} entries`, describe(shape));
  }
  const fits = typesOf(data);
  const chosen = dtype ?? fits[0];
  if (!isTensorType(chosen) || !fits.includes(chosen)) {
    throw invalid(`${argument}.dtype`, fits.join(' or '), describe(chosen));
  }
  return { name, data, shape: [...shape], dtype: chosen };
}

function checkMetadata(value: unknown): [string, string][] {
  if (!isRecord(value)) throw invalid('metadata', 'an object of strings', describe(value));
  return Object.entries(value).map(([key, text]) => {
    if (typeof text === 'string') return [key, text];
    throw invalid(`metadata[${JSON.stringify(key)}]`, 'a string', describe(text));
  });
}

function littleEndianBytes({ data }: Named): Buffer {
  const bytes = bytesOf(data);
  if (HOST_IS_LITTLE_ENDIAN) return bytes;
  const swapped = Buffer.from(bytes);
  swapBytes(swapped, data.BYTES_PER_ELEMENT);
  return swapped;
}

function entryBytes({ data }: Named): number {
  return data.BYTES_PER_ELEMENT;
}

function isTensorData(value: unknown): value is TensorData {
  return typesOf(value).length > 0;
}
