// How far a point is from a KKT point, computed here from the problem's own functions: the same for
// every solver, and nothing that a solver says of itself.
import type { SparseMatrix } from 'secondorder';
import type { LinearConstraints } from '../examples/newton-data';
import { type KktConditions, kktConditions, largest } from '../test/problems/kkt';

export interface Residuals {
  /** ‖∇f + Jᵀλ‖∞ / max(1, ‖∇f‖∞) */
  stationarity: number;
  /** ‖c‖∞ */
  infeasibility: number;
}

/** Both within the tolerance; false for NaN. */
export function within({ stationarity, infeasibility }: Residuals, tolerance: number): boolean {
  return stationarity <= tolerance && infeasibility <= tolerance;
}

export function problemResiduals(...at: Parameters<typeof kktConditions>): Residuals {
  return residuals(kktConditions(...at));
}

export interface SphereRegression extends LinearConstraints {
  x: SparseMatrix;
  y: Float64Array;
}

/** Of logistic regression with A·w = b and ‖w‖² = 1. */
export function logisticResiduals(
  { x, y, a, b }: SphereRegression,
  w: Float64Array,
  lambda: Float64Array,
): Residuals {
  const gradient = new Float64Array(w.length);
  for (let i = 0; i < x.rows; i++) {
    const [from, to] = [x.rowOffsets[i]!, x.rowOffsets[i + 1]!];
    let score = 0;
    for (let k = from; k < to; k++) score += x.values[k]! * w[x.columns[k]!]!;
    const slope = -y[i]! / (1 + Math.exp(y[i]! * score)) / x.rows;
    for (let k = from; k < to; k++) gradient[x.columns[k]!]! += slope * x.values[k]!;
  }
  const row = (i: number) => a.data.subarray(i * a.cols, (i + 1) * a.cols);
  const dot = (left: ArrayLike<number>) => w.reduce((sum, value, j) => sum + left[j]! * value, 0);
  const slope = gradient.slice();
  for (let j = 0; j < w.length; j++) slope[j]! += 2 * lambda[a.rows]! * w[j]!;
  for (let i = 0; i < a.rows; i++)
    row(i).forEach((entry, j) => {
      slope[j]! += lambda[i]! * entry;
    });
  const constraint = Float64Array.of(...b.map((value, i) => dot(row(i)) - value), dot(w) - 1);
  return residuals({ gradient, slope, constraint });
}

/** Of Poisson control with its default target. */
export function pdeResiduals(
  grid: number,
  alpha: number,
  x: Float64Array,
  lambda: Float64Array,
): Residuals {
  const points = grid * grid;
  const [u, f] = [x.subarray(0, points), x.subarray(points)];
  const gradient = new Float64Array(2 * points);
  const constraint = minusLaplacian(grid, u);
  const [step, middle] = [0.1 / Math.sqrt(15), (grid - 1) / 2];
  for (let p = 0; p < points; p++) {
    const [i, j] = [Math.floor(p / grid), p % grid];
    const target = Math.sin(4 + step * (i - middle)) + Math.cos(3 + step * (j - middle));
    gradient[p] = u[p]! - target;
    gradient[points + p] = alpha * f[p]!;
    constraint[p]! -= f[p]!;
  }
  const slope = gradient.slice();
  minusLaplacian(grid, lambda).forEach((value, p) => {
    slope[p]! += value;
    slope[points + p]! -= lambda[p]!;
  });
  return residuals({ gradient, slope, constraint });
}

/** −Δv by the 5-point stencil on (−1, 1)², v = 0 on the boundary. */
function minusLaplacian(grid: number, v: Float64Array): Float64Array {
  const scale = (grid + 1) ** 2 / 4;
  const at = (i: number, j: number) =>
    i < 0 || j < 0 || i >= grid || j >= grid ? 0 : v[i * grid + j]!;
  return v.map((value, p) => {
    const [i, j] = [Math.floor(p / grid), p % grid];
    return scale * (4 * value - at(i, j - 1) - at(i, j + 1) - at(i - 1, j) - at(i + 1, j));
  });
}

function residuals({ gradient, slope, constraint }: KktConditions): Residuals {
  const scale = Math.max(1, largest(gradient));
  return { stationarity: largest(slope) / scale, infeasibility: largest(constraint) };
}
