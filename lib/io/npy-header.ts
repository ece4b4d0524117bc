/**
 * The header of a .npy file: a Python dictionary with exactly the keys descr, fortran_order and shape,
 * as in `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
 */
import type { ByteCursor } from './binary';
import { type DType, ELEMENT_BYTES, HOST_IS_LITTLE_ENDIAN, type StoredElements } from './elements';
import { excerpt } from './format-error';

const TYPES: Readonly<Record<string, DType>> = {
  b1: 'bool',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

const TOKEN = /\s*(?:('[^'\\\n]*'|"[^"\\\n]*")|(True|False)\b|(\d+)L?|([{}(),:[\]]))/y;
const DESCR = /^([<>|=])([biuf]\d)$/;

type Value = string | boolean | number[];

/** Reads the dictionary; `start` is the byte in the file that the text begins at. */
export function parseHeader(text: string, cursor: ByteCursor, start: number): StoredElements {
  const entries = new HeaderText(text, cursor, start).dictionary();
  const [descr, fortranOrder, shape] = ['descr', 'fortran_order', 'shape'].map((key) => {
    const value = entries.get(key);
    if (value === undefined) throw cursor.error(`the npy header lacks '${key}'`, start);
    return value;
  });
  if (entries.size > 3) throw cursor.error('the npy header has keys that are not known', start);
  if (typeof descr !== 'string') throw cursor.error("'descr' is not a string", start);
  if (typeof fortranOrder !== 'boolean') throw cursor.error("'fortran_order' is no boolean", start);
  if (!Array.isArray(shape)) throw cursor.error("'shape' is no tuple of sizes", start);
  return { ...parseType(descr, cursor, start), fortranOrder, shape };
}

function parseType(descr: string, cursor: ByteCursor, start: number) {
  const [, order, name = ''] = DESCR.exec(descr) ?? [];
  const dtype = TYPES[name];
  if (dtype === undefined || (order === '|' && ELEMENT_BYTES[dtype] > 1)) {
    const known = Object.keys(TYPES).join(', ');
    throw cursor.error(
      `the type ${excerpt(descr)} is not one of ${known}, < or > before it`,
      start,
    );
  }
  return { dtype, littleEndian: order === '=' ? HOST_IS_LITTLE_ENDIAN : order !== '>' };
}

/** A parser for as much of Python as these headers need. */
class HeaderText {
  readonly #text: string;
  readonly #cursor: ByteCursor;
  readonly #start: number;
  #at = 0;

  constructor(text: string, cursor: ByteCursor, start: number) {
    this.#text = text;
    this.#cursor = cursor;
    this.#start = start;
  }

  dictionary(): Map<string, Value> {
    const entries = new Map<string, Value>();
    this.#take('{');
    while (!this.#skip('}')) {
      const key = this.#value();
      if (typeof key !== 'string' || entries.has(key)) throw this.#error('a new key');
      this.#take(':');
      entries.set(key, this.#value());
      if (!this.#skip(',')) {
        this.#take('}');
        break;
      }
    }
    if (this.#text.slice(this.#at).trim() !== '') throw this.#error('the end of the header');
    return entries;
  }

  #value(): Value {
    const at = this.#at;
    const token = this.#next();
    if (/^['"]/.test(token)) return token.slice(1, -1);
    if (token === 'True' || token === 'False') return token === 'True';
    if (token === '(') return this.#sizes();
    this.#at = at;
    if (token === '[') {
      throw this.#cursor.error('records with several fields cannot be read', this.#position());
    }
    throw this.#error('a string, a boolean or a tuple of sizes');
  }

  #sizes(): number[] {
    const sizes: number[] = [];
    while (!this.#skip(')')) {
      const at = this.#at;
      const size = Number.parseInt(this.#next(), 10);
      if (!Number.isSafeInteger(size)) {
        this.#at = at;
        throw this.#error('a size below 2^53');
      }
      sizes.push(size);
      if (!this.#skip(',')) {
        this.#take(')');
        break;
      }
    }
    return sizes;
  }

  #take(token: string): void {
    if (!this.#skip(token)) throw this.#error(`'${token}'`);
  }

  #skip(token: string): boolean {
    const at = this.#at;
    if (this.#next() === token) return true;
    this.#at = at;
    return false;
  }

  /** The next token; empty where there is none. */
  #next(): string {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (match === null) return '';
    this.#at = TOKEN.lastIndex;
    return match[0].trim();
  }

  #error(expected: string) {
    const found = this.#text.slice(this.#at).trim();
    const problem = `the npy header should have ${expected} here, not ${excerpt(found)}`;
    return this.#cursor.error(problem, this.#position());
  }

  /** The byte of what comes next, after blanks where anything comes. */
  #position(): number {
    const rest = this.#text.slice(this.#at);
    const blanks = rest.trim() === '' ? 0 : rest.length - rest.trimStart().length;
    return this.#start + this.#at + blanks;
  }
}
