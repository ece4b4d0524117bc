// The native functions of the Newton family: min f(x) subject to c(x) = 0.
import type { NativeJobOf, NativeSyncOf, NativeX } from '../native-interface';
import type { DerivativeReport } from './check-derivatives';
import type { HessianProduct, SparseHessian, SparseJacobian, SparsePattern } from './problem';
import type { MinimizeProgress, MinimizeResult } from './result';

/** A problem in JavaScript: a Problem with sparse derivatives. */
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
  jacobian?: SparseJacobian | SparsePattern;
  hessian?: SparseHessian | HessianProduct | 'bfgs';
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
  /** Names of devices; `['auto']` */
  device?: string[];
  /** Of missing derivatives: 'central'. */
  difference?: 'forward' | 'central';
}

/** One entry for each iterate, the first included. */
export type NativeMinimizeHistory = Record<keyof MinimizeProgress, Float64Array>;

export type NativeMinimizeResult = Omit<MinimizeResult, 'history'> & {
  history: NativeMinimizeHistory;
};

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
  /** Entries of a row of H and J, about; dense when left out, with the spectrum asked for. */
  rowEntries?: number;
  /** ‖b − Kx‖ / ‖b‖ to be reached. */
  accuracy: number;
  solvers: NativeLinearSolver[];
  seed?: number;
  /** The CPU when left out. */
  device?: string[];
}

export interface KktMeasurement {
  solver: string;
  prepareSeconds: number;
  solveSeconds: number;
  residual: number;
  reached: boolean;
  steps: number;
}

export type MinimizeSpec = { problem: NativeProblemSpec; options: NativeMinimizeOptions };

/**
 * What the addon offers for this family; each job also in its synchronous form, which calls the
 * functions of a problem directly. Where one throws, the error (ERR_EVALUATION) has what it threw
 * as `cause`, and of newtonMinimize the result so far as `partial`.
 */
export interface NewtonNative {
  newtonMinimize: NativeJobOf<MinimizeSpec, NativeMinimizeResult>;
  newtonMinimizeSync: NativeSyncOf<MinimizeSpec, NativeMinimizeResult>;
  /** Where a problem starts: its x0, or what it chooses itself. */
  newtonStart(spec: { problem: NativeProblemSpec }): Float64Array;
  newtonCheckDerivatives: NativeJobOf<NativeDerivativeSpec, DerivativeReport>;
  newtonCheckDerivativesSync: NativeSyncOf<NativeDerivativeSpec, DerivativeReport>;
  /** Times linear solvers on a random dense KKT system: what 'auto' chooses by. */
  measureKkt: NativeJobOf<KktMeasurementSpec, KktMeasurement[]>;
  measureKktSync: NativeSyncOf<KktMeasurementSpec, KktMeasurement[]>;
}
