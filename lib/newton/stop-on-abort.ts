/** How an abort stops a synchronous run: the native code hears of it from the functions it calls. */
import { isRecord } from '../validate';
import type { NativeProblemSpec } from './native';

type Entries = Record<string, unknown>;
type Call = (...args: unknown[]) => unknown;

/** The problem with functions that throw, without being called, once the signal has aborted. */
export function stopOnAbort(
  problem: NativeProblemSpec,
  signal: AbortSignal | undefined,
): NativeProblemSpec {
  if (!signal || problem.kind !== 'callbacks') return problem;
  return guardAll({ ...problem }, signal) as unknown as NativeProblemSpec;
}

function guardAll(holder: Entries, signal: AbortSignal): Entries {
  const guarded: Entries = {};
  for (const [key, value] of Object.entries(holder)) {
    if (typeof value === 'function') guarded[key] = guard(value as Call, signal);
    else guarded[key] = isRecord(value) ? guardAll(value, signal) : value;
  }
  return guarded;
}

function guard(call: Call, signal: AbortSignal): Call {
  return (...args) => {
    if (signal.aborted) throw signal.reason;
    return call(...args);
  };
}
