import { checkObject, toInteger, toNumber } from '../validate';
import { NativeProblem } from './native-problem';
import { readNumbers, type StartingPoint } from './starting-point';

/** Size and data of {@link pdeControl}. */
export interface PdeControlData extends StartingPoint {
  /** N, at least 1: inner grid points along a side. */
  grid: number;
  /** Weight of the control, above 0; default 0.1. */
  alpha?: number;
  /** The wanted state, N × N values, row after row; default: a smooth one. */
  target?: ArrayLike<number>;
}

/** Grids beyond it have more unknowns than the native code can count. */
const LARGEST_GRID = 10_000;

/**
 * Optimal control of Poisson's equation −Δu = f on the square (−1, 1)² with u = 0 on its boundary:
 *
 * min ½‖u − target‖² + (alpha/2)·‖f‖² subject to −Δu = f at each of the N × N inner points of a grid,
 * with the 5-point stencil, spacing h = 2/(N + 1) and Euclidean norms of the values at the points.
 *
 * Variables are u, then f, each row after row (2N²); constraints −Δu − f = 0 (N²). It starts at 0
 * unless `x0` says otherwise. `linearSolver: 'auto'` is MINRES with a preconditioner made for it, which
 * needs a few steps whatever N.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
 */
export function pdeControl(problem: PdeControlData): NativeProblem {
  const raw = checkObject(problem ?? null, 'problem', ['grid', 'alpha', 'target', 'x0', 'lambda0']);
  const grid = toInteger(raw.grid, 'problem.grid', { min: 1, max: LARGEST_GRID });
  const points = grid * grid;
  const spec = {
    kind: 'pde',
    grid,
    alpha: toNumber(raw.alpha ?? 0.1, 'problem.alpha', { above: 0 }),
    target: readNumbers(raw.target, 'problem.target', points),
    x0: readNumbers(raw.x0, 'problem.x0', 2 * points),
    lambda0: readNumbers(raw.lambda0, 'problem.lambda0', points),
  } as const;
  return new NativeProblem(spec, 2 * points, points);
}
