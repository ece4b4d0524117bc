// Time of one iteration: a long run less a short one, so that neither setting up nor the
// certificate at the end counts.
import { type ConvexReLUOptions, type Matrix, trainConvexReLU } from 'secondorder';
import { median, type Seconds, timed } from './measurement';

export interface IterationTiming extends Seconds {
  /** How the linear systems were solved. */
  route: string;
  /** Distinct gates of the problem. */
  gates: number;
  /** How many were counted. */
  iterations: number;
}

/** Never reached, so that every iteration is run. */
const TOLERANCE = 1e-300;
/** In the short run; includes the first touch of all memory. */
const WARM_UP = 10;
const MOST_ITERATIONS = 5000;

export interface Effort {
  /** Wall seconds that the counted iterations of one pair of runs are to take, about. */
  seconds: number;
  /** Pairs of runs; the median counts. */
  repeats: number;
  /** Iterations to count, where that is known from an earlier timing. */
  iterations?: number;
  threads: number;
}

/**
 * Seconds of an iteration.
 *
 * @param options of training; `rho` is fixed, since changing it may factor anew
 */
export async function timeIteration(
  { x, y }: { x: Matrix; y: Float64Array | Matrix },
  options: ConvexReLUOptions,
  effort: Effort,
): Promise<IterationTiming> {
  const train = (iterations: number) =>
    timed(async () => {
      const fixed = {
        refine: false,
        rho: 1,
        tolerance: TOLERANCE,
        checkEvery: MOST_ITERATIONS + WARM_UP,
      } as const;
      const run = { threads: effort.threads };
      const all = { ...options, ...fixed, maxIterations: iterations };
      return (await trainConvexReLU(x, y, all, run)).report;
    });
  const difference = async (iterations: number): Promise<IterationTiming> => {
    const short = await train(WARM_UP);
    const long = await train(WARM_UP + iterations);
    const wall = long.result.seconds - short.result.seconds;
    return {
      wall: wall / iterations,
      cpu: (long.cpu - short.cpu) / iterations,
      route: long.result.route,
      gates: long.result.gates,
      iterations,
    };
  };
  const counted = effort.iterations ?? (await calibrate(difference, effort.seconds));
  const timings: IterationTiming[] = [];
  for (let k = 0; k < effort.repeats; k++) timings.push(await difference(counted));
  const { route, gates } = timings[0]!;
  const middle = (key: 'wall' | 'cpu') => median(timings.map((timing) => timing[key]));
  return { wall: middle('wall'), cpu: middle('cpu'), route, gates, iterations: counted };
}

/** Iterations that take about so long. */
async function calibrate(
  difference: (iterations: number) => Promise<Seconds>,
  seconds: number,
): Promise<number> {
  let iterations = 10;
  for (;;) {
    const { wall } = await difference(iterations);
    // A short difference is mostly noise: only a longer one may say how many more are needed.
    if (wall * iterations > seconds / 20 || iterations >= MOST_ITERATIONS / 2) {
      return Math.round(Math.min(Math.max(seconds / wall, 10), MOST_ITERATIONS));
    }
    iterations *= 8;
  }
}
