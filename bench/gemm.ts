// The speed of dense products that everything else is a fraction of.
import { loadNative } from '../dist/native.js';
import { runJob } from '../dist/run.js';
import { type Seconds, timed } from './measurement';

export type Precision = 'float32' | 'float64';

/** GFLOP/s by wall time, and GFLOP by second of processor time of all threads together. */
export interface Speed {
  wall: number;
  cpu: number;
}

const SIZES = [512, 768, 1024, 2048];

/** Square products of one size, a product on each thread, for some seconds. */
export async function gemmSpeed(
  size: number,
  seconds: number,
  precision: Precision,
  threads: number,
): Promise<Speed> {
  const { result, wall, cpu } = await timed(() =>
    runJob(
      loadNative().measureGemm,
      { size, seconds, precision },
      { threads },
      ({ gigaflops }) => gigaflops,
    ),
  );
  return { wall: result, cpu: (result * wall) / cpu };
}

/** The size of product that is fastest here, so that the peak is not set too low. */
export async function fastestGemm(
  seconds: number,
  precision: Precision,
  threads: number,
): Promise<number> {
  let best = { size: 0, speed: 0 };
  for (const size of SIZES) {
    const speed = (await gemmSpeed(size, seconds, precision, threads)).cpu;
    if (speed > best.speed) best = { size, speed };
  }
  return best.size;
}

/** The speed that `operations` in this time amount to. */
export function speedOf(operations: number, { wall, cpu }: Seconds): Speed {
  return { wall: operations / wall / 1e9, cpu: operations / cpu / 1e9 };
}
