import { loadNative } from '../native';
import { type RunOptions, runJob, runSync } from '../run';
import type { MinimizeSpec, NativeMinimizeResult } from './native';
import { callNative, startNative } from './native-calls';
import type { NativeProblem } from './native-problem';
import { type MinimizeOptions, readMinimizeOptions } from './options';
import type { Problem } from './problem';
import { readProblem } from './read-problem';
import { type MinimizeProgress, type MinimizeResult, makeResult } from './result';
import { stopOnAbort } from './stop-on-abort';

/** Run options whose `onProgress` is told of the iterates. */
export type MinimizeRunOptions = RunOptions<MinimizeProgress>;

/**
 * Minimizes f(x) subject to c(x) = 0 by a Newton method on the KKT conditions ∇f + Jᵀλ = 0, c = 0,
 * from x0 to a local solution.
 *
 * The functions of a {@link Problem} are called on this thread, one at a time, while the linear algebra
 * is done on others; those of a {@link NativeProblem} don't come here at all.
 *
 * @param problem functions and derivatives, or a built-in problem
 * @param options see {@link MinimizeOptions}
 * @param run threads, time limit, abort signal, progress
 * @returns the best iterate, with its residuals evaluated anew. How the run ended is told in `status`;
 * only `converged` is success.
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_OUT_OF_MEMORY;
 * {@link EvaluationError} where a function threw, {@link AbortError}: each with the best iterate so
 * far as `partial`
 *
 * Source: Wächter and Biegler, Math. Programming 106, 2006 (filter, inertia correction); Hong, Na,
 * Mahoney, Kolar, arXiv 2305.18379 (preset `'paper'`, exact augmented Lagrangian).
 */
export async function minimize(
  problem: Problem | NativeProblem,
  options?: MinimizeOptions,
  run?: MinimizeRunOptions,
): Promise<MinimizeResult> {
  const { newtonMinimize } = loadNative();
  return runJob(
    (spec: MinimizeSpec, native) => {
      const { promise, cancel } = startNative(() => newtonMinimize(spec, native), run?.signal);
      return { promise: promise.then(reported), cancel };
    },
    prepare(problem, options),
    run,
    ({ report }) => makeResult(report),
  );
}

/**
 * {@link minimize} on the calling thread, for scripts and small problems. The functions of a problem
 * may call it in turn.
 */
export function minimizeSync(
  problem: Problem | NativeProblem,
  options?: MinimizeOptions,
  run?: MinimizeRunOptions,
): MinimizeResult {
  const { newtonMinimizeSync } = loadNative();
  return runSync(
    (spec: MinimizeSpec, native) => {
      const problem = stopOnAbort(spec.problem, run?.signal);
      return reported(
        callNative(() => newtonMinimizeSync({ ...spec, problem }, native), run?.signal),
      );
    },
    prepare(problem, options),
    run,
    ({ report }) => makeResult(report),
  );
}

function prepare(problem: unknown, options: unknown): MinimizeSpec {
  const { native, derivatives } = readMinimizeOptions(options);
  return { problem: readProblem(problem, derivatives).spec, options: native };
}

/** The result where `runJob` looks for the status of a run. */
const reported = (report: NativeMinimizeResult) => ({ report });
