/** Hidden units, or gates, of a network over images, as pictures. */
import { GatedReLUNetwork } from '../convex-relu/gated-network';
import type { ReLUNetwork } from '../convex-relu/network';
import type { Matrix, SparseMatrix } from '../matrix';
import { count } from './count';
import type { Gallery } from './data';
import { columnDeviations } from './rows';

const MOST_UNITS = 48;

/**
 * The strongest units. A pixel shows the unit's weight times the pixel's standard deviation over x,
 * so that pixels that hardly vary, whose weights mean little, do not drown the others.
 */
export function showUnits(
  network: ReLUNetwork | GatedReLUNetwork,
  x: Matrix | SparseMatrix,
  [height, width]: [height: number, width: number],
): Gallery {
  const gated = network instanceof GatedReLUNetwork;
  const { rows, strengths } = gated ? gates(network) : neurons(network);
  const deviations = columnDeviations(x);
  const strongest = [...strengths.keys()]
    .filter((unit) => Number(strengths[unit]) > 0)
    .sort((a, b) => Number(strengths[b]) - Number(strengths[a]))
    .slice(0, MOST_UNITS);
  const name = gated ? 'gate' : 'unit';
  return {
    title: gated ? 'Gates' : 'Hidden units',
    caption:
      `The ${count(strongest.length)} strongest of ${count(strengths.length)}` +
      (gated ? ', by the norm of the weights behind them.' : ', by the norm of their weights.') +
      ' A pixel is its weight times its standard deviation over the training samples.',
    height,
    width,
    colors: 'diverging',
    pictures: strongest.map((unit) => ({
      values: deviations.map((deviation, j) => deviation * Number(rows.data[unit * rows.cols + j])),
      caption: `${name} ${unit}`,
    })),
  };
}

interface Units {
  /** One row for each unit; the first columns are the features. */
  rows: Matrix;
  strengths: Float64Array;
}

function neurons(network: ReLUNetwork): Units {
  const { hidden, output } = network;
  const outgoing = new Float64Array(hidden.rows);
  output.data.forEach((weight, k) => {
    const unit = k % output.cols;
    outgoing[unit] = Math.hypot(Number(outgoing[unit]), weight);
  });
  const incoming = rowNorms(hidden);
  return { rows: hidden, strengths: outgoing.map((norm, unit) => norm * Number(incoming[unit])) };
}

function gates(network: GatedReLUNetwork): Units {
  const { gates: rows, weights } = network;
  const strengths = new Float64Array(rows.rows);
  rowNorms(weights).forEach((norm, row) => {
    const gate = row % rows.rows;
    strengths[gate] = Math.hypot(Number(strengths[gate]), norm);
  });
  return { rows, strengths };
}

function rowNorms({ data, rows, cols }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (const weight of data.subarray(row * cols, (row + 1) * cols)) sum += weight * weight;
    return Math.sqrt(sum);
  });
}
