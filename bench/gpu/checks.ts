// The solvers on the GPU against the CPU, from JavaScript: the same answers within the certificate.
import assert from 'node:assert/strict';
import {
  type ConvexReLUOptions,
  devices,
  type GpuName,
  trainConvexReLUSync,
  verify,
} from 'secondorder';
import { FisherWindow, type FisherWindowOptions } from 'secondorder/mfac';
import { minimizeSync } from 'secondorder/newton';
import { syntheticProblem } from '../problem';
import type { GpuContext } from './context';

export interface CheckResult {
  what: string;
  /** What differs, where something does. */
  failure?: string;
}

const TOLERANCE = 1e-3;

const TRAINED: ConvexReLUOptions[] = [
  {},
  { model: 'gated' },
  { loss: 'logistic' },
  { loss: 'hinge' },
  { precision: 'float64', tolerance: 1e-6 },
  { products: 'tf32' },
  { route: 'cg', model: 'gated' },
  { route: 'gram', model: 'gated' },
];

/** Of what several GPUs share the gates of. */
const SHARED: ConvexReLUOptions[] = [
  {},
  { loss: 'logistic', model: 'gated' },
  { precision: 'float64', tolerance: 1e-6 },
  { route: 'cg', model: 'gated' },
];

/** All GPUs, and the first two, where there are so many. */
function severalGpus(): GpuName[][] {
  const all = devices().flatMap(({ device, available }) =>
    available && device !== 'cpu' ? [device] : [],
  );
  if (all.length < 2) return [];
  return all.length === 2 ? [all] : [all.slice(0, 2), all];
}

export function checkSolvers(context: GpuContext): CheckResult[] {
  const [n, r, gates] = context.quick ? [16, 3, 4] : [800, 40, 64];
  // Over the gates drawn: refined ones, and so the optimum, may differ by rounding.
  const effort = {
    refine: false,
    ...(context.quick && { maxIterations: 40, checkEvery: 20 }),
  } as const;
  const checks: [string, () => void][] = [
    ...TRAINED.map((options): [string, () => void] => [
      `training ${JSON.stringify(options)}`,
      () => checkTraining(n, r, { tolerance: TOLERANCE, ...options, ...effort, gates }, context),
    ]),
    ...severalGpus().flatMap((device) =>
      SHARED.map((options): [string, () => void] => [
        `training on ${device.join(' and ')} ${JSON.stringify(options)}`,
        () =>
          checkTraining(
            n,
            r,
            { tolerance: TOLERANCE, ...options, ...effort, gates, device },
            context,
          ),
      ]),
    ),
    ...(['float32', 'bfloat16', 'float16', 'int8'] as const).map(
      (storage): [string, () => void] => [
        `window in ${storage}`,
        () => checkWindow(storage, context.quick ? 2000 : 300_000, context),
      ],
    ),
    ...(['ldl', 'minres', 'nystrom-minres'] as const).map((solver): [string, () => void] => [
      `minimize by ${solver}`,
      () => checkNewton(solver, context.quick ? 30 : 600, context),
    ]),
  ];
  return checks.map(([what, check]) => {
    context.log(`check: ${what}`);
    try {
      check();
      return { what };
    } catch (error) {
      return { what, failure: error instanceof Error ? error.message : String(error) };
    }
  });
}

function checkTraining(n: number, r: number, options: ConvexReLUOptions, context: GpuContext) {
  const { x, y } = syntheticProblem(n, r);
  const signs = options.loss === 'logistic' || options.loss === 'hinge';
  const targets = signs ? y.map((value) => (value < 0 ? -1 : 1)) : y;
  const [gpu, cpu] = [options.device ?? context.device, 'cpu' as const].map((device) => {
    const { network, report } = trainConvexReLUSync(x, targets, { ...options, device });
    const proof = verify(network, x, targets);
    assert.equal(report.device, [device].flat().join(','));
    const said = `${device}: ${report.status}, gap ${report.gap}`;
    assert.ok(report.status === 'converged' || context.quick, said);
    assert.ok(Math.abs(proof.objective / report.objective - 1) < 1e-9);
    return report;
  });
  // Each bounds the same optimum from both sides.
  assert.ok(gpu!.dualBound <= cpu!.objective * (1 + 1e-9), 'the GPU bounds the optimum too high');
  assert.ok(cpu!.dualBound <= gpu!.objective * (1 + 1e-9), 'the CPU bounds the optimum too high');
}

function checkWindow(
  storage: NonNullable<FisherWindowOptions['storage']>,
  dimension: number,
  { device }: GpuContext,
) {
  const capacity = 8;
  const [gpu, cpu] = [device, 'cpu' as const].map((place) => {
    using window = new FisherWindow({ dimension, capacity, damping: 0.1, storage, device: place });
    let last: Float32Array = new Float32Array(dimension);
    for (let k = 0; k < capacity + 3; k++) {
      const gradient = Float32Array.from({ length: dimension }, (_, j) =>
        Math.sin(j * (0.1 + 0.013 * k) + k),
      );
      last = window.pushAndSolveSync(gradient);
    }
    return last;
  });
  const largest = gpu!.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = gpu!.reduce((most, value, j) => Math.max(most, Math.abs(value - cpu![j]!)), 0);
  assert.ok(apart <= 1e-5 * largest, `${apart} apart of ${largest}`);
}

/** A strictly convex quartic with a dense Hessian on a plane: there is one solution. */
function checkNewton(
  linearSolver: 'ldl' | 'minres' | 'nystrom-minres',
  n: number,
  { device }: GpuContext,
) {
  const scale = (i: number) => 1 + i / n;
  const weighted = (x: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += scale(i) * x[i]!;
    return sum;
  };
  const problem = {
    variables: n,
    constraints: 1,
    x0: Float64Array.from({ length: n }, (_, i) => 1 + Math.sin(i)),
    objective: (x: Float64Array) =>
      x.reduce((f, v) => f + v ** 4 / 4 + v ** 2 / 2 - v, 0) + weighted(x) ** 2 / (2 * n),
    gradient: (x: Float64Array, out: Float64Array) => {
      const common = weighted(x) / n;
      for (let i = 0; i < n; i++) out[i] = x[i]! ** 3 + x[i]! - 1 + scale(i) * common;
    },
    constraint: (x: Float64Array, out: Float64Array) => {
      out[0] = weighted(x) - n;
    },
    jacobian: {
      values: (_: Float64Array, out: Float64Array) => {
        for (let i = 0; i < n; i++) out[i] = scale(i);
      },
    },
    hessian: {
      values: (x: Float64Array, sigma: number, _: Float64Array, out: Float64Array) => {
        for (let i = 0; i < n; i++) {
          for (let j = 0; j <= i; j++) out[i * n + j] = (sigma * scale(i) * scale(j)) / n;
          out[i * n + i] = out[i * n + i]! + sigma * (3 * x[i]! ** 2 + 1);
        }
      },
    },
  };
  const [gpu, cpu] = [device, 'cpu' as const].map((place) => {
    const result = minimizeSync(problem, { linearSolver, device: place });
    assert.equal(result.device, place);
    assert.equal(result.status, 'converged', `${place}: ${result.status}`);
    return result.x;
  });
  const apart = gpu!.reduce((most, value, i) => Math.max(most, Math.abs(value - cpu![i]!)), 0);
  assert.ok(apart <= 1e-4, `${apart} apart`);
}
