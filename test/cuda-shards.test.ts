// Convex training with its gates shared by several GPUs, over the emulated CUDA.

import { join } from 'node:path';
import type { ConvexReport, MemoryEstimate } from 'secondorder';
import t from 'tap';
import { result, ringCsv, secondorder } from './cli-run';
import { environment, evaluate, skip } from './fixtures/emulated-cuda';

/** Thirty samples that train in a few hundred iterations. */
const DATA = `
  const { trainConvexReLU, estimateMemory, verify } = secondorder;
  const x = Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / 15 - 1]);
  const y = x.map(([a, b, c]) => Math.max(0, a + b) - Math.max(0, c - a));
  const signs = y.map((value) => (value < 0.2 ? -1 : 1));
  const classes = y.map((value) => [value < 0 ? 1 : 0, value < 0 ? 0 : 1]);
  const options = { refine: false, gates: 11, seed: 1, beta: 1e-2, maxIterations: 4000 };
  const both = ['cuda:0', 'cuda:1'];
`;

interface Failure {
  code: string;
  message: string;
  argument?: string;
}

type Verified = ConvexReport & { verified: { objective: number; gap: number } };

const RUNS = [
  { what: 'the defaults' },
  { what: 'a gated model', extra: "model: 'gated'" },
  { what: 'float64', extra: "precision: 'float64', model: 'gated', tolerance: 1e-6" },
  { what: 'logistic loss, weights', extra: "loss: 'logistic', sampleWeights", targets: 'signs' },
  { what: 'softmax', extra: "loss: 'softmax', model: 'gated'", targets: 'classes' },
  { what: 'conjugate gradients', extra: "route: 'cg', model: 'gated'" },
  { what: 'refinement', extra: 'refine: { rounds: 1, maxGates: 2 }, gates: 2' },
];

for (const { what, extra = '', targets = 'y' } of RUNS) {
  t.test(`two GPUs reach what the CPU reaches: ${what}`, { skip }, async (t) => {
    const [gpus, cpu] = (await evaluate(
      `${DATA}
      const sampleWeights = y.map((_, i) => i % 3);
      const run = async (device) => {
        const { report, network } = await trainConvexReLU(x, ${targets}, { ...options, device, ${extra} });
        const { objective, gap } = verify(network, x, ${targets});
        return { ...report, history: undefined, verified: { objective, gap } };
      };
      return [await run(both), await run('cpu')];`,
      { gpus: 2 },
    )) as [Verified, Verified];
    t.match(gpus, { device: 'cuda:0,cuda:1', deviceReason: 'asked for', status: 'converged' });
    t.match(cpu, { device: 'cpu', status: 'converged' });
    t.ok(gpus.gpuBytes > 0);
    t.ok(Math.abs(gpus.objective - cpu.objective) <= 2e-3 * cpu.objective);
    t.ok(gpus.dualBound <= cpu.objective * (1 + 1e-9));
    t.ok(cpu.dualBound <= gpus.objective * (1 + 1e-9));
    t.ok(Math.abs(gpus.verified.objective - gpus.objective) < 1e-9);
    t.ok(Math.abs(gpus.verified.gap - gpus.gap) < 1e-9);
  });
}

t.test('a warm start on other devices than the first run had', { skip }, async (t) => {
  const [first, next, last] = (await evaluate(
    `${DATA}
    const first = await trainConvexReLU(x, y, { ...options, device: both });
    const warm = { ...options, warmStart: first.solution };
    const next = await trainConvexReLU(x, y, { ...warm, device: 'cpu' });
    const last = await trainConvexReLU(x, y, { ...warm, warmStart: next.solution,
      device: ['cuda:2', 'cuda:0', 'cuda:1'] });
    return [first, next, last].map(({ report }) => report);`,
    { gpus: 3 },
  )) as [ConvexReport, ConvexReport, ConvexReport];
  t.equal(last.device, 'cuda:2,cuda:0,cuda:1');
  t.ok(next.iterations < first.iterations, `${next.iterations} of ${first.iterations}`);
  t.ok(last.iterations < first.iterations, `${last.iterations} of ${first.iterations}`);
  t.ok(last.gap <= 1e-3);
});

t.test('fewer gates than GPUs: as many GPUs as gates', { skip }, async (t) => {
  const found = await evaluate(
    `${DATA}
    const gates = [[1, 0, 0], [0, 1, 0]];
    const device = ['cuda:0', 'cuda:1', 'cuda:2'];
    const { report } = await trainConvexReLU(x, y, { ...options, gates, device, maxIterations: 50 });
    return [report.device, report.gates];`,
    { gpus: 3 },
  );
  t.same(found, ['cuda:0,cuda:1', 2]);
});

t.test('memory is that of the GPU that holds most', { skip }, async (t) => {
  const found = (await evaluate(
    `${DATA}
    const shape = { rows: 20_000, cols: 20 };
    const large = { model: 'gated', gates: 2000, route: 'cg' };
    return {
      one: estimateMemory(shape, { ...large, device: 'cuda:0' }),
      two: estimateMemory(shape, { ...large, device: both }),
      tooLarge: await failure(() => estimateMemory(shape, { ...large, gates: 3500, device: 'cuda' })),
      shared: estimateMemory(shape, { ...large, gates: 3500, device: both }),
      estimate: estimateMemory({ rows: 30, cols: 3 }, { ...options, device: both }),
      report: (await trainConvexReLU(x, y, { ...options, device: both })).report,
    };`,
    { gpus: 2 },
  )) as Record<'one' | 'two' | 'shared' | 'estimate', MemoryEstimate> & {
    tooLarge: Failure;
    report: ConvexReport;
  };
  t.match([found.two.device, found.one.device], ['cuda:0,cuda:1', 'cuda:0']);
  t.ok(found.two.gpuBytes < 0.7 * found.one.gpuBytes);
  t.match(found.tooLarge, { code: 'ERR_OUT_OF_MEMORY', message: /bytes on the GPU/ });
  t.ok(found.shared.gpuBytes > found.two.gpuBytes);
  t.ok(found.report.gpuBytes <= found.estimate.gpuBytes);
  t.ok(found.report.peakBytes <= found.estimate.bytes);
});

t.test('an abort ends a run on two GPUs at once; both go on afterwards', { skip }, async (t) => {
  const found = (await evaluate(
    `${DATA}
    const controller = new AbortController();
    let aborted;
    const onProgress = () => {
      aborted ??= performance.now();
      controller.abort();
    };
    const endless = { ...options, device: both, tolerance: 1e-12, maxIterations: 1e9, checkEvery: 1 };
    try {
      await trainConvexReLU(x, y, endless, { signal: controller.signal, onProgress });
    } catch ({ code, partial }) {
      const waited = performance.now() - aborted;
      const { report } = await trainConvexReLU(x, y, { ...options, device: both });
      return { code, waited, device: partial.report.device, after: report.status,
        bound: partial.report.dualBound <= report.objective };
    }`,
    { gpus: 2 },
  )) as { code: string; waited: number };
  t.match(found, { code: 'ERR_ABORTED', device: 'cuda:0,cuda:1', after: 'converged', bound: true });
  t.ok(found.waited < 2000, `${found.waited} ms`); // generous: kernels are emulated
});

t.test('aborted at any moment: what there is, honestly reported', { skip }, async (t) => {
  const found = (await evaluate(
    `${DATA}
    const endless = { ...options, device: both, tolerance: 1e-12, maxIterations: 1e9 };
    const stops = [];
    for (const delay of [0, 3, 10, 30, 60, 100, 150, 210]) {
      const aborted = performance.now() + delay;
      try {
        await trainConvexReLU(x, y, endless, { signal: AbortSignal.timeout(delay) });
      } catch ({ code, partial }) {
        const waited = performance.now() - aborted;
        const { gap } = partial ? verify(partial.network, x, y) : {};
        stops.push({ code, waited, gap, said: partial?.report.gap });
      }
    }
    return stops;`,
    { gpus: 2 },
  )) as { code: string; waited: number; gap?: number; said?: number }[];
  t.equal(found.length, 8);
  for (const { code, waited, gap, said } of found) {
    t.equal(code, 'ERR_ABORTED');
    t.equal(gap, said);
    t.ok(waited < 2000, `${waited} ms`);
  }
});

t.test('runs at the same time on the same two GPUs', { skip }, async (t) => {
  const found = (await evaluate(
    `${DATA}
    const devices = [both, both, ['cuda:1', 'cuda:0'], 'cuda:1'];
    const runs = await Promise.all(devices.map((device) =>
      trainConvexReLU(x, y, { ...options, device })));
    return runs.map(({ report: { device, objective } }) => ({ device, objective }));`,
    { gpus: 2 },
  )) as { device: string; objective: number }[];
  t.same(
    found.map(({ device }) => device),
    ['cuda:0,cuda:1', 'cuda:0,cuda:1', 'cuda:1,cuda:0', 'cuda:1'],
  );
  for (const { objective } of found.slice(0, 3)) t.equal(objective, found[0]?.objective);
});

t.test('what several GPUs cannot be asked for', { skip }, async (t) => {
  const found = (await evaluate(
    `${DATA}
    const train = (device, extra) => failure(() =>
      trainConvexReLU(x, signs, { ...options, device, ...extra }));
    return {
      twice: await train(['cuda:0', 'cuda:0']),
      mixed: await train(['cuda:0', 'cpu']),
      unnumbered: await train(['cuda', 'cuda:1']),
      none: await train([]),
      hole: await train([, 'cuda:0']),
      unknown: await train(['cuda:0', 'cuda:2']),
      gram: await train(both, { route: 'gram' }),
      estimate: await failure(() =>
        estimateMemory({ rows: 30, cols: 3 }, { ...options, route: 'gram', device: both })),
      adversarial: await train(both, { adversarial: { epsilon: 0.1 } }),
      sampled: await train(both, { refine: undefined, method: 'scp' }),
      newton: await failure(() => secondorder.minimizeSync(
        { variables: 1, constraints: 0, objective: ([v]) => v * v, x0: [1] }, { device: both })),
      alone: (await trainConvexReLU(x, y, { ...options, route: 'gram', device: ['cuda:1'] })).report.device,
    };`,
    { gpus: 2 },
  )) as Record<string, Failure>;
  const argument = 'options.device';
  for (const name of ['twice', 'mixed', 'unnumbered', 'none', 'hole', 'newton']) {
    t.match(found[name], { code: 'ERR_INVALID_ARGUMENT', argument }, name);
  }
  t.match(found.unknown, { code: 'ERR_CUDA_NO_DEVICE', argument, message: /no cuda:2/ });
  for (const failure of [found.gram, found.estimate]) {
    t.match(failure, { code: 'ERR_INVALID_ARGUMENT', argument: 'options.route', message: /gram/ });
  }
  for (const failure of [found.adversarial, found.sampled]) {
    t.match(failure, { code: 'ERR_CUDA_NO_BACKEND', argument, message: /CPU alone/ });
  }
  t.equal(found.alone, 'cuda:1');
});

t.test('the command line takes several with commas between them', { skip }, async (t) => {
  const data = join(t.testdir({ 'ring.csv': ringCsv(40) }), 'ring.csv');
  const train = (device: string) => {
    const options = ['--device', device, '--refine', 'never', '--max-iterations', '20', '--json'];
    const env = environment({ gpus: 2 }) as Record<string, string>;
    return secondorder(['train', data, '--gates', '6', ...options], { env });
  };
  t.match(result(await train('cuda:1,cuda:0')), { device: 'cuda:1,cuda:0' });
  for (const wrong of ['cuda:0,cpu', 'cuda:0,', 'cuda,cuda:1']) {
    const { code, err } = await train(wrong);
    t.equal(code, 2, wrong);
    t.match(err, /is not auto, cpu, cuda, cuda:N or cuda:N,cuda:M/);
  }
  t.match((await train('cuda:0,cuda:0')).err, /device/);
});
