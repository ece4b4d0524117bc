/** Sequences of chunks of bytes: from files, from memory, within limits. */
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

/** Bytes read or parsed at a time: a few milliseconds of work at most. */
export const CHUNK_BYTES = 2 ** 18;

/** The rest of a file, in chunks that are full except for the last. */
export async function* fileChunks(file: FileHandle): AsyncGenerator<Uint8Array> {
  let filled = CHUNK_BYTES;
  while (filled === CHUNK_BYTES) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    filled = 0;
    while (filled < CHUNK_BYTES) {
      const { bytesRead } = await file.read(buffer, filled, CHUNK_BYTES - filled, null);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled > 0) yield buffer.subarray(0, filled);
  }
}

/** As {@link fileChunks}, on the calling thread. */
export function* fileChunksSync(file: number): Generator<Uint8Array> {
  let filled = CHUNK_BYTES;
  while (filled === CHUNK_BYTES) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    filled = 0;
    while (filled < CHUNK_BYTES) {
      const bytesRead = readSync(file, buffer, filled, CHUNK_BYTES - filled, null);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled > 0) yield buffer.subarray(0, filled);
  }
}

/** Views of an array of bytes, with a turn of the event loop after each. */
export async function* memoryChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES);
    await setImmediate();
  }
}

/** The first chunk and a sequence that begins with it. */
export async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ first: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const start = await iterator.next();
  const first = start.done ? new Uint8Array(0) : start.value;
  async function* all() {
    yield first;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { first, all: all() };
}

/** The first chunk and a sequence that begins with it. */
export function peekSync(chunks: Iterable<Uint8Array>): {
  first: Uint8Array;
  all: Iterable<Uint8Array>;
} {
  const iterator = chunks[Symbol.iterator]();
  const start = iterator.next();
  const first = start.done ? new Uint8Array(0) : start.value;
  function* all() {
    yield first;
    yield* { [Symbol.iterator]: () => iterator };
  }
  return { first, all: all() };
}

/** The same chunks; `check` sees the number of bytes so far before each is handed on, and at the end. */
export async function* watched(
  chunks: AsyncIterable<Uint8Array>,
  check: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    check(bytes);
    yield chunk;
  }
  check(bytes);
}

/** As {@link watched}. */
export function* watchedSync(
  chunks: Iterable<Uint8Array>,
  check: (bytes: number) => void,
): Generator<Uint8Array> {
  let bytes = 0;
  for (const chunk of chunks) {
    bytes += chunk.length;
    check(bytes);
    yield chunk;
  }
}

/** All chunks in one array. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
