// The largest resident set of a process that trains, beside what estimateMemory said of it.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ConvexReLUOptions, ProblemShape } from 'secondorder';
import type { Context } from './measurement';

/** What the child process is to train. */
export interface MemoryTask {
  shape: Required<ProblemShape>;
  options: ConvexReLUOptions;
  threads: number;
}

/** What it measured. */
export interface MemoryMeasured {
  route: string;
  /** Of estimateMemory. */
  estimatedBytes: number;
  /** Of the report. */
  plannedBytes: number;
  /** Largest resident set during training less the resident set before it. */
  measuredBytes: number;
}

export type MemoryResult = MemoryTask & MemoryMeasured;

const CHILD = path.join(__dirname, 'memory-child.ts');

export async function measureMemory(context: Context): Promise<MemoryResult[]> {
  const results = [];
  for (const task of tasksFor(context)) {
    const { rows, cols, outputs } = task.shape;
    context.log(`n = ${rows}, d = ${cols}, outputs = ${outputs}, ${JSON.stringify(task.options)}`);
    results.push({ ...task, ...(await inChild(task)) });
  }
  return results;
}

function tasksFor({ quick, threads }: Context): MemoryTask[] {
  const task = (rows: number, cols: number, outputs: number, options: ConvexReLUOptions) => ({
    shape: { rows, cols, outputs },
    options: { maxIterations: 20, refine: false as const, ...options },
    threads,
  });
  if (quick) return [task(2000, 50, 1, { gates: 64 })];
  return [
    task(4000, 500, 1, { gates: 256 }),
    task(4000, 500, 1, { gates: 256, precision: 'float64' }),
    task(4000, 100, 3, { gates: 128, loss: 'squared' }),
    task(10_000, 50, 1, { gates: 64, route: 'cg' }),
    task(20_000, 40, 10, { gates: 256, model: 'gated', route: 'cg' }),
    task(10_000, 20, 10, { gates: 128, model: 'gated', route: 'gram' }),
  ];
}

async function inChild(task: MemoryTask): Promise<MemoryMeasured> {
  const args = ['--import', 'tsx', CHILD, JSON.stringify(task)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as MemoryMeasured;
}
