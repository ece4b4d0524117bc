// MNIST, from the folder of public data sets.
import fs from 'node:fs';
import path from 'node:path';
import { type Matrix, readIdx, toMatrix } from 'secondorder';
import type { Context, Skipped } from './measurement';

export const SIDE = 28;

/** Pixels from 0 to 1, a row for each image, and the digits. */
export interface Digits {
  x: Matrix;
  labels: number[];
}

export type Part = 'train' | 't10k';

const images = (folder: string, part: Part) => path.join(folder, `${part}-images-idx3-ubyte.gz`);
const labels = (folder: string, part: Part) => path.join(folder, `${part}-labels-idx1-ubyte.gz`);

/** The folder, or why there is none. */
export function digitsFolder({ data }: Context): string | Skipped {
  if (data === undefined) return { skipped: 'no folder of data sets; name one with --data' };
  const folder = path.join(data, 'mnist');
  const parts = ['train', 't10k'] as const;
  const missing = parts
    .flatMap((part) => [images(folder, part), labels(folder, part)])
    .find((file) => !fs.existsSync(file));
  return missing === undefined ? folder : { skipped: `${path.basename(missing)} is not in mnist/` };
}

/** The images of a part, all or the first `count`. */
export async function readDigits(folder: string, part: Part, count?: number): Promise<Digits> {
  const x = toMatrix(await readIdx(images(folder, part)), { divideBy: 255 });
  const { data } = await readIdx(labels(folder, part));
  const all = { x, labels: Array.from(data, Number) };
  return count === undefined
    ? all
    : pickRows(
        all,
        Array.from({ length: count }, (_, i) => i),
      );
}

/** Some of the images, in the order of `rows`. */
export function pickRows({ x, labels: all }: Digits, rows: readonly number[]): Digits {
  const data = new Float32Array(rows.length * x.cols);
  rows.forEach((row, i) => {
    data.set(x.data.subarray(row * x.cols, (row + 1) * x.cols), i * x.cols);
  });
  return { x: { data, rows: rows.length, cols: x.cols }, labels: rows.map((row) => all[row]!) };
}

/** Every image sheared upright about its centre of mass, which is moved to the middle. */
export function deskew({ x, labels: digits }: Digits): Digits {
  const data = new Float32Array(x.data.length);
  for (let i = 0; i < x.rows; i++) {
    const from = x.data.subarray(i * x.cols, (i + 1) * x.cols);
    shear(from, data.subarray(i * x.cols, (i + 1) * x.cols));
  }
  return { x: { ...x, data }, labels: digits };
}

type Pixels = Float32Array | Float64Array;

function shear(from: Pixels, to: Pixels): void {
  const { row, column, slant } = moments(from);
  const middle = (SIDE - 1) / 2;
  for (let i = 0; i < SIDE; i++) {
    const down = i - middle;
    for (let j = 0; j < SIDE; j++) {
      to[i * SIDE + j] = interpolate(from, row + down, column + slant * down + j - middle);
    }
  }
}

/** Centre of mass, and how many columns a stroke moves to the right on each row down. */
function moments(image: Pixels): { row: number; column: number; slant: number } {
  let [mass, row, column, rowSquares, product] = [0, 0, 0, 0, 0];
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      const value = image[i * SIDE + j]!;
      mass += value;
      row += value * i;
      column += value * j;
      rowSquares += value * i * i;
      product += value * i * j;
    }
  }
  row /= mass;
  column /= mass;
  const variance = rowSquares / mass - row * row;
  return { row, column, slant: variance > 0 ? (product / mass - row * column) / variance : 0 };
}

/** Bilinear; 0 outside. */
function interpolate(image: Pixels, row: number, column: number): number {
  const [i, j] = [Math.floor(row), Math.floor(column)];
  const [down, right] = [row - i, column - j];
  const pixel = (a: number, b: number) =>
    a < 0 || b < 0 || a >= SIDE || b >= SIDE ? 0 : image[a * SIDE + b]!;
  const upper = pixel(i, j) * (1 - right) + pixel(i, j + 1) * right;
  const lower = pixel(i + 1, j) * (1 - right) + pixel(i + 1, j + 1) * right;
  return upper * (1 - down) + lower * down;
}
