/** Files from parts, without joining them in memory first. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileError, toPath } from './paths';

/** A path or a file URL. */
export type DataTarget = string | URL;

const TAKES = 'a path or a file: URL';

/** Linux writes at most 2 GiB at a time. */
const LARGEST_WRITE = 2 ** 30;

/**
 * Writes the parts one after the other into a new file, or over an old one.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (cannot be written; the cause says why)
 */
export async function writeParts(target: DataTarget, parts: readonly Uint8Array[]): Promise<void> {
  const path = toPath(target, 'target', TAKES);
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'w');
    for (const part of parts) {
      for (let at = 0; at < part.length; ) {
        const length = Math.min(part.length - at, LARGEST_WRITE);
        at += (await file.write(part, at, length)).bytesWritten;
      }
    }
    await file.close();
  } catch (cause) {
    await file?.close().catch(() => undefined);
    throw fileError(cause, 'write', path, 'target');
  }
}

/** As {@link writeParts}, on the calling thread. */
export function writePartsSync(target: DataTarget, parts: readonly Uint8Array[]): void {
  const path = toPath(target, 'target', TAKES);
  let file: number | undefined;
  try {
    file = openSync(path, 'w');
    for (const part of parts) {
      for (let at = 0; at < part.length; ) {
        at += writeSync(file, part, at, Math.min(part.length - at, LARGEST_WRITE));
      }
    }
  } catch (cause) {
    throw fileError(cause, 'write', path, 'target');
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
