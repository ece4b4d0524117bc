/** Decimal numbers, from bytes and from text. */
import { LARGE_E, MINUS, NINE, PLUS, POINT, SMALL_E, ZERO } from './ascii';

/** Mantissas below 10^15 and powers of ten up to 10^22 are exact in float64. */
const EXACT_DIGITS = 15;
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a text spells in decimal notation; NaN for anything else ("", "0x1f", "inf"). */
export function decimalFromText(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}

/**
 * The number that `bytes[start..end)` spells in decimal notation; NaN for anything else. Correctly
 * rounded: short numbers take one exact product or quotient, the others go through their text.
 */
export function decimalFromBytes(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const sign = bytes[at];
  if (sign === MINUS || sign === PLUS) at++;
  let mantissa = 0;
  let digits = 0;
  let decimals = 0;
  let byte = at < end ? bytes[at]! : 0;
  const whole = at;
  while (byte >= ZERO && byte <= NINE) {
    mantissa = mantissa * 10 + (byte - ZERO);
    byte = ++at < end ? bytes[at]! : 0;
  }
  digits = at - whole;
  if (byte === POINT) {
    const fraction = ++at;
    byte = at < end ? bytes[at]! : 0;
    while (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      byte = ++at < end ? bytes[at]! : 0;
    }
    decimals = at - fraction;
    digits += decimals;
  }
  if (digits === 0) return Number.NaN;
  if (at < end && byte !== SMALL_E && byte !== LARGE_E) return Number.NaN;
  if (at < end || digits > EXACT_DIGITS) return decimalFromText(textOf(bytes, start, end));
  const value = decimals === 0 ? mantissa : mantissa / POWERS[decimals]!;
  return sign === MINUS ? -value : value;
}

/** Bytes as text, one character each. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
