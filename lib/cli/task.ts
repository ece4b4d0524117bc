/** Classification or regression, and the estimator that does it. */
import {
  ConvexReLUClassifier,
  type ConvexReLUOptions,
  ConvexReLURegressor,
  type ConvexRunOptions,
  type Label,
} from '../convex-relu';
import { accuracy, rSquared } from '../convex-relu/scores';
import { SecondOrderError } from '../errors';
import type { Evaluation } from '../report';
import type { LabelledDataset, Targets } from './dataset';
import { UsageError } from './usage-error';

export type Task = 'classification' | 'regression';
export type Model = ConvexReLUClassifier | ConvexReLURegressor;

/** Numeric targets with more distinct values than this are taken for measurements, not classes. */
const MOST_CLASSES = 100;

/** Text and few distinct whole numbers are classes; other numbers are measurements. */
export function guessTask(y: Targets): Task {
  if (Array.isArray(y)) return 'classification';
  const distinct = new Set<number>();
  for (const value of y) {
    if (!Number.isInteger(value) || distinct.add(value).size > MOST_CLASSES) return 'regression';
  }
  return 'classification';
}

/** An estimator that is not fitted yet. */
export function createModel(task: Task, options: ConvexReLUOptions): Model {
  if (task === 'classification') return new ConvexReLUClassifier(options);
  const { loss = 'squared', ...others } = options;
  if (loss !== 'squared') {
    throw new UsageError(`--loss ${loss} is for classification; regression has the squared loss`);
  }
  return new ConvexReLURegressor(others);
}

/** Fits either estimator; a regressor refuses labels that are text. */
export function fitModel(
  model: Model,
  { x, y }: LabelledDataset,
  run: ConvexRunOptions,
): Promise<Model> {
  if (model instanceof ConvexReLUClassifier) return model.fit(x, y as ArrayLike<Label>, run);
  return model.fit(x, numeric(y), run);
}

/** Predictions on samples whose targets are known, with their score. */
export async function evaluate(
  model: Model,
  { x, y }: LabelledDataset,
  on: string,
): Promise<Evaluation> {
  if (model instanceof ConvexReLURegressor) {
    const truth = numeric(y);
    const predicted = await model.predictAsync(x);
    return { kind: 'regression', on, truth, predicted, score: rSquared(truth, predicted) };
  }
  const truth: Label[] = Array.from<Label>(y);
  const predicted = await model.predictAsync(x);
  return {
    kind: 'classification',
    on,
    x,
    truth,
    predicted,
    probabilities: model.predictProba(x),
    classes: withUnknown(model.classes, truth),
    score: accuracy(truth, predicted),
  };
}

/** Share of right predictions, or R². */
export function score(model: Model, { x, y }: LabelledDataset): number {
  return model instanceof ConvexReLUClassifier
    ? model.score(x, y as ArrayLike<Label>)
    : model.score(x, numeric(y));
}

/** Classes of the model, then those that only the samples have. */
function withUnknown(classes: Label[], truth: Label[]): Label[] {
  return [...new Set([...classes, ...truth])];
}

function numeric(y: Targets): Float64Array {
  if (!Array.isArray(y)) return y;
  throw new SecondOrderError(
    'ERR_INVALID_ARGUMENT',
    `regression needs numbers to predict, not ${JSON.stringify(y[0])}`,
  );
}
