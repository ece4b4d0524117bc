// The tables of the M-FAC family in docs/benchmarks.md.
import { milliseconds, percent, reached, table } from './markdown';
import type { BlocksResult } from './mfac-blocks';
import { RECURSION_BAR, type RecursionResult } from './mfac-recursion';
import { HALF_BAR, PASS_BAR, STEP_BAR, type StepResult, type WindowResult } from './mfac-window';

export function windowTables({ steps, factor }: WindowResult): string {
  const head = [
    'd',
    'm',
    'Storage',
    'Threads',
    'ms of a step',
    'GB/s, pass one',
    'GB/s, pass two',
    'GB/s, plain read',
    'Share of the floor',
    'Bytes over m·d·s',
  ];
  const rows = steps.map((k) => [
    k.d,
    k.m,
    k.storage,
    k.threads,
    milliseconds(k.step),
    k.firstPass.toFixed(1),
    k.secondPass.toFixed(1),
    k.read.toFixed(1),
    percent(k.share),
    k.memory.toFixed(3),
  ]);
  const small = factor.map((k) => [k.m, milliseconds(k.step), milliseconds(k.refactor)]);
  return [
    table(head, rows),
    verdicts(steps),
    growth(steps),
    'The m × m part alone, with gradients of 16 entries:',
    table(['m', 'ms of a step', 'ms to factor anew'], small),
  ].join('\n\n');
}

/** How a step's time grows: the exponents of d and of m between the smallest and the largest case. */
function growth(steps: readonly StepResult[]): string {
  const [first] = steps;
  if (!first) return '';
  const like = steps.filter((k) => k.storage === first.storage && k.threads === first.threads);
  const exponent = (key: 'd' | 'm', other: 'd' | 'm'): string => {
    const cases = like.filter((k) => k[other] === first[other]);
    const sorted = cases.toSorted((a, b) => a[key] - b[key]);
    const [low, high] = [sorted[0]!, sorted.at(-1)!];
    return (Math.log(high.step / low.step) / Math.log(high[key] / low[key])).toFixed(2);
  };
  return `Time of a step over these rows: d to the power of ${exponent('d', 'm')} at m = ${first.m} (the shortest windows fit in the cache), m to the power of ${exponent('m', 'd')} at d = ${first.d}.`;
}

function verdicts(steps: readonly StepResult[]): string {
  const [first] = steps;
  if (!first) return '';
  const like = (storage: StepResult['storage']) =>
    steps.find((k) => k.storage === storage && k.d === first.d && k.m === first.m);
  const half = like('bfloat16');
  const floor = `At least ${percent(STEP_BAR)} of the floor in the first row: ${reached(first.share >= STEP_BAR)}.`;
  if (!half) return floor;
  const longest = Math.max(...steps.map(({ d }) => d));
  const passes = steps
    .filter(({ d }) => d === longest)
    .flatMap(({ firstPass, secondPass, read }) => [firstPass / read, secondPass / read]);
  const least = Math.min(...passes);
  return [
    floor,
    `Each pass at d = ${longest} at least ${percent(PASS_BAR)} of the plain read: ${percent(least)}, ${reached(least >= PASS_BAR)}.`,
    `bfloat16 at least ${HALF_BAR} times as fast: ${half.faster.toFixed(2)}, ${reached(half.faster >= HALF_BAR)}.`,
  ].join(' ');
}

export function blocksTable(results: readonly BlocksResult[]): string {
  const [first] = results;
  const head = ['B', 'Form', 'ms to set up', 'ms of the diagonal', 'ms of a product', 'MiB'];
  const rows = results.map((k) => [
    k.blockSize,
    k.form,
    milliseconds(k.setUp),
    milliseconds(k.diagonal),
    milliseconds(k.solve),
    (k.bytes / 2 ** 20).toFixed(0),
  ]);
  return `d = ${first?.d}, m = ${first?.m}.\n\n${table(head, rows)}`;
}

export function recursionTable(results: readonly RecursionResult[]): string {
  const head = [
    'B',
    'ms, FisherBlocks',
    'Recursion in float64',
    'Recursion in float32',
    'Difference',
    'Difference of float32',
  ];
  const rows = results.map((k) => [
    k.blockSize,
    milliseconds(k.blocks),
    `${(k.float64 / k.blocks).toFixed(1)} ×`,
    `${(k.float32 / k.blocks).toFixed(1)} ×`,
    k.difference.toExponential(0),
    k.float32Difference.toExponential(0),
  ]);
  const [first] = results;
  const ratio = first ? first.float64 / first.blocks : Number.NaN;
  const bar = `Float64 at least ${RECURSION_BAR} times as long in the first row: ${reached(ratio >= RECURSION_BAR)}.`;
  return `d = ${first?.d}, m = ${first?.m}, set-up with the diagonal.\n\n${table(head, rows)}\n\n${bar}`;
}
