/** What the report of a convex ReLU run says beside its result where training was of a special kind. */

import type { ConvexReport, RobustReport, SamplingReport } from '../convex-relu/report';
import type { Fact, FactTable } from './data';

/** Tables of adversarial training and of sampled convex programs; none for other runs. */
export function variantTables({ robust, sampling }: ConvexReport): FactTable[] {
  return [...(robust ? [robustTable(robust)] : []), ...(sampling ? [samplingTable(sampling)] : [])];
}

function robustTable(robust: RobustReport): FactTable {
  const share = (label: string, value: number | null, note: string): Fact[] =>
    value === null ? [] : [{ label, value, format: 'percent', note }];
  return {
    title: 'Training samples under attack',
    rows: [
      { label: 'Epsilon', value: robust.epsilon, note: 'each input may be moved by so much' },
      {
        label: 'Worst case of the convex program',
        value: robust.programObjective,
        note: 'an upper bound of its network’s objective under any attack',
      },
      {
        label: 'Network returned',
        value: robust.descended ? 'of the descent' : 'of the convex program',
      },
      { label: 'Its objective under attack', value: robust.objective },
      ...share('Accuracy, not moved', robust.accuracy, 'share of samples of the right class'),
      ...share('Accuracy, PGD', robust.pgdAccuracy, 'measured: a stronger attack may find less'),
      ...share(
        'Accuracy, certified',
        robust.certifiedAccuracy,
        'provably right for every input within epsilon',
      ),
    ],
  };
}

function samplingTable(sampling: SamplingReport): FactTable {
  const certainty = `with probability ${1 - sampling.xi}`;
  return {
    title: 'Hidden vectors',
    rows: [
      { label: 'In the program', value: sampling.directions, format: 'integer' },
      { label: 'Drawn uniformly', value: sampling.drawn, format: 'integer' },
      {
        label: 'Violation, beforehand',
        value: sampling.psi,
        format: 'percent',
        note: `at most so likely for a further one, ${certainty}, by their number alone`,
      },
      {
        label: 'Asked for by the theorem',
        value: sampling.asked,
        format: 'integer',
        note: 'for 5 % with probability 0.95',
      },
      { label: 'Tested afterwards', value: sampling.tested, format: 'integer' },
      { label: 'Violating', value: sampling.violating, format: 'integer' },
      {
        label: 'Violation, afterwards',
        value: sampling.limit,
        format: 'percent',
        note: `at most so likely for a further one, ${certainty}, by the test`,
      },
    ],
  };
}
