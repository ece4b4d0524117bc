/** What it costs to have fewer derivatives: all test problems with Hessians, Jacobians and gradients left out. */
import { type MinimizeOptions, minimize, type Problem } from 'secondorder/newton';
import type { Line } from '../../examples/draw';
import { printTable, withBar } from '../../examples/show';
import {
  findProblem,
  heldOutProblems,
  paperProblems,
  type Problem as TestFunctions,
} from '../../test/problems';
import {
  RESIDUAL_AXIS,
  residualCurve,
  type Settings,
  type Summary,
  save,
  summarize,
} from './output';

interface Options extends Settings {
  /** Of the residual curves. */
  problem: string;
  quick: boolean;
}

interface Variant {
  name: string;
  make(problem: TestFunctions): Problem;
  options: MinimizeOptions;
}

const byDifferences: MinimizeOptions = { derivatives: 'finite-difference' };
const positions = ({ rows, cols }: TestFunctions['jacobian']) => ({ rows, cols });

const VARIANTS: readonly Variant[] = [
  { name: 'all given', make: (problem) => problem, options: {} },
  { name: 'BFGS', make: (problem) => ({ ...problem, hessian: 'bfgs' }), options: {} },
  {
    name: 'differences',
    make: ({ gradient, jacobian, ...problem }) => ({ ...problem, jacobian: positions(jacobian) }),
    options: byDifferences,
  },
  {
    name: 'differences, BFGS',
    make: ({ gradient, jacobian, ...problem }) => ({ ...problem, hessian: 'bfgs' }),
    options: byDifferences,
  },
];

interface Run extends Summary {
  set: string;
  variant: string;
  problem: string;
}

export async function runDerivatives(settings: Options): Promise<void> {
  const few = settings.quick ? 5 : undefined;
  const sets = { paper: paperProblems.slice(0, few), 'held out': heldOutProblems.slice(0, few) };
  const drawn = findProblem(settings.problem);
  const runs: Run[] = [];
  const lines: Line[] = [];
  await withBar('Test problems with fewer derivatives, to 1e-6', async (show) => {
    for (const { name, make, options } of VARIANTS) {
      const run = { timeLimit: settings.timeLimit };
      for (const [set, problems] of Object.entries(sets)) {
        for (const test of problems) {
          const result = await minimize(make(test.problem()), options, run);
          runs.push({ set, variant: name, problem: test.name, ...summarize(result) });
        }
      }
      const result = await minimize(make(drawn.problem()), options, run);
      lines.push(residualCurve(name, result, 'iteration'));
      show(lines.length / VARIANTS.length, name);
    }
  });
  print(Object.keys(sets), runs);
  await save(settings, 'derivatives', runs, [
    { lines, x: { title: `iteration, ${drawn.name}` }, y: RESIDUAL_AXIS },
  ]);
}

function print(sets: readonly string[], runs: readonly Run[]): void {
  const head = ['', 'set', 'solved', 'iterations', 'f', 'not solved'];
  const rows = VARIANTS.flatMap(({ name }) =>
    sets.map((set) => {
      const all = runs.filter((run) => run.variant === name && run.set === set);
      const solved = all.filter(({ status }) => status === 'converged');
      return [
        name,
        set,
        String(solved.length),
        String(solved.reduce((sum, run) => sum + run.iterations, 0)),
        String(solved.reduce((sum, run) => sum + run.evaluations.objective, 0)),
        all
          .flatMap((run) => (solved.includes(run) ? [] : `${run.problem} (${run.status})`))
          .join(', '),
      ];
    }),
  );
  printTable([head, ...rows]);
}
