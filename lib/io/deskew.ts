import { createFloats, precisionOf } from '../floats';
import { type DenseMatrixLike, type Matrix, toDenseMatrix } from '../matrix';
import {
  checkObject,
  describe,
  invalid,
  isArrayLike,
  LARGEST_COUNT,
  mismatch,
  toInteger,
} from '../validate';

/** Options of {@link deskew}. */
export interface DeskewOptions {
  /** Height and width of the images in pixels; together the columns of x. */
  image: [height: number, width: number];
}

/**
 * Brings handwriting upright: shears each image along its rows until its ink leans neither way, and
 * moves its centre of mass to the middle. Between pixels it interpolates linearly; what comes from
 * outside is 0, and what leaves the frame is lost.
 *
 * With m the centre of mass and μ the central moments of the ink over rows i and columns j, the pixel
 * (i, j) of the result is taken from row m_i + (i − middle) and column m_j + (j − middle) +
 * (μ_ij / μ_ii)·(i − middle).
 *
 * It is a function of each image alone, so use it alike on the samples that a model is trained on and
 * on those that it reads.
 *
 * @param x one image in each row, row by row, grey values of at least 0 with the ground at 0
 * @returns images of the same size and precision; x is left as it was
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (negative values, too), ERR_DIMENSION_MISMATCH (an
 * image of another size than the rows of x)
 */
export function deskew(x: DenseMatrixLike, options: DeskewOptions): Matrix {
  const { image } = checkObject(options ?? {}, 'options', ['image']);
  const [height, width] = readSize(image);
  const images = toDenseMatrix(x, 'x');
  const { data, rows, cols } = images;
  if (rows > 0 && cols !== height * width) {
    throw mismatch(
      'options.image',
      `options.image has ${height} x ${width} pixels; x has ${cols} columns`,
    );
  }
  const negative = data.findIndex((value) => value < 0);
  if (negative >= 0) {
    const [row, column] = [Math.floor(negative / cols), negative % cols];
    throw invalid('x', 'values of at least 0', `${data[negative]} at row ${row}, column ${column}`);
  }
  const upright = createFloats(precisionOf(data), data.length);
  for (let start = 0; start < data.length; start += cols) {
    const from = data.subarray(start, start + cols);
    straighten(from, upright.subarray(start, start + cols), height, width);
  }
  return { data: upright, rows, cols };
}

type Pixels = Float32Array | Float64Array;

function readSize(image: unknown): [height: number, width: number] {
  const place = 'options.image';
  if (!isArrayLike(image) || image.length !== 2) {
    throw invalid(place, '[height, width]', describe(image));
  }
  const size = (i: number) => toInteger(image[i], `${place}[${i}]`, { min: 1, max: LARGEST_COUNT });
  return [size(0), size(1)];
}

function straighten(from: Pixels, to: Pixels, height: number, width: number): void {
  const { mass, row, column, slant } = moments(from, height, width);
  if (mass === 0) return;
  for (let i = 0; i < height; i++) {
    const down = i - (height - 1) / 2;
    // Along a row of the result the distances to the pixels around stay the same.
    const sourceRow = row + down;
    const firstColumn = column + slant * down - (width - 1) / 2;
    const [upper, left] = [Math.floor(sourceRow), Math.floor(firstColumn)];
    const [below, right] = [sourceRow - upper, firstColumn - left];
    const target = to.subarray(i * width, (i + 1) * width);
    addShifted(target, rowOf(from, upper, height, width), left, 1 - below, right);
    addShifted(target, rowOf(from, upper + 1, height, width), left, below, right);
  }
}

function rowOf(image: Pixels, row: number, height: number, width: number): Pixels | undefined {
  if (row < 0 || row >= height) return undefined;
  return image.subarray(row * width, (row + 1) * width);
}

/** target[j] += weight · (the source between pixels j + left and j + left + 1). */
function addShifted(
  target: Pixels,
  source: Pixels | undefined,
  left: number,
  weight: number,
  right: number,
): void {
  if (!source || weight === 0) return;
  const width = target.length;
  const [near, far] = [weight * (1 - right), weight * right];
  for (let j = Math.max(0, -left - 1); j < Math.min(width, width - left); j++) {
    const k = j + left;
    const here = k >= 0 ? source[k]! : 0;
    const next = k + 1 < width ? source[k + 1]! : 0;
    target[j] = target[j]! + near * here + far * next;
  }
}

/** Mass, centre of mass, and how many columns the ink moves to the right on each row down. */
function moments(image: Pixels, height: number, width: number) {
  let [mass, row, column, rowSquares, product] = [0, 0, 0, 0, 0];
  for (let i = 0; i < height; i++) {
    let [inRow, columns] = [0, 0];
    for (let j = 0; j < width; j++) {
      const value = image[i * width + j]!;
      inRow += value;
      columns += value * j;
    }
    mass += inRow;
    row += inRow * i;
    column += columns;
    rowSquares += inRow * i * i;
    product += columns * i;
  }
  if (mass === 0) return { mass, row, column, slant: 0 };
  row /= mass;
  column /= mass;
  const variance = rowSquares / mass - row * row;
  // Ink on a single row has no slant; rounding leaves it a trace of variance.
  const flat = variance <= 1e-9 * Math.max(1, row * row);
  return { mass, row, column, slant: flat ? 0 : (product / mass - row * column) / variance };
}
