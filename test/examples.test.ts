/** The programs that the README shows run, say what the README says, and are shown as they are. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';

const run = promisify(execFile);
const root = join(__dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const source = (name: string) => readFileSync(join(root, 'examples', name), 'utf8');

/** A project folder that has this package installed. */
function project(test: Test): string {
  const folder = test.testdir({ node_modules: {} });
  symlinkSync(root, join(folder, 'node_modules', 'secondorder'));
  return folder;
}

t.test('the README shows the examples as they are', async (t) => {
  for (const name of ['require.js', 'import.mjs', 'cli.sh', 'mfac.js']) {
    t.ok(readme.includes(source(name).trimEnd()), name);
  }
});

t.test('require', async (t) => {
  const folder = project(t);
  writeFileSync(join(folder, 'example.js'), source('require.js'));
  const { stdout } = await run(process.execPath, ['example.js'], { cwd: folder });
  const [first, second] = stdout.split('\n');
  t.match(first, /^converged (1|0\.9\d*) \[ 'in' \]$/);
  const numbers = second?.match(/least ([\d.]+), this network ([\d.]+), relative gap ([\d.e-]+)$/);
  const [bound, objective, gap] = (numbers?.slice(1) ?? []).map(Number);
  t.ok(Number(bound) > 0 && Number(bound) <= Number(objective), 'the bound is below');
  t.ok(Number(gap) <= 1e-3, 'within the default tolerance');
});

t.test('M-FAC', async (t) => {
  const folder = project(t);
  writeFileSync(join(folder, 'example.js'), source('mfac.js'));
  const { stdout } = await run(process.execPath, ['example.js'], { cwd: folder });
  // H = 0.1·I + ½(g₁g₁ᵀ + g₂g₂ᵀ) times what is printed has to be the newest gradient.
  const u = [...stdout.matchAll(/-?\d+\.\d+/g)].map(Number);
  const [first, newest] = [
    [1, 0, 2],
    [0, 1, 1],
  ];
  const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
  for (const [i, wanted] of newest.entries()) {
    const pulled = first[i]! * dot(first, u) + wanted * dot(newest, u);
    t.ok(Math.abs(0.1 * u[i]! + pulled / 2 - wanted) < 1e-6, `component ${i} of ${stdout}`);
  }
});

t.test('import', async (t) => {
  const folder = project(t);
  writeFileSync(join(folder, 'example.mjs'), source('import.mjs'));
  const { stdout, stderr } = await run(process.execPath, ['example.mjs'], { cwd: folder });
  t.match(stderr, /^\d+ [\d.e-]+$/m, 'progress');
  t.match(stdout, /^converged R² 0\.99\d* bound 0\.\d+$/m);
  const prediction = Number(/\[ (-?[\d.]+) \]/.exec(stdout)?.[1]);
  t.ok(Math.abs(prediction - 0.7) < 0.1, `|0.5| + max(-0.5, 0.2) is read as ${prediction}`);
  t.ok(existsSync(join(folder, 'model.safetensors')));
});

t.test('command line', async (t) => {
  const folder = project(t);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  // npx would look for an installed package; here the command stands for it.
  const main = join(root, 'dist', 'cli', 'main.js');
  const npx = `#!/bin/sh\nshift\nexec '${process.execPath}' '${main}' "$@"\n`;
  writeFileSync(join(bin, 'npx'), npx, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const script = join(root, 'examples', 'cli.sh');
  const { stdout } = await run('bash', [script], { cwd: folder, env });
  t.match(stdout, /^status +converged$/m);
  t.match(stdout, /^accuracy, test +0\.9/m);
  t.match(stdout, /^certificate +holds$/m);
  t.equal(readFileSync(join(folder, 'read.csv'), 'utf8').trim().split('\n').length, 401);
  t.match(readFileSync(join(folder, 'report.html'), 'utf8'), /<title>points\.csv<\/title>/);
});

t.test('the demo, at small sizes', async (t) => {
  const folder = t.testdir();
  const page = join(folder, 'page.html');
  const demo = join(root, 'examples', 'demo.ts');
  const options = ['--import', 'tsx', demo, '--quick', '--report', page];
  const { stdout } = await run(process.execPath, options, { cwd: root });
  const rows = Array.from(
    stdout.matchAll(
      /^ {2}(gated ReLU, convex|ReLU network, Adam) +(\S+) +(\S+) % +(\S+) +(\S+) +(\S+)/gm,
    ),
    ([, name, digits, accuracy, objective, bound, gap]) => ({
      name,
      digits,
      accuracy: Number(accuracy),
      objective: Number(objective),
      bound: Number(bound),
      gap: Number(gap),
    }),
  );
  t.equal(rows.length, 3);
  const [many, few, adam] = rows;
  t.match(many, { name: 'gated ReLU, convex', digits: '1,000' });
  t.ok(Number(many?.accuracy) > 80, `accuracy on 1,000 digits: ${many?.accuracy}`);
  t.match(few, { name: 'gated ReLU, convex', digits: '200' });
  t.ok(Number(few?.accuracy) > 60, `accuracy on 200 digits: ${few?.accuracy}`);
  for (const row of [many, few]) {
    t.ok(Number(row?.bound) <= Number(row?.objective), 'the bound is below the objective');
    t.ok(Number(row?.gap) <= 1e-2, 'the gap is within the tolerance');
  }
  t.match(adam, { name: 'ReLU network, Adam', digits: '200' });
  t.ok(Number(adam?.accuracy) > 20, 'Adam learns too, in its few epochs here');
  t.match(stdout, /converged; checked anew from the saved certificate/);
  t.ok(stdout.trimEnd().endsWith(page), 'says where the report is');
  const html = readFileSync(page, 'utf8');
  t.match(html, '<title>Handwritten digits</title>');
  t.match(html, '"title":"Gates"');
  t.match(html, '"title":"Misread samples (test)"');
});
