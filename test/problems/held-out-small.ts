// Small problems outside the paper's list, written out.

import type { TestProblem } from './types';
import { repeat, written } from './written';

const hock = (number: number): string =>
  `problem ${number} of Hock and Schittkowski, Test Examples for Nonlinear Programming Codes, 1981`;
const boggs = (number: number): string =>
  `problem ${number} of Boggs and Tolle, SIAM J. Numer. Anal. 26(3), 600-623, 1989`;
const book = 'Hock and Schittkowski, 1981';
const collection = 'the CUTEst collection';

/** The chemical equilibrium of problem 111: ten logarithms of amounts. */
const amounts = Array.from({ length: 10 }, (_, i) => `exp(x${i + 1})`).join(' + ');
const potentials = [
  -6.089, -17.164, -34.054, -5.914, -24.721, -14.986, -24.1, -10.708, -26.662, -22.179,
];
const energy = potentials
  .map((potential, i) => `exp(x${i + 1})*(${potential} + x${i + 1} - s)`)
  .join(' + ');

/** Dixon's chained objective in ten variables, and the products that are to be 1. */
const dixon = Array.from({ length: 7 }, (_, i) => {
  const [a, b, c, d] = [1, 2, 3, 4].map((offset) => `x${i + offset}`);
  return (
    `100*(${b} - ${a}**2)**2 + (${a} - 1)**2 + 90*(${d} - ${c}**2)**2 + (${c} - 1)**2` +
    ` + 10.1*((${b} - 1)**2 + (${d} - 1)**2) + 19.8*(${b} - 1)*(${d} - 1)`
  );
});
const products = [2, 4, 6, 8, 10].map((count) =>
  Array.from({ length: count }, (_, i) => `x${i + 1}`).join('*'),
);

export const heldOutSmall: readonly TestProblem[] = [
  written({
    name: 'BT1',
    source: boggs(1),
    x0: [0.08, 0.06],
    objective: '100*x1**2 + 100*x2**2 - x1 - 100',
    constraints: ['x1**2 + x2**2 - 1'],
    optimum: -1,
    optimumSource: collection,
    solution: [1, 0],
  }),
  written({
    name: 'BT4',
    source: boggs(4),
    x0: [4.0382, -2.947, -0.09115],
    objective: 'x1 - x2 + x2**3',
    constraints: ['x1**2 + x2**2 + x3**2 - 25', 'x1 + x2 + x3 - 1'],
    optimum: -45.510551,
    optimumSource: collection,
    otherOptima: [-3.7047681836, 3.2890377376],
    note: 'x3 is squared in the first constraint, as in CUTEst; the paper cubes it.',
  }),
  written({
    name: 'BT7',
    source: boggs(7),
    x0: [-2, 1, 1, 1, 1],
    objective: '100*(x2 - x1**2)**2 + (x1 - 1)**2',
    constraints: ['x1*x2 - x3**2 - 1', 'x2**2 + x1 - x4**2', 'x1 + x5**2 - 0.5'],
    optimum: 306.5,
    optimumSource: 'evident, where x is (0.5, 2, 0, …); CUTEst gives 306.496',
    otherOptima: [360.37976717],
  }),
  written({
    name: 'BT8',
    source: boggs(8),
    x0: [1, 1, 1, 0, 0],
    objective: 'x1**2 + x2**2 + x3**2',
    constraints: ['x1 - 1 - x4**2 + x2**2', 'x1**2 + x2**2 - x5**2 - 1'],
    optimum: 1,
    optimumSource: collection,
    solution: [1, 0, 0, 0, 0],
    note: 'The gradients of the constraints are parallel at the solution.',
  }),
  written({
    name: 'BYRDSPHR',
    source: 'Byrd, private communication, 1992',
    x0: [5, 0.0001, -0.0001],
    objective: '-x1 - x2 - x3',
    constraints: ['x1**2 + x2**2 + x3**2 - 9', '(x1 - 1)**2 + x2**2 + x3**2 - 9'],
    optimum: -0.5 - Math.sqrt(17.5),
    optimumSource: collection,
    otherOptima: [-0.5 + Math.sqrt(17.5)],
    solution: [0.5, Math.sqrt(4.375), Math.sqrt(4.375)],
  }),
  written({
    name: 'DIXCHLNG',
    source: 'Dixon, private communication, 1991',
    x0: [1, 2, 3, 4, 5].flatMap((k) => {
      const value = k % 2 === 1 ? -(k + 1) : k + 1;
      return [value, 1 / value];
    }),
    objective: dixon.join(' + '),
    constraints: products.map((product) => `${product} - 1`),
    optimum: 0,
    optimumSource: collection,
    otherOptima: [2471.89781092],
    solution: repeat(10, 1),
  }),
  written({
    name: 'FLT',
    source: 'Fletcher, Leyffer and Toint, SIAM J. Optim. 13, 44-59, 2002',
    x0: [1, 0],
    objective: '(x2 - 1)**2',
    constraints: ['x1**2', 'x1**3'],
    optimum: 0,
    optimumSource: collection,
    solution: [0, 1],
    note: 'The Jacobian is 0 at every feasible point.',
  }),
  written({
    name: 'HS8',
    source: hock(8),
    x0: [2, 1],
    objective: '-1',
    constraints: ['x1**2 + x2**2 - 25', 'x1*x2 - 9'],
    optimum: -1,
    optimumSource: book,
  }),
  written({
    name: 'HS9',
    source: hock(9),
    x0: [0, 0],
    objective: 'sin(pi*x1/12)*cos(pi*x2/16)',
    constraints: ['4*x1 - 3*x2'],
    optimum: -0.5,
    optimumSource: book,
    solution: [-3, -4],
  }),
  written({
    name: 'HS26',
    source: hock(26),
    x0: [-2.6, 2, 2],
    objective: '(x1 - x2)**2 + (x2 - x3)**4',
    constraints: ['(1 + x2**2)*x1 + x3**4 - 3'],
    optimum: 0,
    optimumSource: book,
    solution: [1, 1, 1],
  }),
  written({
    name: 'HS27',
    source: hock(27),
    x0: [2, 2, 2],
    objective: '0.01*(x1 - 1)**2 + (x2 - x1**2)**2',
    constraints: ['x1 + x3**2 + 1'],
    optimum: 0.04,
    optimumSource: book,
    solution: [-1, 1, 0],
  }),
  written({
    name: 'HS39',
    source: hock(39),
    x0: repeat(4, 2),
    objective: '-x1',
    constraints: ['x2 - x1**3 - x3**2', 'x1**2 - x2 - x4**2'],
    optimum: -1,
    optimumSource: book,
    solution: [1, 1, 0, 0],
    note: 'BT9 of the paper has the same functions.',
  }),
  written({
    name: 'HS46',
    source: hock(46),
    x0: [Math.SQRT1_2, 1.75, 0.5, 2, 2],
    objective: '(x1 - x2)**2 + (x3 - 1)**2 + (x4 - 1)**4 + (x5 - 1)**6',
    constraints: ['x1**2*x4 + sin(x4 - x5) - 1', 'x2 + x3**4*x4**2 - 2'],
    optimum: 0,
    optimumSource: book,
    solution: repeat(5, 1),
  }),
  written({
    name: 'HS49',
    source: hock(49),
    x0: [10, 7, 2, -3, 0.8],
    objective: '(x1 - x2)**2 + (x3 - 1)**2 + (x4 - 1)**4 + (x5 - 1)**6',
    constraints: ['x1 + x2 + x3 + 4*x4 - 7', 'x3 + 5*x5 - 6'],
    optimum: 0,
    optimumSource: book,
    solution: repeat(5, 1),
  }),
  written({
    name: 'HS61',
    source: hock(61),
    x0: [0, 0, 0],
    objective: '4*x1**2 + 2*x2**2 + 2*x3**2 - 33*x1 + 16*x2 - 24*x3',
    constraints: ['3*x1 - 2*x2**2 - 7', '4*x1 - x3**2 - 11'],
    optimum: -143.6461422,
    optimumSource: book,
    otherOptima: [-81.919096095],
    note: 'The Jacobian is singular at the starting point, in the columns of x2 and x3.',
  }),
  written({
    name: 'HS111LNP',
    source: `${hock(111)}, without bounds (Plantenga)`,
    x0: repeat(10, -2.3),
    objective: `s = log(${amounts}); ${energy}`,
    constraints: [
      'exp(x1) + 2*exp(x2) + 2*exp(x3) + exp(x6) + exp(x10) - 2',
      'exp(x4) + 2*exp(x5) + exp(x6) + exp(x7) - 1',
      'exp(x3) + exp(x7) + exp(x8) + 2*exp(x9) + exp(x10) - 1',
    ],
    optimum: -47.761090859,
    optimumSource: 'the reference solver; the book gives -47.76109026',
  }),
  written({
    name: 'MARATOS',
    source: 'Brown and Bartholomew-Biggs, Technical Report 178, Hatfield Polytechnic, 1987',
    x0: [1.1, 0.1],
    objective: '-x1 + 0.000001*(x1**2 + x2**2 - 1)',
    constraints: ['x1**2 + x2**2 - 1'],
    optimum: -1,
    optimumSource: 'evident',
    solution: [1, 0],
  }),
  written({
    name: 'S316-322',
    source: 'problem 316 of Schittkowski, More Test Examples for Nonlinear Programming, 1987',
    x0: [0, 0],
    objective: '(x1 - 20)**2 + (x2 + 20)**2',
    constraints: ['0.01*x1**2 + 0.01*x2**2 - 1'],
    optimum: (20 * Math.SQRT2 - 10) ** 2,
    optimumSource: 'Schittkowski, 1987',
    solution: [Math.sqrt(50), -Math.sqrt(50)],
    note: 'The gradient of the constraint is 0 at the starting point.',
  }),
  written({
    name: 'STREGNE',
    source: 'Toint; as equations by Gould, 2020: Rosenbrock’s valley and two large variables',
    x0: [-1.2, 1, 1e10, 1e10],
    objective: '0.5*x3**2 + 0.5*x4**2',
    constraints: ['10*(x2 - x1**2)', 'x1 - 1'],
    optimum: 0,
    optimumSource: collection,
    solution: [1, 1, 0, 0],
  }),
];
