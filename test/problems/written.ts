// Problems small enough to be written out in the variables x1, x2, …

import { explicit } from './build';
import type { TestProblem } from './types';

/** What is known about a problem besides its functions. */
export type Facts = Pick<
  TestProblem,
  'name' | 'source' | 'optimum' | 'optimumSource' | 'otherOptima' | 'solution' | 'note'
>;

export function written(
  facts: Facts & { x0: readonly number[]; objective: string; constraints: readonly string[] },
): TestProblem {
  const { x0, objective, constraints, ...known } = facts;
  return {
    ...known,
    variables: x0.length,
    constraints: constraints.length,
    problem: () => explicit({ x0, objective, constraints }),
  };
}

/** A system of equations: a problem whose objective is 0. */
export function system(
  facts: Pick<Facts, 'name' | 'source' | 'solution' | 'note'> & {
    x0: readonly number[];
    equations: readonly string[];
  },
): TestProblem {
  const { x0, equations, ...known } = facts;
  return {
    ...known,
    ...solvable,
    variables: x0.length,
    constraints: equations.length,
    problem: () => explicit({ x0, constraints: equations }),
  };
}

/** The optimum of a system of equations that has a solution. */
export const solvable = { optimum: 0, optimumSource: 'the objective is 0 everywhere' };

/** As many copies of a number. */
export const repeat = (count: number, value: number): number[] => Array(count).fill(value);
