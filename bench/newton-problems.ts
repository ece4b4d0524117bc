// Test problems solved by minimize(), IPOPT and SciPy: how many, in how many iterations and
// evaluations. IPOPT runs in this process on the same functions; SciPy asks for each value over a
// pipe, so that its time would say nothing.
import { minimizeSync } from 'secondorder/newton';
import { heldOutProblems, type Problem, paperProblems, type TestProblem } from '../test/problems';
import { type Context, isSkipped, median } from './measurement';
import { type Calls, counted, noCalls } from './newton-counted';
import { problemResiduals, within } from './newton-residuals';
import { type Ipopt, loadIpopt } from './peers/ipopt';
import { findScipy, METHODS, ScipyCallbacks } from './peers/scipy';

export const TOLERANCE = 1e-6;
const MOST_ITERATIONS = 500;
/** Relative, of an objective at a known optimum: a violation of 1e-6 times a multiplier of 100. */
const OBJECTIVE_TOLERANCE = 1e-4;
const REPEATS = 3;
/** Variables of a problem that counts as small. */
export const SMALL = 10;

/** What a solver gave. */
interface Attempt {
  /** By the solver's own word. */
  converged: boolean;
  x: Float64Array;
  lambda: Float64Array;
  iterations: number;
}

/** Undefined where it gave up without a point. A promise: its time says nothing. */
interface Solver {
  name: string;
  solve(problem: Problem): Attempt | Promise<Attempt | undefined>;
}

type Counts = Omit<Calls, 'seconds'> & { iterations: number };

interface Outcome extends Counts {
  converged: boolean;
  /** Residuals recomputed from x and λ are within the tolerance. */
  verified: boolean;
  /** Verified, and the objective is that of a known minimum. */
  optimal: boolean;
  /** Wall, without the functions of the problem: the least of some runs. */
  seconds: number | undefined;
}

/** Sums of counts are over the problems that all solvers have solved, verified. */
export interface Score extends Counts {
  solver: string;
  converged: number;
  verified: number;
  optimal: number;
  /** Wall seconds over all problems, without their functions. */
  seconds: number | undefined;
  /** Median of those with at most SMALL variables. */
  small: number | undefined;
  /** Problems that were not solved, by residuals recomputed. */
  failed: string[];
}

export interface ProblemSet {
  name: string;
  problems: number;
  /** Solved by all. */
  common: number;
  scores: Score[];
}

export interface ProblemsResult {
  sets: ProblemSet[];
  /** Peers that were not there, and why. */
  missing: string[];
}

export async function measureProblems({ quick, log }: Context): Promise<ProblemsResult> {
  const missing: string[] = [];
  const solvers = [ours()];
  const ipopt = await loadIpopt(log);
  if (isSkipped(ipopt)) missing.push(ipopt.skipped);
  else solvers.push(byIpopt(ipopt));
  const scipy = await findScipy();
  const callbacks = typeof scipy === 'string' ? new ScipyCallbacks() : undefined;
  if (typeof scipy !== 'string') missing.push(scipy.skipped);
  else for (const method of METHODS) solvers.push(byScipy(callbacks!, scipy, method));
  const few = quick ? 5 : undefined;
  try {
    const sets = [];
    for (const [name, problems] of [
      ["the paper's list", paperProblems.slice(0, few)],
      ['held out', heldOutProblems.slice(0, few)],
    ] as const) {
      sets.push(await measureSet(name, problems, solvers, log));
    }
    return { sets, missing };
  } finally {
    callbacks?.close();
  }
}

function ours(): Solver {
  const options = { tolerance: TOLERANCE, maxIterations: MOST_ITERATIONS };
  return {
    name: 'secondorder',
    solve(problem) {
      const { status, ...result } = minimizeSync(problem, options);
      return { ...result, converged: status === 'converged' };
    },
  };
}

function byIpopt(ipopt: Ipopt): Solver {
  const options = { tolerance: TOLERANCE, maxIterations: MOST_ITERATIONS, threads: 1 };
  return {
    name: `IPOPT ${ipopt.version}`,
    solve(problem) {
      const spec = { kind: 'callbacks', derivatives: 'given', ...problem } as const;
      const { status, ...result } = ipopt.minimize(spec, options);
      return { ...result, converged: status === 'converged' || status === 'acceptable' };
    },
  };
}

function byScipy(scipy: ScipyCallbacks, version: string, method: (typeof METHODS)[number]): Solver {
  const options = { method, tolerance: TOLERANCE, maxIterations: MOST_ITERATIONS };
  return {
    name: `SciPy ${version}, ${method}`,
    solve: (problem) => scipy.solve(problem, options),
  };
}

async function measureSet(
  name: string,
  problems: readonly TestProblem[],
  solvers: readonly Solver[],
  log: Context['log'],
): Promise<ProblemSet> {
  const outcomes: Outcome[][] = [];
  for (const solver of solvers) {
    log(`${name}: ${solver.name}`);
    const row: Outcome[] = [];
    for (const problem of problems) row.push(await measure(problem, solver));
    outcomes.push(row);
  }
  const common = problems.map((_, i) => outcomes.every((row) => row[i]!.verified));
  return {
    name,
    problems: problems.length,
    common: common.filter(Boolean).length,
    scores: solvers.map((solver, k) => score(solver.name, problems, outcomes[k]!, common)),
  };
}

async function measure(test: TestProblem, { solve }: Solver): Promise<Outcome> {
  const problem = test.problem();
  const run = () => {
    const calls = noCalls();
    const start = performance.now();
    const answer = solve(counted(problem, calls));
    const seconds = (performance.now() - start) / 1e3 - calls.seconds;
    return { answer, calls, seconds };
  };
  const { answer, calls, ...first } = run();
  const times = [first.seconds];
  if (!(answer instanceof Promise)) while (times.length < REPEATS) times.push(run().seconds);
  const attempt = await answer;
  const { objective, derivatives, hessian } = calls;
  const outcome = {
    objective,
    derivatives,
    hessian,
    iterations: attempt?.iterations ?? 0,
    seconds: answer instanceof Promise ? undefined : Math.min(...times),
  };
  if (!attempt) return { ...outcome, converged: false, verified: false, optimal: false };
  const { converged, x, lambda } = attempt;
  const verified = within(problemResiduals(problem, x, lambda), TOLERANCE);
  const optimal = verified && isKnown(test, problem.objective(x));
  return { ...outcome, converged, verified, optimal };
}

function isKnown({ optimum, otherOptima = [] }: TestProblem, objective: number): boolean {
  if (optimum === null) return true;
  return [optimum, ...otherOptima].some(
    (value) => Math.abs(objective - value) <= OBJECTIVE_TOLERANCE * Math.max(1, Math.abs(value)),
  );
}

function score(
  solver: string,
  problems: readonly TestProblem[],
  outcomes: readonly Outcome[],
  common: readonly boolean[],
): Score {
  const count = (key: 'converged' | 'verified' | 'optimal') =>
    outcomes.filter((outcome) => outcome[key]).length;
  const sum = (key: keyof Counts) =>
    outcomes.reduce((total, outcome, i) => total + (common[i] ? outcome[key] : 0), 0);
  const times = (which: (problem: TestProblem) => boolean) =>
    outcomes.flatMap(({ seconds = [] }, i) => (which(problems[i]!) ? seconds : []));
  const [all, small] = [times(() => true), times(({ variables }) => variables <= SMALL)];
  return {
    solver,
    converged: count('converged'),
    verified: count('verified'),
    optimal: count('optimal'),
    iterations: sum('iterations'),
    objective: sum('objective'),
    derivatives: sum('derivatives'),
    hessian: sum('hessian'),
    seconds: all.length > 0 ? all.reduce((total, time) => total + time, 0) : undefined,
    small: small.length > 0 ? median(small) : undefined,
    failed: problems.filter((_, i) => !outcomes[i]!.verified).map(({ name }) => name),
  };
}
