/** Where a run starts. */
import { toNumbers } from '../validate';

/** A start that may be left out. */
export interface StartingPoint {
  /** n finite numbers. */
  x0?: ArrayLike<number>;
  /** First multipliers, m finite numbers; default: those of least squares at x0. */
  lambda0?: ArrayLike<number>;
}

/** Checks an array of finite numbers that may be left out. */
export function readNumbers(
  value: unknown,
  argument: string,
  length: number,
): Float64Array | undefined {
  return value === undefined ? undefined : toNumbers(value, argument, { length });
}
