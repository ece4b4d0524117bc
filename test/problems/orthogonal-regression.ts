// Gulliksson's orthogonal regression: move points as little as possible so that they lie on a curve,
// whose parameters are unknown too.

import { assemble, range, template } from './build';
import type { Problem, TestProblem } from './types';

type Point = readonly number[];

const source = 'Gulliksson, Report UMINF-178.90, University of Umeå, 1990';
const optimumSource = 'the CUTEst collection';

const movedBy = template('(x - d)**2', ['x'], ['d']);

/** The sum of squared moves of `data` onto the curve; the parameters of the curve come first. */
function regression(
  parameters: readonly number[],
  curve: ReturnType<typeof template>,
  data: readonly Point[],
  start: readonly Point[] = data,
): Problem {
  const p = parameters.length;
  const dimension = data[0]!.length;
  const places = (i: number): number[] => range(dimension).map((k) => p + i * dimension + k);
  return assemble({
    x0: [...parameters, ...start.flat()],
    objective: data.flatMap((values, i) =>
      places(i).map((place, k) => movedBy.at([place], [values[k]!])),
    ),
    constraints: data.map((_, i) => [curve.at([...range(p), ...places(i)])]),
  });
}

const ellipse = template('a*x**2 + 2*b*x*y + c*y**2 - 2*g*x - 2*h*y - 1', [
  'a',
  'b',
  'c',
  'g',
  'h',
  'x',
  'y',
]);
const ellipsoid = template(
  `a*x**2 + 2*b*x*y + 2*c*x*z + d*y**2 + 2*e*y*z + f*z**2 - 2*g*x - 2*h*y - 2*i*z - 1`,
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'x', 'y', 'z'],
);
const circle = template('t = (x - a)**2 + (y - b)**2; t**2 - t*(1 + c**2)**2', [
  'a',
  'b',
  'c',
  'x',
  'y',
]);

/** The corners around a point by which the data of ORTHREGA and ORTHREGB spread. */
const corners = (a: number, b: number): Point[] => [
  [a, a],
  [b, -b],
  [-a, -a],
  [-b, b],
];

export const orthregb: TestProblem = {
  name: 'ORTHREGB',
  source,
  variables: 27,
  constraints: 6,
  optimum: 0,
  optimumSource,
  note: 'The points fit an ellipsoid.',
  problem: () => {
    const axis = [7, -7].map((z) => [0, 0, z]);
    const offsets = [...corners(9, 6).map(([x, y]) => [x!, y!, 0]), ...axis];
    const data = offsets.map((offset) => offset.map((value) => value + 0.5));
    return regression([1, 0, 0, 1, 0, 1, 0, 0, 0], ellipsoid, data);
  },
};

/** An ellipse through 4^levels points. */
export function orthrega(levels: number): TestProblem {
  const count = 4 ** levels;
  const spread = (points: Point[], level: number): Point[] =>
    points.flatMap(([x, y]) =>
      corners(9 / Math.PI ** level, 6 / Math.PI ** level).map(([dx, dy]) => [x! + dx!, y! + dy!]),
    );
  return {
    name: 'ORTHREGA',
    source,
    variables: 2 * count + 5,
    constraints: count,
    ...published({ 2: 79.6330510189, 3: 350.300206075 }, levels),
    optimumSource: 'the reference solver; CUTEst gives 350.299 for 3 levels',
    problem: () => regression([1, 0, 1, 0, 0], ellipse, range(levels).reduce(spread, [[0.5, 0.5]])),
    family: { standardSize: 6, member: orthrega },
  };
}

/** Points of a curve, given by the angle, at equal angles and moved outward by up to a fifth. */
function perturbed(count: number, curve: (cos: number, sin: number) => Point): Point[] {
  return range(count).map((i) => {
    const angle = i * (1 / count) * (2 * Math.PI);
    const factor = 1 + 0.2 * Math.cos(angle * 237.1531);
    return curve(Math.cos(angle), Math.sin(angle)).map((value) => value * factor);
  });
}

/** A turned ellipse through perturbed points. */
export function orthregc(count: number): TestProblem {
  const turned = (cos: number, sin: number): Point => [
    2 * cos * Math.cos(2) - sin * Math.sin(2),
    2 * cos * Math.sin(2) + sin * Math.cos(2),
  ];
  return {
    name: 'ORTHREGC',
    source,
    variables: 2 * count + 5,
    constraints: count,
    ...published({ 10: 0.39905864, 50: 1.975569984, 250: 9.581964015, 500: 18.79064716 }, count),
    problem: () => regression([1, 0, 1, 1, 1], ellipse, perturbed(count, turned)),
    family: { standardSize: 2500, member: orthregc },
  };
}

const circlePoints = (count: number): Point[] =>
  perturbed(count, (cos, sin) => [(1 + 1.7 ** 2 + cos) * cos, (1 + 1.7 ** 2 + cos) * sin]);

/** A circle through perturbed points of a cardioid. */
export function orthregd(count: number): TestProblem {
  return {
    name: 'ORTHREGD',
    source,
    variables: 2 * count + 3,
    constraints: count,
    ...published({ 10: 3.412121065, 50: 15.59042181, 250: 76.10435792, 500: 151.2351183 }, count),
    problem: () => regression([1, 0, 1], circle, circlePoints(count)),
    family: { standardSize: 2500, member: orthregd },
  };
}

/** As ORTHREGD, with one data point near the centre, where the Jacobian is singular. */
export function orthrds2(count: number): TestProblem {
  return {
    name: 'ORTHRDS2',
    source: `${source}; modified by Plantenga, 1994`,
    variables: 2 * count + 3,
    constraints: count,
    optimum: null,
    optimumSource: 'none published',
    note: 'Iterates are drawn to points where the Jacobian is singular.',
    problem: () =>
      regression(
        [1, 0, 1],
        circle,
        circlePoints(count).map((values, i) => (i === 4 ? [1.1, 0.1] : values)),
      ),
    family: { standardSize: 2500, member: orthrds2 },
  };
}

/** As ORTHREGD, started with ten points at one place inside the circle. */
export function orthrgds(count: number): TestProblem {
  return {
    name: 'ORTHRGDS',
    source: `${source}; modified by Plantenga, 1993`,
    variables: 2 * count + 3,
    constraints: count,
    optimum: null,
    optimumSource: 'none published for this size',
    note: 'Iterates are drawn to points where the Jacobian is singular.',
    problem: () => {
      const data = circlePoints(count);
      const start = data.map((values, i) => (i >= 4 && i < 14 ? [1.8, 1] : values));
      return regression([1, 0, 1], circle, data, start);
    },
    family: { standardSize: 2500, member: orthrgds },
  };
}

/** The optimum of a member of a family, where CUTEst gives it. */
function published(
  optima: Record<number, number>,
  size: number,
): Pick<TestProblem, 'optimum' | 'optimumSource'> {
  return { optimum: optima[size] ?? null, optimumSource };
}

export const regressionFamilies: readonly TestProblem[] = [
  orthrega(2),
  orthregc(10),
  orthregd(10),
  orthrds2(10),
  orthrgds(20),
];
