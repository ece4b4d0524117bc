/** Constrained logistic regression and optimal control, written by hand as a user writes any problem. */
import type { Matrix, SparseMatrix } from 'secondorder';
import type { DenseHessian, DenseJacobian, Problem, SparseHessian } from 'secondorder/newton';

/** Data of {@link ownLogistic}. */
export interface LogisticData {
  /** Samples × features. */
  x: SparseMatrix;
  /** 1 or −1 for each sample. */
  y: Float64Array;
  /** A·w = b. */
  a: Matrix;
  b: Float64Array;
}

/** min (1/N)·Σ log(1 + exp(−yᵢ·xᵢᵀw)) subject to A·w = b and ‖w‖² = 1. */
export function ownLogistic({ x, y, a, b }: LogisticData, x0: ArrayLike<number>): Problem {
  const [samples, n, m] = [x.rows, x.cols, a.rows + 1];
  const margins = new Float64Array(samples);
  const seen = new Float64Array(n).fill(Number.NaN);

  /** The margins yᵢ·xᵢᵀw; computed once for each w, which most functions share. */
  function look(w: Float64Array): void {
    if (w.every((value, j) => value === seen[j])) return;
    for (let i = 0; i < samples; i++) {
      let sum = 0;
      for (let k = x.rowOffsets[i]!; k < x.rowOffsets[i + 1]!; k++) {
        sum += x.values[k]! * w[x.columns[k]!]!;
      }
      margins[i] = y[i]! * sum;
    }
    seen.set(w);
  }

  // out is row-major; the sphere is the last constraint.
  const jacobian: DenseJacobian = {
    values(w, out) {
      out.set(a.data);
      for (let j = 0; j < n; j++) out[a.data.length + j] = 2 * w[j]!;
    },
  };
  // Σ sᵢ(1 − sᵢ)·xᵢ·xᵢᵀ/N, of which the lower triangle is enough: columns ascend along a row of x.
  const hessian: DenseHessian = {
    values(w, sigma, lambda, out) {
      look(w);
      for (let i = 0; i < samples; i++) {
        const s = errorProbability(margins[i]!);
        const weight = (sigma * s * (1 - s)) / samples;
        const [first, end] = [x.rowOffsets[i]!, x.rowOffsets[i + 1]!];
        for (let k = first; k < end; k++) {
          const row = n * x.columns[k]!;
          const value = weight * x.values[k]!;
          for (let l = first; l <= k; l++) out[row + x.columns[l]!]! += value * x.values[l]!;
        }
      }
      for (let j = 0; j < n; j++) out[j * n + j]! += 2 * lambda[m - 1]!;
    },
  };
  return {
    variables: n,
    constraints: m,
    x0,
    objective(w) {
      look(w);
      // log(1 + e⁻ᵗ), written so that exp does not overflow.
      return (
        margins.reduce((f, t) => f + Math.log1p(Math.exp(-Math.abs(t))) + Math.max(0, -t), 0) /
        samples
      );
    },
    gradient(w, out) {
      look(w);
      for (let i = 0; i < samples; i++) {
        const slope = (-y[i]! * errorProbability(margins[i]!)) / samples;
        for (let k = x.rowOffsets[i]!; k < x.rowOffsets[i + 1]!; k++) {
          out[x.columns[k]!]! += slope * x.values[k]!;
        }
      }
    },
    constraint(w, out) {
      for (let i = 0; i < a.rows; i++) {
        out[i] = w.reduce((sum, value, j) => sum + a.data[i * n + j]! * value, -b[i]!);
      }
      out[m - 1] = w.reduce((sum, value) => sum + value ** 2, -1);
    },
    jacobian,
    hessian,
  };
}

const errorProbability = (margin: number): number => 1 / (1 + Math.exp(margin));

/**
 * min ½‖u − target‖² + (alpha/2)·‖f‖² subject to −Δu = f at the grid² inner points of (−1, 1)², by the
 * 5-point stencil. Variables: u, then f, row after row.
 */
export function ownControl(grid: number, alpha: number, target: Float64Array): Problem {
  const points = grid ** 2;
  const scale = ((grid + 1) / 2) ** 2;
  const [rows, cols, values]: number[][] = [[], [], []];
  const put = (row: number, col: number, value: number) => {
    rows!.push(row);
    cols!.push(col);
    values!.push(value);
  };
  for (let p = 0; p < points; p++) {
    const [i, j] = [Math.floor(p / grid), p % grid];
    put(p, p, 4 * scale);
    if (i > 0) put(p, p - grid, -scale);
    if (j > 0) put(p, p - 1, -scale);
    if (j < grid - 1) put(p, p + 1, -scale);
    if (i < grid - 1) put(p, p + grid, -scale);
    put(p, points + p, -1);
  }
  const diagonal = Int32Array.from({ length: 2 * points }, (_, k) => k);
  const hessian: SparseHessian = {
    rows: diagonal,
    cols: diagonal,
    values: (_x, sigma, _lambda, out) => out.fill(sigma, 0, points).fill(sigma * alpha, points),
  };
  return {
    variables: 2 * points,
    constraints: points,
    x0: new Float64Array(2 * points),
    objective(x) {
      let f = 0;
      for (let p = 0; p < points; p++) {
        f += (x[p]! - target[p]!) ** 2 / 2 + (alpha / 2) * x[points + p]! ** 2;
      }
      return f;
    },
    gradient(x, out) {
      for (let p = 0; p < points; p++) {
        out[p] = x[p]! - target[p]!;
        out[points + p] = alpha * x[points + p]!;
      }
    },
    // The constraints are linear: c(x) = Jx.
    constraint(x, out) {
      for (let k = 0; k < values!.length; k++) out[rows![k]!]! += values![k]! * x[cols![k]!]!;
    },
    jacobian: {
      rows: Int32Array.from(rows!),
      cols: Int32Array.from(cols!),
      values: (_x, out) => out.set(values!),
    },
    hessian,
  };
}
