// What every measurement is given and gives.

/** How a run of the benchmarks was asked for. */
export interface Context {
  /** Small problems and few repetitions: to see that everything works, not to quote. */
  quick: boolean;
  /** Threads of every run. */
  threads: number;
  /** Folder of the public data sets, where there is one. */
  data: string | undefined;
  /** Tells the person who waits. */
  log(line: string): void;
}

/** A measurement that cannot be taken on this machine, and why. */
export interface Skipped {
  skipped: string;
}

export function isSkipped<Result extends object>(result: Result | Skipped): result is Skipped {
  return 'skipped' in result;
}

/** Wall and processor time of something, in seconds. */
export interface Seconds {
  wall: number;
  cpu: number;
}

/** Runs `work` and gives what it returns with the time it took, on all threads of the process. */
export async function timed<Result>(
  work: () => Promise<Result>,
): Promise<Seconds & { result: Result }> {
  const start = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, wall: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 };
}

/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (high + (sorted[middle - 1] ?? Number.NaN)) / 2 : high;
}
