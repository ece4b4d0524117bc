// Problems on matrices and on a sphere, for any size: eigenvalues, square roots, electrons.

import { assemble, linear, range, type Term, template } from './build';
import type { TestProblem } from './types';
import { solvable } from './written';

const product = template('x*y', ['x', 'y']);
const square = template('x**2', ['x']);

/** Row i of X times column j of Y, for matrices given by the places of their elements. */
function rowTimesColumn(
  n: number,
  x: (row: number, column: number) => number,
  y: (row: number, column: number) => number,
  i: number,
  j: number,
): Term[] {
  return range(n).map((k) =>
    x(i, k) === y(k, j) ? square.at([x(i, k)]) : product.at([x(i, k), y(k, j)]),
  );
}

/** The pairs i ≤ j by columns. */
const upperTriangle = (n: number): [number, number][] =>
  range(n).flatMap((j) => range(j + 1).map((i) => [i, j] as [number, number]));

/** D and then Q, column by column: each eigenvalue is followed by its column of Q. */
const eigenvalue = (n: number, j: number): number => j * (n + 1);
const element = (n: number, i: number, j: number): number => j * (n + 1) + 1 + i;
const identityStart = (n: number): number[] =>
  range(n).flatMap((j) => [1, ...range(n).map((i) => (i === j ? 1 : 0))]);

/** QᵀQ = I, above and on the diagonal. */
const orthogonality = (n: number): Term[][] =>
  upperTriangle(n).map(([i, j]) => [
    ...rowTimesColumn(
      n,
      (row, column) => element(n, column, row),
      (row, column) => element(n, row, column),
      i,
      j,
    ),
    ...(i === j ? linear([], -1) : []),
  ]);

const eigenSource = 'an idea by Gould; a symmetric eigenvalue problem';
const shifted = template('(q*d - a*q)**2', ['q', 'd'], ['a']);
const shiftedRow = template('(q*d - 2*q + p + s)**2', ['q', 'd', 'p', 's']);
const shiftedEnd = template('(q*d - 2*q + p)**2', ['q', 'd', 'p']);

/** Minimize ‖DQ − QA‖² with orthogonal Q, for A = diag(1, …, n). */
export function eigena2(n: number): TestProblem {
  return {
    name: 'EIGENA2',
    source: eigenSource,
    variables: n * (n + 1),
    constraints: (n * (n + 1)) / 2,
    optimum: 0,
    optimumSource: 'evident',
    problem: () =>
      assemble({
        x0: identityStart(n),
        objective: range(n).flatMap((j) =>
          range(n).map((i) => shifted.at([element(n, j, i), eigenvalue(n, j)], [i + 1])),
        ),
        constraints: orthogonality(n),
      }),
    family: { standardSize: 50, member: eigena2 },
  };
}

/** Minimize ‖DQ − QA‖² with orthogonal Q, for tridiagonal A with 2 on and −1 off the diagonal. */
export function eigenb2(n: number): TestProblem {
  const residual = (i: number, j: number): Term => {
    const own = [element(n, j, i), eigenvalue(n, j)];
    if (i === 0) return shiftedEnd.at([...own, element(n, j, 1)]);
    if (i === n - 1) return shiftedEnd.at([...own, element(n, j, n - 2)]);
    return shiftedRow.at([...own, element(n, j, i - 1), element(n, j, i + 1)]);
  };
  return {
    name: 'EIGENB2',
    source: eigenSource,
    variables: n * (n + 1),
    constraints: (n * (n + 1)) / 2,
    optimum: 0,
    optimumSource: 'evident',
    problem: () =>
      assemble({
        x0: identityStart(n),
        objective: range(n).flatMap((j) => range(n).map((i) => residual(i, j))),
        constraints: orthogonality(n),
      }),
    family: { standardSize: 50, member: eigenb2 },
  };
}

/** X² = B² with Bᵢⱼ = sin k² for the k-th element by rows; started from B/5. */
export function msqrta(n: number): TestProblem {
  const root = range(n * n).map((k) => Math.sin((k + 1) ** 2));
  const place = (i: number, j: number): number => i * n + j;
  const squareOf = (i: number, j: number): number =>
    range(n).reduce((sum, k) => sum + root[place(i, k)]! * root[place(k, j)]!, 0);
  return {
    name: 'MSQRTA',
    source: 'problem 201 of Buckley, Test Functions for Unconstrained Minimization, 1989',
    variables: n * n,
    constraints: n * n,
    ...solvable,
    problem: () =>
      assemble({
        x0: root.map((value) => 0.2 * value),
        objective: [],
        constraints: range(n * n).map((k) => {
          const [i, j] = [Math.floor(k / n), k % n];
          return [...rowTimesColumn(n, place, place, i, j), ...linear([], -squareOf(i, j))];
        }),
      }),
    family: { standardSize: 32, member: msqrta },
  };
}

const repulsion = template('1/sqrt((x - a)**2 + (y - b)**2 + (z - c)**2)', [
  'x',
  'y',
  'z',
  'a',
  'b',
  'c',
]);

/** Electrons on the unit sphere with least Coulomb energy. */
export function elec(count: number): TestProblem {
  const energies: Record<number, number> = { 25: 243.812760299, 50: 1055.18231473, 100: 4448.35 };
  const places = (i: number): number[] => [3 * i, 3 * i + 1, 3 * i + 2];
  return {
    name: 'ELEC',
    source: 'problem 2 of Dolan and Moré, Benchmarking Optimization Software with COPS, 2000',
    variables: 3 * count,
    constraints: count,
    optimum: energies[count] ?? null,
    optimumSource: 'Thomson’s problem; COPS gives it to six digits',
    note: 'Many local minima lie a little higher.',
    problem: () =>
      assemble({
        x0: range(count).flatMap((k) => {
          const theta = (2 * Math.PI * (k + 1)) / count;
          const phi = (Math.PI * k) / count;
          return [Math.cos(theta) * Math.sin(phi), Math.sin(theta) * Math.sin(phi), Math.cos(phi)];
        }),
        objective: range(count).flatMap((j) =>
          range(j).map((i) => repulsion.at([...places(i), ...places(j)])),
        ),
        constraints: range(count).map((i) => [
          ...places(i).map((place) => square.at([place])),
          ...linear([], -1),
        ]),
      }),
    family: { standardSize: 200, member: elec },
  };
}

const ownTerm = template('(3 - 2*x)*x + 1', ['x']);

/** (3 − 2xᵢ)xᵢ − xᵢ₋₁ − 2xᵢ₊₁ + 1 = 0, zero at both ends. */
export function broydn3d(n: number): TestProblem {
  return {
    name: 'BROYDN3D',
    source: 'problem 30 of Moré, Garbow and Hillstrom, ACM Trans. Math. Softw. 7(1), 17-41, 1981',
    variables: n,
    constraints: n,
    ...solvable,
    problem: () =>
      assemble({
        x0: range(n).map(() => -1),
        objective: [],
        constraints: range(n).map((i) => [
          ownTerm.at([i]),
          ...linear(i > 0 ? [[i - 1, -1]] : []),
          ...linear(i < n - 1 ? [[i + 1, -2]] : []),
        ]),
      }),
    family: { standardSize: 5000, member: broydn3d },
  };
}

const cosine = template('cos(x)', ['x']);
const sineAndCosine = template('a*(cos(x) + sin(x))', ['x'], ['a']);

/** Σⱼ cos xⱼ + i (cos xᵢ + sin xᵢ) = n + i, started from 1/n. */
export function argtrig(n: number): TestProblem {
  return {
    name: 'ARGTRIG',
    source: 'problem 26 of Moré, Garbow and Hillstrom, ACM Trans. Math. Softw. 7(1), 17-41, 1981',
    variables: n,
    constraints: n,
    ...solvable,
    problem: () =>
      assemble({
        x0: range(n).map(() => 1 / n),
        objective: [],
        constraints: range(n).map((i) => [
          ...range(n).map((j) => cosine.at([j])),
          sineAndCosine.at([i], [i + 1]),
          ...linear([], -(n + i + 1)),
        ]),
      }),
    family: { standardSize: 200, member: argtrig },
  };
}

export const matrixFamilies: readonly TestProblem[] = [
  argtrig(10),
  broydn3d(50),
  eigena2(4),
  eigenb2(4),
  elec(25),
  msqrta(5),
];
