/** A chain of rigid links that hangs between two points, as a nonlinear program written by hand. */
import type { Problem, SparseHessian, SparseJacobian } from 'secondorder/newton';

/** A chain with its derivatives. */
export interface Chain extends Problem {
  x0: Float64Array;
  jacobian: SparseJacobian;
  hessian: SparseHessian;
  /** The joint after `link` links, the ends included. */
  joint(x: Float64Array, link: number): [x: number, y: number];
}

/**
 * `links` links of length and weight 1 between (0, 0) and (`span`, 0). The variables are the places of the
 * joints, x₁, y₁, x₂, …; the middles of the links are to be as low as can be,
 *
 *   min Σₖ (yₖ₋₁ + yₖ)/2   subject to   (xₖ − xₖ₋₁)² + (yₖ − yₖ₋₁)² = 1  for each link k.
 */
export function hangingChain(links: number, span: number): Chain {
  const joints = links - 1;

  // Link k ends at joint k; joints 0 and `links` are fixed, and have no variables.
  const free = (joint: number) => joint > 0 && joint < links;
  const joint = (x: Float64Array, k: number): [number, number] =>
    free(k) ? [x[2 * k - 2]!, x[2 * k - 1]!] : [k === 0 ? 0 : span, 0];
  const link = (x: Float64Array, k: number) => {
    const [before, after] = [joint(x, k - 1), joint(x, k)];
    return [after[0] - before[0], after[1] - before[1]] as const;
  };
  const ends = (k: number) => [k - 1, k].filter(free);

  // The Jacobian: for each link the places of its free ends.
  const slopes = numbers(1, links).flatMap((k) =>
    ends(k).flatMap((end) => [0, 1].map((axis) => ({ k, end, axis }))),
  );
  // The Hessian of the constraints: 2λ at each free end of a link, −2λ between two of them. What two
  // links give to the joint between them adds up.
  const curvatures = numbers(1, links).flatMap((k) =>
    ends(k).flatMap((end) =>
      ends(k)
        .filter((other) => other <= end)
        .flatMap((other) => [0, 1].map((axis) => ({ k, end, other, axis }))),
    ),
  );
  const variable = (end: number, axis: number) => 2 * end - 2 + axis;

  return {
    variables: 2 * joints,
    constraints: links,
    x0: Float64Array.from({ length: 2 * joints }, (_, i) => {
      const share = (Math.floor(i / 2) + 1) / links;
      return i % 2 === 0 ? span * share : -links * share * (1 - share);
    }),
    objective: (x) => numbers(1, joints).reduce((sum, k) => sum + joint(x, k)[1], 0),
    gradient(_x, out) {
      for (let k = 1; k < links; k++) out[variable(k, 1)] = 1;
    },
    constraint(x, out) {
      for (let k = 1; k <= links; k++) {
        const [dx, dy] = link(x, k);
        out[k - 1] = dx ** 2 + dy ** 2 - 1;
      }
    },
    jacobian: {
      rows: Int32Array.from(slopes, ({ k }) => k - 1),
      cols: Int32Array.from(slopes, ({ end, axis }) => variable(end, axis)),
      values(x, out) {
        for (const [i, { k, end, axis }] of slopes.entries()) {
          out[i] = (end === k ? 2 : -2) * link(x, k)[axis]!;
        }
      },
    },
    hessian: {
      rows: Int32Array.from(curvatures, ({ end, axis }) => variable(end, axis)),
      cols: Int32Array.from(curvatures, ({ other, axis }) => variable(other, axis)),
      values(_x, _sigma, lambda, out) {
        for (const [i, { k, end, other }] of curvatures.entries()) {
          out[i] = (end === other ? 2 : -2) * lambda[k - 1]!;
        }
      },
    },
    joint,
  };
}

const numbers = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);
