// Systems of equations of the paper's list that exist for any number of unknowns.

import { assemble, linear, range, type Term, template } from './build';
import type { TestProblem } from './types';
import { repeat, solvable } from './written';

const moreGarbowHillstrom = (number: number): string =>
  `problem ${number} of Moré, Garbow and Hillstrom, ACM Trans. Math. Softw. 7(1), 17-41, 1981`;

const cosine = template('a*cos(x)', ['x'], ['a']);
const sine = template('a*sin(x)', ['x'], ['a']);

/** Σⱼ cos xⱼ + i (cos xᵢ + sin xᵢ) = n + i for i = 1, …, n. */
export function trigon1ne(n: number): TestProblem {
  return {
    name: 'TRIGON1NE',
    source: 'Trigonometric01 of the global optimization benchmark of SciPy, as equations',
    variables: n,
    constraints: n,
    ...solvable,
    solution: repeat(n, 0),
    problem: () =>
      assemble({
        x0: repeat(n, 0.1),
        objective: [],
        constraints: range(n).map((i) => [
          ...range(n).map((j) => cosine.at([j], [j === i ? i + 2 : 1])),
          sine.at([i], [i + 1]),
          ...linear([], -(n + i + 1)),
        ]),
      }),
    family: { standardSize: 10, member: trigon1ne },
  };
}

const cube = template('a*(x + b)**3', ['x'], ['a', 'b']);

/** 2xᵢ − xᵢ₋₁ − xᵢ₊₁ + (h²/2)(xᵢ + tᵢ + 1)³ = 0 with tᵢ = ih, h = 1/(n + 1), zero at both ends. */
export function morebvne(n: number): TestProblem {
  const h = 1 / (n + 1);
  return {
    name: 'MOREBVNE',
    source: moreGarbowHillstrom(28),
    variables: n,
    constraints: n,
    ...solvable,
    problem: () =>
      assemble({
        x0: range(n).map((i) => (i + 1) * h * ((i + 1) * h - 1)),
        objective: [],
        constraints: range(n).map((i) => [
          ...linear([...(i > 0 ? [[i - 1, -1] as const] : []), [i, 2]]),
          ...linear(i < n - 1 ? [[i + 1, -1]] : []),
          cube.at([i], [h ** 2 / 2, (i + 1) * h + 1]),
        ]),
      }),
    family: { standardSize: 10, member: morebvne },
  };
}

/**
 * xᵢ + (h/2)[(1 − tᵢ) Σⱼ≤ᵢ tⱼ(xⱼ + tⱼ + 1)³ + tᵢ Σⱼ>ᵢ (1 − tⱼ)(xⱼ + tⱼ + 1)³] = 0 for i = 1, …, n,
 * and x₀ = xₙ₊₁ = 0, which are unknowns here.
 */
export function inteqne(n: number): TestProblem {
  const h = 1 / (n + 1);
  const weight = (i: number, j: number): number =>
    (h / 2) * (j <= i ? (1 - i * h) * j * h : i * h * (1 - j * h));
  return {
    name: 'INTEQNE',
    source: moreGarbowHillstrom(29),
    variables: n + 2,
    constraints: n + 2,
    ...solvable,
    problem: () =>
      assemble({
        x0: range(n + 2).map((i) => i * h * (i * h - 1)),
        objective: [],
        constraints: range(n + 2).map((i) => [
          ...linear([[i, 1]]),
          ...range(i % (n + 1) === 0 ? 0 : n).map((k) =>
            cube.at([k + 1], [weight(i, k + 1), (k + 1) * h + 1]),
          ),
        ]),
      }),
    family: { standardSize: 10, member: inteqne },
  };
}

const mancino = template('v = sqrt(x**2 + q); v*(sin(log(v))**5 + cos(log(v))**5)', ['x'], ['q']);

/**
 * βn xᵢ − (i − n/2)³ + Σⱼ≠ᵢ v(xⱼ)(sin⁵ log v(xⱼ) + cos⁵ log v(xⱼ)) = 0 with v(x)² = x² + i/j, β = 14.
 */
export function mancinone(n: number): TestProblem {
  const scale = 14 * n;
  const damping = -scale / (scale ** 2 - 36 * (n - 1) ** 2);
  const shift = (i: number): number => (i - n / 2) ** 3;
  const others = (i: number): number[] =>
    range(n)
      .map((j) => j + 1)
      .filter((j) => j !== i);
  const atZero = (i: number, j: number): number => {
    const v = Math.sqrt(i / j);
    return v * (Math.sin(Math.log(v)) ** 5 + Math.cos(Math.log(v)) ** 5);
  };
  const equation = (i: number): Term[] => [
    ...linear([[i - 1, scale]], -shift(i)),
    ...others(i).map((j) => mancino.at([j - 1], [i / j])),
  ];
  return {
    name: 'MANCINONE',
    source: 'Spedicato, Report N-175, CISE, Milano, 1975; problem 391 of Schittkowski, 1987',
    variables: n,
    constraints: n,
    ...solvable,
    note: 'The cubes have the sign of CUTEst, while its starting point fits the other sign.',
    problem: () =>
      assemble({
        x0: range(n).map((k) => {
          const sum = others(k + 1).reduce((total, j) => total + atZero(k + 1, j), 0);
          return damping * (sum + shift(k + 1));
        }),
        objective: [],
        constraints: range(n).map((k) => equation(k + 1)),
      }),
    family: { standardSize: 100, member: mancinone },
  };
}

export const equationFamilies: readonly TestProblem[] = [
  trigon1ne(10),
  morebvne(10),
  inteqne(10),
  mancinone(100),
];
