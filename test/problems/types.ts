// A test problem: minimize f(x) subject to c(x) = 0, with what is known about its solution.
import type * as newton from 'secondorder/newton';

/** An equality-constrained problem with analytic derivatives, each place of them once. */
export interface Problem extends Required<Omit<newton.Problem, 'lambda0'>> {
  x0: Float64Array;
  jacobian: newton.SparseJacobian;
  hessian: newton.SparseHessian;
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
