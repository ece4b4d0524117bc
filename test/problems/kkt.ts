// The conditions of a KKT point, computed from the functions of a problem.
import type { Problem } from './types';

/** ∇f + Jᵀλ = 0 and c = 0, and what the former is made of. */
export interface KktConditions {
  gradient: Float64Array;
  /** ∇f + Jᵀλ */
  slope: Float64Array;
  constraint: Float64Array;
}

export function kktConditions(
  problem: Problem,
  x: Float64Array,
  lambda: Float64Array,
): KktConditions {
  return {
    gradient: gradientAt(problem, x),
    slope: lagrangianGradient(problem, x, 1, lambda),
    constraint: constraintAt(problem, x),
  };
}

export function gradientAt(problem: Problem, x: Float64Array): Float64Array {
  const out = new Float64Array(problem.variables);
  problem.gradient(x, out);
  return out;
}

export function constraintAt(problem: Problem, x: Float64Array): Float64Array {
  const out = new Float64Array(problem.constraints);
  problem.constraint(x, out);
  return out;
}

/** σ∇f + Jᵀλ. */
export function lagrangianGradient(
  problem: Problem,
  x: Float64Array,
  sigma: number,
  lambda: Float64Array,
): Float64Array {
  const { rows, cols, values } = problem.jacobian;
  const entries = new Float64Array(rows.length);
  values(x, entries);
  const out = gradientAt(problem, x).map((slope) => sigma * slope);
  entries.forEach((entry, k) => {
    out[cols[k]!]! += entry * lambda[rows[k]!]!;
  });
  return out;
}

/** ‖v‖∞, NaN where there is one. */
export function largest(v: Float64Array): number {
  return v.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}
