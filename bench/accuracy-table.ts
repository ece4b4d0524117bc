// The table of docs/when-convex.md, from the results.
import type { AccuracyResult, SetAccuracy } from './accuracy';
import { MOST } from './accuracy-sets';
import { table } from './markdown';

/** What is compared with what, in the words below the table. */
const [OURS, ADAM] = ['convex', 'Adam'];

export function accuracyTable(result: AccuracyResult): string {
  const { methods, missing, seeds, folds, gates, sets } = result;
  const head = ['Set', 'n', 'd', 'Classes', ...methods];
  const rows = sets.map((set) => {
    const means = methods.map((name) => mean(accuracies(set, name)));
    const best = Math.max(...means);
    const cells = methods.map((name, i) => {
      const text = `${percent(means[i]!)} ± ${percent(deviation(accuracies(set, name)))}`;
      return percent(means[i]!) === percent(best) ? `**${text}**` : text;
    });
    return [set.name, set.training, set.features, set.classes, ...cells];
  });
  const summary = [
    ['mean', '', '', '', ...methods.map((name) => percent(mean(sets.map((s) => meanOf(s, name)))))],
    ['mean rank', '', '', '', ...methods.map((name) => meanRank(result, name).toFixed(1))],
    ['processor s', '', '', '', ...methods.map((name) => seconds(sets, name))],
  ];
  const notes = [
    `Test accuracy in per cent, mean and standard deviation over ${seeds} split(s) of seven tenths ` +
      `(at most ${MOST.training} samples) to train on and the rest to test on; n is the number of training ` +
      `samples. ${gates} gates or neurons; settings by ${folds}-fold cross-validation on the training ` +
      'samples. The best of each set is bold. Processor seconds are those of tuning and training ' +
      'together, the mean over sets and splits.',
    compare(sets),
    ...missing.map((why) => `Not measured: ${why}.`),
  ];
  return [table(head, [...rows, ...summary]), ...notes].join('\n\n');
}

const accuracies = (set: SetAccuracy, name: string) =>
  (set.methods[name] ?? []).map((score) => score.accuracy);
const meanOf = (set: SetAccuracy, name: string) => mean(accuracies(set, name));
const percent = (value: number) => (100 * value).toFixed(1);

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** 1 for the best; equals share their places. */
function meanRank({ sets, methods }: AccuracyResult, name: string): number {
  return mean(
    sets.map((set) => {
      const own = meanOf(set, name);
      const others = methods.filter((other) => other !== name).map((other) => meanOf(set, other));
      const ahead = others.filter((value) => value > own).length;
      return 1 + ahead + others.filter((value) => value === own).length / 2;
    }),
  );
}

function seconds(sets: readonly SetAccuracy[], name: string): string {
  const all = sets.flatMap((set) => (set.methods[name] ?? []).map((score) => score.cpu));
  return mean(all).toPrecision(2);
}

function compare(sets: readonly SetAccuracy[]): string {
  // The same scores in another order have another mean, in the last digit.
  const gains = sets.map((set) => Number((meanOf(set, OURS!) - meanOf(set, ADAM!)).toFixed(9)));
  const count = (is: (gain: number) => boolean) => gains.filter(is).length;
  return (
    `Beside Adam, \`${OURS}\` is more accurate on ${count((gain) => gain > 0)} of ${sets.length} sets, ` +
    `equal on ${count((gain) => gain === 0)}, less accurate on ${count((gain) => gain < 0)}; ` +
    `on average by ${percent(mean(gains))} points.`
  );
}
