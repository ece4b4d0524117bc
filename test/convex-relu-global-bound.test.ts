// The bound over all ReLU networks, as the public functions give it.

import { type ConvexReLUOptions, estimateMemory, type Matrix, trainConvexReLU } from 'secondorder';
import t from 'tap';
import { uniform } from './convex-relu-data';

/** Targets that bend, from two inputs. */
function bentData(rows: number, cols: number): { x: Matrix; y: Float64Array } {
  const next = uniform(3);
  const data = Float64Array.from({ length: rows * cols }, () => 2 * next() - 1);
  const y = Float64Array.from({ length: rows }, (_, k) => {
    const [a, b] = [data[k * cols]!, data[k * cols + 1]!];
    return Math.abs(a) - Math.max(0, a + b) + 0.1 * (next() - 0.5);
  });
  return { x: { data, rows, cols }, y };
}

const small = bentData(60, 2);
const wide = bentData(60, 9);

t.test('few features: there by itself, below every network that is trained', async (t) => {
  const { report } = await trainConvexReLU(small.x, small.y, { gates: 6 });
  t.type(report.globalBound, 'number');
  t.equal(report.globalGap, (report.objective - report.globalBound!) / report.objective);
  for (const gates of [5, 60, 120]) {
    const options = { gates, seed: gates, globalBound: false } as const;
    const other = (await trainConvexReLU(small.x, small.y, options)).report;
    t.ok(report.globalBound! <= other.objective);
    t.equal(other.globalBound, null);
    t.equal(other.globalGap, null);
  }
});

t.test('rounds with the gates found bring network and bound together', async (t) => {
  const options = { gates: 4, globalBound: { rounds: 8 } };
  const { report, network } = await trainConvexReLU(small.x, small.y, options);
  t.ok(report.rounds >= 1);
  t.ok(report.globalGap! <= 0.01);
  t.ok(report.globalGap! >= 0);
  t.equal(network.options?.beta, 1e-3);
  t.notOk('globalBound' in network.options!);
  const { report: plain } = await trainConvexReLU(small.x, small.y, { gates: 4 });
  t.ok(report.objective < plain.objective);
});

t.test('many features: only when asked for, and weaker', async (t) => {
  t.equal((await trainConvexReLU(wide.x, wide.y)).report.globalBound, null);
  const { report } = await trainConvexReLU(wide.x, wide.y, { globalBound: true });
  t.ok(report.globalBound! > 0);
  t.ok(report.globalBound! <= report.dualBound);
});

t.test('limits end the search with a bound; stopped runs have none', async (t) => {
  const limited = { globalBound: { nodes: 1, seconds: 0.001, tolerance: 0.01 } };
  const { report } = await trainConvexReLU(small.x, small.y, limited);
  t.ok(report.globalBound! >= 0);
  const stopped = await trainConvexReLU(small.x, small.y, { globalBound: true }, { timeLimit: 0 });
  t.equal(stopped.report.globalBound, null);
});

t.test('memory is planned for it', (t) => {
  const shape = { rows: 100, cols: 2 };
  const with_ = estimateMemory(shape, { globalBound: true, gates: 4 }).bytes;
  t.ok(with_ > estimateMemory(shape, { globalBound: false, gates: 4 }).bytes);
  t.end();
});

t.test('wrong options are refused', async (t) => {
  const wrong: [unknown, string][] = [
    [1, 'options.globalBound'],
    ['always', 'options.globalBound'],
    [null, 'options.globalBound'],
    [{ nodes: 0 }, 'options.globalBound.nodes'],
    [{ nodes: 1.5 }, 'options.globalBound.nodes'],
    [{ seconds: -1 }, 'options.globalBound.seconds'],
    [{ tolerance: 1 }, 'options.globalBound.tolerance'],
    [{ rounds: -1 }, 'options.globalBound.rounds'],
    [{ gates: 1 }, 'options.globalBound.gates'],
  ];
  for (const [globalBound, argument] of wrong) {
    const options = { globalBound } as ConvexReLUOptions;
    await t.rejects(trainConvexReLU(small.x, small.y, options), {
      code: 'ERR_INVALID_ARGUMENT',
      argument,
    });
  }
  const gated = { model: 'gated', globalBound: true } as const;
  await t.rejects(trainConvexReLU(small.x, small.y, gated), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.globalBound',
  });
  const { report } = await trainConvexReLU(small.x, small.y, { model: 'gated' });
  t.equal(report.globalBound, null);
});
