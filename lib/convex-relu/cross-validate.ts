import { AbortError } from '../errors';
import { type Matrix, type MatrixLike, type SparseMatrix, toMatrix } from '../matrix';
import { takeMatrixRows } from '../rows';
import { RunSequence } from '../run-sequence';
import { finishHere, finishInBackground, perform, type Step, type Steps } from '../steps';
import {
  checkObject,
  describe,
  invalid,
  toBoolean,
  toChoice,
  toInteger,
  toNumbers,
} from '../validate';
import { readBetas, spacedBetas } from './betas';
import { ConvexReLUClassifier } from './classifier';
import type {
  BetaScore,
  CrossValidation,
  CrossValidationOptions,
  CrossValidationRunOptions,
  Place,
} from './cross-validation';
import type { Label } from './estimator-state';
import { dealFolds, splitAt } from './folds';
import { readLabels } from './labels';
import { drawGates, maximumBetaOver } from './maximum-beta';
import { ConvexReLURegressor } from './regressor';
import type { ConvexProgress } from './report';
import {
  type AnyEstimator,
  readScoring,
  type Samples,
  type ScoreName,
  type Scorer,
  scoringStep,
  type TargetsOf,
} from './scoring';
import { readSampleWeights } from './targets';
import type { ConvexRunOptions } from './train';

/**
 * Chooses beta by cross-validation: for each fold, trains along the betas from the largest to the
 * smallest on the other folds, each from the solution of the one before, and scores on the fold.
 *
 * ```js
 * const { scores, beta, estimator } = await crossValidate(new ConvexReLUClassifier(), x, labels);
 * ```
 *
 * @param estimator a classifier or regressor with the options to train with; it is not fitted itself.
 * Its `beta` and `warmStart` have no part, its `sampleWeights` in training alone
 * @param x n × features
 * @param y n labels or targets
 * @param options see {@link CrossValidationOptions}
 * @param run threads, abort signal, progress, and a time limit for everything
 * @throws SecondOrderError as `fit` of the estimator; ERR_EVALUATION (a scoring function threw, or
 * gave no finite number); the `partial` of ERR_ABORTED is a {@link CrossValidation}
 */
export async function crossValidate<E extends AnyEstimator>(
  estimator: E,
  x: MatrixLike,
  y: TargetsOf<E>,
  options?: CrossValidationOptions<E>,
  run?: CrossValidationRunOptions,
): Promise<CrossValidation<E>> {
  const task = prepare(estimator, x, y, options);
  const all = Int32Array.from({ length: task.x.rows }, (_, row) => row);
  const steps = validate({ ...task, x: takeMatrixRows(task.x, all) }, run);
  return (await finishInBackground(steps)) as CrossValidation<E>;
}

/** {@link crossValidate} on the calling thread. */
export function crossValidateSync<E extends AnyEstimator>(
  estimator: E,
  x: MatrixLike,
  y: TargetsOf<E>,
  options?: CrossValidationOptions<E>,
  run?: CrossValidationRunOptions,
): CrossValidation<E> {
  return finishHere(validate(prepare(estimator, x, y, options), run)) as CrossValidation<E>;
}

/** What is to be done, checked. */
interface Task {
  estimator: AnyEstimator;
  x: Matrix | SparseMatrix;
  y: Label[] | Float64Array;
  betas: ReturnType<typeof readBetas>;
  folds: Int32Array;
  count: number;
  scoring: ScoreName | Scorer;
  rule: 'best' | 'one-standard-error';
  refit: boolean;
}

const KEYS = ['betas', 'folds', 'stratified', 'scoring', 'seed', 'rule', 'refit'] as const;

function prepare(estimator: unknown, inputs: unknown, targets: unknown, options: unknown): Task {
  const isClassifier = estimator instanceof ConvexReLUClassifier;
  if (!isClassifier && !(estimator instanceof ConvexReLURegressor)) {
    throw invalid('estimator', 'a classifier or regressor of this package', describe(estimator));
  }
  const raw = checkObject(options, 'options', KEYS);
  const x = toMatrix(inputs, 'x', { minRows: 2 });
  const y = isClassifier
    ? readLabels(targets, x.rows)
    : toNumbers(targets, 'y', { length: x.rows });
  readSampleWeights(estimator.givenOptions.sampleWeights, x.rows);
  const count = toInteger(raw.folds ?? 5, 'options.folds', { min: 2, max: x.rows });
  const seed = toInteger(raw.seed ?? 0, 'options.seed', { min: 0 });
  const stratified = toBoolean(raw.stratified ?? isClassifier, 'options.stratified');
  if (stratified && !isClassifier) {
    throw invalid('options.stratified', 'false for a regressor', 'true');
  }
  return {
    estimator,
    x,
    y,
    betas: readBetas(raw.betas, 'options.betas'),
    folds: dealFolds(x.rows, count, seed, stratified ? (y as Label[]) : undefined),
    count,
    scoring: readScoring(raw.scoring, estimator),
    rule: toChoice(raw.rule ?? 'best', 'options.rule', ['best', 'one-standard-error']),
    refit: toBoolean(raw.refit ?? true, 'options.refit'),
  };
}

/** The folds, and then all samples. */
function* validate(task: Task, run: CrossValidationRunOptions | undefined): Steps<CrossValidation> {
  const sequence = new RunSequence<ConvexProgress, Place>(run);
  const { count, refit } = task;
  let betas: number[] = [];
  const done: number[][] = [];
  const found = (status: CrossValidation['status'], estimator: AnyEstimator | null = null) =>
    conclude(status, betas, done, task.rule, estimator);
  try {
    betas = yield* valuesOf(task, sequence);
    for (let fold = 0; fold < count; fold++) {
      const scores = yield* scoreFold(task, betas, fold, sequence);
      if (!scores) return found('time_limit');
      done.push(scores);
    }
    const { beta } = found('complete');
    if (!refit || beta === null) return found('complete');
    if (sequence.outOfTime) return found('time_limit');
    const model = task.estimator.sibling({ beta, warmStart: undefined });
    const { length: points } = betas;
    const place = { beta, point: betas.indexOf(beta), points, fold: count, folds: count };
    yield* perform(fitting(model, task, sequence.next(place)));
    return found(model.report?.status === 'time_limit' ? 'time_limit' : 'complete', model);
  } catch (error) {
    if (!(error instanceof AbortError)) throw error;
    throw new AbortError(error.cause, done.length > 0 ? found('aborted') : undefined);
  }
}

function* valuesOf(
  { estimator, x, y, betas }: Task,
  sequence: RunSequence<ConvexProgress, Place>,
): Steps<number[]> {
  if (Array.isArray(betas)) return betas;
  const problem = estimator.problemOf(x, y);
  const run = sequence.withoutEvents();
  const drawn = yield* drawGates(problem, run);
  return spacedBetas(betas, yield* maximumBetaOver(problem, drawn, run));
}

/** The scores of the betas on a fold; undefined when time is over before all are there. */
function* scoreFold(
  { estimator, x, y, folds, count, scoring }: Task,
  betas: number[],
  fold: number,
  sequence: RunSequence<ConvexProgress, Place>,
): Steps<number[] | undefined> {
  const { training, test } = splitAt(folds, fold);
  const samples = (rows: Int32Array): Samples => ({
    x: takeMatrixRows(x, rows),
    y: Array.isArray(y)
      ? Array.from(rows, (row) => y[row] ?? 0)
      : Float64Array.from(rows, (row) => y[row] ?? 0),
  });
  const [seen, unseen] = [samples(training), samples(test)];
  const weights = weightsOf(estimator, training);
  const scores: number[] = [];
  let warmStart: AnyEstimator['solution'] | undefined;
  for (const [point, beta] of betas.entries()) {
    if (sequence.outOfTime) return undefined;
    const model = estimator.sibling({ ...weights, beta, warmStart: warmStart ?? undefined });
    const place = { beta, point, points: betas.length, fold, folds: count };
    yield* perform(fitting(model, seen, sequence.next(place)));
    if (model.report?.status === 'time_limit') return undefined;
    const step = scoringStep(scoring, model, unseen, sequence.withoutEvents());
    scores.push(yield* perform(step));
    warmStart = model.solution;
  }
  return scores;
}

/** The estimator's sample weights for some rows. */
function weightsOf(estimator: AnyEstimator, rows: Int32Array): { sampleWeights?: Float64Array } {
  const { sampleWeights } = estimator.givenOptions;
  if (sampleWeights === undefined) return {};
  return { sampleWeights: Float64Array.from(rows, (row) => sampleWeights[row] ?? Number.NaN) };
}

function fitting(model: AnyEstimator, { x, y }: Samples, run: ConvexRunOptions): Step<unknown> {
  // Each estimator has got targets of its kind.
  const targets = y as ArrayLike<number>;
  return {
    inBackground: () => model.fit(x, targets, run),
    here: () => model.fitSync(x, targets, run),
  };
}

function conclude(
  status: CrossValidation['status'],
  betas: number[],
  done: number[][],
  rule: Task['rule'],
  estimator: AnyEstimator | null,
): CrossValidation {
  const scores =
    done.length === 0
      ? []
      : betas.map((beta, i) =>
          summary(
            beta,
            done.map((fold) => fold[i] ?? Number.NaN),
          ),
        );
  const best = scores.reduce<BetaScore | undefined>(
    (most, score) => (most && most.mean >= score.mean ? most : score),
    undefined,
  );
  const close = best && scores.find(({ mean }) => mean >= best.mean - best.standardError);
  const chosen = rule === 'best' ? best : close;
  return {
    status,
    scores,
    bestBeta: best?.beta ?? null,
    oneStandardErrorBeta: close?.beta ?? null,
    beta: chosen?.beta ?? null,
    estimator,
  };
}

function summary(beta: number, folds: number[]): BetaScore {
  const { length } = folds;
  const mean = folds.reduce((sum, score) => sum + score, 0) / length;
  const squares = folds.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  const deviation = length > 1 ? Math.sqrt(squares / (length - 1)) : 0;
  return { beta, mean, deviation, standardError: deviation / Math.sqrt(length), folds };
}
