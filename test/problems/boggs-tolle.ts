// The problems of Boggs and Tolle, and one of M. H. Wright, in the paper's list.

import type { TestProblem } from './types';
import { repeat, written } from './written';

const paper = (number: number): string =>
  `problem ${number} of Boggs and Tolle, SIAM J. Numer. Anal. 26(3), 600-623, 1989`;
const optimumSource = 'the CUTEst collection';

export const boggsTolle: readonly TestProblem[] = [
  written({
    name: 'BT2',
    source: paper(2),
    x0: repeat(3, 10),
    objective: '(x1 - 1)**2 + (x1 - x2)**2 + (x2 - x3)**4',
    constraints: ['x1*(1 + x2**2) + x3**4 - 8.2426407'],
    optimum: 0.0325682,
    optimumSource,
    otherOptima: [2.1896605889],
  }),
  written({
    name: 'BT3',
    source: paper(3),
    x0: repeat(5, 20),
    objective: '(x1 - x2)**2 + (x2 + x3 - 2)**2 + (x4 - 1)**2 + (x5 - 1)**2',
    constraints: ['x1 + 3*x2', 'x3 + x4 - 2*x5', 'x2 - x5'],
    optimum: 176 / 43,
    optimumSource: 'Hock and Schittkowski, 1981, problem 53',
    solution: [-33, 11, 27, -5, 11].map((x) => x / 43),
  }),
  written({
    name: 'BT5',
    source: paper(5),
    x0: repeat(3, 2),
    objective: '1000 - x1**2 - 2*x2**2 - x3**2 - x1*x2 - x1*x3',
    constraints: ['x1**2 + x2**2 + x3**2 - 25', '8*x1 + 14*x2 + 7*x3 - 56'],
    optimum: 952.14249446,
    optimumSource: 'the reference solver',
    otherOptima: [961.71517213],
    note:
      'The sign of the third square of the first constraint is corrected, as in CUTEst. Published ' +
      'is the higher minimum, which has no negative variable.',
  }),
  written({
    name: 'BT6',
    source: paper(6),
    x0: repeat(5, 2),
    objective: '(x1 - 1)**2 + (x1 - x2)**2 + (x3 - 1)**2 + (x4 - 1)**4 + (x5 - 1)**6',
    constraints: ['x4*x1**2 + sin(x4 - x5) - 2*sqrt(2)', 'x2 + x3**4*x2**2 - 8 - sqrt(2)'],
    optimum: 0.27704478877,
    optimumSource: 'the reference solver; CUTEst gives it to six digits',
    otherOptima: [4.6170009521, 4.8777483385, 5.1506598245, 8.5333758184],
    note: 'The last square is that of x2, as in CUTEst; the solution of the paper fits x4, as in HS77.',
  }),
  written({
    name: 'BT9',
    source: paper(9),
    x0: repeat(4, 2),
    objective: '-x1',
    constraints: ['x2 - x1**3 - x3**2', 'x1**2 - x2 - x4**2'],
    optimum: -1,
    optimumSource,
    solution: [1, 1, 0, 0],
    note: 'The sign of x2 in the second constraint is corrected, as in CUTEst.',
  }),
  written({
    name: 'BT10',
    source: paper(10),
    x0: repeat(2, 2),
    objective: '-x1',
    constraints: ['x2 - x1**3', 'x1**2 - x2'],
    optimum: -1,
    optimumSource,
    solution: [1, 1],
    note: 'The sign of x2 in the second constraint is corrected, as in CUTEst.',
  }),
  written({
    name: 'BT11',
    source: paper(11),
    x0: repeat(5, 2),
    objective: '(x1 - 1)**2 + (x1 - x2)**2 + (x2 - x3)**2 + (x3 - x4)**4 + (x4 - x5)**4',
    constraints: [
      'x1 + x2**2 + x3**3 + 2 - sqrt(18)',
      'x2 + x4 - x3**2 + 2 - sqrt(8)',
      'x1 - x5 - 2',
    ],
    optimum: 0.824891647,
    optimumSource,
  }),
  written({
    name: 'BT12',
    source: paper(12),
    x0: [15.811, 1.5811, 0, 15.083, 3.7164],
    objective: '0.01*x1**2 + x2**2',
    constraints: ['x1 + x2 - x3**2 - 25', 'x1**2 + x2**2 - x4**2 - 25', 'x1 - x5**2 - 2'],
    optimum: 6.18811881,
    optimumSource,
    note: 'Starts at the solution that the paper proposes, which is infeasible, as CUTEst does.',
  }),
  written({
    name: 'MWRIGHT',
    source: 'problem 4, starting point D, of M. H. Wright, thesis, Stanford, 1976',
    x0: [-1, 2, 1, -2, -2],
    objective: 'x1**2 + (x1 - x2)**2 + (x2 - x3)**3 + (x3 - x4)**4 + (x4 - x5)**4',
    constraints: [
      'x1 + x2**2 + x3**2 - 2 - 3*sqrt(2)',
      'x2 - x3**2 + x4 + 2 - 2*sqrt(2)',
      'x1*x5 - 2',
    ],
    optimum: 1.2883829005,
    optimumSource: 'the reference solver',
    otherOptima: [24.657327808, 24.978809532, 41.44648838],
  }),
];
