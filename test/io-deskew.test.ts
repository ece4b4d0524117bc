// Deskewing of images, against moments and interpolation computed another way.

import fc from 'fast-check';
import type { Matrix } from 'secondorder';
import { type DeskewOptions, deskew } from 'secondorder/io';
import t from 'tap';
import { uniform } from './convex-relu-data';
import { anything, as, typedCalls } from './fixtures/typed-errors';

interface Moments {
  mass: number;
  row: number;
  column: number;
  rowVariance: number;
  covariance: number;
}

/** About the mean, pixel by pixel. */
function momentsOf(image: ArrayLike<number>, width: number): Moments {
  const ink = Array.from(image, (value, i) => ({
    value,
    row: Math.floor(i / width),
    column: i % width,
  }));
  const sum = (of: (pixel: (typeof ink)[number]) => number) =>
    ink.reduce((total, pixel) => total + pixel.value * of(pixel), 0);
  const mass = sum(() => 1);
  const row = sum((pixel) => pixel.row) / mass;
  const column = sum((pixel) => pixel.column) / mass;
  return {
    mass,
    row,
    column,
    rowVariance: sum((pixel) => (pixel.row - row) ** 2) / mass,
    covariance: sum((pixel) => (pixel.row - row) * (pixel.column - column)) / mass,
  };
}

/** One pixel at a time, as the documentation has it. */
function byDefinition(image: ArrayLike<number>, height: number, width: number): number[] {
  const { mass, row, column, rowVariance, covariance } = momentsOf(image, width);
  if (mass === 0) return Array.from(image);
  const slant = rowVariance > 1e-9 ? covariance / rowVariance : 0;
  const at = (i: number, j: number) =>
    i < 0 || j < 0 || i >= height || j >= width ? 0 : image[i * width + j]!;
  return Array.from(image, (_, pixel) => {
    const down = Math.floor(pixel / width) - (height - 1) / 2;
    const across = (pixel % width) - (width - 1) / 2;
    const [r, c] = [row + down, column + across + slant * down];
    let value = 0;
    for (const i of [Math.floor(r), Math.floor(r) + 1]) {
      for (const j of [Math.floor(c), Math.floor(c) + 1]) {
        value += at(i, j) * (1 - Math.abs(r - i)) * (1 - Math.abs(c - j));
      }
    }
    return value;
  });
}

const one = (values: number[]): Matrix => ({
  data: Float64Array.from(values),
  rows: 1,
  cols: values.length,
});

/** A slanted blot in the middle of a wide frame, which nothing of it leaves. */
function blot(seed: number, height: number, width: number): number[] {
  const next = uniform(seed);
  const slant = 1.2 * (next() - 0.5);
  const [row, column] = [height / 2 + next() - 0.5, width / 2 + next() - 0.5];
  return Array.from({ length: height * width }, (_, pixel) => {
    const down = Math.floor(pixel / width) - row;
    const across = (pixel % width) - column - slant * down;
    const inside = Math.abs(down) < height / 4 && Math.abs(across) < width / 10;
    return inside ? 0.2 + next() : 0;
  });
}

t.test('is what its documentation says', async (t) => {
  const same = fc.property(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.nat(),
    fc.constantFrom(0.2, 1),
    (height, width, seed, ink) => {
      const next = uniform(seed);
      const image = Array.from({ length: height * width }, () => (next() < ink ? next() : 0));
      const found = deskew(one(image), { image: [height, width] });
      const expected = byDefinition(image, height, width);
      return found.data.every((value, i) => Math.abs(value - expected[i]!) < 1e-9);
    },
  );
  const details = fc.check(same, { numRuns: 2000 });
  t.notOk(details.failed, fc.defaultReportMessage(details) ?? 'holds');
});

t.test('the ink stands upright in the middle', async (t) => {
  const [height, width] = [24, 40];
  for (let seed = 1; seed <= 50; seed++) {
    const image = blot(seed, height, width);
    const before = momentsOf(image, width);
    const after = momentsOf(deskew(one(image), { image: [height, width] }).data, width);
    const slant = before.covariance / before.rowVariance;
    t.ok(Math.abs(after.mass / before.mass - 1) < 1e-9, 'no ink is lost');
    t.ok(Math.abs(after.row - (height - 1) / 2) < 1e-9);
    t.ok(Math.abs(after.column - (width - 1) / 2) < 1e-9);
    // Interpolating between rows at a distance f to the upper one widens the ink by f(1 − f), which
    // is then sheared as well.
    const shift = before.row - (height - 1) / 2;
    const f = shift - Math.floor(shift);
    t.ok(Math.abs(after.covariance + slant * f * (1 - f)) < 1e-9);
    t.ok(Math.abs(slant) < 0.01 || Math.abs(after.covariance) < Math.abs(before.covariance) / 4);
  }
});

t.test('upright ink in the middle stays, and shearing it makes no difference', async (t) => {
  const [height, width] = [9, 31];
  const upright = Array.from({ length: height * width }, (_, pixel) => {
    const [down, across] = [
      Math.abs(Math.floor(pixel / width) - 4),
      Math.abs((pixel % width) - 15),
    ];
    return down < 4 && across < 3 ? 1 / (1 + down + across) : 0;
  });
  const image: [number, number] = [height, width];
  const stays = (values: number[]) =>
    deskew(one(values), { image }).data.every((v, i) => Math.abs(v - upright[i]!) < 1e-12);
  t.ok(stays(upright));
  const sheared = upright.map((_, pixel) => {
    const row = Math.floor(pixel / width);
    return upright[pixel - 2 * (row - 4)] ?? 0;
  });
  t.not(sheared.join(), upright.join());
  t.ok(stays(sheared));
});

t.test('blank images, precision, several images, the input left alone', async (t) => {
  const blank = deskew({ data: new Float32Array(12), rows: 2, cols: 6 }, { image: [2, 3] });
  t.same(blank, { data: new Float32Array(12), rows: 2, cols: 6 });
  const images = [blot(1, 8, 20), blot(2, 8, 20)];
  const data = Float32Array.from(images.flat());
  const before = data.slice();
  const both = deskew({ data, rows: 2, cols: 160 }, { image: [8, 20] });
  t.same(data, before);
  t.ok(both.data instanceof Float32Array);
  images.forEach((image, i) => {
    const expected = deskew(one(Array.from(Float32Array.from(image))), { image: [8, 20] }).data;
    const found = both.data.subarray(160 * i, 160 * (i + 1));
    t.ok(found.every((value, pixel) => Math.abs(value - expected[pixel]!) < 1e-6));
  });
  t.same(deskew([], { image: [8, 20] }).rows, 0);
  t.same(deskew(images, { image: [8, 20] }).rows, 2, 'arrays of rows');
});

t.test('what is refused', async (t) => {
  const bad = { code: 'ERR_INVALID_ARGUMENT' };
  t.throws(() => deskew([[1, -2]], { image: [1, 2] }), {
    ...bad,
    argument: 'x',
    message: 'x must be values of at least 0, got -2 at row 0, column 1',
  });
  t.throws(() => deskew([[1, 2]], {} as DeskewOptions), { ...bad, argument: 'options.image' });
  t.throws(() => deskew([[1, 2]], { image: [1, 0] }), { ...bad, argument: 'options.image[1]' });
  t.throws(() => deskew([[1, 2]], { image: [2, 2] }), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'options.image',
  });
  const { isTyped, hold } = typedCalls(['ERR_INVALID_ARGUMENT', 'ERR_DIMENSION_MISMATCH'], 2000);
  const size = fc.oneof(fc.integer({ min: -1, max: 3 }), anything);
  const options = fc.oneof(fc.record({ image: fc.array(size, { maxLength: 3 }) }), anything);
  const images = fc.oneof(fc.array(fc.array(fc.double(), { maxLength: 4 })), anything);
  await hold(
    t,
    fc.property(images, options, (x, o) => isTyped(() => deskew(as(x), as(o)))),
  );
});
