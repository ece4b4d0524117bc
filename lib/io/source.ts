/**
 * Bytes from a path or from memory, plain or gzip, in chunks; for every reader of this folder.
 *
 * A parser is told how many bytes its source can hold at most, so that a header that lies about a
 * size is refused before anything of that size is allocated.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { AbortError } from '../errors';
import { checkObject, describe, invalid, toInteger } from '../validate';
import * as bytesIn from './chunks';
import { FormatError } from './format-error';
import { gunzipChunks, gunzipWhole, isGzip, largestGunzipped } from './gzip';
import { fileError, toPath } from './paths';

/** A path, a file URL, or the bytes themselves. */
export type DataSource = string | URL | Uint8Array;

/** Options that every reader takes. */
export interface ReadOptions {
  /** The most bytes that the contents may have, after decompression. Default 2^32 (4 GiB). */
  maxBytes?: number;
  /** Stops the reading with `ERR_ABORTED`; the synchronous readers only look at it once. */
  signal?: AbortSignal;
}

/** What a parser is told about its source. */
export interface Origin {
  /** The path, or "bytes", for messages. */
  name: string;
  /** Upper bound of the number of bytes that will come. */
  available: number;
}

/** Takes bytes as they come. A chunk is the parser's only until `push` returns. */
export interface ByteParser<T> {
  push(chunk: Uint8Array): void;
  finish(): T;
}

/** Gives a parser for a source. */
export type ParserFactory<T> = (origin: Origin) => ByteParser<T>;

type Consumer<T> = (origin: Origin, chunks: AsyncIterable<Uint8Array>) => Promise<T>;
type SyncConsumer<T> = (origin: Origin, chunks: Iterable<Uint8Array>) => T;

const DEFAULT_MAX_BYTES = 2 ** 32;
const TAKES = 'a path, a file: URL or a Uint8Array';

/**
 * Checks a reader's options: those of ReadOptions, and that the others are known.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT
 */
export function checkReadOptions(options: unknown, known: readonly string[]): void {
  const given = checkObject(options, 'options', ['maxBytes', 'signal', ...known]);
  if (given.maxBytes !== undefined) toInteger(given.maxBytes, 'options.maxBytes', { min: 1 });
  if (given.signal !== undefined && !(given.signal instanceof AbortSignal)) {
    throw invalid('options.signal', 'an AbortSignal', describe(given.signal));
  }
}

/** Feeds a source to a parser without holding up the event loop for longer than a chunk takes. */
export function parseSource<T>(
  source: DataSource,
  options: ReadOptions,
  create: ParserFactory<T>,
): Promise<T> {
  return readSource(source, options, async (origin, chunks) => {
    const parser = create(origin);
    for await (const chunk of chunks) parser.push(chunk);
    return parser.finish();
  });
}

/** Feeds a source to a parser in one go. */
export function parseSourceSync<T>(
  source: DataSource,
  options: ReadOptions,
  create: ParserFactory<T>,
): T {
  return readSourceSync(source, options, (origin, chunks) => {
    const parser = create(origin);
    for (const chunk of chunks) parser.push(chunk);
    return parser.finish();
  });
}

/**
 * Opens a source, hands its contents to `consume` in chunks, and closes it.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (cannot be opened or read; the cause says why),
 * ERR_FORMAT (damaged gzip, more than maxBytes), ERR_ABORTED
 */
export async function readSource<T>(
  source: DataSource,
  options: ReadOptions,
  consume: Consumer<T>,
): Promise<T> {
  const limits = toLimits(options);
  if (source instanceof Uint8Array) {
    return contents('bytes', bytesIn.memoryChunks(source), source.length, limits, consume);
  }
  const path = toPath(source, 'source', TAKES);
  const file = await open(path, 'r').catch((cause) => {
    throw fileError(cause, 'read', path, 'source');
  });
  try {
    const facts = await file.stat();
    const chunks = bytesIn.fileChunks(file);
    if (facts.isFile()) return await contents(path, chunks, facts.size, limits, consume);
    // The size of a pipe is not known beforehand, so take all of it first.
    const whole = await bytesIn.collect(bytesIn.watched(chunks, guard(path, limits)));
    return await contents(path, bytesIn.memoryChunks(whole), whole.length, limits, consume);
  } catch (cause) {
    throw fileError(cause, 'read', path, 'source');
  } finally {
    await file.close();
  }
}

/** As {@link readSource}, on the calling thread. A gzip source is decompressed as a whole. */
export function readSourceSync<T>(
  source: DataSource,
  options: ReadOptions,
  consume: SyncConsumer<T>,
): T {
  const limits = toLimits(options);
  if (source instanceof Uint8Array) return contentsSync('bytes', source, limits, consume);
  const path = toPath(source, 'source', TAKES);
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const facts = fstatSync(file);
    const { first, all } = bytesIn.peekSync(bytesIn.fileChunksSync(file));
    const check = guard(path, limits);
    if (!facts.isFile()) {
      const whole = Buffer.concat([...bytesIn.watchedSync(all, check)]);
      return contentsSync(path, whole, limits, consume);
    }
    if (isGzip(first)) return contentsSync(path, Buffer.concat([...all]), limits, consume);
    check(facts.size);
    return consume({ name: path, available: facts.size }, bytesIn.watchedSync(all, check));
  } catch (cause) {
    throw fileError(cause, 'read', path, 'source');
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The contents of a source in one piece, without a copy where they are in memory already. */
export function wholeSourceSync(
  source: DataSource,
  options: ReadOptions,
): { name: string; bytes: Uint8Array } {
  return readSourceSync(source, options, ({ name }, chunks) => {
    const parts = [...chunks];
    return { name, bytes: parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts) };
  });
}

async function contents<T>(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  size: number,
  limits: Limits,
  consume: Consumer<T>,
): Promise<T> {
  const check = guard(name, limits);
  const { first, all } = await bytesIn.peek(chunks);
  if (isGzip(first)) {
    const available = Math.min(limits.maxBytes, largestGunzipped(size));
    const plain = gunzipChunks(all, name, bytesIn.CHUNK_BYTES);
    return consume({ name, available }, bytesIn.watched(plain, check));
  }
  check(size);
  return consume({ name, available: size }, bytesIn.watched(all, check));
}

function contentsSync<T>(
  name: string,
  bytes: Uint8Array,
  limits: Limits,
  consume: SyncConsumer<T>,
): T {
  const whole = isGzip(bytes) ? gunzipWhole(bytes, name, limits.maxBytes) : bytes;
  if (whole === undefined) throw tooLarge(name, limits.maxBytes);
  guard(name, limits)(whole.length);
  return consume({ name, available: whole.length }, [whole]);
}

interface Limits {
  maxBytes: number;
  signal: AbortSignal | undefined;
}

function toLimits({ maxBytes = DEFAULT_MAX_BYTES, signal }: ReadOptions): Limits {
  if (signal?.aborted) throw new AbortError(signal.reason);
  return { maxBytes, signal };
}

function guard(name: string, { maxBytes, signal }: Limits): (bytes: number) => void {
  return (bytes) => {
    if (signal?.aborted) throw new AbortError(signal.reason);
    if (bytes > maxBytes) throw tooLarge(name, maxBytes);
  };
}

function tooLarge(name: string, maxBytes: number): FormatError {
  const problem = `holds more than the ${maxBytes} bytes that options.maxBytes allows`;
  return new FormatError(name, problem, {}, { argument: 'options.maxBytes' });
}
