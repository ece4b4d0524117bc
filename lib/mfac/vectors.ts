/** Vectors as the handles of this family take and give them. */
import { allocate, isFloatArray } from '../floats';
import { findNonFinite } from '../matrix';
import type { Floats } from '../native-interface';
import { describe, invalid, mismatch } from '../validate';

/** A float array of any numbers, for native code that looks at each of them itself. */
export function toFloats(value: unknown, argument: string, length?: number): Floats {
  if (!isFloatArray(value)) {
    throw invalid(argument, 'a Float32Array or Float64Array', describe(value));
  }
  checkLength(value, argument, length);
  return value;
}

/** A float array of finite numbers; of any length when none is given. */
export function toVector(value: unknown, argument: string, length?: number): Floats {
  return checkFinite(toFloats(value, argument, length), argument);
}

/** A Float32Array of finite numbers. */
export function toSingle(value: unknown, argument: string, length?: number): Float32Array {
  if (!(value instanceof Float32Array)) {
    throw invalid(argument, 'a Float32Array', describe(value));
  }
  checkLength(value, argument, length);
  return checkFinite(value, argument);
}

/** Where a result is to go: an array of the right type and length, or nothing. */
export function toTarget<Target extends Floats>(
  value: unknown,
  argument: string,
  length: number,
  type: { new (length: number): Target; name: string },
): Target | undefined {
  if (value === undefined) return undefined;
  if (!(value instanceof type)) throw invalid(argument, `a ${type.name}`, describe(value));
  checkLength(value, argument, length);
  return value;
}

/** A target that work on this thread can fill in place, for it reads nothing from its buffer. */
export function apart<Target extends Floats>(
  target: Target | undefined,
  input: Floats,
): Target | undefined {
  return target?.buffer === input.buffer ? undefined : target;
}

/** Puts a result where it was asked for; the target is looked at again, since time has passed. */
export function deliver<Result extends Floats>(result: Result, target: Result | undefined): Result {
  if (target === undefined || target === result) return result;
  if (target.length !== result.length) {
    throw invalid('out', 'an array that stays in place', 'one that was transferred meanwhile');
  }
  target.set(result);
  return target;
}

/** The same numbers in float32; a copy only where they are not. */
export function inSingle(values: Floats, argument: string): Float32Array {
  if (values instanceof Float32Array) return values;
  const single = allocate((n) => new Float32Array(n), values.length, argument, argument);
  single.set(values);
  return checkFinite(single, argument, ' within the range of float32');
}

/** A byte for each of `length` entries, 0 or 1. */
export function toMask(value: unknown, argument: string, length: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalid(argument, 'a Uint8Array', describe(value));
  checkLength(value, argument, length);
  const wrong = value.findIndex((entry) => entry > 1);
  if (wrong >= 0) throw invalid(argument, 'zeros and ones', `${value[wrong]} at ${wrong}`);
  return value;
}

/** A mask that leaves something. */
export function toUsefulMask(value: unknown, argument: string, length: number): Uint8Array {
  const mask = toMask(value, argument, length);
  if (mask.includes(1)) return mask;
  throw invalid(argument, 'a mask with at least one 1', `${length} zeros`);
}

function checkLength(
  value: { length: number },
  argument: string,
  length: number | undefined,
): void {
  if (length === undefined || value.length === length) return;
  throw mismatch(argument, `${argument} has ${value.length} entries; ${length} are needed`);
}

function checkFinite<Values extends Floats>(values: Values, argument: string, range = ''): Values {
  const at = findNonFinite(values);
  if (at < 0) return values;
  throw invalid(argument, `finite numbers${range}`, `${values[at]} at ${at}`);
}
