// The native functions of the Newton family: min f(x) subject to c(x) = 0.
import type { NativeJobOf, NativeSyncOf, NativeX } from '../native-interface';

/** Positions of the entries of a sparse matrix; entries at the same place add up. */
export interface NativeCoordinates {
  rows: Int32Array;
  cols: Int32Array;
}

/**
 * A problem in JavaScript. Functions are called with the object that holds them as `this`; the
 * arrays they get are the same at every call, and only good until they return.
 */
export interface NativeCallbackProblem {
  kind: 'callbacks';
  variables: number;
  constraints: number;
  /** Finite. */
  x0: Float64Array;
  /** Least-squares multipliers when left out. */
  lambda0?: Float64Array;
  /** 'finite-difference': what is missing of gradient and Jacobian is approximated. */
  derivatives: 'given' | 'finite-difference';
  /** NaN and infinities make the line search back off. */
  objective(x: Float64Array): number;
  gradient?(x: Float64Array, out: Float64Array): void;
  constraint?(x: Float64Array, out: Float64Array): void;
  /** Without `values` a structure for finite differences, dense when left out. */
  jacobian?: NativeCoordinates & { values?(x: Float64Array, out: Float64Array): void };
  /** Of σf + Σ λᵢcᵢ: entries of the lower triangle, or products. */
  hessian?:
    | (NativeCoordinates & {
        values(x: Float64Array, sigma: number, lambda: Float64Array, out: Float64Array): void;
      })
    | {
        product(
          x: Float64Array,
          sigma: number,
          lambda: Float64Array,
          v: Float64Array,
          out: Float64Array,
        ): void;
      }
    | 'bfgs';
}

/** min (1/N)·Σ log(1 + exp(−yᵢ·xᵢᵀw)) + (weightDecay/2)·‖w‖², A·w = b, ‖w‖² = 1 if asked. */
export interface NativeLogisticProblem {
  kind: 'logistic';
  x: NativeX;
  /** ±1 */
  y: Float64Array;
  /** A, row-major. */
  a?: Float64Array;
  b?: Float64Array;
  sphere?: boolean;
  weightDecay?: number;
  /** Near a feasible point when left out. */
  x0?: Float64Array;
  lambda0?: Float64Array;
}

/** min ½‖u − target‖² + (alpha/2)·‖f‖², −Δu = f, on a grid × grid square; variables u, then f. */
export interface NativePdeProblem {
  kind: 'pde';
  grid: number;
  alpha?: number;
  target?: Float64Array;
  /** 0 when left out. */
  x0?: Float64Array;
  lambda0?: Float64Array;
}

export type NativeProblemSpec = NativeCallbackProblem | NativeLogisticProblem | NativePdeProblem;

export type NativeLinearSolver =
  | 'auto'
  | 'ldl'
  | 'dense-ldl'
  | 'sparse-ldl'
  | 'minres'
  | 'nystrom-minres'
  | 'sketch-preconditioner'
  | 'kaczmarz'
  | 'block-kaczmarz'
  | 'gaussian'
  | 'countsketch'
  | 'srht'
  | 'kaczmarz++';

/** What is left out keeps the core's value. */
export interface NativeMinimizeOptions {
  /** 1e-6 */
  tolerance?: number;
  preset?: 'default' | 'paper';
  linearSolver?: NativeLinearSolver;
  globalization?: 'filter' | 'exact-augmented-lagrangian';
  /** 500 */
  maxIterations?: number;
  /** 0 */
  seed?: number;
  /** Rows of a sketch, or rank of a deflation; 0: the method's choice. */
  sketchSize?: number;
  /** Inner iterations of one linear solve; 0: the method's choice. */
  maxInnerSteps?: number;
  /** ‖∇‖∞ at x0 that f and each row of c are scaled down to; 0: no scaling. 100 */
  largestGradient?: number;
  /** 4 */
  secondOrderCorrections?: number;
  /** Pairs that limited-memory BFGS keeps; 0: a dense matrix up to 500 variables, else 12. */
  bfgsMemory?: number;
  /** Of missing derivatives: 'central'. */
  difference?: 'forward' | 'central';
}

export type NativeMinimizeStatus =
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

/** One line for each iterate, the first included; `step` and `regularization` led to it. */
export interface NativeMinimizeHistory {
  iteration: Float64Array;
  objective: Float64Array;
  stationarity: Float64Array;
  infeasibility: Float64Array;
  scaledKkt: Float64Array;
  step: Float64Array;
  regularization: Float64Array;
  /** So far. */
  innerSteps: Float64Array;
  seconds: Float64Array;
}

export interface NativeMinimizeResult {
  status: NativeMinimizeStatus;
  message: string;
  x: Float64Array;
  lambda: Float64Array;
  objective: number;
  stationarity: number;
  infeasibility: number;
  scaledKkt: number;
  iterations: number;
  evaluations: {
    objective: number;
    gradient: number;
    constraint: number;
    jacobian: number;
    hessian: number;
    hessianProduct: number;
  };
  linear: {
    solver: string;
    factorizations: number;
    innerSteps: number;
    fallbacks: number;
    tightenings: number;
  };
  restorations: number;
  secondOrderCorrections: number;
  meritFallbacks: number;
  seconds: number;
  seed: number;
  history: NativeMinimizeHistory;
}

/** An entry of a derivative that differs from central differences; `column` is 0 in the gradient. */
export interface NativeDerivativeEntry {
  derivative: 'gradient' | 'jacobian' | 'hessian';
  row: number;
  column: number;
  given: number;
  difference: number;
  /** |given − difference| / max(1, |given|, |difference|) */
  error: number;
}

export interface NativeDerivativeReport {
  /** The largest error of each; 0 where there is nothing to check. */
  gradientError: number;
  jacobianError: number;
  hessianError: number;
  /** How many entries are wrong; `wrong` lists the worst. */
  wrongEntries: number;
  wrong: NativeDerivativeEntry[];
}

export interface NativeDerivativeSpec {
  problem: NativeProblemSpec;
  /** x0 when left out. */
  x?: Float64Array;
  /** Multipliers of the Hessian that is checked. */
  lambda?: Float64Array;
  options?: { tolerance?: number; mostEntries?: number };
}

export interface KktMeasurementSpec {
  /** Of K; a fifth are constraints. */
  order: number;
  spectrum: 'clustered' | 'outlying' | 'decaying' | 'spread';
  /** ‖b − Kx‖ / ‖b‖ to be reached. */
  accuracy: number;
  solvers: NativeLinearSolver[];
  seed?: number;
}

export interface KktMeasurement {
  solver: string;
  prepareSeconds: number;
  solveSeconds: number;
  residual: number;
  reached: boolean;
  steps: number;
}

type MinimizeSpec = { problem: NativeProblemSpec; options: NativeMinimizeOptions };

/**
 * What the addon offers for this family; each job also in its synchronous form, which calls the
 * functions of a problem directly. Where one throws, the error (ERR_EVALUATION) has what it threw
 * as `cause`, and of newtonMinimize the result so far as `partial`.
 */
export interface NewtonNative {
  newtonMinimize: NativeJobOf<MinimizeSpec, NativeMinimizeResult>;
  newtonMinimizeSync: NativeSyncOf<MinimizeSpec, NativeMinimizeResult>;
  newtonCheckDerivatives: NativeJobOf<NativeDerivativeSpec, NativeDerivativeReport>;
  newtonCheckDerivativesSync: NativeSyncOf<NativeDerivativeSpec, NativeDerivativeReport>;
  /** Times linear solvers on a random dense KKT system: what 'auto' chooses by. */
  measureKkt: NativeJobOf<KktMeasurementSpec, KktMeasurement[]>;
  measureKktSync: NativeSyncOf<KktMeasurementSpec, KktMeasurement[]>;
}
