/** Class labels: reading them, and the targets and probabilities that go with each loss. */
import type { Matrix } from '../matrix';
import { describe, invalid, isArrayLike, mismatch } from '../validate';
import { isLabel, type Label } from './estimator-state';
import type { Loss } from './option-types';
import type { Targets } from './targets';

/** Checks labels: as many as samples, all finite numbers or all strings. */
export function readLabels(value: unknown, rows: number): Label[] {
  if (!isArrayLike(value)) throw invalid('y', 'an array of labels', describe(value));
  if (value.length !== rows) {
    throw mismatch('y', `y has ${value.length} labels; x has ${rows} rows`);
  }
  const labels: Label[] = [];
  for (let i = 0; i < rows; i++) {
    const label = value[i];
    if (!isLabel(label)) {
      throw invalid(`y[${i}]`, 'a label: a finite number or a string', describe(label), 'y');
    }
    if (typeof label !== typeof (labels[0] ?? label)) {
      throw invalid(`y[${i}]`, `a ${typeof labels[0]} as y[0]`, describe(label), 'y');
    }
    labels.push(label);
  }
  return labels;
}

/** The distinct labels in ascending order: numbers by value, strings by code unit. */
export function distinct(labels: Label[]): Label[] {
  return [...new Set(labels)].sort((a, b) => (a < b ? -1 : Number(a > b)));
}

/**
 * Targets of labels. Two classes or fewer: one output, +1 for the last class and -1 for the other
 * (softmax: two outputs). More: one output for each class; squared and softmax take 1 and 0, hinge
 * and logistic +1 and -1.
 */
export function encodeLabels(labels: Label[], classes: Label[], loss: Loss): Targets {
  const rows = labels.length;
  const outputs = classes.length > 2 || loss === 'softmax' ? classes.length : 1;
  const index = new Map(classes.map((label, i) => [label, i]));
  if (outputs === 1) {
    const last = classes.at(-1);
    return { y: Float64Array.from(labels, (label) => (label === last ? 1 : -1)), outputs };
  }
  const off = loss === 'logistic' || loss === 'hinge' ? -1 : 0;
  const y = new Float64Array(rows * outputs).fill(off);
  labels.forEach((label, row) => {
    y[row * outputs + Number(index.get(label))] = 1;
  });
  return { y, outputs };
}

/** For each row of decisions, the index of its class. */
export function decide(decisions: Matrix, classCount: number): number[] {
  const { data, rows, cols } = decisions;
  return Array.from({ length: rows }, (_, row) => {
    if (cols === 1) return data[row]! > 0 ? classCount - 1 : 0;
    let best = 0;
    for (let k = 1; k < cols; k++) {
      if (data[row * cols + k]! > data[row * cols + best]!) best = k;
    }
    return best;
  });
}

/** Probabilities of the classes from decisions; see ConvexReLUClassifier.predictProba. */
export function toProbabilities(decisions: Matrix, classCount: number, loss: Loss): Matrix {
  const { rows, cols } = decisions;
  const data = new Float64Array(rows * classCount);
  for (let row = 0; row < rows; row++) {
    const scores = Float64Array.from(decisions.data.subarray(row * cols, (row + 1) * cols));
    data.set(classCount === 1 ? [1] : rowProbabilities(scores, loss), row * classCount);
  }
  return { data, rows, cols: classCount };
}

function rowProbabilities(scores: Float64Array, loss: Loss): Float64Array {
  if (scores.length === 1) {
    const last = toShare(scores[0]!, loss, true);
    return Float64Array.of(1 - last, last);
  }
  if (loss === 'softmax') return softmax(scores);
  const shares = scores.map((score) => toShare(score, loss, loss !== 'squared'));
  const sum = shares.reduce((total, share) => total + share, 0);
  if (sum > 0) return shares.map((share) => share / sum);
  const best = scores.indexOf(Math.max(...scores));
  return shares.map((_, k) => (k === best ? 1 : 0));
}

/** A number in [0, 1] that rises with the score; `signed` where the targets were ±1. */
function toShare(score: number, loss: Loss, signed: boolean): number {
  if (loss === 'logistic') return 1 / (1 + Math.exp(-score));
  return Math.min(1, Math.max(0, signed ? (score + 1) / 2 : score));
}

function softmax(scores: Float64Array): Float64Array {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
