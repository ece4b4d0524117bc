// The examples of the convex ReLU family run, at small sizes, and show what they are to show.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';

const root = join(__dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

async function run(test: Test, name: string, ...more: string[]) {
  const figure = join(test.testdir(), 'figure.svg');
  const program = join(root, 'examples', `${name}.ts`);
  const args = ['--import', 'tsx', program, '--quick', '--figure', figure, ...more];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  test.match(stdout, `Figure: ${figure}`, 'says where the figure is');
  test.match(manifest.scripts[`example:${name}`], new RegExp(` ${name}$`), 'is an npm script');
  return { out: stdout, figure: readFileSync(figure, 'utf8') };
}

t.test('learning curve', async (t) => {
  const { out, figure } = await run(t, 'learning-curve');
  const pattern = /^ {2}(\d+) +([\d.]+) % +[\d.]+ s +[\d.]+ s +([\d.]+) % +[\d.]+ s +[\d.]+ s/gm;
  const rows = Array.from(out.matchAll(pattern), (match) => match.slice(1).map(Number));
  t.same(
    rows.map(([digits]) => digits),
    [100, 200],
  );
  for (const [digits, convex, adam] of rows) {
    t.ok(convex! > 50 && adam! > 50, `${digits} digits: ${convex} and ${adam} % read right`);
  }
  for (const text of ['gated ReLU, convex', 'ReLU network, Adam', 'training digits']) {
    t.match(figure, text);
  }
});

t.test('path', async (t) => {
  const page = join(t.testdir(), 'page.html');
  const { out, figure } = await run(t, 'path', '--report', page);
  const pattern =
    /^ {2}([\d.]+e-\d+) +([\d.]+) +([\d.]+e-\d+) +(\d+) +\d+ +([\d.]+) % ± [\d.]+ +([\d.]+) %$/gm;
  const rows = Array.from(out.matchAll(pattern), (match) => match.slice(1).map(Number));
  t.equal(rows.length, 5);
  const column = (i: number) => rows.map((row) => row[i]!);
  const falls = (values: number[]) => values.every((v, i) => i === 0 || v < values[i - 1]!);
  t.ok(falls(column(0)) && falls(column(1)), 'beta and the objective fall');
  t.ok(Math.max(...column(2)) <= 1e-2, 'every point is certified');
  t.equal(column(3)[0], 0, 'it begins without a gate in use');
  t.ok(Math.max(...column(5)) > 60, 'and learns');
  t.match(out, /chosen: [\d.]+e-\d/);
  t.match(figure, 'gates in use');
  t.match(readFileSync(page, 'utf8'), '<title>Digits by beta</title>');
});
