// Windows, blocks and optimizers leave no memory behind, however they end.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

// As in leak.test.ts: without the loaders of the test runner, and with few places to keep what is free.
const env = { ...process.env, NODE_OPTIONS: '', MALLOC_ARENA_MAX: '2' };
const flags = ['--expose-gc', '--max-semi-space-size=1'];

t.test('200 of each, of 4 MB and more', async (t) => {
  const fixture = path.join(__dirname, 'fixtures/mfac-leak.js');
  const args = [...flags, fixture];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 120_000 });
  const { growth } = JSON.parse(stdout);
  t.comment(`resident memory: ${growth.toFixed(1)} MB more`);
  t.ok(growth < 25, `${growth} MB`);
});
