/**
 * Operations on handles: each takes place as a whole or, when it fails or is aborted, not at all.
 */
import type { NativeJobOf, NativeRun, NativeSyncOf } from '../native-interface';
import { type RunOptions, runJob, runSync, toSignal } from '../run';
import { checkObject } from '../validate';

/** Options of one operation: what to abort it with, and how many threads it may use. */
export type OperationOptions = Pick<RunOptions, 'signal' | 'threads'>;

/**
 * An operation came to its end before it noticed the signal: then it took place, and has to be
 * reported as done. `runJob` takes a result with a status at its word.
 */
interface Finished<Result> {
  result: Result;
  report: { status: 'finished' };
}

const finished = <Result>(result: Result): Finished<Result> => ({
  result,
  report: { status: 'finished' },
});

/** Checks the options of an operation. */
export function checkOperation(run: unknown): OperationOptions {
  const options = checkObject(run, 'run', ['signal', 'threads']) as OperationOptions;
  toSignal(options.signal);
  return options;
}

/** Runs a native job that takes place as a whole or not at all. */
export function operate<Spec, Native, Result>(
  start: NativeJobOf<Spec, Native>,
  spec: Spec,
  options: OperationOptions | undefined,
  finish: (native: Native) => Result,
): Promise<Result> {
  const whole = (given: Spec, run: NativeRun) => {
    const job = start(given, run);
    return { promise: job.promise.then(finished<Native>), cancel: () => job.cancel() };
  };
  return runJob(whole, spec, options, ({ result }) => finish(result));
}

/** {@link operate} on the calling thread. */
export function operateSync<Spec, Native, Result>(
  call: NativeSyncOf<Spec, Native>,
  spec: Spec,
  options: OperationOptions | undefined,
  finish: (native: Native) => Result,
): Result {
  return runSync(
    (given: Spec, run) => finished(call(given, run)),
    spec,
    options,
    ({ result }) => finish(result),
  );
}
