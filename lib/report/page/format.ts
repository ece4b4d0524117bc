import type { Fact, NumberFormat } from '../data';

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const plain = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** 10 to a whole power, as people write it. */
function powerOfTen(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)]);
  return `10${exponent < 0 ? '⁻' : ''}${digits.join('')}`;
}

function scientific(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || (magnitude >= 0.01 && magnitude < 1e5)) return short.format(value);
  const [mantissa = '', exponent = ''] = value.toExponential(2).split('e');
  const power = powerOfTen(Number(exponent));
  return Number(mantissa) === 1 ? power : `${short.format(Number(mantissa))} × ${power}`;
}

function seconds(value: number): string {
  if (value === 0) return '0 s';
  if (value < 1e-3) return `${short.format(value * 1e6)} µs`;
  if (value < 1) return `${short.format(value * 1e3)} ms`;
  if (value < 120) return `${short.format(value)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

function bytes(value: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = value < 1 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
  return `${short.format(value / 1024 ** step)} ${units[step]}`;
}

function ordinary(value: number): string {
  const magnitude = Math.abs(value);
  return magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e9)
    ? scientific(value)
    : plain.format(value);
}

const formats: Record<NumberFormat, (value: number) => string> = {
  number: ordinary,
  integer: (value) => plain.format(Math.round(value)),
  ratio: scientific,
  percent: (value) => `${(100 * value).toFixed(2)}\u00a0%`,
  seconds,
  bytes,
};

/** As {@link formatNumber}, but a percentage only with the decimals that it needs: for axes. */
export function formatTick(value: number, format: NumberFormat | undefined): string {
  return format === 'percent' ? `${short.format(100 * value)}\u00a0%` : formatNumber(value, format);
}

export function formatNumber(value: number, format: NumberFormat = 'number'): string {
  return formats[format](value);
}

export function formatFact({ value, format }: Fact): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? formatNumber(value, format) : value;
}
