/** Options of {@link minimize}: their defaults and their checks. */
import { type Device, toDevice } from '../devices';
import {
  checkObject,
  LARGEST_COUNT,
  type NumberRange,
  toChoice,
  toInteger,
  toNumber,
} from '../validate';
import type { NativeCallbackProblem, NativeLinearSolver, NativeMinimizeOptions } from './native';

/**
 * What solves the KKT system of a Newton step, K·(Δx, Δλ) = b.
 *
 * - `'auto'`: `'ldl'`, where only products with the Hessian are known with the entries that n of them
 *   give, up to 1,000 variables, and `'minres'` beyond; `'nystrom-minres'` for large dense systems at
 *   tolerances of 1e-3 or more; for built-in problems their own solver
 * - `'ldl'`: the exact factorization K = LDLᵀ, `'dense-ldl'` or `'sparse-ldl'` by size and fill
 * - `'minres'`, `'nystrom-minres'`: MINRES, plain or with a randomized deflation of rank `sketchSize`
 * - `'sketch-preconditioner'`: conjugate gradients, preconditioned by a sketch of the data, for
 *   {@link constrainedLogisticRegression} alone; refused for other problems and with preset `'paper'`
 * - `'kaczmarz'`, `'block-kaczmarz'`, `'gaussian'`, `'countsketch'`, `'srht'`, `'kaczmarz++'`: sketch
 *   and project, each step with `sketchSize` rows of K or mixtures of them
 *
 * Where an iterative solver fails, the exact factorization takes over; `linear.fallbacks` counts it.
 */
export type LinearSolver = NativeLinearSolver;

/** Options of {@link minimize}. All arithmetic is in float64. */
export interface MinimizeOptions {
  /**
   * The run has converged when `scaledKkt` is at most this; above 0. Default 1e-6, with preset
   * `'paper'` 1e-4 as in the article.
   */
  tolerance?: number;
  /**
   * `'default'`: the practical method, a filter line search with corrected inertia and restoration of
   * feasibility. `'paper'`: AdaSketch-Newton of arXiv 2305.18379 with the authors' constants, to
   * repeat their experiments.
   */
  preset?: 'default' | 'paper';
  /**
   * Default `'auto'`; with preset `'paper'` that is `'kaczmarz'`, the article's RK. Its GV is
   * `'gaussian'` with `sketchSize: 1`.
   */
  linearSolver?: LinearSolver;
  /** How the length of a step is chosen; default `'filter'`. Preset `'paper'` has but the other. */
  globalization?: 'filter' | 'exact-augmented-lagrangian';
  /** `'finite-difference'`: a missing gradient or Jacobian is approximated. Default `'given'`. */
  derivatives?: 'given' | 'finite-difference';
  /** Of finite differences: `'central'` (default), or `'forward'` with half the evaluations. */
  differences?: 'central' | 'forward';
  /** Newton steps at most; default 500, with preset `'paper'` 10,000. */
  maxIterations?: number;
  /** Seed of all random numbers: the same seed gives the same iterates. Default 0. */
  seed?: number;
  /**
   * Rows of a sketch, or rank of a deflation; default: the choice of the method, for `'gaussian'` an
   * eighth of the order of K, rounded up, 64 at most.
   */
  sketchSize?: number;
  /** Inner steps of one linear solve at most; default: the choice of the method. */
  maxInnerSteps?: number;
  /**
   * f and each row of c are scaled down until ‖∇‖∞ at x0 is at most this; default 100, Infinity for
   * no scaling. Preset `'paper'` does not scale.
   */
  largestGradient?: number;
  /** Second-order corrections of a rejected step at most; default 4. */
  secondOrderCorrections?: number;
  /**
   * Pairs of steps and changes of the gradient that BFGS keeps; default: a dense matrix up to 500
   * variables, 12 pairs beyond.
   */
  bfgsMemory?: number;
  /**
   * Where the linear systems are solved; all else is on the CPU. `'auto'` (default): on a GPU where
   * there is one and K is dense and large enough to gain. A GPU that is asked for takes
   * `linearSolver` `'auto'`, `'ldl'` (as dense factors), `'minres'` and `'nystrom-minres'` with
   * Hessians whose entries are known, and refuses others with ERR_CUDA_NO_BACKEND.
   */
  device?: Device;
}

/** Options that the article's algorithm has instead of the general ones. */
const PAPER = { tolerance: 1e-4, maxIterations: 10_000 } as const;
const GENERAL = { tolerance: 1e-6, maxIterations: 500 } as const;

const KNOWN = [
  'tolerance',
  'preset',
  'linearSolver',
  'globalization',
  'derivatives',
  'differences',
  'maxIterations',
  'seed',
  'sketchSize',
  'maxInnerSteps',
  'largestGradient',
  'secondOrderCorrections',
  'bfgsMemory',
  'device',
] as const satisfies (keyof MinimizeOptions)[];

const SOLVERS = [
  'auto',
  'ldl',
  'dense-ldl',
  'sparse-ldl',
  'minres',
  'nystrom-minres',
  'sketch-preconditioner',
  'kaczmarz',
  'block-kaczmarz',
  'gaussian',
  'countsketch',
  'srht',
  'kaczmarz++',
] as const satisfies LinearSolver[];

/** Options as the native code takes them. */
export interface MinimizeSettings {
  native: NativeMinimizeOptions;
  derivatives: NativeCallbackProblem['derivatives'];
}

/** Checks the options; what is left out keeps the native code's value, as documented above. */
export function readMinimizeOptions(options: unknown): MinimizeSettings {
  const raw = checkObject(options, 'options', KNOWN);
  const choice = <const T extends string>(key: keyof MinimizeOptions, choices: readonly T[]) =>
    raw[key] === undefined ? undefined : toChoice(raw[key], `options.${key}`, choices);
  const count = (key: keyof MinimizeOptions, range: NumberRange) =>
    raw[key] === undefined ? undefined : toInteger(raw[key], `options.${key}`, range);
  const preset = choice('preset', ['default', 'paper']);
  const { tolerance, maxIterations } = preset === 'paper' ? PAPER : GENERAL;
  const some = { min: 1, max: LARGEST_COUNT };
  const any = { min: 0, max: LARGEST_COUNT };
  return {
    derivatives: choice('derivatives', ['given', 'finite-difference']) ?? 'given',
    native: {
      preset,
      tolerance: toNumber(raw.tolerance ?? tolerance, 'options.tolerance', { above: 0 }),
      linearSolver: choice('linearSolver', SOLVERS),
      globalization: choice('globalization', ['filter', 'exact-augmented-lagrangian']),
      difference: choice('differences', ['central', 'forward']),
      maxIterations: count('maxIterations', any) ?? maxIterations,
      seed: count('seed', { min: 0 }),
      sketchSize: count('sketchSize', some),
      maxInnerSteps: count('maxInnerSteps', some),
      largestGradient: readLargestGradient(raw.largestGradient),
      secondOrderCorrections: count('secondOrderCorrections', any),
      bfgsMemory: count('bfgsMemory', some),
      device: toDevice(raw.device),
    },
  };
}

/** Infinity, for no scaling, is 0 in the native code. */
function readLargestGradient(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (value === Number.POSITIVE_INFINITY) return 0;
  return toNumber(value, 'options.largestGradient', { above: 0 });
}

/** Whether this is the name of an option. */
export function isOption(name: string): boolean {
  return KNOWN.some((known) => known === name);
}
