// Problems put together from formulas: each objective and constraint is a sum of terms, and each
// term is a formula at some of the variables.

import { compile } from './expression';
import type { Tape } from './tape';
import type { Problem } from './types';

/** A formula at the variables with the given indices (from 0), with values for its parameters. */
export interface Term {
  formula: Tape;
  at: readonly number[];
  parameters: readonly number[];
}

/** A formula to be used many times: `at([i, i + 1], [h])` is the term at these variables. */
export interface Template {
  at(variables: readonly number[], parameters?: readonly number[]): Term;
}

export function template(
  text: string,
  variables: readonly string[],
  parameterNames: readonly string[] = [],
): Template {
  const formula = compile(text, variables, parameterNames);
  return {
    at(indices, parameters = []) {
      if (indices.length !== variables.length || parameters.length !== parameterNames.length) {
        throw new Error(
          `'${text}' at ${indices.length} variables, ${parameters.length} parameters`,
        );
      }
      if (new Set(indices).size !== indices.length)
        throw new Error(`a variable twice in '${text}'`);
      return { formula, at: indices, parameters };
    },
  };
}

/** Σ coefficientₖ · x[indexₖ] + constant. */
export function linear(
  coefficients: readonly (readonly [index: number, coefficient: number])[],
  constant = 0,
): Term[] {
  const terms = coefficients.map(([index, coefficient]) => scaled.at([index], [coefficient]));
  return constant === 0 ? terms : [...terms, shift.at([], [constant])];
}
const scaled = template('a*x', ['x'], ['a']);
const shift = template('a', [], ['a']);

/** The variables x1, x2, … of a formula as a term. */
function explicitTerm(text: string): Term {
  const names = [...new Set(text.match(/\bx\d+\b/g) ?? [])];
  return {
    formula: compile(text, names),
    at: names.map((name) => Number(name.slice(1)) - 1),
    parameters: [],
  };
}

/** A problem written out in the variables x1, x2, …; the objective is 0 when left out. */
export function explicit(parts: {
  x0: readonly number[];
  objective?: string;
  constraints: readonly string[];
}): Problem {
  return assemble({
    x0: parts.x0,
    objective: parts.objective ? [explicitTerm(parts.objective)] : [],
    constraints: parts.constraints.map((text) => [explicitTerm(text)]),
  });
}

/** Places of coordinates, each given once. */
class Places {
  readonly rows: number[] = [];
  readonly cols: number[] = [];
  readonly #places = new Map<number, number>();
  constructor(private readonly width: number) {}

  place(row: number, column: number): number {
    const key = row * this.width + column;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.rows.length);
    this.cols.push(column);
    return this.rows.push(row) - 1;
  }
}

/** A term with the places that its derivatives go to. */
interface PlacedTerm extends Term {
  /** The constraint, or -1 for the objective. */
  row: number;
  slots: Int32Array;
  curvature: Int32Array;
}

/** The problem with the given sums as objective and constraints. */
export function assemble(parts: {
  x0: ArrayLike<number>;
  objective: readonly Term[];
  constraints: readonly (readonly Term[])[];
}): Problem {
  const x0 = Float64Array.from(parts.x0);
  const jacobian = new Places(x0.length);
  const hessian = new Places(x0.length);
  let widest = 0;

  const placed = (term: Term, row: number): PlacedTerm => {
    const { formula, at, parameters } = term;
    widest = Math.max(widest, at.length + parameters.length, formula.interactions.length);
    if (at.some((index) => !(index >= 0 && index < x0.length))) throw new Error('no such variable');
    return {
      ...term,
      row,
      slots: Int32Array.from(at, (index) => (row < 0 ? index : jacobian.place(row, index))),
      curvature: Int32Array.from(formula.interactions, ([i, j]) => {
        const [a, b] = [at[i]!, at[j]!];
        return hessian.place(Math.max(a, b), Math.min(a, b));
      }),
    };
  };
  const objective = parts.objective.map((term) => placed(term, -1));
  const constraints = parts.constraints.flatMap((sum, row) => sum.map((term) => placed(term, row)));

  const point = new Float64Array(widest);
  const local = new Float64Array(widest);
  const gather = (term: Term, x: Float64Array): Float64Array => {
    const { at, parameters } = term;
    for (let i = 0; i < at.length; i++) point[i] = x[at[i]!]!;
    for (let i = 0; i < parameters.length; i++) point[at.length + i] = parameters[i]!;
    return point;
  };
  const scatterGradients = (terms: PlacedTerm[], x: Float64Array, out: Float64Array): void => {
    out.fill(0);
    for (const term of terms) {
      term.formula.gradient(gather(term, x), local);
      for (let i = 0; i < term.slots.length; i++) out[term.slots[i]!]! += local[i]!;
    }
  };
  const scatterHessian = (
    term: PlacedTerm,
    weight: number,
    x: Float64Array,
    out: Float64Array,
  ): void => {
    if (term.curvature.length === 0 || weight === 0) return;
    term.formula.hessian(gather(term, x), local);
    for (let k = 0; k < term.curvature.length; k++) {
      out[term.curvature[k]!]! += weight * local[k]!;
    }
  };

  return {
    variables: x0.length,
    constraints: parts.constraints.length,
    x0,
    objective: (x) => objective.reduce((sum, term) => sum + term.formula.value(gather(term, x)), 0),
    gradient: (x, out) => scatterGradients(objective, x, out),
    constraint(x, out) {
      out.fill(0);
      for (const term of constraints) out[term.row]! += term.formula.value(gather(term, x));
    },
    jacobian: {
      rows: Int32Array.from(jacobian.rows),
      cols: Int32Array.from(jacobian.cols),
      values: (x, out) => scatterGradients(constraints, x, out),
    },
    hessian: {
      rows: Int32Array.from(hessian.rows),
      cols: Int32Array.from(hessian.cols),
      values(x, sigma, lambda, out) {
        out.fill(0);
        for (const term of objective) scatterHessian(term, sigma, x, out);
        for (const term of constraints) scatterHessian(term, lambda[term.row]!, x, out);
      },
    },
  };
}

/** The numbers 0, 1, …, count - 1. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
