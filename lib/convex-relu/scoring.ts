/** How the models of a cross-validation are scored: the higher, the better. */
import { messageOf, SecondOrderError } from '../errors';
import type { MatrixLike } from '../matrix';
import type { RunOptions } from '../run';
import type { Step } from '../steps';
import { describe, invalid, toChoice } from '../validate';
import { ConvexReLUClassifier } from './classifier';
import type { Label } from './estimator-state';
import type { ConvexReLURegressor } from './regressor';
import { accuracy, meanSquaredError, rSquared } from './scores';

/** Either estimator. */
export type AnyEstimator = ConvexReLUClassifier | ConvexReLURegressor;

/** What an estimator is trained to give. */
export type TargetsOf<E extends AnyEstimator> = E extends ConvexReLUClassifier
  ? ArrayLike<Label>
  : ArrayLike<number>;

/** A score by name; see {@link CrossValidationOptions.scoring}. */
export type ScoreName = 'accuracy' | 'negative-log-loss' | 'r2' | 'negative-mean-squared-error';

/** Scores a fitted estimator on samples that it was not trained on. */
export type Scorer<E extends AnyEstimator = AnyEstimator> = (
  estimator: E,
  x: MatrixLike,
  y: TargetsOf<E>,
) => number;

/** Samples to score on. */
export interface Samples {
  x: MatrixLike;
  y: Label[] | Float64Array;
}

/** A probability below this counts as this. */
const LEAST_PROBABILITY = 1e-15;

/** Checks the choice of a score for an estimator. */
export function readScoring(value: unknown, estimator: AnyEstimator): ScoreName | Scorer {
  if (typeof value === 'function') return value as Scorer;
  const [usual, other]: ScoreName[] =
    estimator instanceof ConvexReLUClassifier
      ? ['accuracy', 'negative-log-loss']
      : ['r2', 'negative-mean-squared-error'];
  const names = [usual, other].filter((name) => name !== undefined);
  return toChoice(value ?? usual, 'options.scoring', names);
}

/** The score of a fitted estimator on samples. */
export function scoringStep(
  scoring: ScoreName | Scorer,
  estimator: AnyEstimator,
  { x, y }: Samples,
  run: RunOptions,
): Step<number> {
  if (typeof scoring === 'function') {
    const score = () => callScorer(scoring, estimator, x, y);
    return { inBackground: async () => score(), here: score };
  }
  if (scoring === 'negative-log-loss') {
    const classifier = estimator as ConvexReLUClassifier;
    const score = (shares: { data: ArrayLike<number> }) =>
      meanLogShare(shares.data, classifier.classes, y as Label[]);
    return {
      inBackground: async () => score(await classifier.predictProbaAsync(x, run)),
      here: () => score(classifier.predictProba(x)),
    };
  }
  const score = (predicted: Label[] | Float64Array) => compare(scoring, y, predicted);
  return {
    inBackground: async () => score(await estimator.predictAsync(x, run)),
    here: () => score(estimator.predict(x)),
  };
}

function compare(
  scoring: Exclude<ScoreName, 'negative-log-loss'>,
  truth: Label[] | Float64Array,
  predicted: Label[] | Float64Array,
): number {
  if (scoring === 'accuracy') return accuracy<Label>(truth, predicted);
  const [y, values] = [truth as Float64Array, predicted as Float64Array];
  return scoring === 'r2' ? rSquared(y, values) : -meanSquaredError(y, values);
}

/** Mean logarithm of the probability of the true class. */
function meanLogShare(shares: ArrayLike<number>, classes: Label[], truth: Label[]): number {
  const place = new Map(classes.map((label, i) => [label, i]));
  const sum = truth.reduce<number>((total, label, row) => {
    const at = place.get(label);
    const share = at === undefined ? 0 : (shares[row * classes.length + at] ?? 0);
    return total + Math.log(Math.max(LEAST_PROBABILITY, share));
  }, 0);
  return sum / truth.length;
}

function callScorer(scorer: Scorer, estimator: AnyEstimator, x: MatrixLike, y: Samples['y']) {
  let score: unknown;
  try {
    score = scorer(estimator, x, y as ArrayLike<number>);
  } catch (cause) {
    const message = `options.scoring threw: ${messageOf(cause)}`;
    throw new SecondOrderError('ERR_EVALUATION', message, { argument: 'options.scoring', cause });
  }
  if (typeof score === 'number' && Number.isFinite(score)) return score;
  const { message } = invalid('What options.scoring returns', 'a finite number', describe(score));
  throw new SecondOrderError('ERR_EVALUATION', message, { argument: 'options.scoring' });
}
