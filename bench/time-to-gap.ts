// Time to networks whose gap and infeasibility, recomputed in float64, are within a tolerance.
import { type ConvexReport, trainConvexReLU } from 'secondorder';
import { type Context, type Seconds, timed } from './measurement';
import { syntheticProblem } from './problem';

export const GAPS = [1e-2, 1e-3, 1e-4] as const;

interface Reached extends Seconds {
  tolerance: number;
  status: ConvexReport['status'];
  iterations: number;
  gap: number;
  infeasibility: number;
}

export interface TimeToGapResult {
  n: number;
  d: number;
  gates: number;
  route: string;
  runs: Reached[];
}

const TIME_LIMIT = 60;
const MOST_ITERATIONS = 20_000;

export async function measureTimeToGap(context: Context): Promise<TimeToGapResult[]> {
  const results = [];
  for (const [n, d, gates] of sizesFor(context)) {
    context.log(`n = ${n}, d = ${d}, P = ${gates}`);
    results.push(await measure(n, d, gates, context));
  }
  return results;
}

function sizesFor({ quick }: Context): [n: number, d: number, gates: number][] {
  if (quick) return [[200, 10, 32]];
  return [
    [250, 50, 128],
    [1000, 50, 128],
    [4000, 50, 128],
    [1000, 10, 128],
    [1000, 200, 128],
    [1000, 50, 32],
    [1000, 50, 512],
  ];
}

/** Each tolerance is a run of its own, from the start: a certificate stops a run. */
async function measure(
  n: number,
  d: number,
  count: number,
  { threads }: Context,
): Promise<TimeToGapResult> {
  const { x, y } = syntheticProblem(n, d);
  const runs: Reached[] = [];
  let last: ConvexReport | undefined;
  for (const tolerance of GAPS) {
    const options = {
      gates: count,
      refine: false,
      tolerance,
      maxIterations: MOST_ITERATIONS,
    } as const;
    const run = { threads, timeLimit: TIME_LIMIT };
    const { result, wall, cpu } = await timed(() => trainConvexReLU(x, y, options, run));
    const { status, iterations, gap, infeasibility } = result.report;
    runs.push({ tolerance, status, iterations, gap, infeasibility, wall, cpu });
    last = result.report;
    // A tighter one would only take the time limit again.
    if (status !== 'converged') break;
  }
  return { n, d, gates: last?.gates ?? count, route: last?.route ?? '', runs };
}
