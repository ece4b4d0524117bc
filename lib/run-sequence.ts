/** The options of one run, shared out to several runs one after the other. */
import { type RunOptions, readOptions } from './run';

/** Runs that share a signal, a number of threads and one time limit. */
export class RunSequence<Event, Place extends object> {
  readonly #options: RunOptions<Event & Place>;
  /** In milliseconds of `performance.now()`. */
  readonly #deadline: number;

  /**
   * @param options of all the runs together
   * @throws SecondOrderError ERR_INVALID_ARGUMENT
   */
  constructor(options: RunOptions<Event & Place> = {}) {
    const { timeLimit = Number.POSITIVE_INFINITY } = readOptions(options).native;
    this.#options = options;
    this.#deadline = performance.now() + 1000 * timeLimit;
  }

  /** Whether the time of all the runs is over. */
  get outOfTime(): boolean {
    return performance.now() >= this.#deadline;
  }

  /** Options of a run on the way that is not to be told of. */
  withoutEvents(): Pick<RunOptions, 'signal' | 'threads'> {
    const { signal, threads } = this.#options;
    return { ...(signal && { signal }), ...(threads !== undefined && { threads }) };
  }

  /** Options of the next run: what time is left, and events that say where in the sequence it is. */
  next(place: Place): RunOptions<Event> {
    const { onProgress, timeLimit: _, ...others } = this.#options;
    const left = Math.max(0, this.#deadline - performance.now()) / 1000;
    return {
      ...others,
      ...(Number.isFinite(left) && { timeLimit: left }),
      ...(onProgress && { onProgress: (event: Event) => onProgress({ ...event, ...place }) }),
    };
  }
}
