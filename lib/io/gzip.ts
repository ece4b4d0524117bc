/** Gzip: told by its first bytes, never by a file's name, and decompressed within a limit. */
import { constants } from 'node:buffer';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import { BRACE } from './ascii';
import { FormatError } from './format-error';

const MAGIC = [0x1f, 0x8b, 0x08] as const;

/** A deflate block spends at least 2 bits on a match, which is of at most 258 bytes. */
const LARGEST_RATIO = (258 * 8) / 2;

/**
 * Whether the bytes begin a gzip stream. A safetensors file can begin with the same three bytes, as
 * the length of its header; its ninth byte is then "{", a value that gzip has no use for there.
 */
export function isGzip(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte) && bytes[8] !== BRACE;
}

/** The most bytes that a gzip stream of this size can hold. */
export function largestGunzipped(compressed: number): number {
  return compressed * LARGEST_RATIO;
}

/** Decompresses on zlib's threads, chunk by chunk. */
export async function* gunzipChunks(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  chunkSize: number,
): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize });
  // A failure of the pipeline destroys `gunzip`, so the loop below throws it.
  pipeline(chunks, gunzip).catch(() => undefined);
  try {
    for await (const chunk of gunzip) yield chunk;
  } catch (cause) {
    throw damaged(cause, name);
  }
}

/** Decompresses in one go; undefined when that gives more than `maxBytes`. */
export function gunzipWhole(
  bytes: Uint8Array,
  name: string,
  maxBytes: number,
): Uint8Array | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.min(maxBytes, constants.MAX_LENGTH) });
  } catch (cause) {
    if (codeOf(cause) === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw damaged(cause, name);
  }
}

function damaged(cause: unknown, name: string): unknown {
  if (!(cause instanceof Error) || !codeOf(cause)?.startsWith('Z_')) return cause;
  return new FormatError(name, `damaged gzip data (${cause.message})`, {}, { cause });
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
