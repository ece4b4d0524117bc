/** Calls of the native functions of this family, whose errors say more than those of others. */
import { AbortError, fromNative, SecondOrderError } from '../errors';
import type { NativeJob } from '../native-interface';
import { EvaluationError } from './evaluation-error';
import type { NativeMinimizeResult } from './native';
import { isOption } from './options';
import { makeResult } from './result';

/** Calls a native function; its errors become those of this package. */
export function callNative<Result>(call: () => Result, signal: AbortSignal | undefined): Result {
  try {
    return call();
  } catch (error) {
    throw explain(error, signal);
  }
}

/** Starts a native job; its errors become those of this package. */
export function startNative<Result>(
  start: () => NativeJob<Result>,
  signal: AbortSignal | undefined,
): NativeJob<Result> {
  const job = callNative(start, signal);
  const promise = job.promise.catch((error) => Promise.reject(explain(error, signal)));
  return { promise, cancel: () => job.cancel() };
}

/**
 * A native error with the arguments of the facade, and with what was thrown and reached. An abort wins
 * over what went wrong while it was under way.
 */
function explain(thrown: unknown, signal: AbortSignal | undefined): unknown {
  const error = fromNative(thrown);
  if (!(error instanceof SecondOrderError)) return error;
  if (error.code === 'ERR_EVALUATION') return explainEvaluation(thrown as Evaluation, signal);
  if (error.argument === undefined) return error;
  return new SecondOrderError(error.code, error.message, { argument: fullName(error.argument) });
}

/** What the native code throws where a function threw. */
interface Evaluation extends Error {
  partial?: NativeMinimizeResult;
}

function explainEvaluation(thrown: Evaluation, signal: AbortSignal | undefined): SecondOrderError {
  if (signal?.aborted) {
    const aborted = { status: 'aborted', message: 'The run was aborted' } as const;
    const partial = thrown.partial && makeResult({ ...thrown.partial, ...aborted });
    return new AbortError(signal.reason, partial);
  }
  const partial = thrown.partial && makeResult(thrown.partial);
  const details = Object.hasOwn(thrown, 'cause') ? { cause: thrown.cause } : {};
  return new EvaluationError(thrown.message, details, partial);
}

/** The core names an option or an entry of the problem without saying where it is from. */
function fullName(argument: string): string {
  if (/^(problem|options)\b/.test(argument)) return argument;
  return `${isOption(argument) ? 'options' : 'problem'}.${argument}`;
}
