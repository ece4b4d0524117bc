/** What experiments share: methods, what is kept of a run, and where results go. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MinimizeOptions, MinimizeResult } from 'secondorder/newton';
import { drawLines, type Line, type Panel } from '../../examples/draw';

export interface Settings {
  /** Folder of JSON and SVG. */
  out: string;
  /** Seconds, of one run. */
  timeLimit: number;
  /** Of sketches. */
  seed: number;
}

/** A way to minimize. */
export interface Method {
  name: string;
  options: MinimizeOptions;
}

/** The paper's two sketches: single rows of K (randomized Kaczmarz), and Gaussian vectors. */
export const PAPER_SKETCHES: readonly Method[] = [
  { name: 'RK', options: { linearSolver: 'kaczmarz' } },
  { name: 'GV', options: { linearSolver: 'gaussian', sketchSize: 1 } },
];

/** The paper's method, with these sketches. */
export const PAPER_METHODS: readonly Method[] = PAPER_SKETCHES.map(({ name, options }) => ({
  name: `paper, ${name}`,
  options: { ...options, preset: 'paper' },
}));

/** What a run leaves in the JSON file. */
export type Summary = Omit<MinimizeResult, 'x' | 'lambda' | 'message' | 'seed'>;

export function summarize({ x, lambda, message, seed, ...rest }: MinimizeResult): Summary {
  return rest;
}

/** The KKT residual that the run is judged by; what is exactly 0 has no place on a logarithmic axis. */
export function residualCurve(
  name: string,
  { history }: Pick<MinimizeResult, 'history'>,
  over: 'iteration' | 'seconds' | 'innerSteps',
): Line {
  const points = history.map((at) => ({ x: at[over], y: at.scaledKkt }));
  return { name, points: points.filter(({ y }) => y > 0) };
}

export const RESIDUAL_AXIS = { title: 'KKT residual', log: true, format: '.0e' };

/** Writes NAME.json and NAME.svg, and says where. */
export async function save(
  { out }: Settings,
  name: string,
  results: unknown,
  panels: readonly Panel[],
): Promise<void> {
  const path = (extension: string) => join(resolve(out), `${name}.${extension}`);
  await mkdir(resolve(out), { recursive: true });
  await writeFile(path('json'), `${JSON.stringify(results, undefined, 1)}\n`);
  await drawLines(path('svg'), panels);
  console.log(`\nNumbers: ${path('json')}\nCurves: ${path('svg')}`);
}

/** 0.0123, 1.23, 123 */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
