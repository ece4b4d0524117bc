/**
 * How a run is watched and stopped, the same for every solver: {@link RunOptions}, and the ways to
 * call a native function under them.
 */
import { AbortError, fromNative, SecondOrderError } from './errors';
import type { NativeJob, NativeProgress, NativeRun } from './native-interface';
import { checkObject, describe, invalid, isRecord, toInteger, toNumber } from './validate';

/** Where a run stands: its iteration, and the figures that its solver documents. */
export type Progress = Readonly<Record<string, number>> & { readonly iteration: number };

/** Options of a run that have no part in its result. */
export interface RunOptions<Event = Progress> {
  /**
   * Aborts the run: the promise rejects with an {@link AbortError}, whose `partial` is the best
   * result so far. While a synchronous run goes on, only the functions that it calls can abort it.
   */
  signal?: AbortSignal;
  /**
   * Called with the latest state, at most every 50 ms, and with the last one before the run ends.
   * When it throws, the run is stopped, and fails with what was thrown.
   */
  onProgress?: (event: Event) => void;
  /** Threads to compute with; default: all the CPUs that the process may use. */
  threads?: number;
  /** Seconds after which the best result so far is returned; default: no limit. */
  timeLimit?: number;
}

/** Far beyond any machine; a number above it is a slip. */
export const MOST_THREADS = 4096;

const KEYS = ['signal', 'onProgress', 'threads', 'timeLimit'] as const;

/** What the options amount to, checked. */
export interface Settings {
  signal: AbortSignal | undefined;
  onProgress: ((event: NativeProgress) => void) | undefined;
  native: NativeRun;
}

/**
 * Runs a native job under the options.
 *
 * @param start the native function; not called when the signal is already aborted
 * @param spec what it is to do
 * @param finish makes the public result of the native one, also for `partial`
 * @throws SecondOrderError `ERR_INVALID_ARGUMENT` for bad options; AbortError; what `onProgress` threw;
 * native errors as SecondOrderError
 */
export async function runJob<Spec, Native, Result, Event = Progress>(
  start: (spec: Spec, run: NativeRun) => NativeJob<Native>,
  spec: Spec,
  options: RunOptions<Event> | undefined,
  finish: (native: Native) => Result,
): Promise<Result> {
  const { signal, onProgress, native } = readOptions(options);
  if (signal?.aborted) throw new AbortError(signal.reason);
  const callback = new Callback(onProgress);
  if (onProgress) native.onProgress = (event) => callback.call(event);
  let cancel: (() => void) | undefined;
  try {
    const job = start(spec, native);
    cancel = () => job.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    return conclude(await job.promise, signal, finish);
  } catch (error) {
    throw callback.failed ? callback.thrown : explain(error, signal);
  } finally {
    if (cancel) signal?.removeEventListener('abort', cancel);
  }
}

/** Runs a native function on the calling thread under the options; otherwise as {@link runJob}. */
export function runSync<Spec, Native, Result, Event = Progress>(
  call: (spec: Spec, run: NativeRun) => Native,
  spec: Spec,
  options: RunOptions<Event> | undefined,
  finish: (native: Native) => Result,
): Result {
  const { signal, onProgress, native } = readOptions(options);
  if (signal?.aborted) throw new AbortError(signal.reason);
  const callback = new Callback(onProgress);
  if (onProgress || signal) {
    native.onProgress = (event) => {
      callback.call(event);
      return !signal?.aborted; // false stops the run
    };
  }
  try {
    return conclude(call(spec, native), signal, finish);
  } catch (error) {
    throw callback.failed ? callback.thrown : explain(error, signal);
  }
}

/** Calls a native function that takes no options of a run; its errors become SecondOrderErrors. */
export function runDirect<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

/**
 * What the promise gives, unless the signal aborts first: an AbortError, at once. For waiting on
 * what cannot be stopped; its end is then ignored.
 */
export async function untilAborted<Result>(
  promise: PromiseLike<Result> | Result,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (!signal) return promise;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new AbortError(signal.reason));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The user's callback; remembers what it threw, to tell it from the errors of the native code. */
class Callback {
  failed = false;
  thrown: unknown;

  constructor(private readonly onProgress: ((event: NativeProgress) => void) | undefined) {}

  call(event: NativeProgress): void {
    try {
      this.onProgress?.(event);
    } catch (error) {
      this.failed = true;
      this.thrown = error;
      throw error;
    }
  }
}

/** The result, or an AbortError when the signal stopped the run before its end. */
function conclude<Native, Result>(
  result: Native,
  signal: AbortSignal | undefined,
  finish: (native: Native) => Result,
): Result {
  const status = statusOf(result);
  if (status === 'aborted') throw new AbortError(signal?.reason, finish(result));
  // A run without a status cannot say whether it came to its end: what it has is not to be trusted.
  if (status === undefined && signal?.aborted) throw new AbortError(signal.reason);
  return finish(result);
}

function statusOf(result: unknown): unknown {
  if (!isRecord(result) || !isRecord(result.report)) return undefined;
  return result.report.status;
}

function explain(error: unknown, signal: AbortSignal | undefined): unknown {
  const explained = fromNative(error);
  if (explained instanceof AbortError || !(explained instanceof SecondOrderError)) return explained;
  return explained.code === 'ERR_ABORTED' ? new AbortError(signal?.reason) : explained;
}

/** Checks the options of a run. */
export function readOptions<Event>(options: RunOptions<Event> | undefined): Settings {
  const entries = checkObject(options, 'run', KEYS);
  const { onProgress, threads, timeLimit } = entries;
  const signal = toSignal(entries.signal);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalid('run.onProgress', 'a function', describe(onProgress));
  }
  const native: NativeRun = {};
  if (threads !== undefined) {
    native.threads = toInteger(threads, 'run.threads', { min: 1, max: MOST_THREADS });
  }
  if (timeLimit !== undefined && timeLimit !== Number.POSITIVE_INFINITY) {
    native.timeLimit = toNumber(timeLimit, 'run.timeLimit', { min: 0 });
  }
  return { signal, onProgress: onProgress as Settings['onProgress'], native };
}

/** Checks `run.signal`. Takes signals of another realm or of a library too, so not by `instanceof`. */
export function toSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || isAbortSignal(value)) return value;
  throw invalid('run.signal', 'an AbortSignal', describe(value));
}

function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    isRecord(value) &&
    typeof value.aborted === 'boolean' &&
    typeof value.addEventListener === 'function' &&
    typeof value.removeEventListener === 'function'
  );
}
