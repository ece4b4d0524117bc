/** The report of a regularization path: what each beta gives, and which was chosen. */
import type { BetaScore } from '../convex-relu/cross-validation';
import type { RegularizationPath } from '../convex-relu/path';
import { TrainedNetwork } from '../convex-relu/trained-network';
import { checkObject, describe, invalid, isRecord, toNumber, toRecord, toText } from '../validate';
import type { Chart, Fact, FactTable, HistoryColumn, NumberFormat, ReportData } from './data';

/** What {@link pathReport} is made of. */
export interface PathRun {
  /** Heading of the page. */
  title: string;
  /** Networks by beta, as `regularizationPath` gives them; at least one. */
  path: RegularizationPath;
  /** Scores by beta, as `crossValidate` gives them; drawn for those betas that the path has. */
  scores?: readonly BetaScore[];
  /** What the scores are, such as `accuracy`, which is written in per cent; default `score`. */
  scoring?: string;
  /** The beta that was chosen. */
  chosen?: number;
  /** What made the page, for its last line. */
  generator?: string;
}

/**
 * The data of a report page of a regularization path, for `renderReport` and `writeReport`: objective
 * and bound, size, gap and cross-validated score over beta.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT
 */
export function pathReport(run: PathRun): ReportData {
  checkPathRun(run);
  const { title, path, scores = [], scoring = 'score', chosen, generator } = run;
  const format: NumberFormat = scoring === 'accuracy' ? 'percent' : 'number';
  // Axes rise.
  const points = path.points.toSorted((a, b) => a.beta - b.beta);
  const score = new Map(scores.map((entry) => [entry.beta, entry]));
  const shown = points.map(({ beta }) => score.get(beta));
  return {
    title,
    subtitle: `A regularization path of ${points.length} networks.`,
    status: { text: path.status.replaceAll('_', ' '), good: path.status === 'converged' },
    summary: summary(path),
    highlights: highlights(points, chosen, chosen === undefined ? undefined : score.get(chosen), {
      scoring,
      format,
    }),
    tables: [pointTable(points)],
    history: [...columns(points), ...scoreColumns(shown, scoring, format)],
    runAxes: [{ column: 'beta', name: 'beta', axis: 'beta [1]' }],
    charts: charts(points, shown.some(Boolean), scoring, format),
    galleries: [],
    generator: generator ?? 'secondorder',
  };
}

type Points = RegularizationPath['points'];

const RUN_KEYS = ['title', 'path', 'scores', 'scoring', 'chosen', 'generator'];

function checkPathRun(run: unknown): asserts run is PathRun {
  const given = checkObject(toRecord(run, 'run'), 'run', RUN_KEYS);
  toText(given.title, 'run.title');
  for (const key of ['scoring', 'generator'] as const) {
    if (given[key] !== undefined) toText(given[key], `run.${key}`);
  }
  if (given.chosen !== undefined) toNumber(given.chosen, 'run.chosen');
  const { points, status } = toRecord(given.path, 'run.path');
  toText(status, 'run.path.status');
  if (!Array.isArray(points) || points.length === 0) {
    throw invalid('run.path.points', 'the points of a path, at least one', describe(points));
  }
  Array.from(points).forEach((point, i) => {
    const place = `run.path.points[${i}]`;
    const { beta, report, network } = toRecord(point, place);
    toNumber(beta, `${place}.beta`, { above: 0 });
    if (!isRecord(report) || !Array.isArray(report.history)) {
      throw invalid(`${place}.report`, 'the report of a run', describe(report));
    }
    if (!(network instanceof TrainedNetwork)) {
      throw invalid(`${place}.network`, 'a network of this package', describe(network));
    }
  });
  if (given.scores === undefined) return;
  if (!Array.isArray(given.scores)) throw invalid('run.scores', 'an array', describe(given.scores));
  Array.from(given.scores).forEach((score, i) => {
    const { beta, mean, standardError } = toRecord(score, `run.scores[${i}]`);
    toNumber(beta, `run.scores[${i}].beta`, { above: 0 });
    toNumber(mean, `run.scores[${i}].mean`);
    toNumber(standardError, `run.scores[${i}].standardError`, { min: 0 });
  });
}

function summary({ status, points }: RegularizationPath): string {
  const converged = points.filter(({ report }) => report.status === 'converged').length;
  const all = converged === points.length ? 'all of them' : `${converged} of them`;
  const endings: Partial<Record<typeof status, string>> = {
    time_limit: ' The path ended early, at its time limit.',
    aborted: ' The path was aborted.',
  };
  return (
    `${points.length} networks, ${all} certified within the tolerance, each trained from the one ` +
    `of the next larger beta.${endings[status] ?? ''}`
  );
}

function highlights(
  points: Points,
  chosen: number | undefined,
  score: BetaScore | undefined,
  { scoring, format }: { scoring: string; format: NumberFormat },
): Fact[] {
  const total = (of: (point: Points[number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0);
  return [
    ...(chosen === undefined ? [] : [{ label: 'Chosen beta', value: chosen } as const]),
    ...(score ? [{ label: `Cross-validated ${scoring}`, value: score.mean, format } as const] : []),
    { label: 'Points', value: points.length, format: 'integer' },
    { label: 'Iterations', value: total(({ report }) => report.iterations), format: 'integer' },
    { label: 'Time', value: total(({ report }) => report.seconds), format: 'seconds' },
  ];
}

function pointTable(points: Points): FactTable {
  const rows = points.map(
    ({ beta, report }): Fact => ({
      label: `beta ${beta.toPrecision(4)}`,
      value: report.objective,
      note: `${report.status.replaceAll('_', ' ')}, ${report.neurons} neurons, gap ${report.gap.toExponential(1)}`,
    }),
  );
  return { title: 'Objective by beta', rows };
}

function columns(points: Points): HistoryColumn[] {
  const column = (
    key: string,
    label: string,
    format: NumberFormat,
    of: (point: Points[number]) => number,
  ): HistoryColumn => ({ key, label, format, values: points.map((point) => finite(of(point))) });
  return [
    column('beta', 'beta', 'number', ({ beta }) => beta),
    column('objective', 'objective', 'number', ({ report }) => report.objective),
    column('dualBound', 'dual bound', 'number', ({ report }) => report.dualBound),
    column('gap', 'relative gap', 'ratio', ({ report }) => report.gap),
    column('neurons', 'neurons', 'integer', ({ report }) => report.neurons),
    column('iterations', 'iterations', 'integer', ({ report }) => report.iterations),
    column('seconds', 'time', 'seconds', ({ report }) => report.seconds),
  ];
}

function scoreColumns(
  scores: (BetaScore | undefined)[],
  scoring: string,
  format: NumberFormat,
): HistoryColumn[] {
  if (!scores.some(Boolean)) return [];
  const column = (key: string, label: string, errors: number): HistoryColumn => ({
    key,
    label,
    format,
    values: scores.map((score) => (score ? score.mean + errors * score.standardError : null)),
  });
  return [
    column('score', `mean ${scoring}`, 0),
    column('scoreAbove', 'one standard error above', 1),
    column('scoreBelow', 'one standard error below', -1),
  ];
}

function charts(points: Points, scored: boolean, scoring: string, format: NumberFormat): Chart[] {
  const tolerance = points[0]?.network.options?.tolerance;
  const drawn: Chart[] = [
    {
      title: 'Objective and dual bound',
      caption: 'The optimum over these gates lies in the shaded band.',
      axis: 'objective [1]',
      scale: points.every(({ report }) => report.dualBound > 0) ? 'log' : 'linear',
      columns: ['objective', 'dualBound'],
      band: ['objective', 'dualBound'],
    },
    {
      title: 'Size',
      caption: 'Neurons of the network; gates in use of a gated one.',
      axis: 'neurons',
      format: 'integer',
      columns: ['neurons'],
    },
    {
      title: 'Relative duality gap',
      axis: 'relative gap [1]',
      format: 'ratio',
      scale: 'log',
      columns: ['gap'],
      ...(tolerance && { reference: { label: 'tolerance', value: tolerance } }),
    },
  ];
  if (!scored) return drawn;
  const score: Chart = {
    title: 'Cross-validation',
    caption: 'Mean over the folds, and one standard error about it.',
    axis: format === 'percent' ? `${scoring} [%]` : scoring,
    format,
    columns: ['score', 'scoreAbove', 'scoreBelow'],
    band: ['scoreAbove', 'scoreBelow'],
  };
  return [score, ...drawn];
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
