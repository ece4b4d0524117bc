// Handwritten digits, in their original files beside the repository; skipped where they are not.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { ConvexReLUClassifier, type Matrix, trainConvexReLUSync, verify } from 'secondorder';
import { readIdxSync } from 'secondorder/io';
import t from 'tap';

const folder = path.join(__dirname, '../../shared/data/mnist');
const skip = existsSync(folder) ? false : 'MNIST is not in ../shared/data/mnist';
const pixels = 28 * 28;

function read(part: 'train' | 't10k') {
  const images = readIdxSync(path.join(folder, `${part}-images-idx3-ubyte.gz`)).data;
  const labels = readIdxSync(path.join(folder, `${part}-labels-idx1-ubyte.gz`)).data;
  return { images, labels: Array.from(labels, Number) };
}

/** The first digits of which `wanted` is true, at most `count`, grey values from 0 to 1. */
function take(
  { images, labels }: ReturnType<typeof read>,
  count: number,
  wanted = (_: number) => true,
) {
  const rows = [...labels.keys()].filter((i) => wanted(labels[i]!)).slice(0, count);
  const data = new Float32Array(rows.length * pixels);
  rows.forEach((row, i) => {
    for (let j = 0; j < pixels; j++) data[i * pixels + j] = Number(images[row * pixels + j]) / 255;
  });
  const x: Matrix = { data, rows: rows.length, cols: pixels };
  return { x, labels: rows.map((row) => labels[row]!) };
}

t.test('2 against 8 converges with a certificate', { skip }, (t) => {
  const { x, labels } = take(read('train'), 1550, (label) => label === 2 || label === 8);
  const y = labels.map((label) => (label === 8 ? 1 : -1));
  const { network, report } = trainConvexReLUSync(x, y, {
    gates: 128,
    refine: false,
    beta: 1e-3,
    preprocess: 'unit-columns',
  });
  t.comment(`${report.iterations} iterations, gap ${report.gap}, ${report.seconds} s`);
  t.equal(x.rows, 1550);
  t.equal(report.status, 'converged');
  t.ok(report.iterations <= 300, `${report.iterations} iterations`);
  const { gap, infeasibility } = verify(network, x, y);
  t.ok(gap <= 1e-3 && infeasibility <= 1e-3, `gap ${gap}, infeasibility ${infeasibility}`);
  t.end();
});

t.test('ten digits', { skip }, (t) => {
  const train = take(read('train'), 2000);
  const test = take(read('t10k'), 10_000);
  const model = new ConvexReLUClassifier({
    model: 'gated',
    gates: { count: 512, from: 'patches', image: [28, 28] },
    components: 50,
    beta: 1e-3,
    tolerance: 1e-2,
  }).fitSync(train.x, train.labels);
  const accuracy = model.score(test.x, test.labels);
  const { status, gap, iterations, seconds } = model.report!;
  t.comment(`accuracy ${accuracy}, ${iterations} iterations, gap ${gap}, ${seconds} s`);
  t.equal(status, 'converged');
  t.ok(gap <= 1e-2);
  t.equal(test.x.rows, 10_000);
  t.ok(accuracy >= 0.945, `accuracy ${accuracy}`);
  t.end();
});
