// An iteration beside the six products of n × r × P that are its floor in dense arithmetic.
import type { ConvexReLUOptions } from 'secondorder';
import { fastestGemm, gemmSpeed, type Precision, type Speed, speedOf } from './gemm';
import { type Effort, type IterationTiming, timeIteration } from './iteration-time';
import { type Context, median, type Seconds } from './measurement';
import { syntheticProblem } from './problem';

interface Case {
  n: number;
  r: number;
  gates: number;
  precision: Precision;
  loss: NonNullable<ConvexReLUOptions['loss']>;
  threads: number;
}

export interface IterationResult extends Case {
  route: string;
  seconds: Seconds;
  /** Of the six products, by the time of an iteration. */
  speed: Speed;
  /** Of dense products, measured before and after each timing. */
  peak: Speed & { size: number };
  /** Speed over peak, of each round the quotient, the median over rounds. */
  fraction: Speed;
}

const PRODUCTS = 6;

/** The share that an iteration of the first case is to reach. */
export const FRACTION_BAR = 0.6;

export async function measureIteration(context: Context): Promise<IterationResult[]> {
  const results = [];
  for (const one of casesFor(context)) {
    context.log(`n = ${one.n}, r = ${one.r}, P = ${one.gates}, ${one.precision}, ${one.loss}`);
    results.push(await measure(one, context));
  }
  return results;
}

function casesFor({ quick, threads }: Context): Case[] {
  const bar = { n: 4000, r: 500, gates: 256, precision: 'float32', loss: 'squared' } as const;
  if (quick) return [{ ...bar, n: 1000, r: 100, gates: 128, threads }];
  const cases: Case[] = [
    { ...bar, threads },
    { ...bar, precision: 'float64', threads },
    { ...bar, loss: 'logistic', threads },
    { ...bar, n: 1000, r: 100, gates: 128, threads },
  ];
  if (threads > 1) cases.splice(1, 0, { ...bar, threads: 1 });
  return cases;
}

/** One timing, with the peak around it. */
interface Round {
  timing: IterationTiming;
  speed: Speed;
  peak: Speed;
}

async function measure(one: Case, { quick }: Context): Promise<IterationResult> {
  const { n, r, precision, loss, threads } = one;
  const problem = syntheticProblem(n, r);
  if (loss === 'logistic') problem.y = problem.y.map((value) => (value < 0 ? -1 : 1));
  const seconds = quick ? 0.2 : 1;
  const effort: Effort = { seconds: quick ? 0.3 : 2, repeats: 1, threads };
  // Neither bias nor scaling: the rank is then r.
  const options: ConvexReLUOptions = {
    gates: one.gates,
    precision,
    loss,
    route: 'woodbury',
    preprocess: 'none',
    bias: false,
  };
  const size = await fastestGemm(seconds, precision, threads);
  const gemm = () => gemmSpeed(size, seconds, precision, threads);

  const rounds: Round[] = [];
  let before = await gemm();
  for (let k = 0; k < (quick ? 1 : 5); k++) {
    const iterations = rounds[0]?.timing.iterations;
    const known = iterations === undefined ? effort : { ...effort, iterations };
    const timing = await timeIteration(problem, options, known);
    const after = await gemm();
    const speed = speedOf(PRODUCTS * 2 * n * r * timing.gates, timing);
    const peak = { wall: (before.wall + after.wall) / 2, cpu: (before.cpu + after.cpu) / 2 };
    rounds.push({ timing, speed, peak });
    before = after;
  }
  const middle = (value: (round: Round) => number) => median(rounds.map(value));
  return {
    ...one,
    gates: rounds[0]!.timing.gates,
    route: rounds[0]!.timing.route,
    seconds: { wall: middle((k) => k.timing.wall), cpu: middle((k) => k.timing.cpu) },
    speed: { wall: middle((k) => k.speed.wall), cpu: middle((k) => k.speed.cpu) },
    peak: { size, wall: middle((k) => k.peak.wall), cpu: middle((k) => k.peak.cpu) },
    fraction: {
      wall: middle((k) => k.speed.wall / k.peak.wall),
      cpu: middle((k) => k.speed.cpu / k.peak.cpu),
    },
  };
}
