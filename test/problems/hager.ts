// Hager's optimal control problems with linear dynamics. The initial state, which CUTEst fixes by
// bounds, is put into the equations.

import { assemble, linear, range, type Term, template } from './build';
import type { TestProblem } from './types';
import { repeat } from './written';

const optimumSource = 'the CUTEst collection';
const hager = (number: number): string =>
  `problem P${number} of Hager, SIAM J. Numer. Anal. 27(4), 1061-1080, 1990`;

/** A value that is either a variable or a number. */
export type Value = { variable: number } | { number: number };

/** coefficient · value, for a variable or a number. */
export const times = (coefficient: number, value: Value): Term[] =>
  'variable' in value
    ? linear([[value.variable, coefficient]])
    : linear([], coefficient * value.number);

const squared = template('a*x**2', ['x'], ['a']);
const pair = template('a*(x**2 + x*y + y**2)', ['x', 'y'], ['a']);
const first = template('a*(b**2 + b*y + y**2)', ['y'], ['a', 'b']);
const crossed = template('a*(x + y)*u', ['x', 'y', 'u'], ['a']);
const crossedFirst = template('a*(b + y)*u', ['y', 'u'], ['a', 'b']);

/** Hager's three problems: states x₁ … xₙ with x₀ = 1, then controls u₁ … uₙ. */
function hagerProblem(
  number: 1 | 2 | 3,
  optima: Record<number, number>,
): (n: number) => TestProblem {
  const decay = number === 1 ? 1 / 2 : 1 / 4;
  const integrals = (n: number, i: number): Term[] => {
    const [before, here, control] = [i - 1, i, n + i];
    const weight = number === 2 ? 1 / (6 * n) : 0.625 / (8 * n);
    const state = i > 0 ? pair.at([before, here], [weight]) : first.at([here], [weight, 1]);
    if (number === 2) return [state];
    const coupling = 1 / (8 * n);
    return [
      state,
      i > 0
        ? crossed.at([before, here, control], [coupling])
        : crossedFirst.at([here, control], [coupling, 1]),
    ];
  };
  const member = (n: number): TestProblem => ({
    name: `HAGER${number}`,
    source: hager(number),
    variables: 2 * n,
    constraints: n,
    optimum: optima[n] ?? null,
    optimumSource,
    problem: () =>
      assemble({
        x0: repeat(2 * n, 0),
        objective: [
          ...range(n).map((i) => squared.at([n + i], [1 / ((number === 1 ? 2 : 4) * n)])),
          ...(number === 1
            ? [squared.at([n - 1], [0.5])]
            : range(n).flatMap((i) => integrals(n, i))),
        ],
        constraints: range(n).map((i) => [
          ...linear([
            [i, n - decay],
            [n + i, -1],
          ]),
          ...times(-n - decay, i > 0 ? { variable: i - 1 } : { number: 1 }),
        ]),
      }),
    family: { standardSize: 2500, member },
  });
  return member;
}

export const hager1 = hagerProblem(1, {
  10: 0.88097222455,
  50: 0.88080408397,
  100: 0.88079882866,
  500: 0.88079714798,
  1000: 0.88079709548,
  5000: 0.88079708841,
});
export const hager2 = hagerProblem(2, {
  10: 0.4325699689,
  50: 0.4321017503,
  100: 0.4320871769,
  500: 0.4320824457,
  1000: 0.4320822986,
  5000: 0.4320822506,
});
export const hager3 = hagerProblem(3, {
  10: 0.14103316577,
  50: 0.14096413824,
  100: 0.14096197328,
  500: 0.14096128049,
  1000: 0.14096125887,
  5000: 0.14096125191,
});
