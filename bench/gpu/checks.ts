// The solvers on the GPU against the CPU, from JavaScript: the same answers within the certificate.
import assert from 'node:assert/strict';
import { type ConvexReLUOptions, trainConvexReLUSync, verify } from 'secondorder';
import { FisherWindow, type FisherWindowOptions } from 'secondorder/mfac';
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

export function checkSolvers(context: GpuContext): CheckResult[] {
  const [n, r, gates] = context.quick ? [16, 3, 4] : [800, 40, 64];
  const effort = context.quick ? { maxIterations: 40, checkEvery: 20 } : {};
  const checks: [string, () => void][] = [
    ...TRAINED.map((options): [string, () => void] => [
      `training ${JSON.stringify(options)}`,
      () => checkTraining(n, r, { tolerance: TOLERANCE, ...options, ...effort, gates }, context),
    ]),
    ...(['float32', 'bfloat16', 'float16', 'int8'] as const).map(
      (storage): [string, () => void] => [
        `window in ${storage}`,
        () => checkWindow(storage, context.quick ? 2000 : 300_000, context),
      ],
    ),
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
  const [gpu, cpu] = [context.device, 'cpu' as const].map((device) => {
    const { network, report } = trainConvexReLUSync(x, targets, { ...options, device });
    const proof = verify(network, x, targets);
    assert.equal(report.device, device);
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
