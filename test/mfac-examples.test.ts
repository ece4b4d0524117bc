// The examples of the M-FAC family run, at small sizes, and show what they are to show.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';

const root = join(__dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

async function run(test: Test, name: string): Promise<{ out: string; figure: string }> {
  const figure = join(test.testdir(), 'figure.svg');
  const program = join(root, 'examples', `${name}.ts`);
  const args = ['--import', 'tsx', program, '--quick', '--figure', figure];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  test.ok(stdout.trimEnd().endsWith(figure), 'says where the figure is');
  test.match(manifest.scripts[`example:${name}`], new RegExp(` ${name}$`), 'is an npm script');
  return { out: stdout, figure: readFileSync(figure, 'utf8') };
}

t.test('prune', async (t) => {
  const { out, figure } = await run(t, 'prune');
  const rows = Array.from(
    out.matchAll(/^ {2}(\S.*?| {2}… .*?) {2,}([\d.]+) % +([\d.]+) % +([\d.]+) % +([\d.]+) % /gm),
    ([, name, ...accuracies]) => ({ name: name!.trim(), last: Number(accuracies.at(-1)) }),
  );
  t.equal(rows.length, 8);
  const [magnitude, ...others] = rows;
  t.equal(magnitude?.name, 'magnitude');
  const recomputed = others.find(({ name }) => name.includes('H estimated'));
  t.ok(
    recomputed!.last > magnitude!.last + 5,
    `${recomputed?.last} and ${magnitude?.last} at 95 %`,
  );
  t.ok(others.at(-1)!.last > recomputed!.last, 'training on helps');
  for (const { name } of rows) t.ok(figure.includes(name), `${name} is in the figure`);
});

t.test('optimizer', async (t) => {
  const { out, figure } = await run(t, 'optimizer');
  const rows = Array.from(
    out.matchAll(/^ {2}(SGD|Adam|M-FAC).*? ([\d.e-]+) +([\d.e-]+) +([\d.e-]+) +([\d.]+) % /gm),
    ([, name, , , loss]) => ({ name, loss: Number(loss) }),
  );
  t.same(
    rows.map(({ name }) => name),
    ['SGD', 'Adam', 'M-FAC'],
  );
  const [sgd, adam, mfac] = rows.map(({ loss }) => loss) as [number, number, number];
  t.ok(mfac < sgd && mfac < adam, `training loss ${mfac}; SGD ${sgd}, Adam ${adam}`);
  t.match(figure, 'seconds of training');
});
