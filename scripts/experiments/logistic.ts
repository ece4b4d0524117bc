/** Logistic regression under linear constraints on the unit sphere, over data sets and methods. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { constrainedLogisticRegression, minimize } from 'secondorder/newton';
import type { Panel } from '../../examples/draw';
import {
  drawConstraints,
  drawLikeA9a,
  type Labelled,
  readLabelled,
} from '../../examples/newton-data';
import { printTable, withBar } from '../../examples/show';
import {
  digits,
  type Method,
  PAPER_METHODS,
  RESIDUAL_AXIS,
  residualCurve,
  type Settings,
  type Summary,
  save,
  summarize,
} from './output';

interface Options extends Settings {
  data: string;
  /** Rows of A. */
  constraints: number;
}

const SETS = ['a9a', 'mushrooms', 'splice_scale', 'sonar_scale', 'australian_scale', 'heart_scale'];
/** Panels that stand side by side. */
const MOST_PANELS = 3;

const METHODS: readonly Method[] = [
  ...PAPER_METHODS,
  ...(
    [
      'auto',
      'sketch-preconditioner',
      'minres',
      'nystrom-minres',
      'block-kaczmarz',
      'kaczmarz++',
      'countsketch',
    ] as const
  ).map((linearSolver): Method => ({ name: linearSolver, options: { linearSolver } })),
];

interface SetResult {
  set: string;
  samples: number;
  features: number;
  runs: (Summary & { method: string })[];
}

export async function runLogistic(files: readonly string[], settings: Options): Promise<void> {
  const results: SetResult[] = [];
  for await (const set of readSets(files, settings.data)) {
    const result = await runSet(set, settings);
    results.push(result);
    print(result);
  }
  const panels = results.slice(0, MOST_PANELS).map(
    ({ set, runs }): Panel => ({
      lines: runs.map((run) => residualCurve(run.method, run, 'seconds')),
      x: { title: `seconds, ${set}`, log: true, format: '.0e' },
      y: RESIDUAL_AXIS,
    }),
  );
  await save(settings, 'logistic', results, panels);
}

async function* readSets(files: readonly string[], folder: string): AsyncGenerator<Labelled> {
  const known = SETS.map((name) => join(folder, `${name}.gz`)).filter((path) => existsSync(path));
  const paths = files.length > 0 ? files : known;
  if (paths.length === 0) yield drawLikeA9a(10_000);
  for (const path of paths) yield await readLabelled(path);
}

async function runSet({ name, x, y }: Labelled, settings: Options): Promise<SetResult> {
  const { constraints, seed, timeLimit } = settings;
  const { a, b } = drawConstraints(constraints, x.cols);
  const problem = constrainedLogisticRegression({ x, y, a, b, sphere: true });
  const runs: SetResult['runs'] = [];
  const title = `${name}: ${x.rows} samples, ${x.cols} features, ${constraints} linear constraints and the sphere`;
  await withBar(title, async (show) => {
    for (const method of METHODS) {
      const result = await minimize(problem, { ...method.options, seed }, { timeLimit });
      runs.push({ method: method.name, ...summarize(result) });
      show(runs.length / METHODS.length, method.name);
    }
  });
  return { set: name, samples: x.rows, features: x.cols, runs };
}

function print({ runs }: SetResult): void {
  const head = ['', 'status', 'iterations', '‖∇L‖∞', '‖c‖∞', 'inner steps', 'fallbacks', 's'];
  const rows = runs.map((run) => [
    run.method,
    run.status,
    String(run.iterations),
    run.stationarity.toExponential(1),
    run.infeasibility.toExponential(1),
    String(run.linear.innerSteps),
    String(run.linear.fallbacks),
    digits(run.seconds),
  ]);
  printTable([head, ...rows]);
  console.log();
}
