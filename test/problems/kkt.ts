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
  const { rows, cols, values } = problem.jacobian;
  const gradient = new Float64Array(problem.variables);
  const constraint = new Float64Array(problem.constraints);
  const entries = new Float64Array(rows.length);
  problem.gradient(x, gradient);
  problem.constraint(x, constraint);
  values(x, entries);
  const slope = gradient.slice();
  for (let k = 0; k < rows.length; k++) slope[cols[k]!]! += lambda[rows[k]!]! * entries[k]!;
  return { gradient, slope, constraint };
}

/** ‖v‖∞, NaN where there is one. */
export function largest(v: Float64Array): number {
  return v.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}
