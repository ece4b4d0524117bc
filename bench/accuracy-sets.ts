// Real sets for the comparison of test accuracy, and how they are split.
import fs from 'node:fs';
import path from 'node:path';
import { type Matrix, readCsv, readLibsvm, type SparseMatrix } from 'secondorder';
import { dealFolds } from '../dist/convex-relu/folds.js';

/** Samples and their classes, numbered from 0. */
export interface Samples {
  x: Matrix;
  y: number[];
}

/** One split of a set. */
export interface Split {
  training: Samples;
  test: Samples;
  classes: number;
}

type Label = string | number;

interface Source {
  file: string;
  /** What a label stands for, where that is not itself. */
  as?: (label: Label) => Label;
  missing?: 'drop' | 'mean';
}

/** Those of the folder that are tables, each once. */
const SOURCES: Record<string, Source> = {
  a9a: { file: 'libsvm/a9a.gz' },
  australian: { file: 'libsvm/australian_scale.gz' },
  breast_cancer_original: { file: 'uci/breast_cancer_original.csv.gz' },
  breast_cancer_wdbc: { file: 'uci/breast_cancer_wdbc.csv.gz' },
  digits: { file: 'uci/digits.csv.gz' },
  glass: { file: 'uci/glass.csv.gz' },
  heart_cleveland: { file: 'uci/heart_cleveland.csv.gz', as: (label) => Number(Number(label) > 0) },
  house_votes84: { file: 'uci/house_votes84.csv.gz', missing: 'mean' },
  iris: { file: 'uci/iris.csv.gz' },
  letter: { file: 'uci/letter.csv.gz' },
  mushrooms: { file: 'libsvm/mushrooms.gz' },
  pima: { file: 'uci/pima.csv.gz' },
  sonar: { file: 'uci/sonar.csv.gz' },
  spambase: { file: 'uci/spambase.csv.gz' },
  splice: { file: 'libsvm/splice_scale.gz' },
  vehicle: { file: 'uci/vehicle.csv.gz' },
  wine: { file: 'uci/wine.csv.gz' },
  zoo: { file: 'uci/zoo.csv.gz' },
};

export const SET_NAMES = Object.keys(SOURCES);

/** Most samples to train and to test on. */
export const MOST = { training: 500, test: 5000 };
/** Parts of ten that are kept apart. */
const TEST_PARTS = 3;

/** The file of a set in the folder of public data sets, if it is there. */
export function fileOf(name: string, data: string): string | undefined {
  const file = path.join(data, SOURCES[name]!.file);
  return fs.existsSync(file) ? file : undefined;
}

/** All samples of a set. */
export async function readSet(name: string, file: string): Promise<Samples> {
  const { as = (label: Label) => label, missing = 'drop' } = SOURCES[name]!;
  const read = file.endsWith('.csv.gz')
    ? await readCsv(file, { missing })
    : await readLibsvm(file).then(({ x, y }) => ({ x: toDense(x), y }));
  const labels = Array.from<Label>(read.y ?? []).map(as);
  const order = [...new Set(labels)].sort((a, b) => (a < b ? -1 : 1));
  return { x: read.x, y: labels.map((label) => order.indexOf(label)) };
}

/** Seven tenths to train on and the rest to test on, or fewer, even in every class. */
export function splitSet({ x, y }: Samples, seed: number, most = MOST): Split {
  const parts = dealFolds(y.length, 10, seed, y);
  const rows = (inside: boolean, count: number) =>
    evenly(
      y.flatMap((_, row) => (parts[row]! < TEST_PARTS === inside ? [row] : [])),
      count,
    );
  return {
    training: pick({ x, y }, rows(false, most.training)),
    test: pick({ x, y }, rows(true, most.test)),
    classes: Math.max(...y) + 1,
  };
}

/** At most `most` of the rows, equally far apart. */
function evenly(rows: number[], most: number): number[] {
  const count = Math.min(rows.length, most);
  return Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]!);
}

/** The samples in these rows. */
export function pick({ x, y }: Samples, rows: readonly number[]): Samples {
  const data = new Float64Array(rows.length * x.cols);
  rows.forEach((row, i) => {
    data.set(x.data.subarray(row * x.cols, (row + 1) * x.cols), i * x.cols);
  });
  return { x: { data, rows: rows.length, cols: x.cols }, y: rows.map((row) => y[row]!) };
}

function toDense({ values, columns, rowOffsets, rows, cols }: SparseMatrix): Matrix {
  const data = new Float64Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let k = rowOffsets[row]!; k < rowOffsets[row + 1]!; k++) {
      data[row * cols + columns[k]!] = values[k]!;
    }
  }
  return { data, rows, cols };
}
