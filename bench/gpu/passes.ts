// A step of a Fisher window on the GPU beside a copy within its memory, and beside the CPU.
//
// The two passes over k rows read 2·k·d entries; what else a step takes (vectors to and from the GPU,
// the m × m factor on the host) does not depend on k but for the factor, which is small. So the slope
// of the time of solve(x) over k is the speed of the passes.
import { FisherWindow, type FisherWindowOptions, type WindowDeviceOptions } from 'secondorder/mfac';
import { median } from '../measurement';
import type { GpuContext } from './context';
import { measurePeak } from './iteration';

type Storage = NonNullable<FisherWindowOptions['storage']>;

export interface GpuPasses {
  d: number;
  m: number;
  storage: Storage;
  /** Wall seconds of pushAndSolve in a full window, vectors to and from the GPU included. */
  step: number;
  /** Wall seconds of solve by rows in the window. */
  solve: { rows: number; seconds: number }[];
  /** GB/s of the two passes together, from the slope. */
  gigabytesPerSecond: number;
  /** GB/s of a copy, reading and writing both counted, and the passes' share of it. */
  copy: number;
  share: number;
}

export interface WindowCrossover {
  d: number;
  m: number;
  /** Wall seconds of a step on the GPU, and on so many threads of the CPU. */
  gpu: number;
  cpu: Record<string, number>;
}

const BYTES: Record<Storage, number> = { float32: 4, bfloat16: 2, float16: 2, int8: 1 };

export async function measurePasses(context: GpuContext): Promise<GpuPasses[]> {
  const { quick } = context;
  const m = quick ? 8 : 256;
  // The last one fills an 80 GB GPU's memory: 25e6 · 1,024 · 2 bytes are 51 GB.
  const shapes: { d: number; m: number; storage: Storage }[] = quick
    ? [{ d: 3000, m, storage: 'float32' }]
    : [
        { d: 1e7, m, storage: 'float32' },
        { d: 1e7, m, storage: 'bfloat16' },
        { d: 1e7, m, storage: 'int8' },
        { d: 25e6, m: 1024, storage: 'bfloat16' },
      ];
  const results = [];
  for (const shape of shapes) {
    context.log(`passes: d = ${shape.d}, m = ${shape.m}, ${shape.storage}`);
    const copy = (await measurePeak(context, 'float32')).gigabytesPerSecond;
    results.push(measure(shape, copy, context));
  }
  return results;
}

function measure(
  shape: { d: number; m: number; storage: Storage },
  copy: number,
  { device, quick }: GpuContext,
): GpuPasses {
  const { d, m, storage } = shape;
  using window = new FisherWindow({ dimension: d, capacity: m, damping: 1e-3, storage, device });
  const gradients = [0, 1].map((phase) => wave(d, phase));
  const out = new Float32Array(d);
  const solve: GpuPasses['solve'] = [];
  for (let rows = 1; rows <= m; rows++) {
    window.pushSync(gradients[rows % 2]!);
    if (rows % Math.max(m / 4, 1) !== 0) continue;
    window.solveSync(gradients[0]!, out); // factors
    const seconds = secondsOf(() => window.solveSync(gradients[0]!, out), quick);
    solve.push({ rows, seconds });
  }
  let k = 0;
  const step = secondsOf(() => window.pushAndSolveSync(gradients[k++ % 2]!, out), quick);
  const gigabytesPerSecond = (2 * d * BYTES[storage]) / slope(solve) / 1e9;
  return { ...shape, step, solve, gigabytesPerSecond, copy, share: gigabytesPerSecond / copy };
}

export function measureWindowCrossover(context: GpuContext): WindowCrossover[] {
  const { quick, cpuThreads, log } = context;
  const m = quick ? 4 : 128;
  const results = [];
  for (const d of quick ? [300] : [1e3, 1e4, 1e5, 1e6]) {
    log(`window crossover: d = ${d}, m = ${m}`);
    const seconds = (device: NonNullable<WindowDeviceOptions['device']>, threads: number) => {
      using window = new FisherWindow({ dimension: d, capacity: m, damping: 1e-3, device });
      const gradients = [0, 1].map((phase) => wave(d, phase));
      for (let i = 0; i < m; i++) window.pushSync(gradients[i % 2]!);
      let k = 0;
      const out = new Float32Array(d);
      const step = () => window.pushAndSolveSync(gradients[k++ % 2]!, out, { threads });
      return secondsOf(step, quick);
    };
    const cpu = Object.fromEntries(cpuThreads.map((count) => [count, seconds('cpu', count)]));
    results.push({ d, m, gpu: seconds(context.device, context.threads), cpu });
  }
  return results;
}

/** Wall seconds of the middle one of several calls. */
function secondsOf(call: () => void, quick: boolean): number {
  const times: number[] = [];
  const end = performance.now() + (quick ? 5 : 1000);
  call();
  for (let i = 0; i < 3 || performance.now() < end; i++) {
    const start = performance.now();
    call();
    times.push((performance.now() - start) / 1e3);
  }
  return median(times);
}

/** Seconds a row, by least squares. */
function slope(points: readonly { rows: number; seconds: number }[]): number {
  const mean = (key: 'rows' | 'seconds') =>
    points.reduce((sum, point) => sum + point[key], 0) / points.length;
  const [rows, seconds] = [mean('rows'), mean('seconds')];
  let above = 0;
  let below = 0;
  for (const point of points) {
    above += (point.rows - rows) * (point.seconds - seconds);
    below += (point.rows - rows) ** 2;
  }
  return above / below;
}

/** Numbers that look like a gradient: of both signs, none alike. */
function wave(d: number, phase: number): Float32Array {
  return Float32Array.from({ length: d }, (_, i) => Math.sin(i * 0.37 + phase * (1 + (i % 5))));
}
