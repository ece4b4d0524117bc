// How time of an iteration and memory grow with n, d, P and the outputs c, one at a time.
import { estimateMemory } from 'secondorder';
import { timeIteration } from './iteration-time';
import type { Context } from './measurement';
import { repeatTargets, syntheticProblem } from './problem';

export const AXES = ['n', 'd', 'P', 'c'] as const;
export type Axis = (typeof AXES)[number];
type Shape = Record<Axis, number>;

export interface ScalingResult {
  axis: Axis;
  /** The sizes that stay. */
  fixed: Partial<Shape>;
  points: { size: number; seconds: number; cpuSeconds: number; bytes: number }[];
  /** Of log time over log size, by least squares over all points. */
  slope: number;
  /** The same over the upper half of the sizes, where fixed costs no longer count. */
  upperSlope: number;
  /** Of the log of the bytes that are planned, over log size. */
  memorySlope: number;
  /** Growth that is allowed. */
  bound: number;
}

const BOUNDS: Record<Axis, number> = { n: 2, d: 1, P: 1, c: 1 };

/** What a fit of noisy timings may exceed the bound by. */
export const SLOPE_NOISE = 0.1;

export async function measureScaling(context: Context): Promise<ScalingResult[]> {
  const base: Shape = context.quick
    ? { n: 500, d: 40, P: 64, c: 1 }
    : { n: 2000, d: 200, P: 256, c: 1 };
  const sizes: Record<Axis, number[]> = context.quick
    ? { n: [250, 500, 1000], d: [20, 40, 80], P: [64, 128, 256], c: [1, 2, 4] }
    : {
        n: [250, 500, 1000, 2000, 4000, 8000],
        d: [25, 50, 100, 200, 400, 800],
        P: [64, 128, 256, 512, 1024, 2048],
        c: [1, 2, 4, 8, 16],
      };
  const results = [];
  for (const axis of AXES) results.push(await sweep(axis, base, sizes[axis], context));
  return results;
}

async function sweep(
  axis: Axis,
  base: Shape,
  sizes: readonly number[],
  { quick, threads, log }: Context,
): Promise<ScalingResult> {
  const points: ScalingResult['points'] = [];
  for (const size of sizes) {
    const shape: Shape = { ...base, [axis]: size };
    const { n, d, P, c } = shape;
    const { x, y } = syntheticProblem(n, d);
    log(`n = ${n}, d = ${d}, P = ${P}, c = ${c}`);
    const options = { gates: P, route: 'woodbury', preprocess: 'none', bias: false } as const;
    const timing = await timeIteration({ x, y: repeatTargets(y, c) }, options, {
      seconds: quick ? 0.2 : 2,
      repeats: quick ? 1 : 3,
      threads,
    });
    const measured = axis === 'P' ? timing.gates : size;
    const planned = estimateMemory({ rows: n, cols: d, outputs: c }, { ...options, refine: false });
    const { bytes } = planned;
    points.push({ size: measured, seconds: timing.wall, cpuSeconds: timing.cpu, bytes });
  }
  const fixed: Partial<Shape> = { ...base };
  delete fixed[axis];
  return {
    axis,
    fixed,
    points,
    slope: logSlope(points, ({ cpuSeconds }) => cpuSeconds),
    upperSlope: logSlope(
      points.slice(Math.floor((points.length - 1) / 2)),
      ({ cpuSeconds }) => cpuSeconds,
    ),
    memorySlope: logSlope(points, ({ bytes }) => bytes),
    bound: BOUNDS[axis],
  };
}

/** Slope of the log of a cost over log size. Time is the processor's, which other work disturbs least. */
export function logSlope<Point extends { size: number }>(
  points: readonly Point[],
  cost: (point: Point) => number,
): number {
  const logs = points.map((point) => [Math.log(point.size), Math.log(cost(point))] as const);
  const mean = (pick: 0 | 1) => logs.reduce((sum, pair) => sum + pair[pick], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return covariance / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}
