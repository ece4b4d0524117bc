// Newton's linear systems on a GPU, over the emulated CUDA: the solutions of the CPU, what is refused, and
// where 'auto' solves them.
import t from 'tap';
import { evaluate, skip } from './fixtures/emulated-cuda';

interface Failure {
  code: string;
  message: string;
  argument?: string;
}

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
    const problem = dense(40);
    let calls = 0;
    const objective = (x) => {
      if (++calls === 2) controller.abort();
      return problem.objective(x);
    };
    const options = { device: 'cuda', tolerance: 1e-300 };
    try {
      await minimize({ ...problem, objective }, options, { signal: controller.signal });
    } catch ({ code, partial }) {
      return { code, device: partial.device, x: partial.x.length };
    }`,
  );
  t.match(found, { code: 'ERR_ABORTED', device: 'cuda:0', x: 40 });
});
