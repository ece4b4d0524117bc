// The public data sets, as their descriptions count them.
import { join } from 'node:path';
import {
  readCsv,
  readCsvSync,
  readIdx,
  readIdxSync,
  readLibsvm,
  readLibsvmSync,
  toMatrix,
} from 'secondorder/io';
import t from 'tap';
import { DATA, noData, read } from './fixtures/io';

/** Counts of each value. */
function tally(values: Iterable<string | number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

t.test('LIBSVM', { skip: noData }, async (t) => {
  const reader = { async: readLibsvm, sync: readLibsvmSync };
  const cases: [string, number, number, number | undefined, Record<string, number>][] = [
    ['a9a', 32561, 123, 451592, { 1: 7841, '-1': 24720 }],
    ['a9a.t', 16281, 123, undefined, { 1: 3846, '-1': 12435 }],
    ['australian_scale', 690, 14, 8447, { 1: 307, '-1': 383 }],
    ['heart_scale', 270, 13, 3378, { 1: 120, '-1': 150 }],
    ['mushrooms', 8124, 112, 170604, { 1: 3916, 2: 4208 }],
    ['sonar_scale', 208, 60, 12479, { 1: 97, '-1': 111 }],
    ['splice_scale', 1000, 60, 60000, { 1: 517, '-1': 483 }],
  ];
  for (const [name, rows, features, entries, labels] of cases) {
    const { x, y } = await read(reader, join(DATA, 'libsvm', `${name}.gz`), { features });
    t.same([x.rows, x.cols, y.length], [rows, features, rows], name);
    if (entries !== undefined) t.equal(x.values.length, entries, name);
    t.equal(x.rowOffsets[rows], x.values.length, name);
    t.same(tally(y), labels, name);
    t.ok(
      x.values.every((value) => Math.abs(value) <= 1),
      name,
    );
  }
});

t.test('UCI', { skip: noData }, async (t) => {
  const reader = { async: readCsv, sync: readCsvSync };
  const cases: [string, number, number, number, number][] = [
    ['breast_cancer_original', 699, 9, 2, 16],
    ['breast_cancer_wdbc', 569, 30, 2, 0],
    ['digits', 1797, 64, 10, 0],
    ['glass', 214, 9, 6, 0],
    ['heart_cleveland', 303, 13, 5, 6],
    ['house_votes84', 435, 16, 2, 203],
    ['iris', 150, 4, 3, 0],
    ['letter', 20000, 16, 26, 0],
    ['pima', 768, 8, 2, 0],
    ['spambase', 4601, 57, 2, 0],
    ['zoo', 101, 16, 7, 0],
  ];
  for (const [name, rows, features, classes, withGaps] of cases) {
    const path = join(DATA, 'uci', `${name}.csv.gz`);
    const filled = await read(reader, path, { missing: 'mean' });
    t.same([filled.x.rows, filled.x.cols, filled.missing.rows], [rows, features, withGaps], name);
    t.equal(Object.keys(tally(filled.y ?? [])).length, classes, name);
    t.equal(filled.target, 'label', name);
    t.ok(filled.x.data.every(Number.isFinite), name);
    const dropped = await read(reader, path, { missing: 'drop' });
    t.equal(dropped.x.rows, rows - withGaps, name);
    if (withGaps > 0) await t.rejects(readCsv(path), { code: 'ERR_FORMAT' }, name);
  }
});

t.test('MNIST', { skip: noData }, async (t) => {
  const reader = { async: readIdx, sync: readIdxSync };
  const images = await readIdx(join(DATA, 'mnist', 'train-images-idx3-ubyte.gz'));
  t.same([images.shape, images.dtype], [[60000, 28, 28], 'uint8']);
  const again = readIdxSync(join(DATA, 'mnist', 'train-images-idx3-ubyte.gz'));
  t.ok(Buffer.from(again.data.buffer).equals(Buffer.from(images.data.buffer)));
  const x = toMatrix(images, { divideBy: 255 });
  t.same([x.rows, x.cols], [60000, 784]);
  t.ok(x.data.every((value) => value >= 0 && value <= 1));
  t.equal(x.data[784 * 7 + 28 * 14 + 14], Math.fround(images.data[784 * 7 + 28 * 14 + 14]! / 255));
  const labels = await read(reader, join(DATA, 'mnist', 'train-labels-idx1-ubyte.gz'));
  t.same(tally(labels.data), {
    0: 5923,
    1: 6742,
    2: 5958,
    3: 6131,
    4: 5842,
    5: 5421,
    6: 5918,
    7: 6265,
    8: 5851,
    9: 5949,
  });
  const fashion = await readIdx(join(DATA, 'fashion-mnist', 't10k-labels-idx1-ubyte.gz'));
  t.same(new Set(Object.values(tally(fashion.data))), new Set([1000]));
});
