/**
 * Checks of arguments and options. Every failure is a SecondOrderError that names the argument, what
 * it takes and what it got.
 */
import { closest, distance } from 'fastest-levenshtein';
import { SecondOrderError } from './errors';

/** Limits of a number; `above` and `below` exclude the limit itself. */
export interface NumberRange {
  min?: number;
  max?: number;
  above?: number;
  below?: number;
}

/** The most that the native code can count. */
export const LARGEST_COUNT = 2 ** 31 - 1;

/** A value in words, short and safe for any value at all. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return `${value}`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : `${value}`;
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (ArrayBuffer.isView(value)) return describeView(value);
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an object without keys';
  const shown = keys.slice(0, 4).map(quote).join(', ');
  return `an object with keys ${shown}${keys.length > 4 ? ', …' : ''}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function describeView(view: ArrayBufferView): string {
  const kind = Object.prototype.toString.call(view).slice('[object '.length, -1);
  const article = /^[AEIO]/.test(kind) ? 'an' : 'a';
  const size = isArrayLike(view) ? `length ${view.length}` : `${view.byteLength} bytes`;
  return `${article} ${kind} of ${size}`;
}

/** ERR_INVALID_ARGUMENT: "`place` must be `takes`, got `got`". */
export function invalid(
  place: string,
  takes: string,
  got: string,
  argument: string = place,
): SecondOrderError {
  return new SecondOrderError('ERR_INVALID_ARGUMENT', `${place} must be ${takes}, got ${got}`, {
    argument,
  });
}

/** ERR_DIMENSION_MISMATCH with the given sentence. */
export function mismatch(argument: string, message: string): SecondOrderError {
  return new SecondOrderError('ERR_DIMENSION_MISMATCH', message, { argument });
}

/** Whether the value is an object with named entries: no array, no buffer. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}

/** An object with named entries. */
export function toRecord(value: unknown, argument: string): Record<string, unknown> {
  if (!isRecord(value)) throw invalid(argument, 'an object', describe(value));
  return value;
}

/**
 * Checks an object of options: a plain object, or nothing at all, with no unknown keys. A misspelt
 * key is answered with the closest known one.
 */
export function checkObject(
  value: unknown,
  argument: string,
  known: readonly string[],
): Record<string, unknown> {
  if (value === undefined) return {};
  const record = toRecord(value, argument);
  for (const key of Object.keys(record)) {
    if (!known.includes(key)) throw unknownKey(key, argument, known);
  }
  return record;
}

function unknownKey(key: string, argument: string, known: readonly string[]): SecondOrderError {
  const near = closest(key.toLowerCase(), known);
  const close = distance(key.toLowerCase(), near.toLowerCase()) <= Math.max(2, near.length / 3);
  const hint = close ? `; did you mean ${quote(near)}?` : `; known are ${known.join(', ')}`;
  return new SecondOrderError(
    'ERR_INVALID_ARGUMENT',
    `${argument} has an unknown entry ${quote(key)}${hint}`,
    { argument: `${argument}.${key.slice(0, 40)}` },
  );
}

/** A finite number within a range. */
export function toNumber(value: unknown, argument: string, range: NumberRange = {}): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || !within(value, range)) {
    throw invalid(argument, `a number${inWords(range)}`, describe(value));
  }
  return value;
}

/** An integer within a range. */
export function toInteger(value: unknown, argument: string, range: NumberRange = {}): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || !within(value, range)) {
    throw invalid(argument, `an integer${inWords(range)}`, describe(value));
  }
  return value;
}

/** Whether a number lies in a range. */
export function within(value: number, range: NumberRange): boolean {
  return (
    value >= (range.min ?? Number.NEGATIVE_INFINITY) &&
    value <= (range.max ?? Number.POSITIVE_INFINITY) &&
    value > (range.above ?? Number.NEGATIVE_INFINITY) &&
    value < (range.below ?? Number.POSITIVE_INFINITY)
  );
}

/** A range as it follows "a number": " at least 1 and at most 5", or nothing. */
export function inWords(range: NumberRange): string {
  const parts: string[] = [];
  if (range.above !== undefined) parts.push(`above ${range.above}`);
  if (range.min !== undefined) parts.push(`at least ${range.min}`);
  if (range.below !== undefined) parts.push(`below ${range.below}`);
  if (range.max !== undefined) parts.push(`at most ${range.max}`);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}

/** True or false. */
export function toBoolean(value: unknown, argument: string): boolean {
  if (typeof value !== 'boolean') throw invalid(argument, 'true or false', describe(value));
  return value;
}

/** One of a few strings. */
export function toChoice<T extends string>(
  value: unknown,
  argument: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    const takes = choices.map(quote).join(' or ');
    throw invalid(argument, takes, describe(value));
  }
  return found;
}

/** A non-empty string, such as a path. */
export function toText(value: unknown, argument: string): string {
  if (typeof value !== 'string' || value.length === 0) {
    throw invalid(argument, 'a non-empty string', describe(value));
  }
  return value;
}

/** Whether the value has a length and entries; strings don't count. */
export function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  if (Array.isArray(value)) return true;
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** A copy, in float64, of an array of finite numbers of a given length. */
export function toNumbers(
  value: unknown,
  argument: string,
  expectation: { length?: number; range?: NumberRange } = {},
): Float64Array {
  if (!isArrayLike(value)) {
    throw invalid(argument, 'an array of numbers', describe(value));
  }
  const { length, range = {} } = expectation;
  if (length !== undefined && value.length !== length) {
    throw mismatch(argument, `${argument} has ${value.length} entries; ${length} are needed`);
  }
  const result = new Float64Array(value.length);
  for (let i = 0; i < result.length; i++) {
    const entry = value[i];
    const fits = typeof entry === 'number' && Number.isFinite(entry) && within(entry, range);
    if (!fits)
      throw invalid(`${argument}[${i}]`, `a number${inWords(range)}`, describe(entry), argument);
    result[i] = entry;
  }
  return result;
}
