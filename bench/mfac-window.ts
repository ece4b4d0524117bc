// A step of a Fisher window beside what it has to read and write: two passes over the gradients.
import { FisherWindow, type FisherWindowOptions } from 'secondorder/mfac';
import { loadNative } from '../dist/native.js';
import { runJob } from '../dist/run.js';
import { type Context, median } from './measurement';

type Storage = NonNullable<FisherWindowOptions['storage']>;

interface Shape {
  /** Length of a gradient. */
  d: number;
  /** Gradients in the window. */
  m: number;
  storage: Storage;
  threads: number;
}

export interface StepResult extends Shape {
  /** Wall seconds of push: one pass, and writing a row. */
  push: number;
  /** Wall seconds of pushAndSolve: both passes. */
  step: number;
  /** GB/s of the first pass, and of the second: what the step takes besides the push. */
  firstPass: number;
  secondPass: number;
  /** GB/s of a plain read of as much memory by as many threads, measured around each timing. */
  read: number;
  /** The time to read and write what has to be, at that speed, over the time of the step. */
  share: number;
  /** How much faster than the first storage of its group: the middle of rounds that both ran in. */
  faster: number;
  /** Native bytes held over m · d · bytes of an entry. */
  memory: number;
}

export interface FactorResult {
  m: number;
  /** Wall seconds of a step with gradients so short that only m × m work is left. */
  step: number;
  /** Wall seconds of changing the damping and factoring anew. */
  refactor: number;
}

export interface WindowResult {
  steps: StepResult[];
  factor: FactorResult[];
}

const BYTES: Record<Storage, number> = { float32: 4, bfloat16: 2, float16: 2, int8: 1 };

/** The share of the floor that a step of the first case is to reach. */
export const STEP_BAR = 0.8;
/** The share of a plain read that each pass of the longest case is to reach. */
export const PASS_BAR = 0.8;
/** How much faster bfloat16 is to be than float32. */
export const HALF_BAR = 1.8;

/** Of every step besides the window: the gradient in, its row, the solution out. */
const vectorBytes = ({ d, storage }: Shape): number => d * (12 + BYTES[storage]);
const passBytes = ({ d, m, storage }: Shape): number => d * m * BYTES[storage];

export async function measureWindow(context: Context): Promise<WindowResult> {
  const steps = [];
  for (const group of groupsFor(context)) {
    const [{ d, m, threads }] = group;
    const storages = group.map(({ storage }) => storage).join(', ');
    context.log(`d = ${d}, m = ${m}, ${storages}, ${threads} thread(s)`);
    steps.push(...(await measureSteps(group, context)));
  }
  const sizes = context.quick ? [64, 256] : [64, 256, 1024, 2048];
  return { steps, factor: sizes.map((m) => measureFactor(m, context)) };
}

/** Shapes that are compared are in one group, and take turns. */
function groupsFor({ quick, threads }: Context): [Shape, ...Shape[]][] {
  if (quick) return [[{ d: 100_000, m: 32, storage: 'float32', threads }]];
  const bar: Shape = { d: 1_000_000, m: 256, storage: 'float32', threads };
  const others = (['bfloat16', 'float16', 'int8'] as const).map((storage) => ({ ...bar, storage }));
  const single: Shape[] = threads > 1 ? [{ ...bar, threads: 1 }] : [];
  const long: Shape = { ...bar, d: 2_000_000 };
  const lengths = [10_000, 100_000].map((d) => ({ ...bar, d }));
  const capacities = [16, 64].map((m) => ({ ...bar, m }));
  const alone = [...single, ...lengths, ...capacities, { ...bar, d: 100_000, m: 1024 }];
  return [
    [bar, ...others],
    [long, { ...long, storage: 'bfloat16' }],
    ...alone.map((shape): [Shape] => [shape]),
  ];
}

type Round = Pick<StepResult, 'read' | 'push' | 'step' | 'share' | 'faster'>;

async function measureSteps(group: readonly Shape[], { quick }: Context): Promise<StepResult[]> {
  const cases = group.map((shape) => ({ ...prepare(shape), rounds: [] as Round[] }));
  const seconds = quick ? 0.1 : 1;
  for (let k = 0; k < (quick ? 1 : 5); k++) {
    const reads: number[] = [];
    for (const { shape } of cases) {
      reads.push(await readSpeed(passBytes(shape), seconds / 2, shape.threads));
    }
    // One call after another of each case, so that what disturbs the machine meets all of them.
    const calls = cases.flatMap(({ shape: { threads }, window, gradients, out }) => [
      (i: number) => window.pushSync(gradients[i % 3]!, { threads }),
      (i: number) => void window.pushAndSolveSync(gradients[i % 3]!, out, { threads }),
    ]);
    const times = timesOf(calls, seconds * cases.length);
    for (const [c, { shape, rounds }] of cases.entries()) {
      const [read, push, step] = [reads[c]!, times[2 * c]!, times[2 * c + 1]!];
      const floor = (2 * passBytes(shape) + vectorBytes(shape)) / (1e9 * read);
      rounds.push({ read, push, step, share: floor / step, faster: times[1]! / step });
    }
  }
  return cases.map(({ shape, window, rounds }) => {
    const middle = (key: keyof Round) => median(rounds.map((r) => r[key]));
    const [push, step] = [middle('push'), middle('step')];
    const memory = window.bytes / passBytes(shape);
    window.dispose();
    return {
      ...shape,
      push,
      step,
      firstPass: passBytes(shape) / push / 1e9,
      secondPass: passBytes(shape) / (step - push) / 1e9,
      read: middle('read'),
      share: middle('share'),
      faster: middle('faster'),
      memory,
    };
  });
}

/** A full window of this shape, with gradients to push. */
function prepare(shape: Shape) {
  const { d, m, storage, threads } = shape;
  const gradients = Array.from({ length: 3 }, (_, k) => wave(d, k));
  const window = new FisherWindow({ dimension: d, capacity: m, damping: 1e-3, storage });
  for (let i = 0; i < m + 2; i++) window.pushSync(gradients[i % 3]!, { threads });
  return { shape, window, gradients, out: new Float32Array(d) };
}

function readSpeed(bytes: number, seconds: number, threads: number): Promise<number> {
  const spec = { bytes, seconds: Math.max(seconds / 2, 0.05) };
  return runJob(loadNative().measureRead, spec, { threads }, (read) => read.gigabytesPerSecond);
}

function measureFactor(m: number, { quick, threads }: Context): FactorResult {
  const d = 16;
  const gradients = Array.from({ length: 3 }, (_, k) => wave(d, k));
  using window = new FisherWindow({ dimension: d, capacity: m, damping: 1e-3 });
  for (let i = 0; i < m + 2; i++) window.pushSync(gradients[i % 3]!);
  const run = { threads };
  const seconds = quick ? 0.05 : 0.5;
  const [step, refactor] = timesOf(
    [
      (i) => void window.pushAndSolveSync(gradients[i % 3]!, undefined, run),
      (i) => {
        window.setDampingSync(1e-3 * (1 + (i % 2)), run);
        window.solveSync(gradients[0]!, undefined, run);
      },
    ],
    2 * seconds,
  );
  return { m, step: step!, refactor: refactor! };
}

/** Wall seconds of the middle one of each one's calls, which take turns for about so long. */
function timesOf(calls: readonly ((i: number) => void)[], seconds: number): number[] {
  const times = calls.map((): number[] => []);
  const end = performance.now() + 1e3 * seconds;
  for (let i = 0; i < 2 || performance.now() < end; i++) {
    for (const [c, call] of calls.entries()) {
      const start = performance.now();
      call(i);
      if (i > 0) times[c]!.push((performance.now() - start) / 1e3);
    }
  }
  return times.map(median);
}

/** Numbers that look like a gradient: of both signs, none alike. */
function wave(d: number, phase: number): Float32Array {
  return Float32Array.from({ length: d }, (_, i) => Math.sin(i * 0.37 + phase * (1 + (i % 5))));
}
