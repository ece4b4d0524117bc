// Gate refinement beside ten runs of Adam on the network itself, of the same width and objective.
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Matrix, readCsv, trainConvexReLU, writeNpy } from 'secondorder';
import { type Context, type Skipped, timed } from './measurement';

export interface RefinementResult {
  name: string;
  /** Of the training part, the constant feature included. */
  n: number;
  d: number;
  /** Refined objective over the best of ten by Adam, of every split and seed. */
  ratios: number[];
  /** Processor time over that of the ten, of refinement alone and of the whole training. */
  refinementShare: number[];
  trainingShare: number[];
  /** Relative gap to the bound on the refined network's own patterns, and greatest price found. */
  gaps: number[];
  pricingRatios: number[];
  /** Whether an objective rose from a round to the next, in any run. */
  rose: boolean;
}

export const WIDTH = 64;
const BETA = 1e-3;
const STEPS = 4000;
const SPLITS = 3;
const SEEDS = 2;
const PYTHON = process.env.PYTHON ?? 'python3';
const SCRIPT = path.join(__dirname, 'peers', 'adam.py');
const NAMES = [
  'pima',
  'heart_cleveland',
  'vehicle',
  'sonar',
  'breast_cancer_wdbc',
  'glass',
  'wine',
  'house_votes84',
  'breast_cancer_original',
  'digits',
  'spambase',
];
const run = promisify(execFile);

export async function measureRefinement(context: Context): Promise<RefinementResult[] | Skipped> {
  if (context.data === undefined) return { skipped: 'no folder of public data sets' };
  try {
    await run(PYTHON, ['-c', 'import numpy']);
  } catch {
    return { skipped: `numpy cannot be imported by ${PYTHON}` };
  }
  const wanted = context.quick ? NAMES.slice(0, 2) : NAMES;
  const results: RefinementResult[] = [];
  for (const name of wanted) {
    context.log(name);
    results.push(await measureSet(name, context.data, context.quick));
  }
  return results;
}

export async function measureSet(
  name: string,
  data: string,
  quick: boolean,
): Promise<RefinementResult> {
  const table = await readCsv(path.join(data, 'uci', `${name}.csv.gz`), { missing: 'drop' });
  const y = halves(name, [...table.y!]);
  const result: RefinementResult = {
    name,
    n: 0,
    d: 0,
    ratios: [],
    refinementShare: [],
    trainingShare: [],
    gaps: [],
    pricingRatios: [],
    rose: false,
  };
  for (let split = 0; split < (quick ? 1 : SPLITS); split++) {
    const part = trainingPart(table.x, y, split);
    const adam = await runAdam(part, quick ? 100 : STEPS);
    const best = Math.min(...adam.objectives);
    for (let seed = 0; seed < (quick ? 1 : SEEDS); seed++) {
      const options = {
        beta: BETA,
        gates: WIDTH,
        refine: { maxGates: WIDTH },
        preprocess: 'none',
        bias: false,
        tolerance: 1e-2,
        seed,
      } as const;
      const before = process.cpuUsage();
      let refined = 0;
      const { result: trained, cpu } = await timed(() =>
        trainConvexReLU(part.x, part.y, options, {
          threads: 1,
          onProgress: ({ round }) => {
            const { user, system } = process.cpuUsage(before);
            if (round !== undefined) refined = (user + system) / 1e6;
          },
        }),
      );
      const { objective, gap, pricingRatio, refinement } = trained.report;
      result.ratios.push(objective / best);
      result.refinementShare.push(refined / adam.cpu);
      result.trainingShare.push(cpu / adam.cpu);
      result.gaps.push(gap);
      result.pricingRatios.push(pricingRatio);
      result.rose ||= refinement.some(
        (now, i) => i > 0 && now.objective > refinement[i - 1]!.objective,
      );
    }
    result.n = part.x.rows;
    result.d = part.x.cols;
  }
  return result;
}

/** Every second class against the others; of hearts, any disease against none. */
function halves(name: string, labels: (string | number)[]): number[] {
  if (name === 'heart_cleveland') return labels.map((label) => (Number(label) > 0 ? 1 : -1));
  const classes = [...new Set(labels)].sort();
  return labels.map((label) => (classes.indexOf(label) % 2 === 1 ? 1 : -1));
}

/** A random three quarters of the samples, standardized, with a constant feature. */
function trainingPart(x: Matrix, y: number[], split: number): { x: Matrix; y: Float64Array } {
  const rows = Array.from({ length: x.rows }, (_, i) => i);
  const random = xoroshiro128plus(1000 + split);
  for (let i = rows.length - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [rows[i], rows[j]] = [rows[j]!, rows[i]!];
  }
  const kept = rows.slice(0, Math.round(0.75 * x.rows));
  const cols = x.cols + 1;
  const data = new Float64Array(kept.length * cols).fill(1);
  for (let j = 0; j < x.cols; j++) {
    const values = kept.map((i) => x.data[i * x.cols + j]!);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    const scale = variance > 1e-20 ? Math.sqrt(variance) : 1;
    values.forEach((value, i) => {
      data[i * cols + j] = (value - mean) / scale;
    });
  }
  return {
    x: { data, rows: kept.length, cols },
    y: Float64Array.from(kept, (i) => y[i]!),
  };
}

async function runAdam(
  { x, y }: { x: Matrix; y: Float64Array },
  steps: number,
): Promise<{ objectives: number[]; cpu: number }> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'secondorder-bench-'));
  try {
    await writeNpy(path.join(folder, 'x.npy'), x);
    await writeNpy(path.join(folder, 'y.npy'), y);
    const args = [SCRIPT, folder, String(WIDTH), String(BETA), String(steps)];
    const env = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' };
    const { stdout } = await run(PYTHON, args, { env });
    return JSON.parse(stdout) as { objectives: number[]; cpu: number };
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}
