import type { Matrix, MatrixLike } from '../matrix';
import type { RunOptions } from '../run';
import { describe, invalid } from '../validate';
import type { DocumentContents } from './document';
import { loadDocument } from './document-file';
import { readJson } from './document-json';
import { retrainingOptions } from './document-options';
import { Estimator, type Fit } from './estimator';
import type { ClassifierState, Label } from './estimator-state';
import { expectEstimator } from './expect';
import { decide, distinct, encodeLabels, readLabels, toProbabilities } from './labels';
import type { ConvexReLUOptions, Loss } from './option-types';
import { checkOptions, readLoss, resolveOptions } from './options';
import { accuracy } from './scores';
import type { ONNXContext } from './to-onnx';
import { prepareTargets } from './train';

/** Options of {@link ConvexReLUClassifier}. */
export type ClassifierOptions = ConvexReLUOptions;

/**
 * A classifier: a two-layer ReLU network trained by convex optimisation ({@link trainConvexReLU}).
 *
 * Options are those of {@link ConvexReLUOptions}; in particular
 * - `loss`, default `'squared'` (exact and fast). Two classes share one output: +1 stands for the
 *   last class, -1 for the other. For more, `'squared'` and `'softmax'` have one output for each
 *   class with targets 1 and 0, and `'logistic'` and `'hinge'` decide each class against the rest
 *   with targets +1 and -1. `'softmax'` has two outputs for two classes.
 * - `model`, default `'relu'` for two classes and `'gated'` for more.
 *
 * Labels are all numbers or all strings. With a single class, that class is always predicted.
 */
export class ConvexReLUClassifier extends Estimator<ArrayLike<Label>, ClassifierState> {
  readonly #options: Record<string, unknown>;

  /** @throws SecondOrderError ERR_INVALID_ARGUMENT (options), ERR_CUDA_… (device) */
  constructor(options?: ClassifierOptions) {
    super();
    this.#options = { ...checkOptions(options) };
    resolveOptions(this.#options, {});
  }

  /**
   * The class labels, in ascending order; columns of `predictProba` are in this order.
   *
   * @throws SecondOrderError ERR_NOT_FITTED
   */
  get classes(): Label[] {
    return [...this.fitted.state.classes];
  }

  /**
   * The class of each row of x.
   *
   * @param x n × features
   * @throws SecondOrderError ERR_NOT_FITTED, ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  predict(x: MatrixLike): Label[] {
    return this.toLabels(this.outputs(x));
  }

  /** {@link predict} on another thread. */
  async predictAsync(x: MatrixLike, run?: RunOptions): Promise<Label[]> {
    return this.toLabels(await this.outputsAsync(x, run));
  }

  /**
   * Probabilities of the classes, n × classes. With `'logistic'` and `'softmax'` they are what the
   * loss models (for more than two classes, `'logistic'` ones are divided by their sum). `'squared'`
   * and `'hinge'` do not model probabilities: their outputs are mapped to [0, 1] linearly (targets to
   * 0 and 1), clipped, and divided by their sum.
   *
   * @param x n × features
   * @throws SecondOrderError ERR_NOT_FITTED, ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  predictProba(x: MatrixLike): Matrix {
    const { classes } = this.fitted.state;
    return toProbabilities(this.outputs(x), classes.length, this.loss);
  }

  /** {@link predictProba} on another thread. */
  async predictProbaAsync(x: MatrixLike, run?: RunOptions): Promise<Matrix> {
    const { classes } = this.fitted.state;
    return toProbabilities(await this.outputsAsync(x, run), classes.length, this.loss);
  }

  /**
   * Outputs of the network: n × 1 for two classes (above 0 is the last class), otherwise n × classes
   * (the largest decides).
   *
   * @param x n × features
   * @throws SecondOrderError ERR_NOT_FITTED, ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  decisionFunction(x: MatrixLike): Matrix {
    return this.outputs(x);
  }

  /**
   * Share of rows of x whose class is predicted right.
   *
   * @param x n × features, at least one row
   * @param y n labels
   * @throws SecondOrderError ERR_NOT_FITTED, ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
   */
  score(x: MatrixLike, y: ArrayLike<Label>): number {
    const inputs = this.fitted.network.readInputs(x, 1);
    return accuracy(readLabels(y, inputs.rows), this.predict(x));
  }

  /**
   * Reads a classifier that `save` wrote.
   *
   * @throws SecondOrderError ERR_FORMAT; ERR_INVALID_ARGUMENT (a file that cannot be read)
   */
  static async load(path: string): Promise<ConvexReLUClassifier> {
    return ConvexReLUClassifier.from(await loadDocument(path), path);
  }

  /**
   * Reads a document that `toJSON` gave, as an object or as text.
   *
   * @throws SecondOrderError ERR_FORMAT
   */
  static fromJSON(document: unknown): ConvexReLUClassifier {
    return ConvexReLUClassifier.from(readJson(document), 'the document');
  }

  /** @internal */
  static from(contents: DocumentContents, source: string): ConvexReLUClassifier {
    const state = expectEstimator(contents, 'classifier', source);
    const options = retrainingOptions(contents.stored);
    return new ConvexReLUClassifier(options).adoptContents(contents, state);
  }

  /** @internal */
  toTargets(y: unknown, rows: number): Matrix {
    const { classes } = this.fitted.state;
    const labels = readLabels(y, rows);
    const unknown = labels.find((label) => !classes.includes(label));
    if (unknown !== undefined) {
      throw invalid('y', 'labels of classes seen in training', describe(unknown));
    }
    const { y: data, outputs } = encodeLabels(labels, classes, this.loss);
    return { data, rows, cols: outputs };
  }

  protected prepareFit(x: unknown, y: unknown): Fit<ClassifierState> {
    const inputs = this.readTrainingInputs(x);
    const labels = readLabels(y, inputs.rows);
    const classes = distinct(labels);
    const asked = readLoss(this.#options);
    // Softmax over a single class would have nothing to learn from.
    const loss = asked === 'softmax' && classes.length === 1 ? 'logistic' : asked;
    const targets = encodeLabels(labels, classes, loss);
    const defaultModel = classes.length > 2 ? 'gated' : 'relu';
    const prepared = prepareTargets(inputs, targets, { ...this.#options, loss }, defaultModel);
    return {
      prepared,
      finish: (result) => ({ ...result, state: { type: 'classifier', classes } }),
    };
  }

  protected onnxContext({ classes }: ClassifierState): Pick<ONNXContext, 'outputs' | 'classes'> {
    return { outputs: ['probabilities', 'label', 'raw'], classes };
  }

  /** @internal */
  sibling(changes: ConvexReLUOptions = {}): ConvexReLUClassifier {
    return new ConvexReLUClassifier({ ...this.#options, ...changes });
  }

  /** @internal */
  get givenOptions(): Readonly<ConvexReLUOptions> {
    return this.#options;
  }

  private get loss(): Loss {
    return this.fitted.network.options?.loss ?? 'squared';
  }

  private toLabels(decisions: Matrix): Label[] {
    const { classes } = this.fitted.state;
    return decide(decisions, classes.length).map((index) => classes[index]!);
  }
}
