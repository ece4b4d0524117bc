/** What a cross-validation is asked for and gives. */
import type { RunOptions } from '../run';
import type { Betas } from './betas';
import type { ConvexProgress } from './report';
import type { AnyEstimator, ScoreName, Scorer } from './scoring';

/** Options of crossValidate. */
export interface CrossValidationOptions<E extends AnyEstimator = AnyEstimator> {
  /**
   * Values in any order, or `{ count, ratio }` for a grid that begins at the maximumBeta of
   * all samples; default: 10 values down to a thousandth of it.
   */
  betas?: Betas;
  /** Parts that the samples are dealt into, each kept apart once; from 2 to n. Default 5. */
  folds?: number;
  /** Deal each class evenly; default true for classifiers. Regressors cannot. */
  stratified?: boolean;
  /**
   * - `'accuracy'`: the default of classifiers
   * - `'negative-log-loss'`: classifiers; mean logarithm of the true class's probability
   * - `'r2'`: the default of regressors
   * - `'negative-mean-squared-error'`: regressors
   * - a function of the fitted estimator, the inputs and the labels or targets kept apart, that
   *   returns a number: the higher, the better
   */
  scoring?: ScoreName | Scorer<E>;
  /** Of the deal, a whole number; default 0. The gates have the seed of the estimator. */
  seed?: number;
  /**
   * Which beta is chosen: `'best'`, that of the highest mean score (default), or
   * `'one-standard-error'`, the largest whose mean is no further below the best than the best one's
   * standard error: the smallest network that may be as good.
   */
  rule?: 'best' | 'one-standard-error';
  /** Train on all samples with the chosen beta; default true. */
  refit?: boolean;
}

/** How a beta did. */
export interface BetaScore {
  /** Weight of the penalty. */
  beta: number;
  /** Mean of the folds' scores. */
  mean: number;
  /** Their standard deviation, with the number of folds less one. */
  deviation: number;
  /** Standard error of the mean: deviation / √folds. */
  standardError: number;
  /** The score on each fold. */
  folds: number[];
}

/** What a cross-validation found. */
export interface CrossValidation<E extends AnyEstimator = AnyEstimator> {
  /** `time_limit` and `aborted`: with the folds that were done, and none that was begun. */
  status: 'complete' | 'time_limit' | 'aborted';
  /** From the largest beta to the smallest; none where no fold was done. */
  scores: BetaScore[];
  /** The beta of the highest mean; the largest of equals. */
  bestBeta: number | null;
  /** The largest beta within one standard error of it. */
  oneStandardErrorBeta: number | null;
  /** The one that was chosen by `rule`. */
  beta: number | null;
  /** Trained on all samples with the chosen beta; null without `refit`, or where time was over. */
  estimator: E | null;
}

/** Where a cross-validation stands. */
export interface Place {
  /** The beta that is trained with. */
  beta: number;
  /** Its place among the betas, from 0. */
  point: number;
  /** How many betas there are. */
  points: number;
  /** The fold kept apart, from 0; as many as there are folds when all samples are trained on. */
  fold: number;
  /** How many folds there are. */
  folds: number;
}

/** A certificate on the way through a cross-validation. */
export interface CrossValidationProgress extends ConvexProgress, Place {}

/** Options of a cross-validation's run; the time limit is for all of it. */
export type CrossValidationRunOptions = RunOptions<CrossValidationProgress>;
