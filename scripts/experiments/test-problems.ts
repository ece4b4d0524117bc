/** The paper's table over CUTEst problems: how many are solved by each sketch and baseline. */
import { type LinearSolver, type MinimizeResult, minimize } from 'secondorder/newton';
import type { Line, Panel } from '../../examples/draw';
import { printTable, withBar } from '../../examples/show';
import { findProblem, paperProblems, type TestProblem } from '../../test/problems';
import { kktConditions } from '../../test/problems/kkt';
import {
  digits,
  type Method,
  PAPER_SKETCHES,
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

/** The paper's, of ‖(∇L, c)‖₂, unscaled. The default method's test is scaled: it is asked for more. */
const PAPER = { tolerance: 1e-4, maxIterations: 10_000 };
const LIMITS = { paper: PAPER, default: { ...PAPER, tolerance: 1e-6 } };

type Preset = 'paper' | 'default';
type Group = { preset: Preset; methods: readonly Method[] };

const bySolver = (linearSolver: LinearSolver): Method => ({
  name: linearSolver,
  options: { linearSolver },
});
const SKETCHES = (['block-kaczmarz', 'countsketch', 'srht', 'kaczmarz++'] as const).map(bySolver);
/** A solver has the same name in both. */
const GROUPS: readonly Group[] = [
  {
    preset: 'paper',
    methods: [...PAPER_SKETCHES, ...SKETCHES, bySolver('minres'), bySolver('ldl')],
  },
  {
    preset: 'default',
    methods: [
      ...(['auto', 'minres', 'nystrom-minres'] as const).map(bySolver),
      ...PAPER_SKETCHES,
      ...SKETCHES,
    ],
  },
];

interface Run extends Summary {
  problem: string;
  /** ‖(∇L, c)‖₂ at x and λ is within the tolerance, whatever the method's own test is. */
  solved: boolean;
}

interface MethodRuns {
  preset: Preset;
  method: string;
  runs: Run[];
}

export async function runTestProblems(settings: Options): Promise<void> {
  const small = paperProblems.filter(({ variables }) => variables === 2).slice(0, 5);
  const problems = settings.quick ? small : paperProblems;
  const drawn = findProblem(settings.problem);
  const results: MethodRuns[] = [];
  const panels: Panel[] = [];
  console.log(`${problems.length} problems, solved where ‖(∇L, c)‖₂ ≤ ${PAPER.tolerance}`);
  for (const { preset, methods } of GROUPS) {
    const lines: Line[] = [];
    await withBar(`  preset '${preset}'`, async (show) => {
      for (const { name, options } of methods) {
        const run = (test: TestProblem) =>
          minimize(
            test.problem(),
            { preset, ...options, ...LIMITS[preset], seed: settings.seed },
            { timeLimit: settings.timeLimit },
          );
        const runs: Run[] = [];
        for (const test of problems) {
          const result = await run(test);
          const solved = residual(test, result) <= PAPER.tolerance;
          runs.push({ problem: test.name, solved, ...summarize(result) });
        }
        results.push({ preset, method: name, runs });
        lines.push(residualCurve(name, await run(drawn), 'iteration'));
        show(lines.length / methods.length, name);
      }
    });
    panels.push({ lines, x: { title: `iteration, ${drawn.name}, ${preset}` }, y: RESIDUAL_AXIS });
  }
  print(results);
  await save(settings, 'cutest', results, panels);
}

/** ‖(∇L, c)‖₂, recomputed. */
function residual(test: TestProblem, { x, lambda }: MinimizeResult): number {
  const { slope, constraint } = kktConditions(test.problem(), x, lambda);
  return Math.hypot(...slope, ...constraint);
}

function print(results: readonly MethodRuns[]): void {
  const head = ['', 'solved', 'iterations', 'f', 'inner steps', 'fallbacks', 's', 'not solved'];
  const rows = results.map(({ preset, method, runs }) => {
    const solved = runs.filter((run) => run.solved);
    const sum = (count: (run: Run) => number) =>
      solved.reduce((total, run) => total + count(run), 0);
    return [
      `${preset}, ${method}`,
      String(solved.length),
      String(sum((run) => run.iterations)),
      String(sum((run) => run.evaluations.objective)),
      String(sum((run) => run.linear.innerSteps)),
      String(sum((run) => run.linear.fallbacks)),
      digits(sum((run) => run.seconds)),
      runs.flatMap((run) => (run.solved ? [] : `${run.problem} (${run.status})`)).join(', '),
    ];
  });
  printTable([head, ...rows]);
  console.log('\n  Sums are over the problems that the method solved.');
}
