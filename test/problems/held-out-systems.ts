// Systems of equations outside the paper's list, written out.

import type { TestProblem } from './types';
import { repeat, system } from './written';

const buckley = (number: number): string =>
  `problem ${number} of Buckley, Test Functions for Unconstrained Minimization, 1989`;
const optima = (page: number): string =>
  `OPTIMA user manual, Numerical Optimization Centre, Hatfield Polytechnic, 1989, p. ${page}`;

/** A X² + B X + C = 0 for 3 × 3 matrices, row by row, of which A has one row other than 0. */
const cooleyHansen = ((): string[] => {
  const a = [0.13725e-6, 937.62, -42.207];
  const b = [
    [0.0060893, -44.292, 2.0011],
    [0.1388e-6, -1886, 42.362],
    [-0.13877e-6, 42.362, -2.0705],
  ];
  const c = [44.792, 948.21, -42.684];
  const x = (row: number, column: number): string => `x${3 * row + column + 1}`;
  return b.flatMap((coefficients, row) =>
    [0, 1, 2].map((column) => {
      const terms = coefficients.map((value, m) => `(${value})*${x(m, column)}`);
      if (column === 1) terms.push(`(${c[row]})`);
      if (row === 1) {
        a.forEach((value, p) => {
          for (const m of [0, 1, 2]) terms.push(`(${value})*${x(p, m)}*${x(m, column)}`);
        });
      }
      return terms.join(' + ');
    }),
  );
})();

const hatfieldG = Array.from({ length: 25 }, (_, k) => {
  const i = k + 1;
  if (i === 1) return 'x1 - x13 - x1*x2 + 1';
  return i === 25 ? 'x25 - x13 + x24*x25 + 1' : `x${i} - x13 + x${i}*(x${i - 1} - x${i + 1}) + 1`;
});
hatfieldG[12] = 'x13*(x12 - x14) + 1';

/** The constants of a + b exp(ct) through three points at t = 1, 2, 3. */
const exponentialFit = ((): number[] => {
  const growth = (0.099 - 0.056) / (0.056 - 0.032);
  const b = (0.056 - 0.032) / (growth ** 2 - growth);
  return [0.032 - b * growth, b, Math.log(growth)];
})();

export const heldOutSystems: readonly TestProblem[] = [
  system({
    name: 'AIRCRFTA',
    source: 'problem 9 of Moré, A Collection of Nonlinear Model Problems, 1989',
    x0: repeat(5, 0),
    equations: [
      '-3.933*x1 + 0.107*x2 + 0.126*x3 - 9.99*x5 - 0.727*x2*x3 + 8.39*x3*x4 - 684.4*x4*x5' +
        ' + 63.5*x2*x4',
      '-0.987*x2 - 22.95*x4 - 2.837 + 0.949*x1*x3 + 0.173*x1*x5',
      '0.002*x1 - 0.235*x3 + 5.67*x5 - 0.716*x1*x2 - 1.578*x1*x4 + 1.132*x2*x4',
      'x2 - x4 - 0.1168 - x1*x5',
      '-x3 - 0.196*x5 + x1*x4',
    ],
    note: 'The three controls, which CUTEst fixes by bounds, are put in: 0.1, 0 and 0.',
  }),
  system({
    name: 'CLUSTER',
    source: buckley(207),
    x0: [0, 0],
    equations: ['(x1 - x2**2)*(x1 - sin(x2))', '(cos(x2) - x1)*(x2 - cos(x1))'],
  }),
  system({
    name: 'COOLHANS',
    source: 'Ceria, private communication, 1995: a Cooley-Hansen economy',
    x0: repeat(9, 0),
    equations: cooleyHansen,
  }),
  system({
    name: 'DENSCHNDNE',
    source: 'Dennis and Schnabel, Numerical Methods for Unconstrained Optimization, 1983, p. 83',
    x0: repeat(3, 10),
    equations: ['x1**2 + x2**3 - x3**4', '2*x1*x2*x3', '2*x1*x2 - 3*x2*x3 + x1*x3'],
    solution: [0, 0, 0],
    note: 'The Jacobian is singular at the root.',
  }),
  system({
    name: 'HATFLDF',
    source: optima(47),
    x0: repeat(3, 0.1),
    equations: [0.032, 0.056, 0.099].map((right, i) => `x1 + x2*exp(${i + 1}*x3) - ${right}`),
    solution: exponentialFit,
    note: 'Newton steps from the starting point end where the violation has a local minimum.',
  }),
  system({
    name: 'HATFLDG',
    source: optima(49),
    x0: repeat(25, 1),
    equations: hatfieldG,
  }),
  system({
    name: 'HIMMELBD',
    source: 'problem 29 of Himmelblau, Applied Nonlinear Programming, 1972',
    x0: [1, 1],
    equations: ['x1**2 + 12*x2 - 1', '49*x1**2 + 49*x2**2 + 84*x1 + 2324*x2 - 681'],
    solution: [20.457165299462716, -34.79130100746179],
    note: 'The roots are far away; near the starting point the violation has a local minimum.',
  }),
  system({
    name: 'HYPCIR',
    source: buckley(214),
    x0: [0, 1],
    equations: ['x1*x2 - 1', 'x1**2 + x2**2 - 4'],
  }),
  system({
    name: 'POWELLBS',
    source: 'problem 3 of Moré, Garbow and Hillstrom, ACM Trans. Math. Softw. 7(1), 17-41, 1981',
    x0: [0, 1],
    equations: ['10000*x1*x2 - 1', 'exp(-x1) + exp(-x2) - 1.0001'],
  }),
  system({
    name: 'POWELLSQ',
    source: 'Powell, A Hybrid Method for Nonlinear Equations, 1970',
    x0: [3, 1],
    equations: ['x1**2', '10*x1/(x1 + 0.1) + 2*x2**2'],
    solution: [0, 0],
    note: 'The Jacobian is singular where x1 is 0.',
  }),
  system({
    name: 'PRICE3NE',
    source: 'Price03 of the global optimization benchmark of SciPy, as equations',
    x0: [1, 5],
    equations: ['10*(x1**2 - x2)', '6.4*(x2 - 0.5)**2 - x1 - 0.6'],
    solution: [1, 1],
  }),
  system({
    name: 'RECIPE',
    source: buckley(155),
    x0: [2, 5, 1],
    equations: ['x1 - 5', 'x2**2', 'x3/(x2 - x1)'],
    solution: [5, 0, 0],
    note: 'The Jacobian is singular at the root.',
  }),
];
