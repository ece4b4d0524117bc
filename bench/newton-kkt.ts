// What solves a KKT system in the least time: the crossovers that linearSolver 'auto' chooses by.
import { loadNative } from '../dist/native.js';
import type { KktMeasurement, KktMeasurementSpec } from '../dist/newton/native.js';
import { runJob } from '../dist/run.js';
import { type Context, median } from './measurement';

type Solver = KktMeasurementSpec['solvers'][number];
type Spectrum = KktMeasurementSpec['spectrum'];

export const SPECTRA = [
  'outlying',
  'clustered',
  'decaying',
  'spread',
] as const satisfies Spectrum[];
/** What is compared; 'auto' is to choose the fastest. */
export const COMPARED = ['dense-ldl', 'minres', 'nystrom-minres'] as const satisfies Solver[];
export const SKETCHES = [
  'kaczmarz',
  'block-kaczmarz',
  'gaussian',
  'countsketch',
  'srht',
  'kaczmarz++',
] as const satisfies Solver[];

export interface KktTiming {
  /** As asked for. */
  solver: Solver;
  /** The one that ran. */
  ran: string;
  /** Wall, preparation included: the median over systems drawn by other seeds. */
  seconds: number;
  /** Whether every system was solved to the accuracy, by a residual recomputed. */
  reached: boolean;
  /** The largest one. */
  residual: number;
  steps: number;
}

export interface KktSystem {
  order: number;
  /** Of the Hessian, where that is dense. */
  spectrum: Spectrum;
  /** About so many entries in a row, where the system is sparse. */
  rowEntries?: number;
  accuracy: number;
  timings: KktTiming[];
}

export interface KktResult {
  /** Factors, MINRES with and without deflation, and what 'auto' takes. */
  exact: KktSystem[];
  /** Dense and sparse factors of sparse systems, and what 'ldl' takes. */
  sparse: KktSystem[];
  /** Every sketch-and-project method beside factors. */
  sketches: KktSystem[];
}

const SEEDS = 3;

export async function measureKkt(context: Context): Promise<KktResult> {
  const { quick } = context;
  const orders = quick ? [200] : [500, 1000, 2000, 3000];
  const exact: KktSystem[] = [];
  for (const accuracy of quick ? [1e-2] : [1e-2, 1e-6]) {
    for (const spectrum of SPECTRA) {
      for (const order of accuracy === 1e-2 ? orders : orders.slice(-1)) {
        const solvers = [...COMPARED, 'auto'] as const;
        exact.push(await measureSystem({ order, spectrum, accuracy, solvers }, context));
      }
    }
  }
  const sparse: KktSystem[] = [];
  for (const order of quick ? [200] : [400, 1600]) {
    for (const share of [300, 100, 30, 10]) {
      const rowEntries = Math.ceil(order / share);
      const solvers = ['dense-ldl', 'sparse-ldl', 'ldl'] as const;
      const system = { order, spectrum: 'clustered', rowEntries, accuracy: 1e-8, solvers } as const;
      sparse.push(await measureSystem(system, context));
    }
  }
  const sketches: KktSystem[] = [];
  for (const spectrum of SPECTRA) {
    const solvers = ['dense-ldl', ...SKETCHES] as const;
    const order = quick ? 100 : 500;
    sketches.push(await measureSystem({ order, spectrum, accuracy: 1e-2, solvers }, context));
  }
  return { exact, sparse, sketches };
}

async function measureSystem(
  { solvers, ...system }: Omit<KktSystem, 'timings'> & { solvers: readonly Solver[] },
  { quick, threads, log }: Context,
): Promise<KktSystem> {
  log(`order ${system.order}, ${system.spectrum}, to ${system.accuracy}`);
  const rounds: KktMeasurement[][] = [];
  for (let seed = 1; seed <= (quick ? 1 : SEEDS); seed++) {
    const spec = { ...system, solvers: [...solvers], seed };
    rounds.push(await runJob(loadNative().measureKkt, spec, { threads }, (timings) => timings));
  }
  const timings = solvers.map((solver, k): KktTiming => {
    const all = rounds.map((round) => round[k]!);
    return {
      solver,
      ran: all[0]!.solver,
      seconds: median(all.map((run) => run.prepareSeconds + run.solveSeconds)),
      reached: all.every(({ reached }) => reached),
      residual: Math.max(...all.map(({ residual }) => residual)),
      steps: median(all.map(({ steps }) => steps)),
    };
  });
  return { ...system, timings };
}
