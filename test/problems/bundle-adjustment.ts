// The two bundle adjustment problems of the paper's list: one point of the "Ladybug" pictures of the
// project "Bundle Adjustment in the Large", seen by six cameras.

import { assemble, linear, range, type Term, template } from './build';
import { cameras, linearized, observations, point } from './bundle-adjustment-data';
import type { TestProblem } from './types';
import { repeat, solvable } from './written';

/** The places of the three coordinates of the point and the nine numbers of camera i. */
const places = (i: number): number[] => [0, 1, 2, ...range(9).map((k) => 3 + 9 * i + k)];

/** A coordinate of the picture of the point (x, y, z), by the camera model of Snavely et al. */
const picture = (coordinate: 'u' | 'v') =>
  template(
    // Rodrigues' rotation by the angle t about the axis (a, b, c), then the translation.
    `t = sqrt(rx**2 + ry**2 + rz**2); a = rx/t; b = ry/t; c = rz/t;
     p = (a*x + b*y + c*z)*(1 - cos(t));
     cx = x*cos(t) + (b*z - c*y)*sin(t) + a*p + tx;
     cy = y*cos(t) + (c*x - a*z)*sin(t) + a*p + ty;
     cz = z*cos(t) + (a*y - b*x)*sin(t) + c*p + tz;
     u = -cx/cz; v = -cy/cz; r = u**2 + v**2;
     f*(1 + k*r + l*r**2)*${coordinate}`,
    ['x', 'y', 'z', 'rx', 'ry', 'rz', 'tx', 'ty', 'tz', 'k', 'l', 'f'],
  );
const horizontal = picture('u');
const vertical = picture('v');

const baL1: TestProblem = {
  name: 'BA-L1',
  source: 'Agarwal et al., Bundle Adjustment in the Large, 2010; as equations by Gould, 2016',
  variables: 57,
  constraints: 12,
  ...solvable,
  note: 'The term a*p of cy is b*p in the formula of Rodrigues. CUTEst has a*p, and so have we.',
  problem: () =>
    assemble({
      x0: [...point, ...cameras.flat()],
      objective: [],
      constraints: observations.flatMap(([u, v], i) => [
        [horizontal.at(places(i)), ...linear([], -u)],
        [vertical.at(places(i)), ...linear([], -v)],
      ]),
    }),
};

const product = template('a*x*y', ['x', 'y'], ['a']);
const square = template('a*(x + 0.5*x**2)', ['x'], ['a']);

/** Σᵢ aᵢxᵢ (1 + xᵢ/2 + Σⱼ>ᵢ xⱼ) = b, where a is zero but for the point and one camera. */
function quadraticEquation(k: number): Term[] {
  const { point, camera, right } = linearized[k]!;
  const coefficients = [...point, ...camera];
  return places(Math.floor(k / 2)).flatMap((i, position) => {
    const a = coefficients[position]!;
    const later = range(57).filter((j) => j > i);
    return [
      square.at([i], [a]),
      ...later.map((j) => product.at([i, j], [a])),
      ...(position === 0 ? linear([], -right) : []),
    ];
  });
}

const baL1sp: TestProblem = {
  name: 'BA-L1SP',
  source: 'Gould, 2016: BA-L1 linearized at its starting point, with made up second-order terms',
  variables: 57,
  constraints: 12,
  ...solvable,
  problem: () =>
    assemble({
      x0: repeat(57, 0),
      objective: [],
      constraints: range(12).map(quadraticEquation),
    }),
};

export const bundleAdjustment: readonly TestProblem[] = [baL1, baL1sp];
