// The same problem, gates and objective solved by scnn (Python), where it is on this machine.
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Matrix, trainConvexReLU, writeNpy } from 'secondorder';
import { digitsFolder } from './digits';
import { type Context, type Seconds, type Skipped, timed } from './measurement';
import { type BinaryDigits, twoAgainstEight } from './two-against-eight';

interface Solved extends Seconds {
  objective: number;
  infeasibility: number;
  /** To our lower bound: the share of the objective that may be too much. */
  gap: number;
}

export interface PeersResult {
  problem: string;
  n: number;
  d: number;
  gates: number;
  secondorder: Solved;
  scnn: Solved;
}

const run = promisify(execFile);
const PYTHON = process.env.PYTHON ?? 'python3';
const SCRIPT = path.join(__dirname, 'peers', 'scnn.py');
/** Seconds. */
const TIME_LIMIT = 3600;

export async function measurePeers(context: Context): Promise<PeersResult | Skipped> {
  const why = await missing();
  if (why) return { skipped: why };
  const folder = digitsFolder(context);
  if (typeof folder !== 'string') return folder;
  const problem = await twoAgainstEight(folder, context.quick ? 200 : undefined);
  const gates = gaussianGates(context.quick ? 8 : 128, problem.x.cols);

  context.log('secondorder');
  const { threads } = context;
  const options = { ...problem.options, gates, refine: false } as const;
  const ours = await timed(() => trainConvexReLU(problem.x, problem.y, options, { threads }));
  const { report } = ours.result;
  context.log('scnn');
  const theirs = await runScnn(problem, gates);
  const gap = (objective: number) => (objective - report.dualBound) / objective;
  return {
    problem: 'MNIST 2 against 8',
    n: problem.x.rows,
    d: problem.x.cols,
    gates: report.gates,
    secondorder: {
      wall: ours.wall,
      cpu: ours.cpu,
      objective: report.objective,
      infeasibility: report.infeasibility,
      gap: gap(report.objective),
    },
    scnn: { ...theirs, gap: gap(theirs.objective) },
  };
}

/** Why scnn cannot be run, if it cannot. */
async function missing(): Promise<string | undefined> {
  try {
    // From the home folder, where no file of ours has its name.
    await run(PYTHON, ['-c', 'import numpy, scnn.optimize'], { cwd: os.homedir() });
    return undefined;
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    const reason = text.trim().split('\n').at(-1) || `${PYTHON} cannot be run`;
    return `scnn cannot be imported (${reason})`;
  }
}

async function runScnn(
  { x, y, options }: BinaryDigits,
  gates: Matrix,
): Promise<Omit<Solved, 'gap'>> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'secondorder-bench-'));
  try {
    await writeNpy(path.join(folder, 'x.npy'), x);
    await writeNpy(path.join(folder, 'y.npy'), y);
    await writeNpy(path.join(folder, 'gates.npy'), gates);
    const args = [SCRIPT, folder, String(options.beta)];
    const { stdout } = await run(PYTHON, args, { timeout: TIME_LIMIT * 1e3 });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Omit<Solved, 'gap'>;
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}

function gaussianGates(rows: number, cols: number): Matrix {
  const random = xoroshiro128plus(1);
  const data = Float64Array.from({ length: rows * cols }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(random)));
    return radius * Math.cos(2 * Math.PI * uniformFloat64(random));
  });
  return { data, rows, cols };
}
