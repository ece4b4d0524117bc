// MNIST, from the folder of public data sets.
import fs from 'node:fs';
import path from 'node:path';
import { deskew, type Matrix, readIdx, toMatrix } from 'secondorder';
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

/** Every image upright, its centre of mass in the middle. */
export function upright({ x, labels: digits }: Digits): Digits {
  return { x: deskew(x, { image: [SIDE, SIDE] }), labels: digits };
}
