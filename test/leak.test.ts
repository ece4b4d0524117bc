// Trainings leave no memory behind, however they end.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

// The child starts without the loaders of the test runner, and with few places in which allocators
// may keep what is free: how many there are otherwise depends on the machine.
const env = { ...process.env, NODE_OPTIONS: '', MALLOC_ARENA_MAX: '2' };
const flags = ['--expose-gc', '--max-semi-space-size=1'];

t.test('1,000 trainings', async (t) => {
  const fixture = path.join(__dirname, 'fixtures/fit-leak.js');
  const args = [...flags, fixture];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 120_000 });
  const { growth, ...ends } = JSON.parse(stdout);
  t.comment(`resident memory: ${growth.toFixed(1)} MB more`);
  t.strictSame(ends, { resolved: 840, aborted: 120, failed: 240 });
  t.ok(growth < 15, `${growth} MB`);
});
