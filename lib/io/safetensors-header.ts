/**
 * The header of a safetensors file: a JSON object that gives each tensor its type, shape and place,
 * `{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {...}}`.
 *
 * Checked as the format demands: no name twice, places that match the shapes, and no gap, overlap or
 * rest between them.
 */
import { describe } from '../validate';
import { type ByteCursor, sizeOf } from './binary';
import { excerpt } from './format-error';

/** The types of safetensors. F16, BF16 and the F8 types are kept as raw bits. */
export const TENSOR_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/** The name of a safetensors type. */
export type TensorType = keyof typeof TENSOR_BYTES;

/** A tensor as the header describes it; begin and end count from the end of the header. */
export interface TensorEntry {
  name: string;
  dtype: TensorType;
  shape: number[];
  begin: number;
  end: number;
}

/** What a header says, tensors in the order of their data. */
export interface SafetensorsHeader {
  tensors: TensorEntry[];
  metadata: Record<string, string>;
}

/** The key of the header that holds strings about the file. */
export const METADATA_KEY = '__metadata__';

const MOST_AXES = 64;
const AFTER_KEY = /[ \t\n\r]*:/y;

/** Whether a text is the name of a type. */
export function isTensorType(value: unknown): value is TensorType {
  return typeof value === 'string' && Object.hasOwn(TENSOR_BYTES, value);
}

/** Reads and checks a header that begins at byte `start` of the file. */
export function parseHeader(bytes: Buffer, cursor: ByteCursor, start: number): SafetensorsHeader {
  const header = parseJson(bytes, cursor, start);
  const tensors: TensorEntry[] = [];
  let metadata: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA_KEY) metadata = toMetadata(value, cursor, start);
    else tensors.push(toEntry(name, value, cursor, start));
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of tensors) {
    if (begin !== covered) {
      const problem = `tensor ${excerpt(name)} begins at ${begin}, not at ${covered}, where the one before it ends`;
      throw cursor.error(problem, start);
    }
    covered = end;
  }
  cursor.expect(covered, 'the tensors', start);
  return { tensors, metadata };
}

function parseJson(bytes: Buffer, cursor: ByteCursor, start: number): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw cursor.error('a safetensors header begins with {', start);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'not JSON';
    throw cursor.error(`the safetensors header is no JSON in UTF-8 (${reason})`, start);
  }
  const twice = findRepeatedKey(text);
  if (twice !== undefined) {
    throw cursor.error(`the safetensors header has ${excerpt(twice)} twice`, start);
  }
  return isObject(header) ? header : {};
}

/** The first key that an object of a valid JSON text has twice; JSON.parse would keep the last. */
function findRepeatedKey(text: string): string | undefined {
  const objects: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') objects.push(new Set());
    else if (character === '}') objects.pop();
    if (character !== '"') continue;
    const start = at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    AFTER_KEY.lastIndex = at + 1;
    if (!AFTER_KEY.test(text)) continue;
    const key: string = JSON.parse(text.slice(start, at + 1));
    const keys = objects.at(-1);
    if (keys?.has(key)) return key;
    keys?.add(key);
  }
  return undefined;
}

function toEntry(name: string, value: unknown, cursor: ByteCursor, start: number): TensorEntry {
  const tensor = `tensor ${excerpt(name)}`;
  if (!isObject(value)) throw cursor.error(`${tensor} is no object`, start);
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw cursor.error(`${tensor} has a key ${excerpt(other)}`, start);
  if (!isTensorType(dtype)) {
    const known = Object.keys(TENSOR_BYTES).join(', ');
    throw cursor.error(
      `${tensor} has the type ${describe(dtype)}, which is not one of ${known}`,
      start,
    );
  }
  if (!isSizes(shape) || shape.length > MOST_AXES) {
    throw cursor.error(`${tensor} has a shape that is not up to ${MOST_AXES} sizes`, start);
  }
  const [begin, end] = isSizes(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || begin > end) {
    throw cursor.error(`${tensor} has data_offsets that are not a begin and an end`, start);
  }
  const bytes = sizeOf(shape) * TENSOR_BYTES[dtype];
  if (end - begin !== bytes) {
    const needed = Number.isSafeInteger(bytes) ? `${bytes}` : 'more than 2^53';
    const problem = `${tensor} is ${dtype} of shape [${shape.join(', ')}], which takes ${needed} bytes, but has ${end - begin}`;
    throw cursor.error(problem, start);
  }
  return { name, dtype, shape, begin, end };
}

function toMetadata(value: unknown, cursor: ByteCursor, start: number): Record<string, string> {
  if (!isObject(value)) throw cursor.error(`${METADATA_KEY} is no object`, start);
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw cursor.error(`${METADATA_KEY} has a value that is no string at ${excerpt(key)}`, start);
    }
    metadata[key] = text;
  }
  return metadata;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
