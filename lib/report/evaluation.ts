/** Predictions as a report shows them: a confusion matrix and misread pictures, or a scatter plot. */
import type { Label } from '../convex-relu/estimator-state';
import type { DenseMatrixLike, Matrix, MatrixLike, SparseMatrix } from '../matrix';
import { count } from './count';
import type { ConfusionMatrix, Gallery, Picture, Scatter } from './data';
import { denseRow } from './rows';

/** Predictions of a classifier. */
export interface ClassificationEvaluation {
  kind: 'classification';
  /** Which samples these are, such as `test` or `training`. */
  on: string;
  /** Samples × features. */
  x: MatrixLike;
  /** The class of each sample. */
  truth: readonly Label[];
  /** What was predicted for each. */
  predicted: readonly Label[];
  /** Samples × classes; where given, misread pictures say how sure the model was. */
  probabilities?: DenseMatrixLike;
  /** In the order of `probabilities`. */
  classes: readonly Label[];
  /** Share of right predictions. */
  score: number;
}

/** Predictions of a regressor. */
export interface RegressionEvaluation {
  kind: 'regression';
  /** Which samples these are, such as `test` or `training`. */
  on: string;
  /** The target of each sample. */
  truth: ArrayLike<number>;
  /** What was predicted for each. */
  predicted: ArrayLike<number>;
  /** R². */
  score: number;
}

/** Predictions, with the truth beside them. */
export type Evaluation = ClassificationEvaluation | RegressionEvaluation;

/** One whose matrices have a buffer each. */
export interface CheckedClassification extends ClassificationEvaluation {
  x: Matrix | SparseMatrix;
  probabilities?: Matrix;
}

const MOST_MISREAD = 48;
const MOST_POINTS = 2000;
/** A larger matrix can no longer be read. */
const MOST_CLASSES = 64;

/** The parts of a page that show predictions. */
export function showEvaluation(
  evaluation: CheckedClassification | RegressionEvaluation,
  image: [height: number, width: number] | undefined,
): { confusion?: ConfusionMatrix; scatter?: Scatter; galleries: Gallery[] } {
  if (evaluation.kind === 'regression') return { scatter: scatter(evaluation), galleries: [] };
  const { classes } = evaluation;
  return {
    ...(classes.length <= MOST_CLASSES && { confusion: confusion(evaluation) }),
    galleries: image ? misread(evaluation, image) : [],
  };
}

function confusion({ on, truth, predicted, classes }: ClassificationEvaluation): ConfusionMatrix {
  const index = new Map(classes.map((label, i) => [label, i]));
  const counts = classes.map(() => classes.map(() => 0));
  truth.forEach((label, sample) => {
    const row = counts[index.get(label) ?? -1];
    const column = index.get(predicted[sample] ?? '') ?? -1;
    if (row?.[column] !== undefined) row[column]++;
  });
  return { title: `What was read as what (${on})`, classes: classes.map(String), counts };
}

/** Those of which the model was surest, first. */
function misread(evaluation: CheckedClassification, [height, width]: [number, number]): Gallery[] {
  const { truth, predicted, x, on } = evaluation;
  const wrong = truth
    .map((label, sample) => ({
      label,
      sample,
      read: predicted[sample],
      sure: sureness(evaluation, sample),
    }))
    .filter(({ label, read }) => label !== read)
    .sort((a, b) => (b.sure ?? 0) - (a.sure ?? 0));
  if (wrong.length === 0) return [];
  const pictures = wrong.slice(0, MOST_MISREAD).map(
    ({ label, read, sure, sample }): Picture => ({
      values: denseRow(x, sample),
      caption: `${label} read as ${read}${sure === undefined ? '' : `\n${Math.round(100 * sure)} % sure`}`,
    }),
  );
  const some = wrong.length > pictures.length ? ` The ${pictures.length} surest are shown.` : '';
  return [
    {
      title: `Misread samples (${on})`,
      caption: `${count(wrong.length)} of ${count(truth.length)} were misread, the surest first.${some}`,
      height,
      width,
      colors: 'gray',
      pictures,
    },
  ];
}

function sureness(evaluation: CheckedClassification, sample: number): number | undefined {
  const { probabilities, predicted, classes } = evaluation;
  if (!probabilities) return undefined;
  const column = classes.indexOf(predicted[sample] ?? '');
  return probabilities.data[sample * probabilities.cols + column];
}

function scatter({ on, truth, predicted }: RegressionEvaluation): Scatter {
  const step = Math.max(1, Math.ceil(truth.length / MOST_POINTS));
  const every = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % step === 0);
  return {
    title: `Predicted and true values (${on})`,
    ...(step > 1 && { caption: `One in ${step} samples is shown.` }),
    xAxis: 'true value',
    yAxis: 'predicted value',
    x: every(truth),
    y: every(predicted),
  };
}
