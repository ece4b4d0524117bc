/** Two classes for adversarial training: the Wisconsin diagnostic breast cancer set, or a drawn one. */
import { existsSync } from 'node:fs';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { readCsv } from 'secondorder';
import { shuffled } from './digits';

/** Samples with labels 1 and −1. */
export interface TwoClasses {
  x: number[][];
  y: number[];
}

/** The set in the file, or one of its size that was drawn; and what it is. */
export async function readOrDraw(path: string): Promise<TwoClasses & { name: string }> {
  if (!existsSync(path)) return { name: 'drawn data, as there is no wdbc', ...draw(569, 30) };
  const { x, y } = await readCsv(path);
  const labels = [...y!].map((label) => (label === 'malignant' ? 1 : -1));
  const rows = labels.map((_, i) => Array.from(x.data.slice(i * x.cols, (i + 1) * x.cols)));
  return { name: 'wdbc', x: rows, y: labels };
}

/** Two clouds with skewed, correlated features, as measurements of cells have. */
export function draw(samples: number, features: number, seed = 1): TwoClasses {
  const random = xoroshiro128plus(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) *
    Math.cos(2 * Math.PI * uniformFloat64(random));
  const y = Array.from({ length: samples }, () => (uniformFloat64(random) < 0.37 ? 1 : -1));
  const x = y.map((label) => {
    const common = label + 0.8 * normal();
    return Array.from({ length: features }, (_, j) =>
      Math.exp(0.4 * (common * (j % 3 === 0 ? 0.2 : 1) + 0.8 * normal())),
    );
  });
  return { x, y };
}

/** Rows in an order drawn by the seed, 70 % for training; inputs standardised by the training part. */
export function split({ x, y }: TwoClasses, seed: number): { train: TwoClasses; test: TwoClasses } {
  const order = shuffled(x.length, seed);
  const count = Math.floor(0.7 * x.length);
  const take = (rows: number[]): TwoClasses => ({
    x: rows.map((row) => x[row]!),
    y: rows.map((row) => y[row]!),
  });
  const [train, test] = [take(order.slice(0, count)), take(order.slice(count))];
  const features = x[0]!.length;
  const mean = Array.from({ length: features }, (_, j) => average(train.x.map((row) => row[j]!)));
  const deviation = mean.map(
    (centre, j) => Math.sqrt(average(train.x.map((row) => (row[j]! - centre) ** 2))) || 1,
  );
  const standardise = ({ x: rows, y: labels }: TwoClasses): TwoClasses => ({
    x: rows.map((row) => row.map((value, j) => (value - mean[j]!) / deviation[j]!)),
    y: labels,
  });
  return { train: standardise(train), test: standardise(test) };
}

export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
