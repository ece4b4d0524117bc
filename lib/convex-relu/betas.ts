/** Values of beta to train with: given, or spaced evenly in their logarithm below the largest useful one. */
import {
  checkObject,
  describe,
  invalid,
  isArrayLike,
  toInteger,
  toNumber,
  toNumbers,
} from '../validate';

/** Values of beta below the smallest one at which nothing is learnt; see {@link maximumBeta}. */
export interface BetaGrid {
  /** How many, at least 2; default 10. */
  count?: number;
  /** The smallest over the largest, above 0 and below 1; default 1e-3. */
  ratio?: number;
}

/** Values of beta, above 0 and all different, or a grid of them. */
export type Betas = ArrayLike<number> | BetaGrid;

/** A grid with its defaults filled in. */
export type CheckedGrid = Required<BetaGrid>;

const DEFAULTS: CheckedGrid = { count: 10, ratio: 1e-3 };
const MOST = 10_000;

/** Checks values of beta; given ones are returned from the largest to the smallest. */
export function readBetas(value: unknown, argument = 'betas'): number[] | CheckedGrid {
  if (isArrayLike(value)) return readValues(value, argument);
  if (value !== undefined && (typeof value !== 'object' || value === null)) {
    throw invalid(argument, 'an array of numbers or { count, ratio }', describe(value));
  }
  const { count = DEFAULTS.count, ratio = DEFAULTS.ratio } = checkObject(value, argument, [
    'count',
    'ratio',
  ]);
  return {
    count: toInteger(count, `${argument}.count`, { min: 2, max: MOST }),
    ratio: toNumber(ratio, `${argument}.ratio`, { above: 0, below: 1 }),
  };
}

function readValues(value: ArrayLike<unknown>, argument: string): number[] {
  const betas = [...toNumbers(value, argument, { range: { above: 0 } })];
  if (betas.length === 0 || new Set(betas).size < betas.length) {
    throw invalid(argument, 'one number or several different ones', describe(value));
  }
  return betas.sort((a, b) => b - a);
}

/** The values of a grid from the largest to the smallest. */
export function spacedBetas({ count, ratio }: CheckedGrid, largest: number): number[] {
  if (!(largest > 0)) {
    throw invalid('betas', 'numbers where every beta gives a network of zeros', 'a grid');
  }
  return Array.from({ length: count }, (_, i) => largest * ratio ** (i / (count - 1)));
}
