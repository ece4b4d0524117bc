/** Data for constrained logistic regression: files in LIBSVM format, a drawn set like a9a, constraints. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Matrix, readLibsvm, type SparseMatrix } from 'secondorder';

/** Samples with labels 1 and −1. */
export interface Labelled {
  name: string;
  x: SparseMatrix;
  y: Float64Array;
}

/** A·w = b */
export interface LinearConstraints {
  a: Matrix;
  b: Float64Array;
}

/** a9a has a column for each value of these 14 attributes of a person, 123 columns in all. */
const VALUES = [5, 8, 5, 16, 5, 7, 14, 6, 5, 2, 2, 2, 5, 41];
const SAMPLES = 32_561;

/** The set in a file of two labels, the greater of which becomes 1. */
export async function readLabelled(path: string): Promise<Labelled> {
  const { x, y } = await readLibsvm(path);
  const labels = [...new Set(y)].sort((left, right) => left - right);
  if (labels.length !== 2) throw new Error(`${path} has ${labels.length} labels, not 2`);
  const name = basename(path).replace(/\.gz$/, '');
  return { name, x, y: y.map((label) => (label === labels[1] ? 1 : -1)) };
}

/** a9a where its file is, else a set like it. */
export async function readOrDrawA9a(path: string): Promise<Labelled> {
  return existsSync(path) ? readLabelled(path) : drawLikeA9a(SAMPLES);
}

/**
 * As many samples and columns as a9a, or fewer samples, with a 1 for one value of each attribute, the
 * first values being the commonest; labels follow a logistic model. The same for the same arguments.
 */
export function drawLikeA9a(samples: number, seed = 1): Labelled {
  const random = xoroshiro128plus(seed);
  const cols = VALUES.reduce((sum, count) => sum + count, 0);
  const weights = Float64Array.from({ length: cols }, () => 2 * uniformFloat64(random) - 1);
  const columns = new Int32Array(samples * VALUES.length);
  const y = Float64Array.from({ length: samples }, (_, i) => {
    let [first, logit] = [0, -1.2];
    for (const [k, count] of VALUES.entries()) {
      const column = first + Math.floor(count * uniformFloat64(random) ** 2);
      columns[i * VALUES.length + k] = column;
      logit += weights[column]!;
      first += count;
    }
    return uniformFloat64(random) < 1 / (1 + Math.exp(-logit)) ? 1 : -1;
  });
  return {
    name: 'like a9a',
    x: {
      values: new Float64Array(columns.length).fill(1),
      columns,
      rowOffsets: Int32Array.from({ length: samples + 1 }, (_, i) => i * VALUES.length),
      rows: samples,
      cols,
    },
    y,
  };
}

/** Constraints drawn at random that hold at some point of length ½, and so on the unit sphere too. */
export function drawConstraints(count: number, cols: number, seed = 1): LinearConstraints {
  const random = xoroshiro128plus(seed);
  const draw = (length: number) =>
    Float64Array.from({ length }, () => 2 * uniformFloat64(random) - 1);
  const data = draw(count * cols);
  const point = draw(cols);
  const scale = 0.5 / Math.hypot(...point);
  const b = Float64Array.from({ length: count }, (_, i) =>
    point.reduce((sum, value, j) => sum + scale * value * data[i * cols + j]!, 0),
  );
  return { a: { data, rows: count, cols }, b };
}
