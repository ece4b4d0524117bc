// Equality-constrained test problems of the CUTEst collection, with analytic derivatives. They are
// written from the published definitions, with CUTEst's starting points, sizes and scaling of rows;
// the note of a problem says where an article and CUTEst differ.
//
// All 47 problems of the list in Hong, Na, Mahoney and Kolar (2023) are here. Left out of the held-out
// set: LUKVLE2, LUKVLE4 and CATENARY, whose articles and encodings differ in more than a sign, and
// GRIDNETB, AUG2D and SPIN2OP, for which no definition was at hand.

import { boggsTolle } from './boggs-tolle';
import { bundleAdjustment } from './bundle-adjustment';
import * as control from './discrete-control';
import { equationFamilies } from './equation-families';
import { equations } from './equations';
import { hager1, hager2, hager3 } from './hager';
import { heldOutSmall } from './held-out-small';
import { heldOutSystems } from './held-out-systems';
import { hockSchittkowski } from './hock-schittkowski';
import { luksanVlcek } from './luksan-vlcek';
import { matrixFamilies } from './matrix-problems';
import { orthregb, regressionFamilies } from './orthogonal-regression';
import type { TestProblem } from './types';

export type { Problem, TestProblem } from './types';

const byName = (problems: TestProblem[]): readonly TestProblem[] =>
  problems.sort((left, right) => (left.name < right.name ? -1 : 1));

/** The problems of the paper's list. */
export const paperProblems: readonly TestProblem[] = byName([
  ...hockSchittkowski,
  ...boggsTolle,
  ...equations,
  ...equationFamilies,
  ...bundleAdjustment,
  orthregb,
]);

/** Problems outside the paper's list, on which nothing is tuned: those of families at small sizes. */
export const heldOutProblems: readonly TestProblem[] = byName([
  ...heldOutSmall,
  ...heldOutSystems,
  ...regressionFamilies,
  ...matrixFamilies,
  ...luksanVlcek,
  hager1(50),
  hager2(50),
  hager3(50),
  control.dtoc1l(10),
  control.dtoc3(50),
  control.dtoc4(50),
  control.dtoc5(50),
  control.dtoc6(31),
]);

export const allProblems: readonly TestProblem[] = [...paperProblems, ...heldOutProblems];

/** The problem of that name; throws when there is none. */
export function findProblem(name: string): TestProblem {
  const found = allProblems.find((problem) => problem.name === name);
  if (!found) throw new Error(`no test problem ${name}`);
  return found;
}
