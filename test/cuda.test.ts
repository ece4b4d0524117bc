// Choosing a GPU, using it, and every way in which it can be missing, over the emulated CUDA.

import fs from 'node:fs';
import path from 'node:path';
import type { ConvexReport, CudaFound, DeviceInfo } from 'secondorder';
import t from 'tap';
import { packageRoot } from '../dist/native.js';
import { evaluate, NO_BACKEND, OTHER_VERSION, skip } from './fixtures/emulated-cuda';

/** Twenty samples that train in a few iterations. */
const DATA = `
  const x = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / 10 - 1]);
  const y = x.map(([a, b, c]) => Math.max(0, a + b) - Math.max(0, c - a));
  const options = { refine: false, gates: 8, seed: 1, beta: 1e-2, maxIterations: 60 };
  const gradients = Array.from({ length: 6 }, (_, k) =>
    Float32Array.from({ length: 300 }, (_, j) => Math.sin(1 + k * 7 + j * (k + 1) * 0.37)));
  const shape = { dimension: 300, capacity: 4, damping: 0.1 };
`;

interface Failure {
  code: string;
  message: string;
  argument?: string;
}

t.test('devices and doctor tell what there is', { skip }, async (t) => {
  const found = (await evaluate('return secondorder.devices()', { gpus: 2 })) as DeviceInfo[];
  t.match(
    found.map(({ device, available }) => [device, available]),
    [
      ['cpu', true],
      ['cuda:0', true],
      ['cuda:1', true],
    ],
  );
  t.match(found[1], { name: /emulated/, memory: 2 ** 30, computeCapability: '8.0' });
  const { cuda } = (await evaluate('return secondorder.doctor()')) as { cuda: CudaFound };
  t.match(cuda, {
    available: true,
    backend: /secondorder-cuda\.so$/,
    gpus: [{ device: 'cuda:0' }],
  });
  t.match(cuda.libraries, { found: true, files: [/libcublas\.so\.13$/, /libcusolver\.so\.12$/] });
});

const MISSING = [
  {
    what: 'the driver',
    machine: { driver: false },
    code: 'ERR_CUDA_NO_DRIVER',
    says: /driver was not found.*libcuda\.so\.1/,
  },
  {
    what: 'the backend where it was named',
    machine: { backend: '/nowhere/secondorder-cuda.so' },
    code: 'ERR_CUDA_NO_BACKEND',
    says: /SECONDORDER_CUDA_PLUGIN names \/nowhere/,
  },
  {
    what: 'the version',
    machine: { backend: OTHER_VERSION },
    code: 'ERR_CUDA_NO_BACKEND',
    says: /has version 0\.0\.0-other, and this is secondorder \d/,
  },
  {
    what: 'a backend in the file',
    machine: { backend: NO_BACKEND },
    code: 'ERR_CUDA_NO_BACKEND',
    says: /is no CUDA backend.*secondorder_cuda_version/,
  },
  {
    what: 'a GPU',
    machine: { gpus: 0 },
    code: 'ERR_CUDA_NO_DEVICE',
    says: /shows no GPU/,
  },
];

for (const { what, machine, code, says } of MISSING) {
  t.test(`without ${what}: ${code}, and auto takes the CPU`, { skip }, async (t) => {
    const found = (await evaluate(
      `${DATA}
      const { trainConvexReLU, FisherWindow, devices, doctor } = secondorder;
      const auto = await trainConvexReLU(x, y, options);
      return {
        train: await failure(() => trainConvexReLU(x, y, { ...options, device: 'cuda' })),
        window: await failure(() => new FisherWindow({ ...shape, device: 'cuda:0' })),
        newton: await failure(() => secondorder.minimizeSync(
          { variables: 1, constraints: 0, objective: ([v]) => v * v, x0: [1] }, { device: 'cuda' })),
        listed: devices()[1],
        doctor: doctor().cuda,
        device: auto.report.device,
        reason: auto.report.deviceReason,
      };`,
      machine,
    )) as {
      train: Failure;
      window: Failure;
      newton: Failure;
      listed: object;
      doctor: object;
      device: string;
    };
    t.match(found.train, { code, message: says, argument: 'options.device' });
    t.match(found.window, { code, message: says, argument: 'options.device' });
    t.match(found.newton, { code, message: says, argument: 'options.device' });
    t.match(found.listed, { device: 'cuda', available: false, code, reason: says });
    t.match(found.doctor, { available: false, code, reason: says });
    t.equal(found.device, 'cpu');
  });
}

const own = fs.existsSync(path.join(packageRoot, 'build', 'Release', 'secondorder-cuda.so'));
const noPackage = skip || (own && 'this clone has built a backend of its own');
t.test(
  'without a package: where it looked, and how to install it',
  { skip: noPackage },
  async (t) => {
    const found = await evaluate(
      `${DATA} return failure(() => new secondorder.FisherWindow({ ...shape, device: 'cuda' }))`,
      { backend: null },
    );
    const { code, message } = found as Failure;
    t.equal(code, 'ERR_CUDA_NO_BACKEND');
    t.match(message, /looked in .*build.Release.secondorder-cuda\.so/);
    t.match(message, /npm install @secondorder\/cuda-linux-x64@\d/);
  },
);

t.test('there is no cuda:3', { skip }, async (t) => {
  const found = await evaluate(
    `${DATA} return failure(() => secondorder.trainConvexReLU(x, y, { device: 'cuda:3' }))`,
    { gpus: 2 },
  );
  t.match(found, { code: 'ERR_CUDA_NO_DEVICE', message: /no cuda:3: the driver shows 2 GPUs/ });
});

t.test(
  'without cuBLAS: ERR_CUDA_LIBRARY says where it looked; windows need none',
  { skip },
  async (t) => {
    const found = (await evaluate(
      `${DATA}
    const { trainConvexReLU, FisherWindow, doctor } = secondorder;
    const window = new FisherWindow({ ...shape, device: 'cuda' });
    return {
      train: await failure(() => trainConvexReLU(x, y, { ...options, device: 'cuda' })),
      window: Array.from(await window.pushAndSolve(gradients[0])).every(Number.isFinite),
      warnings: doctor().warnings,
    };`,
      { libraries: false },
    )) as { train: Failure; window: boolean; warnings: string[] };
    t.equal(found.train.code, 'ERR_CUDA_LIBRARY');
    t.match(found.train.message, /cuBLAS was not found .*libcublas\.so\.13.*cuda-test\/none/);
    t.match(found.train.message, /site-packages\/nvidia.*SECONDORDER_CUDA_LIBRARIES/);
    t.ok(found.window);
    t.ok(found.warnings.some((warning) => /cuBLAS was not found/.test(warning)));
  },
);

t.test('training on the GPU reaches what it reaches on the CPU', { skip }, async (t) => {
  const extras = ['', "model: 'gated'", "precision: 'float64'", "products: 'tf32'"];
  for (const extra of [...extras, 'refine: { rounds: 1 }, gates: 4']) {
    const [gpu, cpu] = (await evaluate(
      `${DATA}
      const run = async (device) => {
        const all = { ...options, maxIterations: 4000, device, ${extra} };
        const { report, network } = await secondorder.trainConvexReLU(x, y, all);
        const { objective, gap } = secondorder.verify(network, x, y);
        return { ...report, history: undefined, verified: { objective, gap } };
      };
      return [await run('cuda'), await run('cpu')];`,
    )) as (ConvexReport & { verified: { objective: number; gap: number } })[];
    t.equal(gpu?.device, 'cuda:0', extra);
    t.match(gpu, { deviceReason: 'asked for', status: 'converged' });
    t.match(cpu, { device: 'cpu', deviceReason: 'asked for', status: 'converged', gpuBytes: 0 });
    t.ok((gpu?.gpuBytes ?? 0) > 0);
    // Both are within the tolerance of the same optimum.
    const apart = Math.abs((gpu?.objective ?? Number.NaN) - (cpu?.objective ?? Number.NaN));
    t.ok(apart <= 2e-3 * (cpu?.objective ?? 0), `${gpu?.objective} and ${cpu?.objective}`);
    t.ok(Math.abs((gpu?.verified.objective ?? 0) - (gpu?.objective ?? 1)) < 1e-9);
  }
});

t.test('recorded as CUDA graphs or not: the same run', { skip }, async (t) => {
  const runs = [undefined, 'off', 'refused'] as const;
  const found = await Promise.all(
    runs.map((graphs) =>
      evaluate(
        `${DATA}
        const { network } = await secondorder.trainConvexReLU(x, y, { ...options, device: 'cuda' });
        return network.toJSON();`,
        graphs === undefined ? {} : { graphs },
      ),
    ),
  );
  t.same(found[1], found[0]);
  t.same(found[2], found[0]);
});

t.test(
  'a window on one GPU and on two gives what the CPU gives, also from a file',
  { skip },
  async (t) => {
    const found = (await evaluate(
      `${DATA}
    const fs = require('node:fs'), os = require('node:os'), path = require('node:path');
    const { FisherWindow } = secondorder;
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'secondorder-')), 'window');
    const solve = async (device, storage) => {
      const window = new FisherWindow({ ...shape, dimension: 3000, storage, device });
      let last;
      for (const g of gradients) {
        const long = Float32Array.from({ length: 3000 }, (_, j) => g[j % 300] + 1e-3 * j);
        last = await window.pushAndSolve(long);
      }
      await window.save(file);
      const resumed = await FisherWindow.load(file, undefined, { device: 'cpu' });
      const again = resumed.solveSync(last), here = window.solveSync(last);
      return { device: window.device, last: Array.from(last),
        resumed: Math.max(...again.map((v, j) => Math.abs(v - here[j]))) };
    };
    const results = {};
    for (const storage of ['float32', 'bfloat16', 'int8']) {
      results[storage] = [await solve('cpu', storage), await solve('cuda:1', storage),
        await solve(['cuda:0', 'cuda:1'], storage)];
    }
    fs.rmSync(path.dirname(file), { recursive: true });
    return results;`,
      { gpus: 2 },
    )) as Record<string, { device: string; last: number[]; resumed: number }[]>;
    for (const [storage, runs] of Object.entries(found)) {
      t.same(
        runs.map(({ device }) => device),
        ['cpu', 'cuda:1', 'cuda:0,cuda:1'],
      );
      const largest = Math.max(...(runs[0]?.last ?? []).map(Math.abs));
      for (const { last, device, resumed } of runs) {
        const apart = last.map((value, j) => Math.abs(value - (runs[0]?.last[j] ?? Number.NaN)));
        t.ok(
          Math.max(...apart) <= 1e-5 * largest,
          `${storage} on ${device}: ${Math.max(...apart)}`,
        );
        t.ok(resumed <= 1e-5 * largest, `${storage} from ${device}'s file: ${resumed}`);
      }
    }
  },
);

t.test("out of the GPU's memory: need and have, and all goes on", { skip }, async (t) => {
  const found = (await evaluate(
    `${DATA}
    const { trainConvexReLU, FisherWindow, estimateMemory } = secondorder;
    const device = 'cuda';
    const large = { dimension: 1e6, capacity: 100, damping: 1 };
    return {
      window: await failure(() => new FisherWindow({ ...large, device })),
      estimate: await failure(() => estimateMemory({ rows: 200000, cols: 300 }, { device })),
      small: estimateMemory({ rows: 20, cols: 3 }, { ...options, device }),
      auto: new FisherWindow({ ...large, capacity: 90 }).deviceReason,
      after: (await trainConvexReLU(x, y, { ...options, device })).report.device,
    };`,
    { gpuBytes: 256 * 2 ** 20 },
  )) as Record<string, Failure> & { auto: string; after: string };
  for (const { code, message } of [found.window, found.estimate] as Failure[]) {
    t.equal(code, 'ERR_OUT_OF_MEMORY');
    t.match(message, /GPU/);
    t.match(message, /\d+ (bytes|MB).*\d+/);
  }
  t.match(found.small, { device: 'cuda:0' });
  t.match(found.auto, /GPU/);
  t.equal(found.after, 'cuda:0');
});

t.test(
  'auto says why: small work stays on the CPU, large work goes to the GPU',
  { skip },
  async (t) => {
    const found = (await evaluate(
      `${DATA}
    const { FisherWindow, estimateMemory, trainConvexReLU } = secondorder;
    const large = new FisherWindow({ dimension: 1e6, capacity: 100, damping: 1 });
    return {
      small: new FisherWindow(shape).deviceReason,
      large: [large.device, large.deviceReason],
      estimates: [{ rows: 50, cols: 5 }, { rows: 20000, cols: 100 }].map((s) => estimateMemory(s).device),
      report: (await trainConvexReLU(x, y, options)).report.deviceReason,
    };`,
      { gpuBytes: 64 * 2 ** 30 },
    )) as { small: string; large: string[]; estimates: string[]; report: string };
    t.match(
      found.small,
      /^too small for a GPU to gain: by estimate .* s on a GPU, .* s on the CPU$/,
    );
    t.match(found.report, /^too small/);
    t.match(found.large, ['cuda:0', /^faster: by estimate/]);
    t.same(found.estimates, ['cpu', 'cuda:0']);
  },
);

t.test('an abort ends a run on the GPU at once, with the best so far', { skip }, async (t) => {
  const found = (await evaluate(
    `${DATA}
    const controller = new AbortController();
    let aborted;
    const onProgress = () => {
      aborted ??= performance.now();
      controller.abort();
    };
    const endless = { ...options, device: 'cuda', tolerance: 1e-12, maxIterations: 1e9, checkEvery: 1 };
    try {
      await secondorder.trainConvexReLU(x, y, endless, { signal: controller.signal, onProgress });
    } catch ({ code, partial }) {
      return { code, device: partial.report.device, waited: performance.now() - aborted };
    }`,
  )) as { code: string; device: string; waited: number };
  t.equal(found.code, 'ERR_ABORTED');
  t.equal(found.device, 'cuda:0');
  t.ok(found.waited < 2000, `${found.waited} ms`); // generous: kernels are emulated
});

t.test('jobs at the same time on one GPU, and on two', { skip }, async (t) => {
  const found = (await evaluate(
    `${DATA}
    const devices = ['cuda:0', 'cuda:0', 'cuda:1', 'cpu'];
    const runs = devices.map((device) => secondorder.trainConvexReLU(x, y, { ...options, device }));
    const window = new secondorder.FisherWindow({ ...shape, device: 'cuda' });
    const solved = window.pushAndSolve(gradients[0]);
    const reports = (await Promise.all(runs)).map(({ report }) => report);
    await solved;
    return reports.map(({ device, objective }) => ({ device, objective }));`,
    { gpus: 2 },
  )) as { device: string; objective: number }[];
  t.same(
    found.map(({ device }) => device),
    ['cuda:0', 'cuda:0', 'cuda:1', 'cpu'],
  );
  // On a GPU the same run gives the same bits.
  t.equal(found[0]?.objective, found[1]?.objective);
  t.equal(found[0]?.objective, found[2]?.objective);
});

t.test('worker threads share the backend', { skip }, async (t) => {
  const script = `
    const { Worker } = require('node:worker_threads');
    const { once } = require('node:events');
    const main = new secondorder.FisherWindow({ dimension: 10, capacity: 2, damping: 1, device: 'cuda' });
    const code = \`
      const { FisherWindow } = require(require('node:worker_threads').workerData);
      const rows = new FisherWindow({ dimension: 10, capacity: 2, damping: 1, device: 'cuda' });
      const out = rows.pushAndSolveSync(new Float32Array(10).fill(1));
      require('node:worker_threads').parentPort.postMessage([rows.device, ...out]);\`;
    const workers = [1, 2].map(
      () => new Worker(code, { eval: true, workerData: ${JSON.stringify(packageRoot)} }));
    const exits = workers.map((worker) => once(worker, 'exit'));
    const answers = await Promise.all(workers.map((worker) => once(worker, 'message')));
    await Promise.all(exits);
    const here = main.pushAndSolveSync(new Float32Array(10).fill(1));
    return [[main.device, ...here], ...answers.map(([answer]) => answer)];`;
  const [main, ...others] = (await evaluate(script)) as (string | number)[][];
  t.equal(main?.[0], 'cuda:0');
  for (const other of others) t.same(other, main);
});

t.test('what has no form for a GPU says so', async (t) => {
  const { FisherBlocks } = await import('secondorder');
  await t.rejects(
    FisherBlocks.fromGradients([Float32Array.of(1, 2)], { damping: 1, device: 'cuda' }),
    { code: 'ERR_CUDA_NO_BACKEND', argument: 'options.device', message: /CPU alone/ },
  );
});
