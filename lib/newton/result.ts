/** What a run of {@link minimize} gives. */
import type { NativeMinimizeResult } from './native';

/**
 * How a run ended.
 *
 * - `converged`: the KKT residuals, evaluated anew at the solution, are within the tolerance
 * - `locally_infeasible`: a stationary point of ‖c‖ that violates the constraints, which may be
 *   inconsistent
 * - `stalled_feasible`: the constraints are satisfied, but no step makes further progress
 * - `stalled_infeasible`: no step reduces the violation of the constraints, which isn't stationary
 * - `inertia_failed`: no regularization of the KKT system gives a usable step
 * - `unbounded`: the objective falls without bound at feasible points
 * - `singular`: preset `'paper'` only: the Jacobian is nearly rank-deficient
 * - `evaluation_error`: a function isn't finite at x0, or a Hessian isn't finite; `message` says which
 * - `iteration_limit`, `time_limit`: a limit was reached
 * - `aborted`: in the `partial` of an AbortError
 */
export type MinimizeStatus =
  | 'converged'
  | 'locally_infeasible'
  | 'stalled_feasible'
  | 'inertia_failed'
  | 'evaluation_error'
  | 'iteration_limit'
  | 'time_limit'
  | 'aborted'
  | 'unbounded'
  | 'singular'
  | 'stalled_infeasible';

/** One iterate, as `history` has them all; also the event of `onProgress`. */
export interface MinimizeProgress {
  /** 0 is x0. */
  readonly iteration: number;
  /** f. */
  readonly objective: number;
  /** ‖∇f + Jᵀλ‖∞. */
  readonly stationarity: number;
  /** ‖c‖∞. */
  readonly infeasibility: number;
  /** What the tolerance is compared with. */
  readonly scaledKkt: number;
  /** Length of the step that led here, as a share of the Newton step; 0 where it was another step. */
  readonly step: number;
  /** Multiple of the identity that was added to the Hessian for that step. */
  readonly regularization: number;
  /** Inner steps of iterative linear solvers so far. */
  readonly innerSteps: number;
  /** Seconds from the start. */
  readonly seconds: number;
}

/** Calls of the functions of a problem, those for finite differences and the last check included. */
export interface EvaluationCounts {
  objective: number;
  gradient: number;
  constraint: number;
  jacobian: number;
  hessian: number;
  hessianProduct: number;
}

/** What the linear systems of a run cost. */
export interface LinearReport {
  /** The solver that the run began with: what `'auto'` chose, or the one asked for. */
  solver: string;
  /** The exact factorization that `'auto'` took to where that one kept failing; else null. */
  replacedBy: string | null;
  /** Factorizations of KKT systems. */
  factorizations: number;
  /** Steps of iterative solvers. */
  innerSteps: number;
  /** Systems that had to be handed to the exact factorization. */
  fallbacks: number;
  /** Solves that were repeated to a higher accuracy. */
  tightenings: number;
}

/** The best iterate of a run, what it fulfils, and what it cost. */
export interface MinimizeResult {
  status: MinimizeStatus;
  /** The status in words, with what is known of its cause. */
  message: string;
  /** n */
  x: Float64Array;
  /** The multipliers, m: ∇f + Jᵀλ = 0 at a solution. */
  lambda: Float64Array;
  /** f(x). Like the residuals below it is evaluated anew when the run is over. */
  objective: number;
  /** ‖∇f + Jᵀλ‖∞, in the units of the problem. */
  stationarity: number;
  /** ‖c‖∞, in the units of the problem. */
  infeasibility: number;
  /**
   * What the tolerance is compared with: max(‖∇L‖∞ / s, ‖c‖∞), where f and each row of c in ∇L are
   * scaled as `largestGradient` says, and s = max(100, mean |λᵢ|)/100. Preset `'paper'`:
   * ‖(∇L, c)‖₂, unscaled.
   */
  scaledKkt: number;
  /** Newton steps. */
  iterations: number;
  evaluations: EvaluationCounts;
  linear: LinearReport;
  /** Where the linear systems were solved, such as `cpu` or `cuda:0`. */
  device: string;
  /** Why there: `asked for`, or what `'auto'` found. */
  deviceReason: string;
  /** How often no step was found and another way was taken, such as the restoration of feasibility. */
  restorations: number;
  /** Second-order corrections of rejected steps. */
  secondOrderCorrections: number;
  /** Steps found by the exact augmented Lagrangian where the filter found none. */
  meritFallbacks: number;
  /** Seconds that the run took. */
  seconds: number;
  /** Seed of all random numbers. */
  seed: number;
  /** All iterates, x0 first. */
  history: MinimizeProgress[];
}

const FIELDS = [
  'iteration',
  'objective',
  'stationarity',
  'infeasibility',
  'scaledKkt',
  'step',
  'regularization',
  'innerSteps',
  'seconds',
] as const satisfies (keyof MinimizeProgress)[];

/** A native result with its history as one object for each iterate. */
export function makeResult(native: NativeMinimizeResult): MinimizeResult {
  const { history: columns } = native;
  const history = Array.from(columns.iteration, (_, i) => {
    const record = Object.fromEntries(FIELDS.map((name) => [name, columns[name][i]]));
    return record as unknown as MinimizeProgress;
  });
  return { ...native, history };
}
