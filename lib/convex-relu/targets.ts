/** Checks of targets and sample weights. */
import { toDenseMatrix } from '../matrix';
import { describe, invalid, isArrayLike, mismatch, toNumbers } from '../validate';
import type { Loss } from './option-types';

/** Targets as the native code takes them. */
export interface Targets {
  /** n × outputs, row-major. */
  y: Float64Array;
  outputs: number;
}

const PROBABILITY_TOLERANCE = 1e-6;

/**
 * Reads targets: one number per sample, or a matrix with one row per sample. Checks what the loss
 * needs: ±1 for logistic and hinge, rows of class probabilities for softmax; and the number of
 * outputs, where one is given.
 */
export function readTargets(value: unknown, rows: number, loss: Loss, outputs?: number): Targets {
  const targets = readNumbers(value, rows);
  if (outputs !== undefined && targets.outputs !== outputs) {
    throw mismatch('y', `y has ${targets.outputs} columns; the network has ${outputs} outputs`);
  }
  if (loss === 'logistic' || loss === 'hinge') checkSigns(targets, loss);
  if (loss === 'softmax') checkProbabilities(targets);
  return targets;
}

/** Sample weights: one number ≥ 0 for each sample, at least one above 0. */
export function readSampleWeights(
  value: unknown,
  rows: number,
  argument = 'options.sampleWeights',
): { sampleWeights?: Float64Array } {
  if (value === undefined) return {};
  const sampleWeights = toNumbers(value, argument, { length: rows, range: { min: 0 } });
  if (!sampleWeights.some((weight) => weight > 0)) {
    throw invalid(argument, 'weights of which at least one is above 0', 'none above 0');
  }
  return { sampleWeights };
}

function readNumbers(value: unknown, rows: number): Targets {
  if (isVector(value)) return { y: toNumbers(value, 'y', { length: rows }), outputs: 1 };
  if (typeof value !== 'object' || value === null) {
    throw invalid('y', 'an array of numbers or a matrix', describe(value));
  }
  const matrix = toDenseMatrix(value, 'y');
  if (matrix.rows !== rows) {
    throw mismatch('y', `y has ${matrix.rows} rows; x has ${rows}`);
  }
  if (matrix.cols === 0) throw invalid('y', 'a matrix with at least one column', '0 columns');
  return { y: Float64Array.from(matrix.data), outputs: matrix.cols };
}

function isVector(value: unknown): value is ArrayLike<unknown> {
  return isArrayLike(value) && !(Array.isArray(value) && isArrayLike(value[0]));
}

function checkSigns({ y, outputs }: Targets, loss: Loss): void {
  const at = y.findIndex((target) => Math.abs(target) !== 1);
  if (at < 0) return;
  const got = `${y[at]} for sample ${Math.floor(at / outputs)}`;
  throw invalid('y', `-1 or 1 for the ${loss} loss`, got);
}

function checkProbabilities({ y, outputs }: Targets): void {
  if (outputs < 2) {
    throw invalid('y', 'a matrix of at least two columns for the softmax loss', 'one column');
  }
  for (let start = 0; start < y.length; start += outputs) {
    const row = y.subarray(start, start + outputs);
    const sum = row.reduce((total, share) => total + share, 0);
    if (row.some((share) => share < 0) || Math.abs(sum - 1) > PROBABILITY_TOLERANCE) {
      const got = `a row of sum ${sum}, least ${Math.min(...row)}, for sample ${start / outputs}`;
      throw invalid('y', 'rows of probabilities (≥ 0, sum 1) for the softmax loss', got);
    }
  }
}
