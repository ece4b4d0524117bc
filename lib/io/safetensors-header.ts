/**
 * The header of a safetensors file: a JSON object that gives each tensor its type, shape and place,
 * `{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {...}}`.
 *
 * Checked as the format demands: no name twice, places that match the shapes, and no gap, overlap or
 * rest between them.
 */
import { messageOf } from '../errors';
import { describe, isRecord } from '../validate';
import { BRACE } from './ascii';
import type { ByteCursor } from './binary';
import { excerpt } from './format-error';
import { isTensorType, TENSOR_ARRAYS, TENSOR_TYPES, type TensorType } from './safetensors-types';
import { isShape, sizeOf } from './shape';

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
  if (bytes[0] !== BRACE) throw cursor.error('a safetensors header begins with {', start);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    throw cursor.error(`the safetensors header is no JSON in UTF-8 (${messageOf(cause)})`, start);
  }
  const twice = findRepeatedKey(text);
  if (twice !== undefined) {
    throw cursor.error(`the safetensors header has ${excerpt(twice)} twice`, start);
  }
  return isRecord(header) ? header : {};
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
  if (!isRecord(value)) throw cursor.error(`${tensor} is no object`, start);
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw cursor.error(`${tensor} has a key ${excerpt(other)}`, start);
  if (!isTensorType(dtype)) {
    const known = TENSOR_TYPES.join(', ');
    throw cursor.error(
      `${tensor} has the type ${describe(dtype)}, which is not one of ${known}`,
      start,
    );
  }
  if (!isShape(shape) || shape.length > MOST_AXES) {
    throw cursor.error(`${tensor} has a shape that is not up to ${MOST_AXES} sizes`, start);
  }
  const [begin, end] = isShape(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || begin > end) {
    throw cursor.error(`${tensor} has data_offsets that are not a begin and an end`, start);
  }
  const bytes = sizeOf(shape) * TENSOR_ARRAYS[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== bytes) {
    const needed = Number.isSafeInteger(bytes) ? `${bytes}` : 'more than 2^53';
    const problem = `${tensor} is ${dtype} of shape [${shape.join(', ')}], which takes ${needed} bytes, but has ${end - begin}`;
    throw cursor.error(problem, start);
  }
  return { name, dtype, shape, begin, end };
}

function toMetadata(value: unknown, cursor: ByteCursor, start: number): Record<string, string> {
  if (!isRecord(value)) throw cursor.error(`${METADATA_KEY} is no object`, start);
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw cursor.error(`${METADATA_KEY} has a value that is no string at ${excerpt(key)}`, start);
    }
    metadata[key] = text;
  }
  return metadata;
}
