// The examples of the guides print what their comments say.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';

const guides = {
  'docs/data.md': 7,
  'docs/cli.md': 1,
  'docs/adversarial.md': 1,
  'docs/models.md': 3,
  'docs/mfac.md': 5,
  'docs/newton.md': 3,
  'docs/sampled-program.md': 1,
};
const folder = mkdtempSync(join(tmpdir(), 'secondorder-docs-'));
t.teardown(() => rmSync(folder, { recursive: true }));

for (const [guide, least] of Object.entries(guides)) {
  const blocks = readFileSync(guide, 'utf8').matchAll(/^```js\n([\s\S]*?)^```$/gm);
  const examples = Array.from(blocks, (match) => String(match[1]));
  t.ok(examples.length >= least, `${guide} has examples`);
  for (const [i, code] of examples.entries()) {
    t.test(`${guide}, example ${i + 1}`, async (t) => {
      const expected = [...code.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map(
        (match) => match[1],
      );
      t.ok(expected.length > 0, 'it prints something');
      const program = `process.chdir(${JSON.stringify(folder)});\nprocess.stdout.columns = 200;\n${code}`;
      const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
      });
      t.equal(printed.replace(/\n\s*(?=[^\n]*[\]}]$)|\n {2,}/g, ' ').trim(), expected.join('\n'));
    });
  }
}
