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
  t.match(found[1], { name: /emulated/, memory: 2 ** 30, computeCapability: '9.0' });
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

/** A nonconvex quartic with dense derivatives, on a sphere and a plane. */
const DENSE = `
  const dense = (n) => {
    const q = (i, j) => Math.sin(1 + i * j + i + j) + (i === j ? (i % 3) - 1 : 0);
    return {
      variables: n,
      constraints: 2,
      x0: Float64Array.from({ length: n }, (_, i) => 0.3 + 0.01 * i),
      objective: (x) =>
        x.reduce((f, xi, i) => f + xi ** 4 / 4 + x.reduce((s, xj, j) => s + q(i, j) * xj, 0) * xi / 2, 0),
      gradient: (x, out) => out.forEach((_, i) => {
        out[i] = x[i] ** 3 + x.reduce((s, xj, j) => s + q(i, j) * xj, 0);
      }),
      constraint: (x, out) => out.set([
        x.reduce((s, v) => s + v * v, 0) - 4, x.reduce((s, v, i) => s + v * (1 + i / n), -1)]),
      jacobian: {
        values: (x, out) => x.forEach((v, i) => { out[i] = 2 * v; out[n + i] = 1 + i / n; }),
      },
      hessian: {
        values: (x, sigma, lambda, out) => {
          for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) {
            out[i * n + j] = sigma * q(i, j) + (i === j ? 3 * sigma * x[i] ** 2 + 2 * lambda[0] : 0);
          }
        },
      },
    };
  };
  const { minimize, minimizeSync } = secondorder;
`;

interface NewtonRun {
  status: string;
  x: number[];
  objective: number;
  stationarity: number;
  infeasibility: number;
  iterations: number;
  device: string;
  deviceReason: string;
  linear: { solver: string; factorizations: number; innerSteps: number; fallbacks: number };
}

t.test('Newton runs on the GPU come to the solution of the CPU', { skip }, async (t) => {
  const settings = [
    {},
    { linearSolver: 'ldl' },
    { linearSolver: 'minres' },
    { linearSolver: 'nystrom-minres' },
    { linearSolver: 'ldl', globalization: 'exact-augmented-lagrangian' },
  ];
  const found = (await evaluate(
    `${DENSE}
    const { hessian: _, ...withoutHessian } = dense(20);
    const cases = [...${JSON.stringify(settings)}.map((options) => [dense(40), options]), [withoutHessian, {}]];
    const runs = [];
    for (const [problem, options] of cases) {
      const pair = [];
      for (const device of ['cuda', 'cpu']) {
        const { x, history, lambda, ...result } = await minimize(problem, { ...options, device });
        pair.push({ ...result, x: Array.from(x) });
      }
      runs.push(pair);
    }
    return runs;`,
  )) as [NewtonRun, NewtonRun][];
  t.equal(found.length, settings.length + 1);
  for (const [gpu, cpu] of found) {
    t.match(gpu, { status: 'converged', device: 'cuda:0', deviceReason: 'asked for' });
    t.match(cpu, { status: 'converged', device: 'cpu', deviceReason: 'asked for' });
    t.equal(gpu.linear.solver, cpu.linear.solver);
    // Residuals are evaluated anew on the CPU when a run is over.
    t.ok(gpu.stationarity <= 1e-6 && gpu.infeasibility <= 1e-6);
    const apart = Math.max(...gpu.x.map((value, i) => Math.abs(value - (cpu.x[i] ?? Number.NaN))));
    t.ok(apart <= 1e-5, `${gpu.linear.solver}: ${apart} apart`);
  }
  const [byFactors] = found[1] ?? [];
  t.ok((byFactors?.linear.factorizations ?? 0) >= (byFactors?.iterations ?? 1));
  const [byMinres] = found[2] ?? [];
  t.ok((byMinres?.linear.innerSteps ?? 0) > 0);
});

t.test('solvers and problems without a form for a GPU are refused by name', { skip }, async (t) => {
  const found = (await evaluate(
    `${DENSE}
    const problem = dense(6), device = 'cuda';
    const products = { ...problem, hessian: { product: (x, sigma, lambda, v, out) => out.set(v) } };
    const { hessian: _, ...bfgs } = problem;
    return {
      sketch: await failure(() => minimize(problem, { device, linearSolver: 'kaczmarz++' })),
      sparse: await failure(() => minimizeSync(problem, { device, linearSolver: 'sparse-ldl' })),
      paper: await failure(() => minimize(problem, { device, preset: 'paper' })),
      products: await failure(() => minimize(products, { device, linearSolver: 'minres' })),
      memory: await failure(() => minimize(bfgs, { device, bfgsMemory: 3 })),
      list: await failure(() => minimize(problem, { device: ['cuda:0', 'cuda:1'] })),
      after: minimizeSync(problem, { device }).device,
    };`,
    { gpus: 2 },
  )) as Record<string, Failure> & { after: string };
  for (const key of ['sketch', 'sparse', 'paper', 'products', 'memory']) {
    t.match(found[key], { code: 'ERR_CUDA_NO_BACKEND', argument: 'options.linearSolver' }, key);
    t.match(found[key]?.message, key === 'products' || key === 'memory' ? /entries/ : /no form/);
  }
  t.match(found.list, { code: 'ERR_INVALID_ARGUMENT', argument: 'options.device' });
  t.equal(found.after, 'cuda:0');
});

t.test("out of the GPU's memory Newton runs fail, and all goes on", { skip }, async (t) => {
  const found = (await evaluate(
    `${DENSE}
    const device = 'cuda', n = 300;
    return {
      failed: await failure(() => minimize(dense(n), { device, linearSolver: 'ldl' })),
      after: minimizeSync(dense(20), { device }).device,
    };`,
    { gpuBytes: 2 ** 20 },
  )) as { failed: Failure; after: string };
  t.match(found.failed, {
    code: 'ERR_OUT_OF_MEMORY',
    message: /GPU has \d+ bytes free of 1048576/,
  });
  t.equal(found.after, 'cuda:0');
});

t.test('auto: where Newton systems are solved, and why', { skip }, async (t) => {
  const body = `${DENSE}
    // H = 2I + 11ᵀ/n, one step from the solution
    const large = (n) => ({
      variables: n,
      constraints: 0,
      x0: new Float64Array(n),
      objective: (x) => {
        const sum = x.reduce((s, v) => s + v, 0);
        return x.reduce((f, v) => f + v * v - v, 0) + sum * sum / (2 * n);
      },
      gradient: (x, out) => {
        const sum = x.reduce((s, v) => s + v, 0);
        out.forEach((_, i) => { out[i] = 2 * x[i] - 1 + sum / n; });
      },
      hessian: {
        values: (x, sigma, lambda, out) => {
          out.fill(sigma / n);
          for (let i = 0; i < n; i++) out[i * n + i] += 2 * sigma;
        },
      },
    });
    const place = ({ device, deviceReason, status, x }) => ({ device, deviceReason, status, first: x[0] });
    return {
      small: place(await minimize(dense(10))),
      medium: place(await minimize(large(400))),
      large: place(await minimize(large(2400))),
      sketched: place(await minimize(large(300), { linearSolver: 'kaczmarz++' })),
      asked: place(await minimize(large(400), { device: 'cpu' })),
    };`;
  interface Place {
    device: string;
    deviceReason: string;
    status: string;
    first: number;
  }
  const found = (await evaluate(body)) as Record<string, Place>;
  t.match(found.small, { device: 'cpu', deviceReason: 'too small for a GPU to gain' });
  t.match(found.medium, { device: 'cpu', deviceReason: /^too small .* by estimate/ });
  t.match(found.large, { device: 'cuda:0', deviceReason: /^faster: by estimate/ });
  t.match(found.sketched, { device: 'cpu', deviceReason: /'kaczmarz\+\+' has no form for a GPU/ });
  t.match(found.asked, { device: 'cpu', deviceReason: 'asked for' });
  for (const { status, first } of Object.values(found).slice(1)) {
    t.equal(status, 'converged');
    t.ok(Math.abs(first - 1 / 3) <= 1e-4); // 2x + x = 1
  }
  // With too little memory the same run stays on the CPU, and says so.
  const full = (await evaluate(body, { gpuBytes: 2 ** 24 })) as Record<string, Place>;
  t.match(full.large, {
    device: 'cpu',
    status: 'converged',
    deviceReason: /GPU has \d+ bytes free/,
  });
});

t.test('Newton runs at the same time on one GPU and on two', { skip }, async (t) => {
  const found = (await evaluate(
    `${DENSE}
    const devices = ['cuda:0', 'cuda:0', 'cuda:1', 'cpu'];
    const results = await Promise.all(devices.map((device) => minimize(dense(60), { device })));
    return results.map(({ device, status, objective, iterations }) => ({ device, status, objective, iterations }));`,
    { gpus: 2 },
  )) as NewtonRun[];
  t.same(
    found.map(({ device }) => device),
    ['cuda:0', 'cuda:0', 'cuda:1', 'cpu'],
  );
  for (const { status, objective, iterations } of found.slice(0, 3)) {
    t.equal(status, 'converged');
    // On a GPU the same run gives the same bits.
    t.same([objective, iterations], [found[0]?.objective, found[0]?.iterations]);
  }
});

t.test('an abort ends a Newton run on the GPU, with the best so far', { skip }, async (t) => {
  const found = await evaluate(
    `${DENSE}
    const controller = new AbortController();
    const options = { device: 'cuda', tolerance: 1e-300 };
    try {
      await minimize(dense(40), options, { signal: controller.signal, onProgress: () => controller.abort() });
    } catch ({ code, partial }) {
      return { code, device: partial.device, x: partial.x.length };
    }`,
  );
  t.match(found, { code: 'ERR_ABORTED', device: 'cuda:0', x: 40 });
});

t.test('what has no form for a GPU says so', async (t) => {
  const { FisherBlocks } = await import('secondorder');
  await t.rejects(
    FisherBlocks.fromGradients([Float32Array.of(1, 2)], { damping: 1, device: 'cuda' }),
    { code: 'ERR_CUDA_NO_BACKEND', argument: 'options.device', message: /CPU alone/ },
  );
});
