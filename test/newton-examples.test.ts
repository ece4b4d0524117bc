// The examples and experiments of the Newton family run, at small sizes, and show what they are to show.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { minimizeSync } from 'secondorder/newton';
import t, { type Test } from 'tap';
import { hangingChain } from '../examples/newton-chain';
import { drawConstraints, drawLikeA9a, readLabelled } from '../examples/newton-data';

const root = join(__dirname, '..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

async function run(...args: string[]): Promise<string> {
  const options = ['--import', 'tsx', ...args];
  return (await promisify(execFile)(process.execPath, options, { cwd: root })).stdout;
}

/** The cells of a printed table, by the name of each row. */
function rows(out: string): Map<string, string[]> {
  const lines = out.split('\n').map((line) => line.trim().split(/ {3,}/));
  return new Map(
    lines.filter(({ length }) => length > 4).map(([name, ...cells]) => [name!, cells]),
  );
}

t.test('the main example', async (t) => {
  t.match(scripts['example:newton'], / newton$/, 'is an npm script');
  const figure = join(t.testdir(), 'figure.svg');
  const out = await run(join(root, 'examples', 'newton.ts'), '--quick', '--figure', figure);
  t.ok(out.trimEnd().endsWith(figure), 'says where the figure is');
  t.match(out, /^ {2}derivatives: right, up to \d\.\de-\d+$/m);
  t.match(out, /^ {2}with a sign wrong: 1 wrong: hessian, row \d+, column \d+ is/m);
  const results = rows(out);
  const solvers = ['auto', 'sketch-preconditioner', 'minres', 'nystrom-minres', 'block-kaczmarz'];
  for (const name of ['chain', ...solvers]) {
    const [status, , , stationarity, infeasibility] = results.get(name) ?? [];
    t.equal(status, 'converged', name);
    t.ok(Number(stationarity) <= 1e-5 && Number(infeasibility) <= 1e-6, 'with small residuals');
  }
  const objectives = solvers.map((name) => Number(results.get(name)?.[2]));
  t.ok(Math.max(...objectives) - Math.min(...objectives) < 1e-6, 'all find the same minimum');
  const svg = readFileSync(figure, 'utf8');
  for (const name of solvers) t.ok(svg.includes(name), `${name} is in the figure`);
});

t.test('the native problems written by hand', async (t) => {
  t.match(scripts['example:newton-own'], / newton-own$/, 'is an npm script');
  const out = await run(join(root, 'examples', 'newton-own.ts'), '--quick');
  const results = rows(out);
  for (const name of ['logistic regression', 'optimal control']) {
    t.ok(out.includes(`${name}: derivatives right\n`), `${name}: derivatives`);
    const [native, own] = ['native', 'by hand'].map((how) => results.get(`${name}, ${how}`) ?? []);
    t.same([native![0], own![0]], ['converged', 'converged'], name);
    t.equal(own![2], native![2], 'the same objective');
    t.ok(Number(own![5]) < 1e-8, 'at the same point');
    t.ok(Number(own!.at(-1)) < 10 && native!.at(-1)!.includes('.'), 'in seconds');
  }
});

t.test('the example of the README', async (t) => {
  const example = join(root, 'examples', 'newton.js');
  const source = readFileSync(example, 'utf8').trimEnd();
  t.ok(readFileSync(join(root, 'README.md'), 'utf8').includes(source), 'is shown as it is');
  const { stdout } = await promisify(execFile)(process.execPath, [example]);
  t.match(stdout, /^converged /);
  // The multiplier is that of the distance √5 − 1 to the circle.
  const numbers = [...stdout.matchAll(/-?\d+\.\d+/g)].map(Number);
  const expected = [2 / Math.sqrt(5), 1 / Math.sqrt(5), Math.sqrt(5) - 1];
  t.same(
    numbers.map((value) => value.toFixed(6)),
    expected.map((value) => value.toFixed(6)),
  );
});

t.test('a chain hangs as a catenary', async (t) => {
  const links = 200;
  const span = 0.6;
  const { x, lambda, status } = minimizeSync(hangingChain(links, span * links), {
    tolerance: 1e-9,
  });
  t.equal(status, 'converged');
  // y = a·cosh(x/a) has length 1 over the span where 2a·sinh(span/2a) = 1.
  let [low, high] = [0.05, 10];
  for (let i = 0; i < 60; i++) {
    const a = (low + high) / 2;
    if (2 * a * Math.sinh(span / (2 * a)) > 1) low = a;
    else high = a;
  }
  const sag = low * (Math.cosh(span / (2 * low)) - 1);
  const lowest = -Math.min(...x.filter((_, i) => i % 2 === 1)) / links;
  t.ok(Math.abs(lowest - sag) < 1 / links ** 2, `${lowest} for ${sag}`);
  const ends = Float64Array.of(0, ...x.filter((_, i) => i % 2 === 0), span * links);
  const forces = Array.from(lambda, (tension, k) => tension * (ends[k + 1]! - ends[k]!));
  t.ok(
    Math.max(...forces) - Math.min(...forces) < 1e-6,
    'the sideways force is the same all along',
  );
});

t.test('drawn data', async (t) => {
  const { x, y } = drawLikeA9a(500);
  t.same([x.rows, x.cols, x.values.length], [500, 123, 7000]);
  t.same(drawLikeA9a(500).y, y, 'the same every time');
  t.ok(Math.max(...x.columns) === 122 && Math.min(...x.columns) >= 0);
  const positive = y.filter((label) => label === 1).length / y.length;
  t.ok(positive > 0.1 && positive < 0.9, `${positive} of the labels are 1`);
  const { a, b } = drawConstraints(3, 20);
  t.same([a.rows, a.cols, a.data.length, b.length], [3, 20, 60, 3]);
});

t.test('data sets with other labels', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'mushrooms.gz');
  writeFileSync(path, gzipSync('2 1:1 3:1\n1 2:0.5\n2 3:2\n'));
  const { name, y, x } = await readLabelled(path);
  t.equal(name, 'mushrooms');
  t.same([...y], [1, -1, 1]);
  t.equal(x.cols, 3);
  writeFileSync(path, '3 1:1\n1 2:1\n2 3:1\n');
  await t.rejects(readLabelled(path), { message: /has 3 labels, not 2/ });
});

const experiments = join(root, 'scripts', 'experiments', 'main.ts');

/** Runs an experiment, and checks that its files are there. */
async function experiment(test: Test, name: string, ...options: string[]): Promise<string> {
  const folder = test.testdir();
  const out = await run(experiments, name, '--out', folder, ...options);
  test.ok(out.includes(join(folder, `${name}.json`)), 'says where the numbers are');
  test.ok(existsSync(join(folder, `${name}.svg`)), 'draws curves');
  test.ok(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')).length > 0);
  return out;
}

t.test('the experiment on test problems', async (t) => {
  t.match(scripts.experiments, /scripts\/experiments\/main\.ts$/, 'experiments are an npm script');
  const results = rows(await experiment(t, 'cutest', '--quick'));
  for (const name of ['paper, RK', 'paper, GV', 'paper, ldl', 'default, auto', 'default, srht']) {
    t.equal(results.get(name)?.[0], '5', `${name} solves all five`);
  }
  const steps = (name: string) => Number(results.get(name)?.[3]);
  t.ok(steps('paper, RK') > 1000 * steps('paper, minres'), 'sketches take many more inner steps');
});

t.test('the experiment on logistic regression', async (t) => {
  const path = join(t.testdir({ 'drawn.libsvm': drawnSet() }), 'drawn.libsvm');
  const out = await run(
    experiments,
    'logistic',
    path,
    '--out',
    t.testdirName,
    '--constraints',
    '3',
  );
  const results = rows(out);
  for (const name of ['paper, RK', 'auto', 'sketch-preconditioner', 'minres', 'block-kaczmarz']) {
    t.equal(results.get(name)?.[0], 'converged', name);
  }
  t.ok(existsSync(join(t.testdirName, 'logistic.svg')), 'draws curves');
});

/** A set of two classes that overlap, in LIBSVM format. */
function drawnSet(): string {
  const lines = Array.from({ length: 60 }, (_, i) => {
    const features = Array.from({ length: 8 }, (_, j) => Math.sin(1 + 7 * i + 3 * j * (i + 1)));
    const label = features[0]! + features[1]! + Math.sin(i) > 0 ? 1 : 2;
    return `${label} ${features.map((value, j) => `${j + 1}:${value}`).join(' ')}`;
  });
  return `${lines.join('\n')}\n`;
}

t.test('the experiment on optimal control', async (t) => {
  const out = await experiment(t, 'pde', '--grids', '2,8', '--time-limit', '5');
  const lines = out.split('\n').map((line) => line.trim().split(/ {3,}/));
  const status = (name: string, grid: string) =>
    lines.find((cells) => cells[0] === name && cells[1] === grid)?.[3];
  t.equal(status('MINRES, block preconditioner', '8'), 'converged');
  t.equal(status('sparse LDLᵀ', '8'), 'converged');
  t.equal(status('paper, RK', '2'), 'converged');
  t.not(status('paper, RK', '8'), 'converged', 'RK stops at small grids');
});

t.test('the experiment on derivatives', async (t) => {
  const out = await experiment(t, 'derivatives', '--quick');
  const lines = out.split('\n').map((line) => line.trim().split(/ {3,}/));
  const cells = (variant: string) =>
    lines
      .find((row) => row[0] === variant && row[1] === 'paper')
      ?.slice(2)
      .map(Number) ?? [];
  for (const variant of ['all given', 'BFGS', 'differences', 'differences, BFGS']) {
    t.equal(cells(variant)[0], 5, `${variant}: all five are solved`);
  }
  t.equal(cells('differences')[1], cells('all given')[1], 'as many Newton steps by differences');
  t.ok(cells('differences')[2]! > 5 * cells('all given')[2]!, 'with many more evaluations');
});
