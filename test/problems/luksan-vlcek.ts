// Lukšan and Vlček's sparse problems of any size.

import { assemble, range, type Term, template } from './build';
import type { TestProblem } from './types';

const source = (number: number): string =>
  `problem 5.${number} of Lukšan and Vlček, Technical Report 767, Prague, 1999`;

interface Parts {
  x0: number[];
  objective: Term[];
  constraints: Term[][];
}

/** A problem of the report; `optima` by size: to six digits those of CUTEst's standard size. */
function chain(
  number: number,
  standardSize: number,
  optima: Record<number, number>,
  parts: (n: number) => Parts,
  count: (n: number) => number,
  known: Pick<TestProblem, 'otherOptima'> = {},
): (n: number) => TestProblem {
  const member = (n: number): TestProblem => ({
    name: `LUKVLE${number}`,
    source: source(number),
    variables: n,
    constraints: count(n),
    optimum: optima[n] ?? null,
    optimumSource: n === standardSize ? 'the CUTEst collection' : 'the reference solver',
    ...known,
    problem: () => assemble(parts(n)),
    family: { standardSize, member },
  });
  return member;
}

/** The numbers of `values` in turn, n times. */
const cycle = (n: number, ...values: number[]): number[] =>
  range(n).map((i) => values[i % values.length]!);

const rosenbrock = template('100*(x**2 - y)**2 + (x - 1)**2', ['x', 'y']);
const trigonometric = template(
  '3*y**3 + 2*z - 5 + sin(y - z)*sin(y + z) + 4*y - x*exp(x - y) - 3',
  ['x', 'y', 'z'],
);

/** Rosenbrock's function chained, with trigonometric exponential constraints. */
export const lukvle1 = chain(
  1,
  10000,
  { 50: 0, 10000: 0 },
  (n) => ({
    x0: cycle(n, -1.2, 1),
    objective: range(n - 1).map((i) => rosenbrock.at([i, i + 1])),
    constraints: range(n - 2).map((k) => [trigonometric.at([k, k + 1, k + 2])]),
  }),
  (n) => n - 2,
  { otherOptima: [6.23245863244] },
);

const powell = template('(a + 10*b)**2 + 5*(c - d)**2 + (b - 2*c)**4 + 10*(a - d)**4', [
  'a',
  'b',
  'c',
  'd',
]);
const firstPair = template('3*x**3 + 2*y - 5 + sin(x - y)*sin(x + y)', ['x', 'y']);
const lastPair = template('4*x - x*exp(x - y) - 3', ['x', 'y']);

/** Powell's singular function chained, with one constraint at each end. */
export const lukvle3 = chain(
  3,
  10000,
  { 50: 27.5865837567, 10000: 27.58658 },
  (n) => ({
    x0: cycle(n, 3, -1, 0, 1),
    objective: range(n / 2 - 1).map((i) => powell.at([2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 3])),
    constraints: [[firstPair.at([0, 1])], [lastPair.at([n - 2, n - 1])]],
  }),
  () => 2,
);

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const banded = names.map((_, before) =>
  range(3).map((after) => {
    const around = names.slice(0, before + after);
    const sum = around.map((name) => ` + ${name} + ${name}**2`).join('');
    return template(`abs(3*x + 5*x**3 + x**2 + 1${sum})**(7/3)`, ['x', ...around]);
  }),
);
const exponential = template('4*y - (x - z)*exp(x - y - z) - 3', ['x', 'y', 'z']);

/** Broyden's banded function, with exponential constraints; n is odd. */
export const lukvle6 = chain(
  6,
  9999,
  { 49: 2893.17586434, 9999: 6.26382e4 },
  (n) => ({
    x0: cycle(n, 3),
    objective: range(n).map((i) => {
      const around = range(7)
        .map((k) => i - 5 + k)
        .filter((j) => j !== i && j >= 0 && j < n);
      const before = around.filter((j) => j < i).length;
      return banded[before]![around.length - before]!.at([i, ...around]);
    }),
    constraints: range((n - 1) / 2).map((k) => [exponential.at([2 * k, 2 * k + 1, 2 * k + 2])]),
  }),
  (n) => (n - 1) / 2,
);

const augmented = template(
  `exp(a*b*c*d*e) + 10*(a**2 + b**2 + c**2 + d**2 + e**2 - 10 + 0.002008)**2
   + 10*(b*c - 5*d*e + 0.0019)**2 + 10*(a**3 + b**3 + 1 + 0.000261)**2`,
  ['a', 'b', 'c', 'd', 'e'],
);
const boundaryValue = template(
  '2*y + 0.5*h**2*(y + t + 1)**2 - x - z',
  ['x', 'y', 'z'],
  ['h', 't'],
);

/** The augmented Lagrangian function, with a discrete boundary value problem; n is divisible by 5. */
export const lukvle8 = chain(
  8,
  10000,
  { 50: 4120.80125981, 10000: 8.25936e4 },
  (n) => ({
    x0: cycle(n, -1, 2),
    objective: range(n / 5).map((i) => augmented.at(range(5).map((k) => 5 * i + k))),
    constraints: range(n - 2).map((k) => {
      const h = 1 / (n + 1);
      return [boundaryValue.at([k, k + 1, k + 2], [h, (k + 2) * h])];
    }),
  }),
  (n) => n - 2,
);

const brown = template('exp((y**2 + 1)*log(x**2)) + exp((x**2 + 1)*log(y**2))', ['x', 'y']);
const tridiagonal = template('(3 - 2*y)*y + 1 - x - 2*z', ['x', 'y', 'z']);

/** Brown's function (x²)^(y² + 1) + (y²)^(x² + 1) on pairs, with Broyden tridiagonal constraints. */
export const lukvle10 = chain(
  10,
  10000,
  { 50: 17.2467338571, 10000: 3.52237e2 },
  (n) => ({
    x0: cycle(n, -1, 1),
    objective: range(n / 2).map((i) => brown.at([2 * i, 2 * i + 1])),
    constraints: range(n - 2).map((k) => [tridiagonal.at([k, k + 1, k + 2])]),
  }),
  (n) => n - 2,
);

const hs48 = template('(b - 1)**2 + (c - d)**2 + (e - f)**4', ['b', 'c', 'd', 'e', 'f']);
const hs48First = template('a + b**2 + c + d + 4*e - 5', ['a', 'b', 'c', 'd', 'e']);
const hs48Second = template('c**2 - 2*(d + e) - 3', ['c', 'd', 'e']);

/** Problem 48 of Hock and Schittkowski, modified and chained; n = 3p + 2. */
export const lukvle13 = chain(
  13,
  9998,
  { 50: 325.094184734, 9998: 9.00734e3 },
  (n) => ({
    x0: cycle(n, 3, 5, -3),
    objective: range((n - 2) / 3).map((i) => hs48.at(range(5).map((k) => 3 * i + k))),
    constraints: range((n - 2) / 3).flatMap((i) => [
      [hs48First.at(range(5).map((k) => 2 * i + k))],
      [hs48Second.at([2, 3, 4].map((k) => 2 * i + k))],
    ]),
  }),
  (n) => (2 * (n - 2)) / 3,
);

const hs51 = template('(a - b)**4 + (b + c - 2)**2 + (d - 1)**2 + (e - 1)**2', [
  ...['a', 'b', 'c', 'd', 'e'],
]);
const hs51First = template('a**2 + 3*b - 4', ['a', 'b']);
const hs51Second = template('c**2 + d - 2*e', ['c', 'd', 'e']);
const hs51Third = template('b**2 - e', ['b', 'e']);

/** Problem 51 of Hock and Schittkowski, modified and chained; n = 4p + 1. */
export const lukvle16 = chain(
  16,
  9997,
  { 49: 0, 9997: 0 },
  (n) => ({
    x0: cycle(n, 2.5, 0.5, 2, -1),
    objective: range((n - 1) / 4).map((i) => hs51.at(range(5).map((k) => 4 * i + k))),
    constraints: range((n - 1) / 4).flatMap((i) => [
      [hs51First.at([3 * i, 3 * i + 1])],
      [hs51Second.at([2, 3, 4].map((k) => 3 * i + k))],
      [hs51Third.at([3 * i + 1, 3 * i + 4])],
    ]),
  }),
  (n) => (3 * (n - 1)) / 4,
  { otherOptima: [73.440433098, 73.606355093] },
);

export const luksanVlcek: readonly TestProblem[] = [
  lukvle1(50),
  lukvle3(50),
  lukvle6(49),
  lukvle8(50),
  lukvle10(50),
  lukvle13(50),
  lukvle16(49),
];
