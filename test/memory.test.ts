// What is said about memory: estimates are what runs report, near what a process takes, and problems
// that cannot fit are refused.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  type ConvexReLUOptions,
  estimateMemory,
  type ProblemShape,
  trainConvexReLU,
} from 'secondorder';
import t from 'tap';

// The child starts without the loaders of the test runner.
const env = { ...process.env, NODE_OPTIONS: '' };

/** Trains in a process of its own; all in bytes. */
async function measure(problem: ProblemShape & ConvexReLUOptions & { sparse?: boolean }) {
  const args = [path.join(__dirname, 'fixtures/train-peak.js'), JSON.stringify(problem)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 60_000 });
  return JSON.parse(stdout);
}

const problems = [
  {
    rows: 5000,
    cols: 20,
    outputs: 1,
    gates: 256,
    refine: false,
    route: 'woodbury',
    maxIterations: 5,
  },
  {
    rows: 40_000,
    cols: 10,
    outputs: 1,
    gates: 100,
    refine: false,
    route: 'gram',
    maxIterations: 10,
  },
  {
    rows: 30_000,
    cols: 16,
    outputs: 10,
    gates: 256,
    model: 'gated',
    route: 'cg',
    maxIterations: 5,
  },
  { rows: 40_000, cols: 10, outputs: 2, gates: 128, refine: false, route: 'cg', maxIterations: 10 },
  {
    rows: 20_000,
    cols: 60,
    outputs: 1,
    gates: 64,
    refine: false,
    route: 'cg',
    maxIterations: 5,
    sparse: true,
  },
  {
    rows: 20_000,
    cols: 10,
    outputs: 1,
    gates: 64,
    refine: { rounds: 1 },
    route: 'gram',
    maxIterations: 5,
  },
] as const;

for (const problem of problems) {
  t.test(`${problem.route}, ${problem.rows} × ${problem.cols}`, async (t) => {
    const { estimate, planned, peakBytes, route, grown } = await measure(problem);
    const megabytes = [estimate, peakBytes, grown].map((bytes) => (bytes / 2 ** 20).toFixed(0));
    t.comment(`MB: estimate ${megabytes[0]}, report ${megabytes[1]}, process ${megabytes[2]}`);
    t.equal(planned, problem.route);
    t.equal(route, problem.route);
    // Beforehand samples are dense and every cone has a multiplier, afterwards it is known better.
    t.ok(estimate >= peakBytes && estimate < 2 * peakBytes, 'the report is within the estimate');
    t.ok(grown < 1.1 * peakBytes, 'and no less than what the process took');
    t.ok(peakBytes < 1.5 * grown, 'nor much more');
  });
}

t.test('larger problems need more', (t) => {
  const bytes = (rows: number, options: ConvexReLUOptions = {}) =>
    estimateMemory({ rows, cols: 20 }, { route: 'cg', ...options }).bytes;
  t.ok(bytes(2000) > bytes(1000));
  t.ok(bytes(1000, { gates: 256 }) > bytes(1000));
  t.ok(bytes(1000, { precision: 'float64' }) > bytes(1000));
  t.ok(bytes(1000) > bytes(1000, { model: 'gated' }));
  t.end();
});

t.test('what cannot fit is told beforehand', (t) => {
  const absurd = estimateMemory({ rows: 1e6, cols: 10 }, { gates: 1e6 });
  t.ok(absurd.bytes > 1e12 && Number.isFinite(absurd.bytes), `${absurd.bytes} bytes`);
  const most = 2 ** 31 - 1;
  const largest = estimateMemory({ rows: most, cols: 10 }, { gates: most });
  t.ok(largest.bytes > absurd.bytes && Number.isFinite(largest.bytes), `${largest.bytes} bytes`);
  t.end();
});

t.test('what cannot fit is refused', async (t) => {
  // A factor of order 200,000: 320 GB.
  const rows = 200_000;
  const y = Float64Array.from({ length: rows }, (_, i) => Math.sin(i));
  const options = { gates: 64, route: 'woodbury', precision: 'float64' } as const;
  await t.rejects(trainConvexReLU({ data: y, rows, cols: 1 }, y, options), {
    code: 'ERR_OUT_OF_MEMORY',
    message: /needs \d+ bytes of memory, and \d+ are available/,
  });
});

t.test('memory that is not to be had is an error, and the process goes on', async (t) => {
  const fixture = path.join(__dirname, 'fixtures/out-of-memory.js');
  const limited = `ulimit -v 6000000 && exec "$0" "$1"`;
  const args = ['-c', limited, process.execPath, fixture];
  const { stdout } = await promisify(execFile)('bash', args, { env, timeout: 60_000 });
  const { ends, after } = JSON.parse(stdout);
  t.strictSame(ends, Array(8).fill('ERR_OUT_OF_MEMORY'));
  t.equal(after, 'converged');
});
