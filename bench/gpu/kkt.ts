// Dense KKT systems on the GPU: factors beside cuBLAS's products of the same run, and beside the CPU.
import { loadNative } from '../../dist/native.js';
import type { KktMeasurement } from '../../dist/newton/native.js';
import { runJob } from '../../dist/run.js';
import type { GpuContext } from './context';
import { measurePeak } from './iteration';

/** One solver on one system. */
export interface GpuKktTiming {
  solver: string;
  /** Wall seconds to copy the entries, assemble and factor, or to sketch; and to solve to the accuracy. */
  prepare: number;
  solve: number;
  reached: boolean;
  residual: number;
  steps: number;
}

export interface GpuKkt {
  order: number;
  spectrum: 'outlying';
  accuracy: number;
  gpu: GpuKktTiming[];
  /** One thread factors on the CPU; left out where that takes minutes. */
  cpu?: GpuKktTiming[];
  /** GFLOP/s of order³/3 in the preparation of the factors. */
  factorGigaflops: number;
  /** GFLOP/s of cuBLAS's products in float64, and the factors' share of it. */
  products: number;
  share: number;
}

const SOLVERS = ['dense-ldl', 'minres', 'nystrom-minres'] as const;
const LARGEST_ON_CPU = 4000;

export async function measureGpuKkt(context: GpuContext): Promise<GpuKkt[]> {
  const results = [];
  for (const order of context.quick ? [300] : [2000, 4000, 8000, 16_000]) {
    context.log(`kkt: order ${order}`);
    results.push(await measureOrder(order, context));
  }
  return results;
}

async function measureOrder(order: number, context: GpuContext): Promise<GpuKkt> {
  const accuracy = 1e-2;
  const spectrum = 'outlying' as const;
  const measure = (device: string) => {
    const spec = { order, spectrum, accuracy, solvers: [...SOLVERS], device: [device] };
    return runJob(loadNative().measureKkt, spec, { threads: context.threads }, (found) =>
      found.map(toTiming),
    );
  };
  const { gigaflops: products } = await measurePeak(context, 'float64');
  const gpu = await measure(context.device);
  const cpu = order <= LARGEST_ON_CPU ? { cpu: await measure('cpu') } : {};
  const factorGigaflops = order ** 3 / 3 / (gpu[0]?.prepare ?? Number.NaN) / 1e9;
  const share = factorGigaflops / products;
  return { order, spectrum, accuracy, gpu, ...cpu, factorGigaflops, products, share };
}

const toTiming = (measured: KktMeasurement): GpuKktTiming => ({
  solver: measured.solver,
  prepare: measured.prepareSeconds,
  solve: measured.solveSeconds,
  reached: measured.reached,
  residual: measured.residual,
  steps: measured.steps,
});
