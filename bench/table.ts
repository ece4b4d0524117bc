// The tables of docs/benchmarks.md, from the results.
import { type DataSetResult, LOSSES } from './data-sets';
import { FRACTION_BAR, type IterationResult } from './iteration';
import type { LearningCurveResult } from './learning-curve';
import { milliseconds, percent, reached, table } from './markdown';
import { isSkipped, type Skipped } from './measurement';
import type { BenchFile, Measured } from './measurements';
import type { MemoryResult } from './memory';
import { blocksTable, recursionTable, windowTables } from './mfac-tables';
import type { MnistResult } from './mnist';
import { kktTables, largeTables, problemTables } from './newton-tables';
import type { PeersResult } from './peers';
import { globalBoundTable, refinementTable } from './refinement-tables';
import { sampledTable } from './sampled-table';
import type { ScalingResult } from './scaling';
import { GAPS, type TimeToGapResult } from './time-to-gap';

/** All tables, below a line on where they were measured. */
export function tables(file: BenchFile, figure: string): string {
  const { measurements: m } = file;
  const sections = [
    facts(file),
    section('An iteration and the peak', m.iteration, iterationTable),
    section('Growth', m.scaling, (result) => scalingTable(result, figure)),
    section('Time to a certified gap', m['time-to-gap'], timeToGapTable),
    section('Public data sets', m['data-sets'], dataSetsTable),
    section('Memory', m.memory, memoryTable),
    section('Handwritten digits', m.mnist, mnistTables),
    section('Accuracy on few images', m['learning-curve'], learningCurveTable),
    section('Beside scnn', m.peers, peersTable),
    section('Gate refinement beside Adam', m.refinement, refinementTable),
    section('A bound over all networks', m['global-bound'], globalBoundTable),
    section('The sampled convex program beside FISTA', m.sampled, sampledTable),
    section('A step of M-FAC and memory bandwidth', m['mfac-window'], windowTables),
    section('Setting up blocks of the Fisher matrix', m['mfac-blocks'], blocksTable),
    section('Blocks beside the recursion', m['mfac-recursion'], recursionTable),
    section('Test problems solved', m['newton-problems'], problemTables),
    section('Larger problems beside IPOPT and SciPy', m['newton-large'], largeTables),
    section('Solving KKT systems', m['newton-kkt'], kktTables),
  ];
  return sections.filter((text) => text !== '').join('\n\n');
}

/** Where and how results were measured. */
export function facts({ date, command, threads, machine }: BenchFile): string {
  const { processor, cores, memoryGiB, system, node, version, kernels, blas } = machine;
  return [
    `Measured on ${date} with \`${command}\`, secondorder ${version}, ${threads} thread(s).`,
    '',
    `- Processor: ${processor}, ${cores} core(s) available, ${memoryGiB} GiB of memory`,
    `- System: ${system}, Node ${node}`,
    `- Kernels: ${kernels}; ${blas}`,
  ].join('\n');
}

function section<Result extends object>(
  title: string,
  measured: Measured<Result | Skipped> | undefined,
  show: (result: Result) => string,
): string {
  if (!measured) return '';
  const { load, result } = measured;
  if (isSkipped(result)) return `### ${title}\n\nNot measured: ${result.skipped}.`;
  const busy = `Load average before and after: ${load[0].toFixed(1)} and ${load[1].toFixed(1)}.`;
  return [`### ${title}`, show(result), busy].join('\n\n');
}

function iterationTable(results: readonly IterationResult[]): string {
  const rows = results.map((k) => [
    `${k.n} × ${k.r}, ${k.gates}`,
    `${k.precision}, ${k.loss}`,
    k.threads,
    milliseconds(k.seconds.wall),
    k.speed.wall.toFixed(0),
    k.peak.wall.toFixed(0),
    percent(k.fraction.wall),
    percent(k.fraction.cpu),
  ]);
  const head = [
    'n × r, P',
    'Precision, loss',
    'Threads',
    'ms per iteration',
    'GFLOP/s',
    'Peak',
    'Share',
    'Share by processor time',
  ];
  const share = results[0]?.fraction.wall ?? Number.NaN;
  const bar = `At least ${percent(FRACTION_BAR)} in the first row: ${reached(share >= FRACTION_BAR)}.`;
  return `${table(head, rows)}\n\n${bar}`;
}

function scalingTable(results: readonly ScalingResult[], figure: string): string {
  const sizes = (fixed: ScalingResult['fixed']) =>
    Object.entries(fixed)
      .map(([name, size]) => `${name} = ${size}`)
      .join(', ');
  const rows = results.map(({ axis, points, fixed, slope, upperSlope, bound, memorySlope }) => [
    axis,
    `${points[0]?.size} to ${points.at(-1)?.size}`,
    sizes(fixed),
    slope.toFixed(2),
    upperSlope.toFixed(2),
    bound,
    memorySlope.toFixed(2),
  ]);
  const head = ['Of', 'From, to', 'At', 'Slope', 'Slope, upper half', 'Allowed', 'Slope of memory'];
  const caption = 'Processor time of an iteration over n, d, P and c; dashed: the growth allowed.';
  return `${table(head, rows)}\n\n![${caption}](${figure})`;
}

function timeToGapTable(results: readonly TimeToGapResult[]): string {
  const head = [
    'n',
    'd',
    'P',
    'Route',
    ...GAPS.map((gap) => `${gap.toExponential()}: s (iterations)`),
  ];
  const rows = results.map(({ n, d, gates, route, runs }) => [
    n,
    d,
    gates,
    route,
    ...GAPS.map((gap) => {
      const run = runs.find(({ tolerance }) => tolerance === gap);
      if (!run) return 'not tried';
      if (run.status === 'converged') return `${seconds(run.wall)} (${run.iterations})`;
      return `gap ${run.gap.toExponential(1)} at the limit (${run.iterations})`;
    }),
  ]);
  return table(head, rows);
}

function dataSetsTable(results: readonly DataSetResult[]): string {
  const head = ['Set', 'n × d', ...LOSSES.map((loss) => `${loss}: iterations (s)`)];
  const rows = results.map(({ name, n, d, runs }) => [
    name,
    `${n} × ${d}`,
    ...runs.map(({ status, iterations, gap, wall }) => {
      const reached = `${iterations} (${seconds(wall)})`;
      return status === 'converged' ? reached : `${reached}, gap ${gap.toExponential(1)}`;
    }),
  ]);
  return table(head, rows);
}

function memoryTable(results: readonly MemoryResult[]): string {
  const head = [
    'n × d, outputs',
    'Gates, model',
    'Precision',
    'Route',
    'Estimate',
    'Measured',
    'Ratio',
  ];
  const rows = results.map(({ shape, options, route, estimatedBytes, measuredBytes }) => [
    `${shape.rows} × ${shape.cols}, ${shape.outputs}`,
    `${options.gates}, ${options.model ?? 'relu'}`,
    options.precision ?? 'float32',
    route,
    mebibytes(estimatedBytes),
    mebibytes(measuredBytes),
    (measuredBytes / estimatedBytes).toFixed(2),
  ]);
  return table(head, rows);
}

function mnistTables({ gated, twoAgainstEight }: MnistResult): string {
  const head = ['Images', 'P', 'Wall s', 'Processor s', 'Iterations', 'Gap', 'Test accuracy'];
  const rows = gated.map((k) => [
    `${k.n}${k.deskewed ? ', deskewed' : ''}`,
    k.gates,
    seconds(k.seconds.wall),
    seconds(k.seconds.cpu),
    k.iterations,
    k.gap.toExponential(1),
    `${(100 * k.accuracy).toFixed(2)} %`,
  ]);
  const t = twoAgainstEight;
  const binary = [
    t.n,
    t.gates,
    seconds(t.seconds.wall),
    seconds(t.seconds.cpu),
    t.iterations,
    t.gap.toExponential(1),
    t.infeasibility.toExponential(1),
    t.status,
  ];
  const binaryHead = [...head.slice(0, 6), 'Infeasibility', 'Status'];
  return [
    'Ten digits, the gated model, to a gap of 1e-2:',
    table(head, rows),
    '2 against 8, a ReLU network, default settings:',
    table(binaryHead, [binary]),
  ].join('\n\n');
}

function learningCurveTable({ points, gates, testImages }: LearningCurveResult): string {
  const head = ['Training images', 'Mean test accuracy', 'Lowest, highest', 'Processor s of a fit'];
  const rows = points.map(({ n, accuracies, seconds: { cpu } }) => [
    n,
    `${(100 * mean(accuracies)).toFixed(2)} %`,
    [Math.min(...accuracies), Math.max(...accuracies)].map((a) => (100 * a).toFixed(2)).join(', '),
    seconds(cpu),
  ]);
  const draws = points[0]?.accuracies.length ?? 0;
  const note = `P = ${gates}, ${draws} draw(s) of training images, ${testImages} test images.`;
  return `${note}\n\n${table(head, rows)}`;
}

function peersTable({ problem, n, d, gates, secondorder, scnn }: PeersResult): string {
  const head = [
    'Solver',
    'Wall s',
    'Processor s',
    'Objective',
    'Gap to our bound',
    'Infeasibility',
  ];
  const row = (name: string, k: PeersResult['scnn']) => [
    name,
    seconds(k.wall),
    seconds(k.cpu),
    k.objective.toPrecision(6),
    k.gap.toExponential(1),
    k.infeasibility.toExponential(1),
  ];
  const rows = [row('secondorder', secondorder), row('scnn, augmented Lagrangian', scnn)];
  const note = `${problem}, ${n} × ${d}, ${gates} gates, both with their default settings.`;
  return `${note}\n\n${table(head, rows)}`;
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const seconds = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
