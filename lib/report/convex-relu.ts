/** The report of a convex ReLU training run: what it proved, how it got there, what it reads wrongly. */

import type { GatedReLUNetwork } from '../convex-relu/gated-network';
import { ReLUNetwork } from '../convex-relu/network';
import type { TrainingOptions } from '../convex-relu/option-types';
import type { ConvexProgress, ConvexReport } from '../convex-relu/report';
import type { MatrixLike } from '../matrix';
import { type CheckedRun, checkRun } from './check-run';
import { variantTables } from './convex-variants';
import { count } from './count';
import type { Chart, Fact, FactTable, HistoryColumn, NumberFormat, ReportData } from './data';
import { type Evaluation, showEvaluation } from './evaluation';
import type { ScorePoint } from './score-curve';
import { showUnits } from './units';

/** What {@link convexReport} is made of. */
export interface ConvexRun {
  /** Heading of the page. */
  title: string;
  /** What training reported. */
  report: ConvexReport;
  /** What it gave. */
  network: ReLUNetwork | GatedReLUNetwork;
  /** Training inputs, samples × features. */
  x: MatrixLike;
  /** Predictions to show, best on samples kept apart from training. */
  evaluation: Evaluation;
  /** Score on the training samples. */
  trainingScore?: number;
  /** Scores on the way, as {@link scoreCurve} gives them: at iterations that the report's history has. */
  scores?: ScorePoint[];
  /** When a sample is an image, row by row: hidden units and misread samples are shown as pictures. */
  image?: [height: number, width: number];
  /** What made the page, for its last line. */
  generator?: string;
}

/**
 * The data of a report page of a convex ReLU training run, for {@link renderReport} and
 * {@link writeReport}.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH (an image that does not fit the
 * features, predictions that are not as many as the truth)
 */
export function convexReport(run: ConvexRun): ReportData {
  const checked = checkRun(run);
  const { report, network, x, evaluation, image } = checked;
  const { options } = network;
  const shown = showEvaluation(evaluation, image);
  return {
    title: run.title,
    subtitle: describeRun(checked),
    status: { text: words(report.status), good: report.status === 'converged' },
    summary: summary(report),
    highlights: highlights(run),
    tables: [
      resultTable(report),
      ...variantTables(report),
      dataTable(checked),
      ...(options ? [optionTable(options)] : []),
    ],
    history: historyColumns(report.history, run.scores ?? [], evaluation.kind),
    runAxes: [
      { column: 'iteration', name: 'iteration', axis: 'iteration' },
      { column: 'seconds', name: 'time', axis: 'time [s]' },
    ],
    charts: report.history.length > 0 ? charts(run) : [],
    ...(shown.confusion && { confusion: shown.confusion }),
    ...(shown.scatter && { scatter: shown.scatter }),
    galleries: [...(image ? [showUnits(network, x, image)] : []), ...shown.galleries],
    generator: run.generator ?? 'secondorder',
  };
}

function words(name: string): string {
  return name.replaceAll('_', ' ');
}

function describeRun({ network, x, report }: CheckedRun): string {
  const kind = network.options?.model === 'gated' ? 'gated ReLU network' : 'ReLU network';
  return (
    `A ${kind} over ${count(report.gates)} gates, trained on ${count(x.rows)} samples ` +
    `of ${count(x.cols)} features.`
  );
}

function summary({ status, objective, dualBound }: ConvexReport): string {
  const ending = {
    converged: 'The run converged.',
    iteration_limit: 'The run stopped at its iteration limit; this is its best network.',
    time_limit: 'The run stopped at its time limit; this is its best network.',
    aborted: 'The run was aborted; this is its best network.',
    refined: 'The network is better than the solution of the convex program over its gates.',
    width_limit: 'The network is as wide as it may be; a wider one over its gates is better.',
  }[status];
  if (!(dualBound > 0)) {
    return `${ending} No useful bound on the optimum was reached.`;
  }
  const percent = Number((100 * (objective / dualBound - 1)).toPrecision(2));
  // A ReLU network may leave its cones a little, and so be below the bound.
  const above = percent > 0 ? `at most ${percent} % above` : 'no higher than';
  return (
    `${ending} Its objective is ${above} the least that is possible with these gates: the dual ` +
    'bound, computed from the data alone, proves it.'
  );
}

function highlights({ report, network, evaluation }: ConvexRun): Fact[] {
  const hasCones = network instanceof ReLUNetwork;
  const score: Fact =
    evaluation.kind === 'classification'
      ? { label: `Accuracy, ${evaluation.on}`, value: evaluation.score, format: 'percent' }
      : { label: `R², ${evaluation.on}`, value: evaluation.score };
  return [
    score,
    { label: 'Objective', value: report.objective },
    { label: 'Dual bound', value: report.dualBound },
    { label: 'Relative gap', value: report.gap, format: 'ratio' },
    ...(hasCones
      ? [{ label: 'Infeasibility', value: report.infeasibility, format: 'ratio' } as const]
      : []),
    { label: 'Iterations', value: report.iterations, format: 'integer' },
    { label: 'Time', value: report.seconds, format: 'seconds' },
  ];
}

function resultTable(report: ConvexReport): FactTable {
  const rows: Fact[] = [
    { label: 'Status', value: words(report.status) },
    { label: 'Objective', value: report.objective, note: 'mean loss plus penalty' },
    { label: 'Dual bound', value: report.dualBound, note: 'no network over these gates is below' },
    {
      label: 'Relative gap',
      value: report.gap,
      format: 'ratio',
      note: '|objective − bound| / objective',
    },
    ...(report.globalBound === null
      ? []
      : [
          {
            label: 'Bound over all networks',
            value: report.globalBound,
            note: 'no ReLU network of any width is below',
          },
        ]),
    {
      label: 'Relative infeasibility',
      value: report.infeasibility,
      format: 'ratio',
      note: 'how far the convex program’s cones are violated',
    },
    { label: 'Iterations', value: report.iterations, format: 'integer' },
    ...(report.innerIterations > 0 ? [innerIterations(report)] : []),
    { label: 'Time', value: report.seconds, format: 'seconds' },
    { label: 'Peak memory', value: report.peakBytes, format: 'bytes' },
    { label: 'Gates', value: report.gates, format: 'integer', note: 'distinct on the data' },
    { label: 'Neurons', value: report.neurons, format: 'integer' },
    { label: 'Device', value: report.device },
    { label: 'Linear systems', value: report.route },
    { label: 'Seed', value: report.seed, format: 'integer' },
  ];
  if (Number.isFinite(report.pricingRatio)) {
    rows.push({
      label: 'Pricing ratio',
      value: report.pricingRatio,
      note: 'above 1, a neuron that it does not have would lower the objective',
    });
  }
  return { title: 'Result', rows };
}

function innerIterations({ innerIterations: value, sampling }: ConvexReport): Fact {
  const note = sampling ? 'over the working sets' : 'of conjugate gradients';
  return { label: 'Inner iterations', value, format: 'integer', note };
}

function dataTable({ x, evaluation, trainingScore }: CheckedRun): FactTable {
  const format: NumberFormat = evaluation.kind === 'classification' ? 'percent' : 'number';
  const name = evaluation.kind === 'classification' ? 'Accuracy' : 'R²';
  const rows: Fact[] = [
    { label: 'Training samples', value: x.rows, format: 'integer' },
    { label: 'Features', value: x.cols, format: 'integer' },
  ];
  if (evaluation.kind === 'classification') {
    rows.push({ label: 'Classes', value: evaluation.classes.length, format: 'integer' });
  }
  if (trainingScore !== undefined) {
    rows.push({ label: `${name}, training`, value: trainingScore, format });
  }
  if (evaluation.on !== 'training' || trainingScore === undefined) {
    const samples = evaluation.truth.length;
    rows.push({ label: `Samples, ${evaluation.on}`, value: samples, format: 'integer' });
    rows.push({ label: `${name}, ${evaluation.on}`, value: evaluation.score, format });
  }
  return { title: 'Data', rows };
}

function optionTable(options: TrainingOptions): FactTable {
  const { gates, refine, adversarial, ...plain } = options;
  const rows = Object.entries(plain).map(([label, value]): Fact => ({ label, value }));
  if (refine) {
    for (const [key, value] of Object.entries(refine)) rows.push({ label: `refine.${key}`, value });
  } else {
    rows.push({ label: 'refine', value: false });
  }
  rows.push({ label: 'gates.count', value: gates.count, format: 'integer' });
  rows.push({ label: 'gates.from', value: gates.from });
  if (gates.image) rows.push({ label: 'gates.image', value: gates.image.join(' × ') });
  for (const [label, value] of Object.entries(adversarial ?? {})) {
    rows.push({ label: `adversarial.${label}`, value });
  }
  return { title: 'Options', rows };
}

function historyColumns(
  history: ConvexProgress[],
  scores: ScorePoint[],
  kind: Evaluation['kind'],
): HistoryColumn[] {
  const column = (key: keyof ConvexProgress, label: string, format: NumberFormat) => ({
    key,
    label,
    format,
    values: history.map((point) => finite(point[key] ?? Number.NaN)),
  });
  const columns: HistoryColumn[] = [
    column('iteration', 'iteration', 'integer'),
    column('seconds', 'time', 'seconds'),
    column('gap', 'relative gap', 'ratio'),
    column('infeasibility', 'relative infeasibility', 'ratio'),
    column('objective', 'objective', 'number'),
    column('dualBound', 'dual bound', 'number'),
    column('rho', 'rho', 'number'),
  ];
  const at = new Map(scores.map((point) => [point.iteration, point]));
  for (const key of ['training', 'test'] as const) {
    if (!scores.some((point) => point[key] !== undefined)) continue;
    const values = history.map(({ iteration }) => at.get(iteration)?.[key] ?? null);
    columns.push({ key, label: key, format: scoreFormat(kind), values });
  }
  return columns;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function scoreFormat(kind: Evaluation['kind']): NumberFormat {
  return kind === 'classification' ? 'percent' : 'number';
}

function charts({ report, network, scores = [], evaluation }: ConvexRun): Chart[] {
  const tolerance = network.options?.tolerance;
  const reference = tolerance ? { reference: { label: 'tolerance', value: tolerance } } : {};
  const ratio = { format: 'ratio', scale: 'log', ...reference } as const;
  const drawn: Chart[] = [
    { title: 'Relative duality gap', axis: 'relative gap [1]', columns: ['gap'], ...ratio },
    {
      title: 'Objective and dual bound',
      caption: 'The optimum over these gates lies in the shaded band.',
      axis: 'objective [1]',
      scale: report.history.every(({ dualBound }) => dualBound > 0) ? 'log' : 'linear',
      columns: ['objective', 'dualBound'],
      band: ['objective', 'dualBound'],
    },
  ];
  if (report.history.some(({ infeasibility }) => infeasibility > 0)) {
    const axis = 'relative infeasibility [1]';
    const columns = ['infeasibility'];
    drawn.splice(1, 0, { title: 'Relative infeasibility', axis, columns, ...ratio });
  }
  if (scores.length > 0) {
    const classes = evaluation.kind === 'classification';
    const keys = (['training', 'test'] as const).filter((key) =>
      scores.some((point) => point[key] !== undefined),
    );
    drawn.push({
      title: classes ? 'Accuracy' : 'Coefficient of determination',
      caption: 'Of the network that the iterate gives.',
      axis: classes ? 'accuracy [%]' : 'R² [1]',
      format: scoreFormat(evaluation.kind),
      columns: keys,
    });
  }
  return drawn;
}
