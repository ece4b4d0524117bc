/** Paths that users give, and the file system's errors about them. */
import { fileURLToPath } from 'node:url';
import { SecondOrderError } from '../errors';
import { describe, invalid, toText } from '../validate';

/**
 * A path from a path or a file URL.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT
 */
export function toPath(value: unknown, argument: string, takes: string): string {
  const path = readPath(value, argument, takes);
  if (path.includes('\0')) throw invalid(argument, takes, 'one with a NUL in it');
  return path;
}

function readPath(value: unknown, argument: string, takes: string): string {
  if (!(value instanceof URL)) {
    if (typeof value !== 'string') throw invalid(argument, takes, describe(value));
    return toText(value, argument);
  }
  try {
    return fileURLToPath(value);
  } catch {
    throw invalid(argument, takes, value.href);
  }
}

/** An error of the file system as ERR_INVALID_ARGUMENT, with its cause; others as they are. */
export function fileError(
  cause: unknown,
  verb: 'read' | 'write',
  path: string,
  argument: string,
): unknown {
  if (!(cause instanceof Error) || cause instanceof SecondOrderError || !('code' in cause)) {
    return cause;
  }
  const message = `cannot ${verb} ${path}: ${cause.message}`;
  return new SecondOrderError('ERR_INVALID_ARGUMENT', message, { argument, cause });
}
