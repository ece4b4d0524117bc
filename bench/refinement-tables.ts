// The tables of gate refinement and of the bound over all networks, for docs/benchmarks.md.
import type { GlobalBoundResult } from './global-bound';
import { table } from './markdown';
import { median } from './measurement';
import { type RefinementResult, WIDTH } from './refinement';

export function refinementTable(results: readonly RefinementResult[]): string {
  const worst = (values: readonly number[]) => Math.max(...values).toFixed(4);
  const mean = (values: readonly number[]) =>
    (values.reduce((a, b) => a + b, 0) / values.length).toFixed(4);
  const middle = (values: readonly number[]) => median(values).toFixed(2);
  const rows = results.map((result) => [
    result.name,
    String(result.n),
    String(result.d),
    mean(result.ratios),
    worst(result.ratios),
    middle(result.refinementShare),
    middle(result.trainingShare),
    middle(result.pricingRatios),
    result.rose ? 'yes' : 'no',
  ]);
  return [
    `Networks of ${WIDTH} neurons, squared loss, beta = 1e-3: the refined objective over that of the ` +
      'best of ten runs of Adam (five learning rates, two seeds, 4,000 full-batch steps of float32 on ' +
      'a cosine schedule), and processor time over that of the ten, both on one thread. Over splits ' +
      'and seeds; times and prices are medians. Training goes on, after refinement, to a certificate ' +
      'of 1e-2 on the patterns found.',
    table(
      [
        'Data',
        'n',
        'd',
        'Objective / Adam, mean',
        'worst',
        'CPU / Adam, refinement',
        'whole training',
        'Pricing ratio',
        'Ever rose',
      ],
      rows,
    ),
  ].join('\n\n');
}

export function globalBoundTable(results: readonly GlobalBoundResult[]): string {
  const rows = results.flatMap(({ name, n, components, runs }) =>
    runs.map(({ beta, objective, globalBound, globalGap, cpu }) => [
      name,
      String(n),
      `${components} + 1`,
      String(beta),
      objective.toPrecision(5),
      globalBound === null ? 'none' : globalBound.toPrecision(5),
      globalGap === null ? 'none' : `${(100 * globalGap).toFixed(2)} %`,
      cpu.toFixed(1),
    ]),
  );
  const head = ['Set', 'n', 'Components + bias', 'beta', 'Objective', 'Bound', 'Gap', 'CPU s'];
  return table(head, rows);
}
