/** Checks of what a report is made of. */
import { isLabel, type Label } from '../convex-relu/estimator-state';
import { TrainedNetwork } from '../convex-relu/trained-network';
import { type Matrix, type SparseMatrix, toDenseMatrix, toMatrix } from '../matrix';
import {
  checkObject,
  describe,
  invalid,
  isRecord,
  mismatch,
  toChoice,
  toInteger,
  toNumber,
  toNumbers,
  toRecord,
  toText,
} from '../validate';
import type { ConvexRun } from './convex-relu';
import type { CheckedClassification, RegressionEvaluation } from './evaluation';

const RUN_KEYS = [
  'title',
  'report',
  'network',
  'x',
  'evaluation',
  'trainingScore',
  'scores',
  'image',
  'generator',
];

/** A run whose matrices have a buffer each. */
export interface CheckedRun extends ConvexRun {
  x: Matrix | SparseMatrix;
  evaluation: CheckedClassification | RegressionEvaluation;
}

/** Checks the argument of `convexReport`. */
export function checkRun(run: ConvexRun): CheckedRun {
  const given = checkObject(toRecord(run, 'run'), 'run', RUN_KEYS);
  toText(given.title, 'run.title');
  if (given.generator !== undefined) toText(given.generator, 'run.generator');
  if (!isRecord(given.report) || !Array.isArray(given.report.history)) {
    throw invalid('run.report', 'the report of a run', describe(given.report));
  }
  const { network } = given;
  if (!(network instanceof TrainedNetwork)) {
    throw invalid('run.network', 'a network of this package', describe(network));
  }
  const { features } = network;
  const x = toMatrix(given.x, 'run.x', { cols: features, minRows: 1 });
  if (given.trainingScore !== undefined) toNumber(given.trainingScore, 'run.trainingScore');
  if (given.scores !== undefined) checkScores(given.scores);
  if (given.image !== undefined) checkImage(given.image, features);
  return { ...run, x, evaluation: checkEvaluation(run.evaluation, features) };
}

function checkScores(scores: unknown): void {
  if (!Array.isArray(scores)) throw invalid('run.scores', 'an array', describe(scores));
  Array.from(scores).forEach((point, i) => {
    const place = `run.scores[${i}]`;
    const { iteration, training, test } = toRecord(point, place);
    toInteger(iteration, `${place}.iteration`, { min: 0 });
    toNumber(training, `${place}.training`);
    if (test !== undefined) toNumber(test, `${place}.test`);
  });
}

function checkImage(image: unknown, features: number): void {
  if (!Array.isArray(image) || image.length !== 2) {
    throw invalid('run.image', '[height, width]', describe(image));
  }
  const [height, width] = Array.from(image, (size, i) =>
    toInteger(size, `run.image[${i}]`, { min: 1 }),
  );
  if (Number(height) * Number(width) === features) return;
  throw mismatch(
    'run.image',
    `run.image has ${height} x ${width} pixels; the network has ${features} features`,
  );
}

function checkEvaluation(
  evaluation: ConvexRun['evaluation'],
  features: number,
): CheckedRun['evaluation'] {
  const place = 'run.evaluation';
  const given = toRecord(evaluation, place);
  toChoice(given.kind, `${place}.kind`, ['classification', 'regression']);
  toText(given.on, `${place}.on`);
  toNumber(given.score, `${place}.score`);
  if (evaluation.kind === 'regression') {
    const { length } = toNumbers(given.truth, `${place}.truth`);
    toNumbers(given.predicted, `${place}.predicted`, { length });
    return evaluation;
  }
  const { length } = toLabels(given.truth, `${place}.truth`);
  if (toLabels(given.predicted, `${place}.predicted`).length !== length) {
    throw mismatch(`${place}.predicted`, `${place}.predicted and truth are not equally many`);
  }
  toLabels(given.classes, `${place}.classes`);
  const { probabilities, ...rest } = evaluation;
  const x = toMatrix(given.x, `${place}.x`, { cols: features });
  const checked: CheckedClassification = { ...rest, x };
  if (probabilities !== undefined) {
    checked.probabilities = toDenseMatrix(probabilities, `${place}.probabilities`);
  }
  const rows = [x.rows, ...(checked.probabilities ? [checked.probabilities.rows] : [])];
  if (rows.some((count) => count !== length)) {
    throw mismatch(
      place,
      `${place} has ${rows.join(' and ')} rows of x and probabilities; its truth has ${length} entries`,
    );
  }
  return checked;
}

function toLabels(value: unknown, argument: string): Label[] {
  // Array.from sees holes, which every leaves out.
  if (Array.isArray(value) && Array.from(value).every(isLabel)) return value;
  throw invalid(argument, 'an array of labels', describe(value));
}
