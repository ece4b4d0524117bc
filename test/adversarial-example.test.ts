// The example of adversarial training runs, at small sizes, and shows what it is to show.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { draw, readOrDraw, split } from '../examples/adversarial-data';

const root = join(__dirname, '..');

t.test('the example', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  t.match(scripts['example:adversarial'], / adversarial$/, 'is an npm script');
  const figure = join(t.testdir(), 'figure.svg');
  const program = join(root, 'examples', 'adversarial.ts');
  const args = ['--import', 'tsx', program, '--quick', '--figure', figure];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  t.ok(stdout.trimEnd().endsWith(figure), 'says where the figure is');
  const rows = Array.from(
    stdout.matchAll(
      /^ {2}(\S.*?| {2}… .*?) {2,}([\d.]+) % +([\d.]+) % +([\d.]+) % +([\d.]+) % +([\d.]+) %$/gm,
    ),
    ([, name, ...shares]) => ({ name: name!.trim(), shares: shares.map(Number) }),
  );
  t.equal(rows.length, 8);
  for (const { name, shares } of rows) {
    const [clean, fgsm, pgd, , certified] = shares as [number, number, number, number, number];
    t.ok(certified <= pgd && pgd <= fgsm && pgd <= clean, `${name}: ${shares.join(', ')}`);
  }
  const pgd = (name: string) => rows.find((row) => row.name === name)!.shares[2]!;
  t.ok(pgd('linear, robust') > pgd('convex, no adversary') + 5, 'robust training pays');
  const svg = readFileSync(figure, 'utf8');
  t.ok(
    svg.includes('Adam with PGD') && svg.includes('linear, robust'),
    'methods are in the figure',
  );
});

t.test('its data', async (t) => {
  const { name, x, y } = await readOrDraw(join(t.testdir(), 'nothing.csv'));
  t.match(name, /drawn/, 'says that it was drawn');
  t.same([x.length, x[0]!.length, y.length], [569, 30, 569]);
  t.same(draw(569, 30).x, x, 'the same every time');
  const path = join(
    t.testdir({ 'cells.csv': 'a,b,kind\n1,2,malignant\n3,5,benign\n' }),
    'cells.csv',
  );
  t.same(await readOrDraw(path), {
    name: 'wdbc',
    x: [
      [1, 2],
      [3, 5],
    ],
    y: [1, -1],
  });
  const { train, test } = split({ x, y }, 3);
  t.same([train.x.length, test.x.length], [398, 171]);
  const column = train.x.map((row) => row[4]!);
  t.ok(Math.abs(column.reduce((sum, value) => sum + value, 0)) < 1e-9, 'standardised');
});
