/**
 * What is minimized, as users write it: f(x) subject to c(x) = 0, with n variables and m constraints.
 */

/**
 * Positions of the entries of a sparse matrix, rows and columns from 0. Entries at the same place add
 * up.
 */
export interface SparsePattern {
  rows: Int32Array;
  cols: Int32Array;
}

/** A Jacobian of which the entries at some positions are given. */
export interface SparseJacobian extends SparsePattern {
  /** out: one value for each position. */
  values(x: Float64Array, out: Float64Array): void;
}

/** A Jacobian of which every entry is given. */
export interface DenseJacobian {
  rows?: undefined;
  cols?: undefined;
  /** out: m × n, row-major; entry (i, j) is ∂cᵢ/∂xⱼ. */
  values(x: Float64Array, out: Float64Array): void;
}

/** The lower triangle (row ≥ column) of the Hessian of the Lagrangian, at some positions. */
export interface SparseHessian extends SparsePattern {
  /** out: one value of σ∇²f + Σ λᵢ∇²cᵢ for each position. */
  values(x: Float64Array, sigma: number, lambda: Float64Array, out: Float64Array): void;
}

/** The Hessian of the Lagrangian with all its entries. */
export interface DenseHessian {
  rows?: undefined;
  cols?: undefined;
  /** out: σ∇²f + Σ λᵢ∇²cᵢ, n × n, row-major; only its lower triangle (row ≥ column) is read. */
  values(x: Float64Array, sigma: number, lambda: Float64Array, out: Float64Array): void;
}

/** Products with the Hessian of the Lagrangian, where its entries are too many. */
export interface HessianProduct {
  /** out = (σ∇²f + Σ λᵢ∇²cᵢ)·v, n entries. */
  product(
    x: Float64Array,
    sigma: number,
    lambda: Float64Array,
    v: Float64Array,
    out: Float64Array,
  ): void;
}

/**
 * min f(x) subject to c(x) = 0. May be an instance of a class: functions are called with the object
 * that holds them as `this`.
 *
 * The arrays that functions get are the same at every call and good only until they return; what is
 * written into `x`, `lambda` or `v` has no effect, and `out` starts as zeros. Functions answer at
 * once and into `out`: promises are refused, and arrays that are returned while `out` is left alone.
 * One that throws ends the run with {@link EvaluationError}; NaN and infinities make the line search
 * back off.
 */
export interface Problem {
  /** n, at least 1. */
  variables: number;
  /** m; 0 for none, and more than n are allowed. */
  constraints: number;
  /** Where to start: n finite numbers. */
  x0: ArrayLike<number>;
  /** First multipliers, m finite numbers; default: those of least squares at x0. */
  lambda0?: ArrayLike<number>;
  /** f(x). */
  objective(x: Float64Array): number;
  /** out = ∇f(x), n entries. */
  gradient?(x: Float64Array, out: Float64Array): void;
  /** out = c(x), m entries; may be left out where m is 0. */
  constraint?(x: Float64Array, out: Float64Array): void;
  /**
   * The derivatives of the constraints, sparse or dense. Positions without `values` are a pattern for
   * finite differences, which then take fewer evaluations.
   */
  jacobian?: SparseJacobian | DenseJacobian | SparsePattern;
  /**
   * Second derivatives of f + Σ λᵢcᵢ: sparse, dense or as products. `'bfgs'`, the default, learns an
   * approximation from the gradients.
   */
  hessian?: SparseHessian | DenseHessian | HessianProduct | 'bfgs';
}
