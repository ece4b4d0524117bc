// MNIST 2 against 8: the binary problem that the solver and its peers are timed on.
import type { ConvexReLUOptions, Matrix } from 'secondorder';
import { pickRows, readDigits } from './digits';

export interface BinaryDigits {
  /** Columns that are 0 throughout left out, the others of norm 1. */
  x: Matrix;
  /** +1 for an 8, -1 for a 2. */
  y: Float64Array;
  options: ConvexReLUOptions;
}

const SAMPLES = 1550;
const GATES = 128;

/** The first images of a 2 or an 8. */
export async function twoAgainstEight(folder: string, samples = SAMPLES): Promise<BinaryDigits> {
  const all = await readDigits(folder, 'train');
  const rows = all.labels.flatMap((label, i) => (label === 2 || label === 8 ? [i] : []));
  const { x, labels } = pickRows(all, rows.slice(0, samples));
  return {
    x: unitColumns(x),
    y: Float64Array.from(labels, (label) => (label === 8 ? 1 : -1)),
    options: { gates: GATES, beta: 1e-3, refine: false, preprocess: 'none', bias: false },
  };
}

function unitColumns({ data, rows, cols }: Matrix): Matrix {
  const squares = new Float64Array(cols);
  data.forEach((value, k) => {
    squares[k % cols]! += value * value;
  });
  const kept = Array.from(squares.keys()).filter((j) => squares[j]! > 0);
  const scaled = new Float64Array(rows * kept.length);
  for (let i = 0; i < rows; i++) {
    kept.forEach((j, k) => {
      scaled[i * kept.length + k] = data[i * cols + j]! / Math.sqrt(squares[j]!);
    });
  }
  return { data: scaled, rows, cols: kept.length };
}
