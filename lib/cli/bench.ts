/** `secondorder bench`: how fast this machine multiplies matrices, and how near training comes to it. */
import type { Command } from 'commander';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type ConvexReport, trainConvexReLU } from '../convex-relu';
import type { Matrix } from '../matrix';
import { loadNative, type NativePrecision } from '../native';
import { runJob } from '../run';
import type { Context } from './context';
import { interruptible } from './interrupt';
import { addJsonOption, addThreadsOption, integer, number } from './options';
import type { Terminal } from './terminal';

interface BenchFlags {
  samples: number;
  features: number;
  gates: number;
  iterations: number;
  seconds: number;
  threads?: number;
}

const GEMM_SIZE = 768;
const CHECK_EVERY = 10;
/** Products of n x features x gates in an iteration, and in a certificate. */
const PRODUCTS = 6;
const CERTIFICATE_PRODUCTS = 4;
/** Below any gap that is reached, so that every iteration is run. */
const NEVER = 1e-300;

/** Adds the command. */
export function addBench(program: Command, context: Context): void {
  const command = program
    .command('bench')
    .description('Measure matrix products and convex ReLU training on this machine.')
    .option('--samples <n>', 'samples of the training problem', integer({ min: 2 }), 1000)
    .option('--features <n>', 'features of each', integer({ min: 1 }), 100)
    .option('--gates <n>', 'gates', integer({ min: 1 }), 128)
    .option('--iterations <n>', 'iterations to time', integer({ min: CHECK_EVERY * 2 }), 200)
    .option('--seconds <n>', 'time for each measurement of products', number({ above: 0 }), 1);
  addJsonOption(addThreadsOption(command))
    .addHelpText('after', '\nExample:\n  secondorder bench --threads 2')
    .action(async (flags: BenchFlags) => {
      await interruptible(context.terminal, (signal) => bench(flags, context.terminal, signal));
    });
}

async function bench(flags: BenchFlags, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const run = { signal, ...(flags.threads !== undefined && { threads: flags.threads }) };
  const shape = `${flags.samples} x ${flags.features}, ${flags.gates} gates`;
  for (const precision of ['float32', 'float64'] as const) {
    const spec = { size: GEMM_SIZE, seconds: flags.seconds, precision };
    const { gigaflops } = await runJob(loadNative().measureGemm, spec, run, (result) => result);
    const report = await timeTraining(flags, precision, run);
    const perIteration = secondsPerIteration(report);
    const achieved = operations(flags, report) / perIteration / 1e9;
    const fraction = achieved / gigaflops;
    terminal.event('result', {
      precision,
      gemmGigaflops: gigaflops,
      trainingGigaflops: achieved,
      fraction,
      secondsPerIteration: perIteration,
      route: report.route,
      ...flags,
    });
    terminal.table([
      [`${precision}: matrix products`, `${gigaflops.toFixed(1)} GFLOP/s`],
      [`${precision}: training (${shape})`, `${achieved.toFixed(1)} GFLOP/s`],
      ['share of the products’ speed', `${(100 * fraction).toFixed(1)} %`],
      ['time of an iteration', `${(1e3 * perIteration).toFixed(3)} ms`],
    ]);
  }
}

async function timeTraining(
  { samples, features, gates, iterations }: BenchFlags,
  precision: NativePrecision,
  run: { signal: AbortSignal; threads?: number },
): Promise<ConvexReport> {
  const random = xoroshiro128plus(1);
  const x: Matrix = {
    data: Float64Array.from({ length: samples * features }, () => uniformFloat64(random) - 0.5),
    rows: samples,
    cols: features,
  };
  const y = Float64Array.from({ length: samples }, () => uniformFloat64(random) - 0.5);
  const { report } = await trainConvexReLU(
    x,
    y,
    {
      ...{ gates, precision, refine: false, globalBound: false },
      ...{ tolerance: NEVER, maxIterations: iterations, checkEvery: CHECK_EVERY },
    },
    run,
  );
  return report;
}

/** Between the first certificate and the last, so without setting up. */
function secondsPerIteration({ history }: ConvexReport): number {
  const [first, last] = [history.at(0), history.at(-1)];
  if (!first || !last) return Number.NaN;
  return (last.seconds - first.seconds) / (last.iteration - first.iteration);
}

/** Floating-point operations of an iteration and its share of a certificate. */
function operations({ samples, features }: BenchFlags, { gates }: ConvexReport): number {
  const product = 2 * samples * (features + 1) * gates;
  return product * (PRODUCTS + CERTIFICATE_PRODUCTS / CHECK_EVERY) + 2 * samples * samples;
}
