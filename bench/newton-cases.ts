// Larger problems, each with the solvers that take part and residuals to check them by. IPOPT evaluates
// regression and control by the same native code as minimize(), and chains by the same callbacks.
import path from 'node:path';
import type { Matrix, SparseMatrix } from 'secondorder';
import {
  constrainedLogisticRegression,
  type LinearSolver,
  type MinimizeOptions,
  minimizeSync,
  type NativeProblem,
  pdeControl,
} from 'secondorder/newton';
import { drawConstraints, drawLikeA9a, readOrDrawA9a } from '../examples/newton-data';
import { findProblem, type Problem } from '../test/problems';
import { type Context, isSkipped, median } from './measurement';
import { type Calls, counted, noCalls } from './newton-counted';
import {
  logisticResiduals,
  pdeResiduals,
  problemResiduals,
  type Residuals,
} from './newton-residuals';
import { type Ipopt, loadIpopt } from './peers/ipopt';
import { findScipy, METHODS, type Method, scipyRegression } from './peers/scipy';
import { syntheticProblem } from './problem';

const MOST_ITERATIONS = 500;
const CONSTRAINTS = 10;
const ALPHA = 0.1;

/** What a solver gave in one run. */
export interface Solution {
  status: string;
  x: Float64Array;
  lambda: Float64Array;
  iterations: number;
  evaluations: { objective: number };
  /** Where it isn't the time of the call. */
  seconds?: number;
}

/** A solver on a problem. */
export interface Entry {
  solver: string;
  solve(): Solution | Promise<Solution>;
}

export interface Case {
  name: string;
  variables: number;
  constraints: number;
  tolerance: number;
  residuals(x: Float64Array, lambda: Float64Array): Residuals;
  entries: Entry[];
  /** Calls of the functions of all runs, where these are in JavaScript. */
  calls?: Calls;
}

export interface Peers {
  ipopt: Ipopt | undefined;
  /** The version of SciPy. */
  scipy: string | undefined;
  /** Those that are not there, and why. */
  missing: string[];
}

export async function findPeers({ log }: Context): Promise<Peers> {
  const [ipopt, scipy] = [await loadIpopt(log), await findScipy()];
  const missing: string[] = [];
  if (isSkipped(ipopt)) missing.push(ipopt.skipped);
  if (typeof scipy !== 'string') missing.push(scipy.skipped);
  return {
    ipopt: isSkipped(ipopt) ? undefined : ipopt,
    scipy: typeof scipy === 'string' ? scipy : undefined,
    missing,
  };
}

/** Logistic regression on a9a under ten linear constraints, on the unit sphere. */
export async function regression(context: Context, peers: Peers): Promise<Case> {
  const file = path.join(context.data ?? '', 'libsvm', 'a9a.gz');
  const set = context.quick ? drawLikeA9a(1000) : await readOrDrawA9a(file);
  const data = { ...set, ...drawConstraints(CONSTRAINTS, set.x.cols) };
  const { x, y, a, b } = data;
  const problem = constrainedLogisticRegression({ x, y, a, b, sphere: true });
  const tolerance = 1e-6;
  const bySciPy = (method: Method): Entry => ({
    solver: `SciPy ${peers.scipy}, ${method}`,
    async solve() {
      const solution = await scipyRegression(data, problem.x0, method, tolerance);
      return { ...solution, status: solution.converged ? 'converged' : 'not converged' };
    },
  });
  return {
    name: `logistic regression, ${set.name}`,
    ...sizes(problem),
    tolerance,
    residuals: (w, lambda) => logisticResiduals(data, w, lambda),
    entries: [
      ...nativeEntries(problem, tolerance, ['auto', 'minres'], context, peers),
      ...(peers.scipy === undefined ? [] : METHODS.map(bySciPy)),
    ],
  };
}

const DENSE_SOLVERS = ['auto', 'ldl', 'sketch-preconditioner', 'minres'] as const;

/** The same for dense drawn data: with many variables, 'auto' sketches the samples. */
export function denseRegression(cols: number, context: Context, peers: Peers): Case {
  const rows = context.quick ? 1000 : 20_000;
  const { x, y: targets } = syntheticProblem(rows, cols);
  const middle = median([...targets]);
  const y = targets.map((target) => (target > middle ? 1 : -1));
  const { a, b } = drawConstraints(CONSTRAINTS, cols);
  const problem = constrainedLogisticRegression({ x, y, a, b, sphere: true });
  const tolerance = 1e-6;
  const data = { x: asSparse(x), y, a, b };
  return {
    name: `logistic regression, ${rows} dense samples`,
    ...sizes(problem),
    tolerance,
    residuals: (w, lambda) => logisticResiduals(data, w, lambda),
    entries: nativeEntries(problem, tolerance, DENSE_SOLVERS, context, peers),
  };
}

/** All entries stored. */
function asSparse({ data, rows, cols }: Matrix): SparseMatrix {
  return {
    values: data,
    columns: Int32Array.from({ length: rows * cols }, (_, k) => k % cols),
    rowOffsets: Int32Array.from({ length: rows + 1 }, (_, i) => i * cols),
    rows,
    cols,
  };
}

/** Optimal control of Poisson's equation on a grid. */
export function control(grid: number, context: Context, peers: Peers): Case {
  const problem = pdeControl({ grid, alpha: ALPHA });
  const tolerance = 1e-8;
  return {
    name: `PDE control, N = ${grid}`,
    ...sizes(problem),
    tolerance,
    residuals: (x, lambda) => pdeResiduals(grid, ALPHA, x, lambda),
    entries: nativeEntries(problem, tolerance, ['auto', 'sparse-ldl'], context, peers),
  };
}

/** A sparse test problem of another size. */
export function chain(name: string, size: number, { threads }: Context, { ipopt }: Peers): Case {
  const problem = findProblem(name).family!.member(size).problem();
  const calls = noCalls();
  const callbacks = counted(problem, calls);
  const tolerance = 1e-6;
  const entries = [ours('auto', callbacks, { tolerance }, threads)];
  if (ipopt) {
    entries.push(
      byIpopt(ipopt, { kind: 'callbacks', derivatives: 'given', ...callbacks }, tolerance, threads),
    );
  }
  return {
    name,
    ...sizes(problem),
    tolerance,
    residuals: (x, lambda) => problemResiduals(problem, x, lambda),
    entries,
    calls,
  };
}

const sizes = ({ variables, constraints }: Problem | NativeProblem) => ({ variables, constraints });

function nativeEntries(
  problem: NativeProblem,
  tolerance: number,
  solvers: readonly LinearSolver[],
  { threads }: Context,
  { ipopt }: Peers,
): Entry[] {
  return [
    ...solvers.map((linearSolver) =>
      ours(linearSolver, problem, { tolerance, linearSolver }, threads),
    ),
    ...(ipopt ? [byIpopt(ipopt, problem.toNative(), tolerance, threads)] : []),
  ];
}

function ours(
  linearSolver: LinearSolver,
  problem: Problem | NativeProblem,
  options: MinimizeOptions,
  threads: number,
): Entry {
  const all = { maxIterations: MOST_ITERATIONS, ...options };
  return {
    solver: `secondorder, ${linearSolver}`,
    // Not the time that it says itself, which leaves out reading the problem.
    solve: () => ({ ...minimizeSync(problem, all, { threads }), seconds: undefined }),
  };
}

function byIpopt(
  ipopt: Ipopt,
  problem: Parameters<Ipopt['minimize']>[0],
  tolerance: number,
  threads: number,
): Entry {
  const options = { tolerance, maxIterations: MOST_ITERATIONS, threads };
  return { solver: `IPOPT ${ipopt.version}`, solve: () => ipopt.minimize(problem, options) };
}
