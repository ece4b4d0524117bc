/** Optimal control of Poisson's equation: which linear solvers keep up as the grid grows. */
import { minimize, pdeControl } from 'secondorder/newton';
import type { Line } from '../../examples/draw';
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
  grids: number[];
}

/** A method that has failed on a grid is not tried on larger ones. */
const METHODS: readonly Method[] = [
  { name: 'MINRES, block preconditioner', options: { linearSolver: 'auto', tolerance: 1e-8 } },
  { name: 'sparse LDLᵀ', options: { linearSolver: 'sparse-ldl', tolerance: 1e-8 } },
  { name: 'MINRES, plain', options: { linearSolver: 'minres', tolerance: 1e-8 } },
  ...PAPER_METHODS,
];

interface Run extends Summary {
  method: string;
  grid: number;
  /** 3N² */
  unknowns: number;
}

export async function runPde(settings: Options): Promise<void> {
  const { grids, seed, timeLimit } = settings;
  const runs: Run[] = [];
  const failed = new Set<string>();
  await minimize(pdeControl({ grid: 1 })); // so that the first run doesn't pay for loading
  await withBar("Control of Poisson's equation", async (show) => {
    for (const [i, grid] of grids.toSorted((a, b) => a - b).entries()) {
      for (const { name, options } of METHODS) {
        if (failed.has(name)) continue;
        const result = await minimize(pdeControl({ grid }), { ...options, seed }, { timeLimit });
        if (result.status !== 'converged') failed.add(name);
        runs.push({ method: name, grid, unknowns: 3 * grid ** 2, ...summarize(result) });
        show(i / grids.length, `N = ${grid}, ${name}`);
      }
    }
  });
  print(runs);
  const lines = METHODS.map(({ name }): Line => {
    const solved = runs.filter((run) => run.method === name && run.status === 'converged');
    return { name, points: solved.map(({ unknowns, seconds }) => ({ x: unknowns, y: seconds })) };
  });
  const largest = (method: string) => runs.filter((run) => run.method === method).at(-1)!;
  const curves = METHODS.map(({ name }) => residualCurve(name, largest(name), 'iteration'));
  await save(settings, 'pde', runs, [
    {
      lines,
      x: { title: 'unknowns, 3N²', log: true, format: '~s' },
      y: { title: 'seconds', log: true, format: '.0e' },
    },
    { lines: curves, x: { title: 'iteration, on the largest grid tried' }, y: RESIDUAL_AXIS },
  ]);
}

function print(runs: readonly Run[]): void {
  const head = [
    '',
    'N',
    'unknowns',
    'status',
    'iterations',
    '‖∇L‖∞',
    '‖c‖∞',
    'inner steps',
    'fallbacks',
    's',
  ];
  const rows = METHODS.flatMap(({ name }) =>
    runs
      .filter((run) => run.method === name)
      .map((run) => [
        name,
        String(run.grid),
        String(run.unknowns),
        run.status,
        String(run.iterations),
        run.stationarity.toExponential(1),
        run.infeasibility.toExponential(1),
        String(run.linear.innerSteps),
        String(run.linear.fallbacks),
        digits(run.seconds),
      ]),
  );
  printTable([head, ...rows]);
}
