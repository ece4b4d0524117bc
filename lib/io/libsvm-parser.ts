/**
 * The LIBSVM text format, one row a line: `label index:value index:value ... # comment`.
 *
 * Bytes are read token by token; a token that is cut by the end of a chunk is kept for the next one,
 * so no more than one token is ever held as text, however long a line is.
 */
import { createFloats } from '../floats';
import type { SparseMatrix } from '../matrix';
import { LARGEST_COUNT } from '../validate';
import { COLON, HASH, NEWLINE, NINE, RETURN, SPACE, TAB, ZERO } from './ascii';
import { decimalFromBytes, textOf } from './decimal';
import { excerpt, FormatError } from './format-error';
import { GrowingArray } from './growing-array';
import type { ByteParser, Origin } from './source';

/** A sparse design matrix and the label of each row. */
export interface LibsvmData {
  /** rows × features. */
  x: SparseMatrix;
  /** The label of each row. */
  y: Float64Array;
}

/** {@link readLibsvm}'s own options, with their defaults filled in. */
export interface LibsvmSettings {
  features: number | undefined;
  precision: 'float32' | 'float64';
  indexBase: 0 | 1;
  qid: 'error' | 'ignore';
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

const LONGEST_TOKEN = 1024;
const QID = /^qid:-?\d+$/;

/** Builds a CSR matrix from chunks of LIBSVM text. */
export class LibsvmParser implements ByteParser<LibsvmData> {
  readonly #name: string;
  readonly #settings: LibsvmSettings;
  readonly #values: GrowingArray<Float32Array | Float64Array>;
  readonly #columns: GrowingArray<Int32Array>;
  readonly #rowEnds: GrowingArray<Int32Array>;
  readonly #labels: GrowingArray<Float64Array>;
  readonly #largestColumn: number;
  #cut: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #line = 1;
  #lineStart = 0;
  #tokens = 0;
  #inComment = false;
  #previous = -1;
  #cols = 0;

  constructor(origin: Origin, settings: LibsvmSettings) {
    this.#name = origin.name;
    this.#settings = settings;
    this.#largestColumn = (settings.features ?? LARGEST_COUNT) - 1;
    this.#values = new GrowingArray((n) => createFloats(settings.precision, n), origin.name);
    this.#columns = new GrowingArray((n) => new Int32Array(n), origin.name);
    this.#rowEnds = new GrowingArray((n) => new Int32Array(n), origin.name);
    this.#labels = new GrowingArray((n) => new Float64Array(n), origin.name);
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#cut.length > 0 ? Buffer.concat([this.#cut, chunk]) : chunk;
    const used = this.#read(bytes);
    // Chunks belong to the caller, so what is left over is copied.
    this.#cut = new Uint8Array(bytes.subarray(used));
    if (this.#cut.length > LONGEST_TOKEN) throw this.#tooLong(used);
    this.#offset += used;
  }

  finish(): LibsvmData {
    this.push(Uint8Array.of(NEWLINE));
    const rows = this.#labels.length;
    if (rows === 0) throw new FormatError(this.#name, 'holds no rows', { line: 1 });
    const rowOffsets = new Int32Array(rows + 1);
    rowOffsets.set(this.#rowEnds.join(), 1);
    const x: SparseMatrix = {
      values: this.#values.join(),
      columns: this.#columns.join(),
      rowOffsets,
      rows,
      cols: this.#settings.features ?? this.#cols,
    };
    return { x, y: this.#labels.join() };
  }

  /** Reads all tokens that end within the bytes; returns where the last, cut one begins. */
  #read(bytes: Uint8Array): number {
    const length = bytes.length;
    let at = 0;
    while (at < length) {
      const byte = bytes[at]!;
      if (byte === NEWLINE) {
        this.#endLine(++at);
      } else if (this.#inComment) {
        at = bytes.indexOf(NEWLINE, at);
        if (at < 0) return length;
      } else if (byte === SPACE || byte === TAB || byte === RETURN) {
        at++;
      } else if (byte === HASH) {
        this.#inComment = true;
      } else {
        const start = at;
        while (at < length && !endsToken(bytes[at]!)) at++;
        if (at === length) return start;
        this.#token(bytes, start, at);
      }
    }
    return length;
  }

  #endLine(next: number): void {
    if (this.#tokens > 0) {
      if (this.#columns.length > LARGEST_COUNT) {
        throw this.#error(
          next - 1,
          `holds more than the ${LARGEST_COUNT} entries that CSR can count`,
        );
      }
      this.#rowEnds.push(this.#columns.length);
    }
    this.#line++;
    this.#lineStart = this.#offset + next;
    this.#tokens = 0;
    this.#previous = -1;
    this.#inComment = false;
  }

  #token(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > LONGEST_TOKEN) throw this.#tooLong(start);
    const position = this.#tokens++;
    if (position === 0) this.#label(bytes, start, end);
    else if (!this.#entry(bytes, start, end)) this.#notAnEntry(bytes, start, end, position);
  }

  #label(bytes: Uint8Array, start: number, end: number): void {
    const marked =
      this.#offset + start === 0 && BYTE_ORDER_MARK.every((byte, i) => bytes[start + i] === byte);
    const first = marked ? start + BYTE_ORDER_MARK.length : start;
    if (first === end) {
      this.#tokens = 0;
      return;
    }
    const label = decimalFromBytes(bytes, first, end);
    if (!Number.isFinite(label)) {
      const text = excerpt(textOf(bytes, first, end));
      throw this.#error(first, `a row begins with a finite number as its label, not ${text}`);
    }
    this.#labels.push(label);
  }

  /** Takes `index:value`; false when the token is not of that form. */
  #entry(bytes: Uint8Array, start: number, end: number): boolean {
    let index = 0;
    let at = start;
    let byte = bytes[at]!;
    while (byte >= ZERO && byte <= NINE) {
      index = index * 10 + (byte - ZERO);
      byte = ++at < end ? bytes[at]! : 0;
    }
    if (byte !== COLON || at === start) return false;
    const column = index - this.#settings.indexBase;
    if (column <= this.#previous || column > this.#largestColumn) this.#refuseIndex(index, start);
    const value = decimalFromBytes(bytes, at + 1, end);
    const stored = this.#settings.precision === 'float32' ? Math.fround(value) : value;
    if (!Number.isFinite(stored)) {
      const text = excerpt(textOf(bytes, at + 1, end));
      throw this.#error(
        at + 1,
        `the value of index ${index} must be a finite ${
          this.#settings.precision
        } number, not ${text}`,
      );
    }
    this.#values.push(stored);
    this.#columns.push(column);
    this.#previous = column;
    if (column >= this.#cols) this.#cols = column + 1;
    return true;
  }

  #refuseIndex(index: number, start: number): never {
    const { indexBase, features } = this.#settings;
    if (index < indexBase)
      throw this.#error(start, `index ${index}; the first index is ${indexBase}`);
    if (index - indexBase <= this.#previous) {
      const previous = this.#previous + indexBase;
      throw this.#error(
        start,
        `index ${index} after ${previous}; indices must ascend within a row`,
      );
    }
    const limit = this.#largestColumn + indexBase;
    const reason =
      features === undefined
        ? 'the largest possible'
        : `the last of the ${features} features asked for`;
    throw this.#error(start, `index ${index} is above ${limit}, ${reason}`);
  }

  #notAnEntry(bytes: Uint8Array, start: number, end: number, position: number): void {
    const text = textOf(bytes, start, end);
    if (QID.test(text) && position === 1) {
      if (this.#settings.qid === 'ignore') return;
      throw this.#error(
        start,
        `${excerpt(text)}: query ids are for ranking; options.qid 'ignore' drops them`,
      );
    }
    throw this.#error(start, `expected index:value, got ${excerpt(text)}`);
  }

  #tooLong(start: number): FormatError {
    return this.#error(start, `more than ${LONGEST_TOKEN} bytes without a blank`);
  }

  /** An error at a byte of the bytes being read. */
  #error(at: number, problem: string): FormatError {
    const column = this.#offset + at - this.#lineStart + 1;
    return new FormatError(this.#name, problem, { line: this.#line, column });
  }
}

function endsToken(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB || byte === HASH;
}
