// Larger problems by the clock: minimize() beside IPOPT and SciPy.
import { type Context, median } from './measurement';
import {
  type Case,
  chain,
  control,
  denseRegression,
  type Entry,
  findPeers,
  regression,
} from './newton-cases';
import { type Residuals, within } from './newton-residuals';

/** Runs are repeated while they have taken less than this together, seconds, and are not too many. */
const PATIENCE = 3;
const MOST_RUNS = 9;

export interface LargeRun extends Residuals {
  solver: string;
  /** Residuals recomputed from x and λ are within the tolerance. */
  solved: boolean;
  status: string;
  iterations: number;
  /** Evaluations of the objective. */
  objective: number;
  /** Wall seconds, the median of the runs. */
  seconds: number;
  /** The same of the functions of the problem, where these are in JavaScript. */
  evaluation?: number;
}

export interface LargeProblem {
  name: string;
  variables: number;
  constraints: number;
  tolerance: number;
  runs: LargeRun[];
}

export interface LargeResult {
  problems: LargeProblem[];
  /** Peers that were not there, and why. */
  missing: string[];
}

const CHAINS: readonly (readonly [name: string, variables: number])[] = [
  ['LUKVLE1', 10_000],
  ['LUKVLE3', 10_000],
  ['LUKVLE8', 10_000],
  ['LUKVLE10', 10_000],
  ['LUKVLE10', 100_000],
];

export async function measureLarge(context: Context): Promise<LargeResult> {
  const { quick } = context;
  const peers = await findPeers(context);
  const makers: (() => Case | Promise<Case>)[] = [
    () => regression(context, peers),
    ...(quick ? [20] : [200, 400, 800]).map((cols) => () => denseRegression(cols, context, peers)),
    ...(quick ? [16] : [64, 256, 512]).map((grid) => () => control(grid, context, peers)),
    ...(quick ? ([['LUKVLE10', 200]] as const) : CHAINS).map(
      ([name, size]) =>
        () =>
          chain(name, size, context, peers),
    ),
  ];
  const problems: LargeProblem[] = [];
  for (const make of makers) {
    const { residuals, entries, calls, ...problem } = await make();
    const runs: LargeRun[] = [];
    for (const entry of entries) {
      context.log(`${problem.name}, n = ${problem.variables}: ${entry.solver}`);
      runs.push(await measure(entry, { residuals, calls, tolerance: problem.tolerance }, quick));
    }
    problems.push({ ...problem, runs });
  }
  return { problems, missing: peers.missing };
}

async function measure(
  { solver, solve }: Entry,
  { residuals, calls, tolerance }: Pick<Case, 'residuals' | 'calls' | 'tolerance'>,
  quick: boolean,
): Promise<LargeRun> {
  const run = async () => {
    const [start, called] = [performance.now(), calls?.seconds ?? 0];
    const solution = await solve();
    const seconds = solution.seconds ?? (performance.now() - start) / 1e3;
    return { ...solution, seconds, evaluation: (calls?.seconds ?? 0) - called };
  };
  const { x, lambda, status, iterations, evaluations, ...first } = await run();
  const times = [first];
  const patience = quick ? 0 : PATIENCE;
  while (times.length < MOST_RUNS && times.reduce((sum, k) => sum + k.seconds, 0) < patience) {
    times.push(await run());
  }
  const found = residuals(x, lambda);
  return {
    solver,
    ...found,
    solved: within(found, tolerance),
    status,
    iterations,
    objective: evaluations.objective,
    seconds: median(times.map(({ seconds }) => seconds)),
    ...(calls && { evaluation: median(times.map(({ evaluation }) => evaluation)) }),
  };
}
