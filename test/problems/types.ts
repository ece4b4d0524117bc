// A test problem: minimize f(x) subject to c(x) = 0, with what is known about its solution.

/** An equality-constrained problem with analytic derivatives, in the shape that `minimize` takes. */
export interface Problem {
  variables: number;
  constraints: number;
  x0: Float64Array;
  objective(x: Float64Array): number;
  gradient(x: Float64Array, out: Float64Array): void;
  constraint(x: Float64Array, out: Float64Array): void;
  /** In coordinates, each place once. */
  jacobian: {
    rows: Int32Array;
    cols: Int32Array;
    values(x: Float64Array, out: Float64Array): void;
  };
  /** σ∇²f + Σ λᵢ∇²cᵢ: the lower triangle in coordinates, each place once. */
  hessian: {
    rows: Int32Array;
    cols: Int32Array;
    values(x: Float64Array, sigma: number, lambda: Float64Array, out: Float64Array): void;
  };
}

export interface TestProblem {
  /** The name in the CUTEst collection. */
  name: string;
  /** Where the problem was published. */
  source: string;
  variables: number;
  constraints: number;
  /** The objective at the best known feasible point; null where none is known. */
  optimum: number | null;
  /** Where `optimum` comes from. */
  optimumSource: string;
  /** Values at further local minima, where descent from the starting point may end. */
  otherOptima?: readonly number[];
  /** A solution in closed form or as published. */
  solution?: readonly number[];
  note?: string;
  problem(): Problem;
  /** For a family: CUTEst's usual size, and how a member of any other size is made. */
  family?: { standardSize: number; member(size: number): TestProblem };
}
