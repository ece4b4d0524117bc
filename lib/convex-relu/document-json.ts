/** Documents as JSON: the header's entries and `tensors`, each with dtype, shape and plain numbers. */
import { messageOf } from '../errors';
import { FormatError } from '../io/format-error';
import { describe, invalid, toChoice, toInteger, toRecord } from '../validate';
import {
  asFormatError,
  checkFormat,
  type DocumentContents,
  type DocumentHeader,
  decode,
  encode,
  type Tensor,
  type TensorData,
} from './document';

const SOURCE = 'JSON document';

/** One array in a JSON document, row-major. */
export interface JsonTensor {
  /** Type of the entries, by its name in safetensors. */
  dtype: 'F32' | 'F64' | 'I32';
  /** Size of each axis. */
  shape: number[];
  /** The entries. */
  data: number[];
}

/** A network as JSON. Pass it to `fromJSON`; its entries are for reading. */
export interface NetworkDocument extends DocumentHeader {
  /** The arrays of the network and its certificate, by name. */
  tensors: Record<string, JsonTensor>;
}

/** The document as a plain object, to be passed to JSON.stringify. Numbers are kept exactly. */
export function writeJson(contents: DocumentContents): NetworkDocument {
  const { header, tensors } = encode(contents);
  const entries = Array.from(tensors, ([name, { shape, data }]) => {
    const tensor: JsonTensor = { dtype: dtypeOf(data), shape, data: Array.from(data) };
    return [name, tensor] as const;
  });
  return { ...header, tensors: Object.fromEntries(entries) };
}

/**
 * Reads a document from an object or from JSON text.
 *
 * @throws SecondOrderError ERR_FORMAT
 */
export function readJson(document: unknown, source: string = SOURCE): DocumentContents {
  const parsed = typeof document === 'string' ? parse(document, source) : document;
  return asFormatError(source, () => {
    const { tensors, ...header } = toRecord(parsed, 'the document');
    checkFormat(header);
    const read = new Map<string, Tensor>();
    for (const [name, value] of Object.entries(toRecord(tensors, 'tensors'))) {
      read.set(name, readTensor(value, `tensor ${name}`));
    }
    return decode(header, read, source);
  });
}

function parse(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(source, `not JSON: ${messageOf(cause)}`, {}, { cause });
  }
}

function dtypeOf(data: TensorData): JsonTensor['dtype'] {
  if (data instanceof Float32Array) return 'F32';
  return data instanceof Float64Array ? 'F64' : 'I32';
}

function readTensor(value: unknown, place: string): Tensor {
  const raw = toRecord(value, place);
  const dtype = toChoice(raw.dtype, `${place}.dtype`, ['F32', 'F64', 'I32']);
  const { shape, data } = raw;
  if (!Array.isArray(shape)) throw invalid(`${place}.shape`, 'an array', describe(shape));
  if (!Array.isArray(data)) throw invalid(`${place}.data`, 'an array', describe(data));
  const sizes = shape.map((size, i) => toInteger(size, `${place}.shape[${i}]`, { min: 0 }));
  const length = sizes.reduce((product, size) => product * size, 1);
  if (data.length !== length) {
    throw invalid(`${place}.data`, `${length} numbers, as its shape says`, `${data.length}`);
  }
  const at = data.findIndex((entry) => typeof entry !== 'number');
  if (at >= 0) throw invalid(`${place}.data[${at}]`, 'a number', describe(data[at]));
  return { shape: sizes, data: toTyped(dtype, data) };
}

function toTyped(dtype: JsonTensor['dtype'], data: number[]): TensorData {
  if (dtype === 'F32') return Float32Array.from(data);
  return dtype === 'F64' ? Float64Array.from(data) : Int32Array.from(data);
}
