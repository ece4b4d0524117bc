/** Checks of what a report is made of. */
import { isLabel, type Label } from '../convex-relu/estimator-state';
import { TrainedNetwork } from '../convex-relu/trained-network';
import { toNativeMatrix } from '../matrix';
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

/** Checks the argument of `convexReport`. */
export function checkRun(run: unknown): void {
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
  toNativeMatrix(given.x, 'run.x', { cols: features, minRows: 1 });
  if (given.trainingScore !== undefined) toNumber(given.trainingScore, 'run.trainingScore');
  if (given.scores !== undefined) checkScores(given.scores);
  if (given.image !== undefined) checkImage(given.image, features);
  checkEvaluation(given.evaluation, features);
}

function checkScores(scores: unknown): void {
  if (!Array.isArray(scores)) throw invalid('run.scores', 'an array', describe(scores));
  scores.forEach((point, i) => {
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
  const [height, width] = image.map((size, i) => toInteger(size, `run.image[${i}]`, { min: 1 }));
  if (Number(height) * Number(width) === features) return;
  throw mismatch(
    'run.image',
    `run.image has ${height} x ${width} pixels; the network has ${features} features`,
  );
}

function checkEvaluation(value: unknown, features: number): void {
  const place = 'run.evaluation';
  const evaluation = toRecord(value, place);
  const { truth, predicted, probabilities, classes } = evaluation;
  const kind = toChoice(evaluation.kind, `${place}.kind`, ['classification', 'regression']);
  toText(evaluation.on, `${place}.on`);
  toNumber(evaluation.score, `${place}.score`);
  if (kind === 'regression') {
    const { length } = toNumbers(truth, `${place}.truth`);
    toNumbers(predicted, `${place}.predicted`, { length });
    return;
  }
  const { length } = toLabels(truth, `${place}.truth`);
  if (toLabels(predicted, `${place}.predicted`).length !== length) {
    throw mismatch(`${place}.predicted`, `${place}.predicted and truth are not equally many`);
  }
  toLabels(classes, `${place}.classes`);
  const rows = [toNativeMatrix(evaluation.x, `${place}.x`, { cols: features }).rows];
  if (probabilities !== undefined) {
    rows.push(toNativeMatrix(probabilities, `${place}.probabilities`, { dense: true }).rows);
  }
  if (rows.some((count) => count !== length)) {
    throw mismatch(
      place,
      `${place} has ${rows.join(' and ')} rows of x and probabilities; its truth has ${length} entries`,
    );
  }
}

function toLabels(value: unknown, argument: string): Label[] {
  if (Array.isArray(value) && value.every(isLabel)) return value;
  throw invalid(argument, 'an array of labels', describe(value));
}
