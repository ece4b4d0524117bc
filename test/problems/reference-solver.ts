// A dense Newton method for the test problems, independent of the package: KKT steps with a convexity
// shift, a filter with second-order corrections, and Levenberg–Marquardt when the filter is stuck.

import {
  along,
  dot,
  Factors,
  gram,
  isPositiveDefinite,
  largest,
  norm,
  type Rows,
  transposeTimes,
  zeros,
} from './dense';
import type { Problem } from './types';

export interface ReferenceResult {
  converged: boolean;
  x: Float64Array;
  lambda: Float64Array;
  objective: number;
  /** ‖∇f + Jᵀλ‖∞. */
  stationarity: number;
  /** ‖c‖∞. */
  infeasibility: number;
  iterations: number;
}

/** The weight of JᵀJ by which curvature outside the null space of J is ignored. */
const NORMAL_WEIGHT = 1e6;
/** Keeps the KKT matrix regular where J is rank deficient: Jd − ε(λ⁺ − λ) = −c. */
const RANK_SHIFT = 1e-10;
const LARGEST_MULTIPLIER = 1e7;

interface Point {
  x: Float64Array;
  objective: number;
  constraint: Float64Array;
  /** ‖c‖₂. */
  violation: number;
}

class ReferenceSolver {
  readonly #filter: { violation: number; objective: number }[] = [];
  #point: Point;
  #lambda: Float64Array;
  #shift = 0;

  constructor(readonly problem: Problem) {
    this.#point = this.#evaluate(problem.x0);
    this.#lambda = new Float64Array(problem.constraints);
  }

  run(tolerance: number, maxIterations: number): ReferenceResult {
    for (let iteration = 0; ; iteration++) {
      const { x, constraint, objective } = this.#point;
      const gradient = this.#gradient(x);
      const jacobian = this.#jacobian(x);
      if (iteration === 0) this.#lambda = this.#leastSquaresMultipliers(gradient, jacobian);
      const pull = transposeTimes(jacobian, this.#lambda, x.length);
      const stationarity = largest(along(gradient, pull, 1));
      const infeasibility = largest(constraint);
      const scale = Math.max(1, largest(this.#lambda) / 100);
      const converged = stationarity / scale <= tolerance && infeasibility <= tolerance;
      if (converged || iteration === maxIterations || !this.#improve(gradient, jacobian)) {
        const lambda = this.#lambda;
        return {
          converged,
          x,
          lambda,
          objective,
          stationarity,
          infeasibility,
          iterations: iteration,
        };
      }
    }
  }

  /** Moves to a better point; false when none is found. */
  #improve(gradient: Float64Array, jacobian: Rows): boolean {
    const { x, constraint, violation } = this.#point;
    const hessian = this.#convexHessian(x, jacobian);
    const factors = new Factors(kktMatrix(hessian, jacobian));
    const solve = (right: Float64Array): Float64Array =>
      factors.solve(
        Float64Array.from([...gradient, ...along(right, this.#lambda, RANK_SHIFT)], (v) => -v),
      );
    const step = solve(constraint);
    const direction = step.subarray(0, x.length);
    const multipliers = step.subarray(x.length);
    const slope = dot(gradient, direction);

    for (let alpha = 1; alpha > 1e-9; alpha /= 2) {
      let trial = this.#evaluate(along(x, direction, alpha));
      let right = constraint;
      for (let correction = 0; ; correction++) {
        if (this.#accepts(trial, alpha, slope)) {
          this.#point = trial;
          this.#lambda = bounded(along(this.#lambda, along(multipliers, this.#lambda, -1), alpha));
          return true;
        }
        if (alpha < 1 || correction === 4 || !(trial.violation >= violation)) break;
        right = along(trial.constraint, right, 1);
        trial = this.#evaluate(along(x, solve(right).subarray(0, x.length), 1));
      }
    }
    return this.#restore();
  }

  /** The filter's test of a trial point; remembers the current point when feasibility is the gain. */
  #accepts(trial: Point, alpha: number, slope: number): boolean {
    const { violation, objective } = this.#point;
    if (!Number.isFinite(trial.violation) || !Number.isFinite(trial.objective)) return false;
    const slack = 1e-13 * (1 + Math.abs(objective));
    const better = (than: { violation: number; objective: number }): boolean =>
      trial.violation <= (1 - 1e-5) * than.violation ||
      trial.objective <= than.objective - 1e-5 * than.violation + slack;
    if (!this.#filter.every(better)) return false;
    if (slope < 0 && alpha * (-slope) ** 2.3 > violation ** 1.1) {
      return trial.objective <= objective + 1e-4 * alpha * slope + slack;
    }
    if (!better(this.#point)) return false;
    this.#filter.push({ violation, objective });
    return true;
  }

  /** Levenberg–Marquardt steps on ½‖c‖² until the violation is a tenth. */
  #restore(): boolean {
    const target = 0.1 * this.#point.violation;
    let [point, damping] = [this.#point, 1e-3];
    for (let i = 0; i < 200 && point.violation > target; i++) {
      const jacobian = this.#jacobian(point.x);
      const n = point.x.length;
      const shift = damping * Math.max(point.violation, 1e-12);
      const normal = new Factors(gram(jacobian, 1, zeros(n, n), shift));
      const step = normal.solve(transposeTimes(jacobian, point.constraint, n));
      const trial = this.#evaluate(along(point.x, step, -1));
      const gains = trial.violation < point.violation;
      if (gains) point = trial;
      damping *= gains ? 0.2 : 5;
    }
    if (!(point.violation <= target)) return false;
    this.#point = point;
    this.#filter.length = 0;
    this.#lambda = this.#leastSquaresMultipliers(this.#gradient(point.x), this.#jacobian(point.x));
    return true;
  }

  /** The Hessian with the smallest shift tried that makes it convex along the constraints. */
  #convexHessian(x: Float64Array, jacobian: Rows): Rows {
    const hessian = this.#hessian(x);
    const none = (shift: number): Rows => gram([], 0, hessian, shift);
    if (isPositiveDefinite(gram(jacobian, NORMAL_WEIGHT, hessian, 0))) return hessian;
    let shift = Math.max(1e-8, this.#shift / 4);
    while (shift < 1e20 && !isPositiveDefinite(gram(jacobian, NORMAL_WEIGHT, hessian, shift))) {
      shift *= 4;
    }
    this.#shift = shift;
    return none(shift);
  }

  #leastSquaresMultipliers(gradient: Float64Array, jacobian: Rows): Float64Array {
    const n = gradient.length;
    const identity = gram([], 0, zeros(n, n), 1);
    const right = new Float64Array(n + jacobian.length);
    right.set(gradient.map((value) => -value));
    const lambda = new Factors(kktMatrix(identity, jacobian)).solve(right).subarray(n);
    return bounded(lambda);
  }

  #evaluate(x: Float64Array): Point {
    const constraint = new Float64Array(this.problem.constraints);
    this.problem.constraint(x, constraint);
    return { x, objective: this.problem.objective(x), constraint, violation: norm(constraint) };
  }

  #gradient(x: Float64Array): Float64Array {
    const out = new Float64Array(x.length);
    this.problem.gradient(x, out);
    return out;
  }

  #jacobian(x: Float64Array): Rows {
    return denseJacobian(this.problem, x);
  }

  #hessian(x: Float64Array): Rows {
    return denseHessian(this.problem, x, 1, this.#lambda);
  }
}

/** Multipliers as they are, or zeros where a singular Jacobian has made them meaningless. */
const bounded = (lambda: Float64Array): Float64Array =>
  largest(lambda) <= LARGEST_MULTIPLIER ? lambda : lambda.fill(0);

function kktMatrix(hessian: Rows, jacobian: Rows): Rows {
  const n = hessian.length;
  const out = zeros(n + jacobian.length, n + jacobian.length);
  hessian.forEach((row, i) => {
    out[i]!.set(row);
  });
  jacobian.forEach((row, i) => {
    out[n + i]!.set(row);
    out[n + i]![n + i] = -RANK_SHIFT;
    for (let j = 0; j < n; j++) out[j]![n + i] = row[j]!;
  });
  return out;
}

export function denseJacobian(problem: Problem, x: Float64Array): Rows {
  const { rows, cols, values } = problem.jacobian;
  const entries = new Float64Array(rows.length);
  values(x, entries);
  const out = zeros(problem.constraints, problem.variables);
  entries.forEach((value, k) => {
    out[rows[k]!]![cols[k]!]! += value;
  });
  return out;
}

/** Both triangles of σ∇²f + Σ λᵢ∇²cᵢ. */
export function denseHessian(
  problem: Problem,
  x: Float64Array,
  sigma: number,
  lambda: Float64Array,
): Rows {
  const { rows, cols, values } = problem.hessian;
  const entries = new Float64Array(rows.length);
  values(x, sigma, lambda, entries);
  const out = zeros(problem.variables, problem.variables);
  entries.forEach((value, k) => {
    const [i, j] = [rows[k]!, cols[k]!];
    out[i]![j]! += value;
    if (i !== j) out[j]![i]! += value;
  });
  return out;
}

/** Solves a problem by dense Newton steps from its starting point. */
export function solveReference(
  problem: Problem,
  options: { tolerance?: number; maxIterations?: number } = {},
): ReferenceResult {
  return new ReferenceSolver(problem).run(options.tolerance ?? 1e-8, options.maxIterations ?? 500);
}
