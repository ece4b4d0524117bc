/** Arrays of real numbers in either precision, and memory for them. */
import { SecondOrderError } from './errors';
import type { Floats, NativePrecision } from './native-interface';
import { toChoice } from './validate';

/** Whether the value is a 32- or 64-bit float array. */
export function isFloatArray(value: unknown): value is Floats {
  return value instanceof Float32Array || value instanceof Float64Array;
}

/** Checks an option that names a precision. */
export function toPrecision(value: unknown, argument: string): NativePrecision {
  return toChoice(value, argument, ['float32', 'float64']);
}

/** Zeros in a precision. */
export function createFloats(precision: NativePrecision, length: number): Floats {
  return precision === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/** The precision of an array. */
export function precisionOf(array: Floats): NativePrecision {
  return array instanceof Float32Array ? 'float32' : 'float64';
}

/**
 * Allocates, with a typed error when that fails.
 *
 * @param name what the message begins with: a file, or the argument at fault
 * @throws SecondOrderError ERR_OUT_OF_MEMORY
 */
export function allocate<A>(
  create: (length: number) => A,
  length: number,
  name: string,
  argument?: string,
): A {
  try {
    return create(length);
  } catch (cause) {
    const message = `${name}: cannot allocate an array of ${length} entries`;
    const details = argument === undefined ? { cause } : { argument, cause };
    throw new SecondOrderError('ERR_OUT_OF_MEMORY', message, details);
  }
}
