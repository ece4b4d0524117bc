/**
 * Binary formats, each written once, as a generator that asks for bytes in the order of the file; the
 * same code then runs over asynchronous and synchronous sources.
 */
import { FormatError } from './format-error';
import {
  type ByteParser,
  checkReadOptions,
  type DataSource,
  type Origin,
  parseSource,
  parseSourceSync,
  type ReadOptions,
} from './source';

/** Yields arrays to be filled, and gets back how many bytes each got: fewer only at the end. */
export type BinaryReader<T> = Generator<Uint8Array, T, number>;

/** The place in a binary source, and the ways to take bytes from it. */
export class ByteCursor {
  readonly name: string;
  readonly #available: number;
  #position = 0;

  constructor({ name, available }: Origin) {
    this.name = name;
    this.#available = available;
  }

  /** Number of bytes taken so far. */
  get position(): number {
    return this.#position;
  }

  /** The most bytes that can still come. */
  get remaining(): number {
    return this.#available - this.#position;
  }

  /** An error at a byte; by default at the next one. */
  error(problem: string, byteOffset = this.#position): FormatError {
    return new FormatError(this.name, problem, { byteOffset });
  }

  /** Fills an array. */
  *fill(target: Uint8Array, what: string): Generator<Uint8Array, void, number> {
    if (target.length === 0) return;
    const start = this.#position;
    const filled = yield target;
    this.#position += filled;
    if (filled < target.length) {
      throw this.error(`ends within ${what}, which has ${target.length} bytes from ${start} on`);
    }
  }

  /** Takes a number of bytes, which must be small or checked. */
  *take(length: number, what: string): Generator<Uint8Array, Buffer, number> {
    const bytes = Buffer.alloc(length);
    yield* this.fill(bytes, what);
    return bytes;
  }

  /** Refuses a declared size that cannot be true, before anything is allocated for it. */
  expect(bytes: number, what: string, declaredAt: number): void {
    if (Number.isSafeInteger(bytes) && bytes <= this.remaining) return;
    const size = Number.isSafeInteger(bytes) ? `${bytes}` : 'more than 2^53';
    const problem = `${what} would take ${size} bytes; at most ${this.remaining} follow the header`;
    throw this.error(problem, declaredAt);
  }
}

/** A format: what reads it, given the place to read from. */
export type BinaryFormat<T> = (cursor: ByteCursor) => BinaryReader<T>;

/**
 * Reads a source of a binary format, for readers without options of their own.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_FORMAT, ERR_OUT_OF_MEMORY, ERR_ABORTED
 */
export async function parseBinary<T>(
  source: DataSource,
  options: ReadOptions,
  format: BinaryFormat<T>,
): Promise<T> {
  checkReadOptions(options, []);
  return parseSource(source, options, (origin) => new BinaryParser(origin, format));
}

/** As {@link parseBinary}, on the calling thread. */
export function parseBinarySync<T>(
  source: DataSource,
  options: ReadOptions,
  format: BinaryFormat<T>,
): T {
  checkReadOptions(options, []);
  return parseSourceSync(source, options, (origin) => new BinaryParser(origin, format));
}

/** Runs a {@link BinaryReader} on the chunks of a source, and refuses bytes after its end. */
class BinaryParser<T> implements ByteParser<T> {
  readonly #name: string;
  readonly #reader: BinaryReader<T>;
  #state: IteratorResult<Uint8Array, T>;
  #filled = 0;
  #seen = 0;

  constructor(origin: Origin, format: BinaryFormat<T>) {
    this.#name = origin.name;
    this.#reader = format(new ByteCursor(origin));
    this.#state = this.#reader.next(0);
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state.done) {
        const byteOffset = this.#seen + at;
        throw new FormatError(this.#name, 'goes on after the end of its data', { byteOffset });
      }
      const target = this.#state.value;
      const count = Math.min(chunk.length - at, target.length - this.#filled);
      target.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === target.length) this.#advance();
    }
    this.#seen += chunk.length;
  }

  finish(): T {
    while (!this.#state.done) this.#advance();
    return this.#state.value;
  }

  #advance(): void {
    const filled = this.#filled;
    this.#filled = 0;
    this.#state = this.#reader.next(filled);
  }
}
