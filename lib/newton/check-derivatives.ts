import { loadNative } from '../native';
import { type RunOptions, runJob, runSync } from '../run';
import { checkObject, LARGEST_COUNT, toInteger, toNumber } from '../validate';
import type { NativeDerivativeSpec } from './native';
import { callNative, startNative } from './native-calls';
import type { NativeProblem } from './native-problem';
import type { Problem } from './problem';
import { readProblem } from './read-problem';
import { readNumbers } from './starting-point';

/** Options of {@link checkDerivatives}. */
export interface DerivativeCheckOptions {
  /** Multipliers of the Hessian that is checked, m; default: some of different sizes and signs. */
  lambda?: ArrayLike<number>;
  /** Errors above it, relative to max(1, |value|), are reported; default 1e-5. */
  tolerance?: number;
  /** Wrong entries that the report lists at most; default 20. */
  mostEntries?: number;
}

/** An entry of a derivative that differs from central differences. */
export interface DerivativeEntry {
  derivative: 'gradient' | 'jacobian' | 'hessian';
  /** Of the gradient, the variable. */
  row: number;
  /** 0 in the gradient. */
  column: number;
  /** What the problem gives; 0 outside of its positions. */
  given: number;
  /** What differences of the function give. */
  difference: number;
  /**
   * |given − difference| / max(1, |given|, |difference|): relative for values above 1, absolute below.
   * Infinity where either isn't finite, or the function is too large to tell.
   */
  error: number;
}

/** How well the derivatives of a problem fit its functions. */
export interface DerivativeReport {
  /**
   * The largest error of each, relative to max(1, |value|); 0 where there is nothing to check, Infinity
   * where an entry could not be: it, or the function it is a derivative of, isn't finite.
   */
  gradientError: number;
  jacobianError: number;
  hessianError: number;
  /**
   * How many entries are wrong by more than the tolerance and by more than rounding explains, or could
   * not be checked.
   */
  wrongEntries: number;
  /** The worst of them, worst first. */
  wrong: DerivativeEntry[];
}

/**
 * Compares derivatives with central differences: the gradient with those of the objective, the
 * Jacobian with those of the constraints, and the Hessian, of f + Σ λᵢcᵢ, with those of gradient and
 * Jacobian. What is left out is not checked, nor is a Hessian without both of these.
 *
 * @param problem see {@link Problem}
 * @param x where, n finite numbers; default x0. Points with no symmetry or zeros show most.
 * @param options see {@link DerivativeCheckOptions}
 * @returns the errors, and which entries are wrong
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_OUT_OF_MEMORY;
 * {@link EvaluationError} where a function threw
 */
export function checkDerivatives(
  problem: Problem | NativeProblem,
  x?: ArrayLike<number>,
  options?: DerivativeCheckOptions,
): DerivativeReport {
  const { newtonCheckDerivativesSync } = loadNative();
  return runSync(
    (spec: NativeDerivativeSpec, native) =>
      callNative(() => newtonCheckDerivativesSync(spec, native), undefined),
    makeSpec(problem, x, options),
    undefined,
    (report) => report,
  );
}

/** {@link checkDerivatives} with the differences taken on another thread. */
export async function checkDerivativesAsync(
  problem: Problem | NativeProblem,
  x?: ArrayLike<number>,
  options?: DerivativeCheckOptions,
  run?: Pick<RunOptions, 'signal'>,
): Promise<DerivativeReport> {
  const { newtonCheckDerivatives } = loadNative();
  checkObject(run, 'run', ['signal']);
  return runJob(
    (spec: NativeDerivativeSpec, native) =>
      startNative(() => newtonCheckDerivatives(spec, native), run?.signal),
    makeSpec(problem, x, options),
    run,
    (report) => report,
  );
}

function makeSpec(problem: unknown, x: unknown, options: unknown): NativeDerivativeSpec {
  const { spec, variables, constraints } = readProblem(problem, 'finite-difference');
  const raw = checkObject(options, 'options', ['lambda', 'tolerance', 'mostEntries']);
  const { lambda, tolerance = 1e-5, mostEntries = 20 } = raw;
  return {
    problem: spec,
    x: readNumbers(x, 'x', variables),
    lambda: readNumbers(lambda, 'options.lambda', constraints),
    options: {
      tolerance: toNumber(tolerance, 'options.tolerance', { above: 0 }),
      mostEntries: toInteger(mostEntries, 'options.mostEntries', { min: 0, max: LARGEST_COUNT }),
    },
  };
}
