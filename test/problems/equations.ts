// Systems of equations of the paper's list, small enough to be written out.

import type { TestProblem } from './types';
import { system } from './written';

const buckley = (number: number): string =>
  `problem ${number} of Buckley, Test Functions for Unconstrained Minimization, 1989`;
const himmelblau = (number: number): string =>
  `problem ${number} of Himmelblau, Applied Nonlinear Programming, 1972`;
const moreGarbowHillstrom = (number: number): string =>
  `problem ${number} of Moré, Garbow and Hillstrom, ACM Trans. Math. Softw. 7(1), 17-41, 1981`;
const dennisSchnabel = (page: number): string =>
  `Dennis and Schnabel, Numerical Methods for Unconstrained Optimization, 1983, p. ${page}`;
const globalOptimization = (name: string): string =>
  `${name} of the global optimization benchmark of SciPy, as equations`;

export const equations: readonly TestProblem[] = [
  system({
    name: 'BOOTH',
    source: buckley(36),
    x0: [0, 0],
    equations: ['x1 + 2*x2 - 7', '2*x1 + x2 - 5'],
    solution: [1, 3],
  }),
  system({
    name: 'CUBENE',
    source: `${buckley(5)}, as equations`,
    x0: [-1.2, 1],
    equations: ['x1 - 1', '10*(x2 - x1**3)'],
    solution: [1, 1],
  }),
  system({
    name: 'DENSCHNCNE',
    source: dennisSchnabel(98),
    x0: [2, 3],
    equations: ['x1**2 + x2**2 - 2', 'exp(x1 - 1) + x2**3 - 2'],
    solution: [1, 1],
  }),
  system({
    name: 'DENSCHNFNE',
    source: dennisSchnabel(107),
    x0: [2, 0],
    equations: ['2*(x1 + x2)**2 + (x1 - x2)**2 - 8', '5*x1**2 + (x2 - 3)**2 - 9'],
    solution: [1, 1],
  }),
  system({
    name: 'GOTTFR',
    source: buckley(208),
    x0: [0.5, 0.5],
    equations: ['x1 - 0.1136*(x1 + 3*x2)*(1 - x1)', 'x2 + 7.5*(2*x1 - x2)*(1 - x2)'],
    solution: [0, 0],
    note: 'Newton steps from the starting point pass points with a singular Jacobian.',
  }),
  system({
    name: 'HELIXNE',
    source: moreGarbowHillstrom(7),
    x0: [-1, 0, 0],
    equations: ['10*(x3 - 10*(0.25 - atan2(x1, x2)/(2*pi)))', '10*(sqrt(x1**2 + x2**2) - 1)', 'x3'],
    solution: [1, 0, 0],
    note:
      'The angle jumps across the negative x2 axis, as in the article. In CUTEst it jumps across ' +
      'the negative x1 axis, on which the starting point lies.',
  }),
  system({
    name: 'HIMMELBA',
    source: himmelblau(25),
    x0: [8, 9],
    equations: ['4*(x1 - 5)', 'x2 - 6'],
    solution: [5, 6],
  }),
  system({
    name: 'HIMMELBC',
    source: himmelblau(28),
    x0: [1, 1],
    equations: ['x1**2 + x2 - 11', 'x1 + x2**2 - 7'],
    solution: [3, 2],
  }),
  system({
    name: 'HIMMELBE',
    source: himmelblau(30),
    x0: [-1.2, 2, 0],
    equations: ['0.25*(x1 + x2)**2 - x3', '1 - x1', '1 - x2'],
    solution: [1, 1, 1],
  }),
  system({
    name: 'PRICE4NE',
    source: globalOptimization('Price04'),
    x0: [1, 5],
    equations: ['2*x1**3*x2 - x2**3', '6*x1 - x2**2 + x2'],
    solution: [0, 0],
    note: 'The Jacobian is singular at the root 0.',
  }),
  system({
    name: 'RSNBRNE',
    source: `${moreGarbowHillstrom(1)}, as equations`,
    x0: [-1.2, 1],
    equations: ['10*(x2 - x1**2)', 'x1 - 1'],
    solution: [1, 1],
  }),
  system({
    name: 'SINVALNE',
    source: 'problem 4.2 of Xiao and Zhou, Computing 48, 303-317, 1992, as equations',
    x0: [4.712389, -1],
    equations: ['10*(x2 - sin(x1))', '0.5*x1'],
    solution: [0, 0],
  }),
  system({
    name: 'WAYSEA1NE',
    source: globalOptimization('WayburnSeader01'),
    x0: [1, 5],
    equations: ['x1**6 + x2**4 - 17', '2*x1 + x2 - 4'],
    solution: [1, 2],
  }),
  system({
    name: 'WAYSEA2NE',
    source: globalOptimization('WayburnSeader02'),
    x0: [1, 5],
    equations: ['2.5*x1 + 13*x2 - 4*x1**2 - 4*x2**2 - 9.340125', 'x2 - 1'],
    solution: [0.424861025, 1],
  }),
  system({
    name: 'ZANGWIL3',
    source: buckley(13),
    x0: [100, -1, 2.5],
    equations: ['x1 - x2 + x3', '-x1 + x2 + x3', 'x1 + x2 - x3'],
    solution: [0, 0, 0],
  }),
];
