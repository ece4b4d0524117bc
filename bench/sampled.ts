// The sampled convex program beside FISTA with restarts on the same columns.
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Matrix, trainConvexReLU, writeNpy } from 'secondorder';
import { type Context, type Skipped, timed } from './measurement';

export interface SampledResult {
  loss: 'squared' | 'logistic' | 'hinge';
  n: number;
  d: number;
  directions: number;
  beta: number;
  neurons: number;
  gap: number;
  /** Processor seconds of the whole training, the columns and the verification included. */
  cpu: number;
  /** FISTA's after its columns are there; not for the hinge, which is not smooth. */
  fista?: { cpu: number; iterations: number; gap: number };
}

export const TOLERANCE = 1e-3;
/** FISTA is stopped after so many seconds. */
export const FISTA_SECONDS = 60;
const PYTHON = process.env.PYTHON ?? 'python3';
const SCRIPT = path.join(__dirname, 'peers', 'fista.py');
const run = promisify(execFile);

const CASES = [
  { loss: 'squared', n: 2000, directions: 2000, beta: 1e-2 },
  { loss: 'squared', n: 2000, directions: 2000, beta: 2e-3 },
  { loss: 'logistic', n: 2000, directions: 2000, beta: 3e-3 },
  { loss: 'hinge', n: 2000, directions: 2000, beta: 3e-3 },
  { loss: 'squared', n: 4000, directions: 4000, beta: 1e-2 },
  { loss: 'logistic', n: 4000, directions: 4000, beta: 3e-3 },
] as const;
const FEATURES = 20;

export async function measureSampled(context: Context): Promise<SampledResult[] | Skipped> {
  try {
    await run(PYTHON, ['-c', 'import numpy']);
  } catch {
    return { skipped: 'Python with NumPy is not on this machine' };
  }
  const results: SampledResult[] = [];
  for (const one of context.quick ? CASES.slice(0, 1) : CASES) {
    context.log(`${one.loss}, ${one.n} samples, ${one.directions} hidden vectors`);
    results.push(await measureCase(one));
  }
  return results;
}

async function measureCase({ loss, n, directions, beta }: (typeof CASES)[number]) {
  const normal = gaussian(7);
  const matrix = (rows: number): Matrix => {
    const data = Float64Array.from({ length: rows * FEATURES }, normal);
    return { data, rows, cols: FEATURES };
  };
  const x = matrix(n);
  const gates = matrix(directions);
  const y = Float64Array.from({ length: n }, (_, k) => {
    const [a = 0, , b = 0, c = 0] = x.data.subarray(k * FEATURES);
    const value = Math.abs(a) - 0.7 + 0.5 * b * c + 0.3 * normal();
    return loss === 'squared' ? value : value > 0 ? 1 : -1;
  });
  const options = {
    method: 'scp',
    loss,
    beta,
    gates,
    preprocess: 'none',
    bias: false,
    tolerance: TOLERANCE,
  } as const;
  const { result, cpu } = await timed(() => trainConvexReLU(x, y, options, { threads: 1 }));
  const { neurons, gap } = result.report;
  const own: SampledResult = { loss, n, d: FEATURES, directions, beta, neurons, gap, cpu };
  return loss === 'hinge' ? own : { ...own, fista: await runFista(x, gates, y, loss, beta) };
}

async function runFista(x: Matrix, u: Matrix, y: Float64Array, loss: string, beta: number) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'secondorder-bench-'));
  try {
    await writeNpy(path.join(folder, 'x.npy'), x);
    await writeNpy(path.join(folder, 'u.npy'), u);
    await writeNpy(path.join(folder, 'y.npy'), y);
    const args = [SCRIPT, folder, loss, String(beta), String(TOLERANCE), String(FISTA_SECONDS)];
    const env = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' };
    const { stdout } = await run(PYTHON, args, { env });
    return JSON.parse(stdout) as { cpu: number; iterations: number; gap: number };
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}

/** Standard normal numbers, by Box and Muller. */
function gaussian(seed: number): () => number {
  const random = xoroshiro128plus(seed);
  const uniform = () => ((random.next() >>> 0) + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
