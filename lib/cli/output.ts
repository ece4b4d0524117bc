/** Files that a command writes at its end. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SecondOrderError } from '../errors';
import { fileError } from '../io/paths';

/**
 * Fails now where a file could not be written after the work is done; without a path, does nothing.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (the file system's error is the cause)
 */
export async function checkWritable(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new SecondOrderError('ERR_INVALID_ARGUMENT', `cannot write ${path}: it is a folder`);
  }
  await access(found ? path : dirname(path), constants.W_OK).catch((cause) => {
    throw fileError(cause, 'write', path, 'path');
  });
}
