// An iteration of ADMM on the GPU beside cuBLAS's products of the same run, and beside the CPU.
import type { ConvexReLUOptions, GpuName } from 'secondorder';
import { loadNative } from '../../dist/native.js';
import { runJob } from '../../dist/run.js';
import { timeIteration } from '../iteration-time';
import { syntheticProblem } from '../problem';
import type { GpuContext } from './context';

export interface Peak {
  /** GFLOP/s of cuBLAS. */
  gigaflops: number;
  /** GB/s of a copy within the GPU's memory, reading and writing both counted. */
  gigabytesPerSecond: number;
}

export interface GpuIteration {
  n: number;
  r: number;
  gates: number;
  products: 'float32' | 'tf32';
  route: string;
  /** Wall seconds of an iteration. */
  seconds: number;
  /** GFLOP/s of the six products of n × r × P that are its floor in dense arithmetic. */
  gigaflops: number;
  peak: Peak;
  /** Of the peak, measured before and after. */
  fraction: number;
}

/** A small iteration, which launches bound: recorded as a CUDA graph, and launched kernel by kernel. */
export interface RecordedIteration {
  n: number;
  r: number;
  gates: number;
  /** Wall seconds of an iteration. */
  recorded: number;
  direct: number;
}

export interface Crossover {
  n: number;
  r: number;
  gates: number;
  /** Wall seconds of an iteration on the GPU, and on so many threads of the CPU. */
  gpu: number;
  cpu: Record<string, number>;
}

const PRODUCTS = 6;
/** Neither bias nor scaling: the rank is then r. */
const PLAIN: ConvexReLUOptions = { route: 'woodbury', preprocess: 'none', bias: false };

/** What the GPU reaches. */
export function measurePeak(
  { device, quick }: GpuContext,
  products: 'float32' | 'tf32' | 'float64',
): Promise<Peak> {
  const spec = quick
    ? { size: 64, bytes: 1 << 16, seconds: 0.05 }
    : { size: 8192, bytes: 4e9, seconds: 2 };
  return runJob(
    loadNative().measureGpu,
    { device: [device], products, ...spec },
    {},
    (peak) => peak,
  );
}

export async function measureIterations(context: GpuContext): Promise<GpuIteration[]> {
  const [n, r, gates] = context.quick ? [60, 6, 8] : [20_000, 784, 1024];
  const problem = syntheticProblem(n, r);
  const results = [];
  for (const products of ['float32', 'tf32'] as const) {
    context.log(`iteration: n = ${n}, r = ${r}, P = ${gates}, ${products}`);
    const before = await measurePeak(context, products);
    const options = { ...PLAIN, gates, products, device: context.device };
    const timing = await timeIteration(problem, options, effort(context, context.threads));
    const after = await measurePeak(context, products);
    const gigaflops = (PRODUCTS * 2 * n * r * timing.gates) / timing.wall / 1e9;
    const middle = (key: keyof Peak) => (before[key] + after[key]) / 2;
    const peak = {
      gigaflops: middle('gigaflops'),
      gigabytesPerSecond: middle('gigabytesPerSecond'),
    };
    results.push({
      ...{ n, r, gates: timing.gates, products, route: timing.route, seconds: timing.wall },
      ...{ gigaflops, peak, fraction: gigaflops / peak.gigaflops },
    });
  }
  return results;
}

/** What recording gains. */
export async function measureRecording(context: GpuContext): Promise<RecordedIteration> {
  const [n, r, gates] = context.quick ? [40, 4, 8] : [500, 50, 64];
  context.log(`recording: n = ${n}, r = ${r}, P = ${gates}`);
  const problem = syntheticProblem(n, r);
  const options = { ...PLAIN, gates, device: context.device };
  const measure = () => timeIteration(problem, options, effort(context, context.threads));
  const recorded = await measure();
  // Read by the backend as each run begins.
  process.env.SECONDORDER_CUDA_GRAPHS = '0';
  const direct = await measure().finally(() => {
    delete process.env.SECONDORDER_CUDA_GRAPHS;
  });
  return { n, r, gates: recorded.gates, recorded: recorded.wall, direct: direct.wall };
}

/** From which size on the GPU is faster; `auto` is to choose by it (cpp/device/cost.hpp). */
export async function measureCrossover(context: GpuContext): Promise<Crossover[]> {
  const sizes = context.quick
    ? ([[40, 4, 8]] as const)
    : ([
        [250, 20, 32],
        [500, 50, 64],
        [1000, 100, 128],
        [2000, 200, 128],
        [4000, 500, 256],
        [8000, 500, 512],
      ] as const);
  const results = [];
  for (const [n, r, gates] of sizes) {
    context.log(`crossover: n = ${n}, r = ${r}, P = ${gates}`);
    const problem = syntheticProblem(n, r);
    const seconds = async (device: GpuName | 'cpu', threads: number) => {
      const options = { ...PLAIN, gates, device };
      return (await timeIteration(problem, options, effort(context, threads))).wall;
    };
    const cpu: Record<string, number> = {};
    for (const threads of context.cpuThreads) cpu[threads] = await seconds('cpu', threads);
    results.push({ n, r, gates, gpu: await seconds(context.device, context.threads), cpu });
  }
  return results;
}

const effort = ({ quick }: GpuContext, threads: number) => ({
  seconds: quick ? 0.05 : 2,
  repeats: quick ? 1 : 3,
  threads,
  ...(quick ? { iterations: 4 } : {}),
});
