import type uPlot from 'uplot';
import type { NumberFormat } from '../data';
import { formatTick } from './format';
import type { Theme } from './theme';

/** A logarithmic scale ends a little outside its data, not at the next power of ten. */
export function scaleOptions(log: boolean): uPlot.Scale {
  if (!log) return { distr: 1 };
  return {
    distr: 3,
    range: (_plot, low, high) => {
      const margin = high > low ? (high / low) ** 0.06 : 1.5;
      return [low / margin, high * margin];
    },
  };
}

export function axisOptions(
  side: 'x' | 'y',
  label: string,
  format: NumberFormat | undefined,
  log: boolean,
  theme: Theme,
): uPlot.Axis {
  return {
    label,
    labelSize: 22,
    size: side === 'x' ? 34 : widthOfLabels,
    stroke: theme.text,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { stroke: theme.grid, width: 1 },
    values: (_plot, splits) => splits.map((split) => formatTick(split, format)),
    ...(log && {
      splits: (plot, _axis, low, high) =>
        logTicks(low, high, side === 'x' && plot.width < narrow ? 1 : 2.5),
      filter: (_plot, splits) => splits,
    }),
  };
}

function widthOfLabels(_plot: uPlot, labels: string[] | null): number {
  return 20 + 7.5 * Math.max(3, ...(labels ?? []).map((label) => label.length));
}

/** Pixels below which a horizontal axis has no room for several numbers to a decade. */
const narrow = 400;

/**
 * Round numbers between two positive ones: the wider the range, the fewer to a decade, and only one
 * from `crowded` decades on.
 */
function logTicks(low: number, high: number, crowded: number): number[] {
  const decades = Math.log10(high / low);
  if (decades < 0.5) return linearTicks(low, high);
  const mantissas = decades < 1 ? [1, 1.5, 2, 3, 4, 5, 7] : decades < crowded ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const mantissa of mantissas) ticks.push(Number(`${mantissa}e${power}`));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = Math.floor(Math.log10(rough));
  const mantissa = [1, 2, 5, 10].find((step) => step * 10 ** power >= rough) ?? 10;
  const step = Number(`${mantissa}e${power}`);
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
}
