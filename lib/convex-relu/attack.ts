/** Attacks on networks, to measure how robust they are. */
import type { DenseMatrixLike, Matrix, MatrixLike } from '../matrix';
import { loadNative } from '../native';
import type { ConvexReluAttackSpec, NativeRobustness } from '../native-interface';
import { type RunOptions, runJob, runSync } from '../run';
import {
  checkObject,
  describe,
  invalid,
  LARGEST_COUNT,
  toChoice,
  toInteger,
  toNumber,
} from '../validate';
import { ConvexReLUClassifier } from './classifier';
import { Estimator } from './estimator';
import type { Label } from './estimator-state';
import type { Loss } from './option-types';
import { LOSSES } from './options';
import { readTargets } from './targets';
import { TrainedNetwork } from './trained-network';
import type { Verifiable } from './verify';

/** How {@link attack} moves inputs. */
export interface AttackOptions {
  /** The most that each input may be moved, above 0. */
  epsilon: number;
  /**
   * `'fgsm'`: one step of epsilon along the sign of the gradient. `'pgd'` (default): `steps` smaller
   * ones, kept within the box, from each of several starts; the worst point met is taken.
   */
  method?: 'fgsm' | 'pgd';
  /** Steps of PGD; default 20. */
  steps?: number;
  /** Starts of PGD: the sample itself, then random points of the box; default 5. */
  restarts?: number;
  /** Length of PGD's steps in the units of epsilon; default 2.5 · epsilon / steps. */
  stepSize?: number;
  /** Seed of the random starts; default 0. */
  seed?: number;
  /**
   * What epsilon is measured in. `'solver'` (default): inputs as the network's preprocessing scales
   * them, as in `adversarial: { epsilon }` (with standardised inputs, epsilon standard deviations);
   * inputs that preprocessing found constant stay. `'input'`: the inputs themselves. The same for a
   * network put together from arrays.
   */
  units?: 'input' | 'solver';
  /**
   * What the targets are, for a network that doesn't know: default the loss it was trained with, or
   * `'squared'`. Estimators always know.
   */
  loss?: Loss;
}

/** {@link AttackOptions} of PGD. */
export type RobustnessOptions = Omit<AttackOptions, 'method'>;

/** How a classifier stands up to moved inputs, in shares of samples. */
export interface Robustness {
  /** Right as they are. */
  accuracy: number;
  /** Still right under PGD: measured, an upper bound of the robust accuracy. */
  pgdAccuracy: number;
  /**
   * Provably right for every input within epsilon, by linear relaxation of the neurons: a lower bound
   * of the robust accuracy. Null for gated networks and networks with components.
   */
  certifiedAccuracy: number | null;
}

type Targets = ArrayLike<number> | ArrayLike<Label> | DenseMatrixLike;

/**
 * Moves inputs within a box around them so that the model does worse: classes lose their margin,
 * predictions of numbers leave their target. Gradients are those of the active pieces of the
 * network; a gated network's gates are piecewise constant and have none.
 *
 * @param model a network, or a fitted estimator
 * @param x n × features
 * @param y the true labels or targets: labels for a classifier, otherwise as in training
 * @returns n × features, in the precision of x. No entry differs from x by more than its
 * radius, in that precision's arithmetic or in float64.
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_NOT_FITTED; ERR_ABORTED
 *
 * Source: FGSM, arXiv 1412.6572; PGD, arXiv 1706.06083.
 */
export async function attack(
  model: Verifiable,
  x: MatrixLike,
  y: Targets,
  options: AttackOptions,
  run?: RunOptions,
): Promise<Matrix> {
  const spec = makeSpec(model, x, y, options, ['method']);
  return runJob(loadNative().convexReluAttack, spec, run, (data) => toMatrix(spec, data));
}

/** {@link attack} on the calling thread. */
export function attackSync(
  model: Verifiable,
  x: MatrixLike,
  y: Targets,
  options: AttackOptions,
): Matrix {
  const spec = makeSpec(model, x, y, options, ['method']);
  return runSync(loadNative().convexReluAttackSync, spec, undefined, (data) =>
    toMatrix(spec, data),
  );
}

/**
 * Accuracy of a classifier on inputs as they are, under PGD, and certified. A network counts as one
 * when its targets are classes: trained with another loss than `'squared'`, or a single output with
 * targets of ±1.
 *
 * @param model a classifier, or a network
 * @param x n × features, at least one row
 * @param y labels, or for a network targets as in training
 * @throws SecondOrderError as {@link attack}
 */
export async function robustness(
  model: Verifiable,
  x: MatrixLike,
  y: Targets,
  options: RobustnessOptions,
  run?: RunOptions,
): Promise<Robustness> {
  const spec = makeRobustnessSpec(model, x, y, options);
  return runJob(loadNative().convexReluRobustness, spec, run, finish);
}

/** {@link robustness} on the calling thread. */
export function robustnessSync(
  model: Verifiable,
  x: MatrixLike,
  y: Targets,
  options: RobustnessOptions,
): Robustness {
  const spec = makeRobustnessSpec(model, x, y, options);
  return runSync(loadNative().convexReluRobustnessSync, spec, undefined, finish);
}

function finish(found: NativeRobustness): Robustness {
  const { accuracy, attackedAccuracy, certifiedAccuracy } = found;
  return {
    accuracy,
    pgdAccuracy: attackedAccuracy,
    certifiedAccuracy: Number.isNaN(certifiedAccuracy) ? null : certifiedAccuracy,
  };
}

function toMatrix({ x }: ConvexReluAttackSpec, data: Float32Array | Float64Array): Matrix {
  return { data, rows: x.rows, cols: x.cols };
}

function makeRobustnessSpec(
  model: unknown,
  x: unknown,
  y: unknown,
  options: unknown,
): ConvexReluAttackSpec {
  const spec = makeSpec(model, x, y, options, [], 1);
  if (spec.goal === 'margin') return spec;
  const at = spec.y.findIndex((target) => Math.abs(target) !== 1);
  if (at >= 0 || spec.model.outputs !== 1) {
    throw invalid('y', 'classes: -1 or 1 for each sample', describe(spec.y[Math.max(at, 0)]));
  }
  return { ...spec, goal: 'margin' };
}

const KEYS = ['epsilon', 'steps', 'restarts', 'stepSize', 'seed', 'units', 'loss'];

function makeSpec(
  model: unknown,
  x: unknown,
  y: unknown,
  options: unknown,
  extraKeys: readonly string[],
  minRows = 0,
): ConvexReluAttackSpec {
  if (!(model instanceof TrainedNetwork) && !(model instanceof Estimator)) {
    throw invalid('model', 'a network or an estimator of this package', describe(model));
  }
  const raw = checkObject(options, 'options', [...KEYS, ...extraKeys]);
  const network: TrainedNetwork = model instanceof Estimator ? model.network : model;
  const inputs = network.readInputs(x, minRows);
  const loss = toChoice(raw.loss ?? network.options?.loss ?? 'squared', 'options.loss', LOSSES);
  const count = { min: 1, max: LARGEST_COUNT };
  const at = (name: string): string => `options.${name}`;
  const stepSize =
    raw.stepSize === undefined
      ? {}
      : { stepSize: toNumber(raw.stepSize, at('stepSize'), { above: 0 }) };
  const classes = model instanceof ConvexReLUClassifier || loss !== 'squared';
  const targets = model instanceof Estimator ? model.toTargets(y, inputs.rows) : y;
  return {
    model: network.stored.model,
    x: inputs,
    y: readTargets(targets, inputs.rows, loss, network.outputs).y,
    goal: classes ? 'margin' : 'squared',
    epsilon: toNumber(raw.epsilon, at('epsilon'), { above: 0 }),
    method: toChoice(raw.method ?? 'pgd', at('method'), ['fgsm', 'pgd']),
    units: toChoice(raw.units ?? 'solver', at('units'), ['input', 'solver']),
    steps: toInteger(raw.steps ?? 20, at('steps'), count),
    restarts: toInteger(raw.restarts ?? 5, at('restarts'), count),
    ...stepSize,
    seed: toInteger(raw.seed ?? 0, at('seed'), { min: 0 }),
  };
}
