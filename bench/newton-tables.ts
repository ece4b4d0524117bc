// The tables of the Newton family in docs/benchmarks.md.
import { type Cell, milliseconds, reached, table } from './markdown';
import type { KktResult, KktSystem, KktTiming } from './newton-kkt';
import type { LargeProblem, LargeResult } from './newton-large';
import { type ProblemSet, type ProblemsResult, SMALL, TOLERANCE } from './newton-problems';

export function problemTables({ sets, missing }: ProblemsResult): string {
  return [...sets.map(problemTable), ...absences(missing)].join('\n\n');
}

function problemTable({ name, problems, common, scores }: ProblemSet): string {
  const head = [
    `Of ${problems}, ${name}`,
    'Says solved',
    'Solved',
    'At a known minimum',
    `Iterations on the ${common} that all solved`,
    'f',
    '∇f, J',
    'Hessian',
    's besides functions',
    `ms each, n ≤ ${SMALL}`,
    'Not solved',
  ];
  const rows = scores.map((k) => [
    k.solver,
    k.converged,
    k.verified,
    k.optimal,
    k.iterations,
    k.objective,
    k.derivatives,
    k.hessian,
    k.seconds?.toFixed(2) ?? '',
    k.small === undefined ? '' : milliseconds(k.small),
    k.failed.join(', '),
  ]);
  const [ours, ...others] = scores;
  const most = Math.max(...others.map(({ verified }) => verified));
  const bar =
    ours && others.length > 0
      ? `\n\nAt least as many solved at ${TOLERANCE.toExponential()} as by the others: ${reached(ours.verified >= most)}.`
      : '';
  return `${table(head, rows)}${bar}`;
}

export function largeTables({ problems, missing }: LargeResult): string {
  const head = [
    'Problem',
    'n, m',
    'To',
    'Solver',
    'Solved',
    'Iterations',
    'f',
    'ms',
    'ms in functions',
    '‖∇L‖∞',
    '‖c‖∞',
  ];
  const rows = problems.flatMap(({ name, variables, constraints, tolerance, runs }) =>
    runs.map((run, i): Cell[] => [
      ...(i === 0
        ? [name, `${variables}, ${constraints}`, tolerance.toExponential()]
        : ['', '', '']),
      run.solver,
      run.solved ? 'yes' : run.status,
      run.iterations,
      run.objective,
      milliseconds(run.seconds),
      run.evaluation === undefined ? '' : milliseconds(run.evaluation),
      run.stationarity.toExponential(0),
      run.infeasibility.toExponential(0),
    ]),
  );
  const [first] = problems;
  const verdict = first
    ? [`First problem faster than by all others: ${reached(leads(first))}.`]
    : [];
  return [table(head, rows), ...verdict, ...absences(missing)].join('\n\n');
}

/** Whether 'auto', the first run, takes the least time of all programs that solve the problem. */
function leads({ runs }: LargeProblem): boolean {
  const [ours, ...others] = runs.filter(({ solved }) => solved);
  const foreign = others.filter(({ solver }) => !solver.startsWith('secondorder'));
  return ours === runs[0] && foreign.every(({ seconds }) => seconds > ours!.seconds);
}

export function kktTables({ exact, sparse, sketches }: KktResult): string {
  return [
    'Dense systems, ms to a relative residual:',
    systemTable(exact),
    verdict(exact),
    'Sparse ones at random places, whose factors fill up:',
    systemTable(sparse),
    'Sketch and project, one row or block of rows at a time; where the accuracy was not reached, the residual:',
    systemTable(sketches),
  ].join('\n\n');
}

function systemTable(systems: readonly KktSystem[]): string {
  const [first] = systems;
  const solvers = first?.timings.map(({ solver }) => solver) ?? [];
  const sparse = first?.rowEntries !== undefined;
  const head = ['Order', sparse ? 'Entries' : 'Spectrum', 'To', ...solvers];
  const rows = systems.map(({ order, spectrum, rowEntries, accuracy, timings }) => [
    order,
    rowEntries === undefined ? spectrum : `${rowEntries} a row`,
    accuracy.toExponential(),
    ...timings.map(timing),
  ]);
  return table(head, rows);
}

function timing({ solver, ran, seconds, reached: done, residual }: KktTiming): string {
  const chosen = ran === solver ? '' : ` (${ran})`;
  const failed = done ? '' : `, not: ${residual.toExponential(0)}`;
  return `${milliseconds(seconds)}${chosen}${failed}`;
}

/** 'auto' beside the named solvers on the largest system with outliers that is solved loosely. */
function verdict(systems: readonly KktSystem[]): string {
  const outlying = systems.filter((k) => k.spectrum === 'outlying' && k.accuracy === 1e-2);
  const largest = outlying.toSorted((a, b) => b.order - a.order)[0];
  const time = (name: string) =>
    largest?.timings.find(({ solver }) => solver === name)?.seconds ?? Number.NaN;
  const wins = time('auto') < Math.min(time('dense-ldl'), time('minres'));
  return `Order ${largest?.order}, outlying, to 1e-2: 'auto' faster than 'dense-ldl' and 'minres': ${reached(wins)}.`;
}

const absences = (missing: readonly string[]) => missing.map((why) => `Not measured: ${why}.`);
