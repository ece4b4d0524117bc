import { type DenseMatrixLike, type MatrixLike, toDenseMatrix, toNativeMatrix } from '../matrix';
import { checkObject, describe, invalid, toBoolean, toNumber, toNumbers } from '../validate';
import { NativeProblem } from './native-problem';
import { readNumbers, type StartingPoint } from './starting-point';

/** Data and constraints of {@link constrainedLogisticRegression}. */
export interface LogisticRegressionData extends StartingPoint {
  /** Samples × features. It is read anew by each run: leave it as it is until then. */
  x: MatrixLike;
  /** A label for each sample, 1 or −1. */
  y: ArrayLike<number>;
  /** A, rows × features: A·w = b is demanded. */
  a?: DenseMatrixLike;
  /** One number for each row of A. */
  b?: ArrayLike<number>;
  /** Demands ‖w‖² = 1, as the last constraint. Default false. */
  sphere?: boolean;
  /** At least 0; default 0. */
  weightDecay?: number;
}

const KNOWN = ['x', 'y', 'a', 'b', 'sphere', 'weightDecay', 'x0', 'lambda0'] as const;

/**
 * Logistic regression under linear constraints, and on the unit sphere:
 *
 * min (1/N)·Σ log(1 + exp(−yᵢ·xᵢᵀw)) + (weightDecay/2)·‖w‖² subject to A·w = b and ‖w‖² = 1 if asked.
 *
 * Its variables are the weights w; put a column of ones into x for a bias. It starts at a feasible
 * point where it finds one, unless `x0` says otherwise. `linearSolver: 'auto'` forms the Hessian, or
 * sketches the data where that is cheaper; functions are evaluated by all threads.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
 */
export function constrainedLogisticRegression(problem: LogisticRegressionData): NativeProblem {
  const raw = checkObject(problem ?? null, 'problem', KNOWN);
  const x = toNativeMatrix(raw.x, 'problem.x', { minRows: 1 });
  const { a, b } = readLinearConstraints(raw.a, raw.b, x.cols);
  const sphere = raw.sphere !== undefined && toBoolean(raw.sphere, 'problem.sphere');
  const constraints = b.length + (sphere ? 1 : 0);
  const spec = {
    kind: 'logistic',
    x,
    y: readLabels(raw.y, x.rows),
    a,
    b,
    sphere,
    weightDecay: toNumber(raw.weightDecay ?? 0, 'problem.weightDecay', { min: 0 }),
    x0: readNumbers(raw.x0, 'problem.x0', x.cols),
    lambda0: readNumbers(raw.lambda0, 'problem.lambda0', constraints),
  } as const;
  return new NativeProblem(spec, x.cols, constraints);
}

function readLabels(value: unknown, samples: number): Float64Array {
  const y = toNumbers(value, 'problem.y', { length: samples });
  const at = y.findIndex((label) => Math.abs(label) !== 1);
  if (at >= 0) throw invalid('problem.y', '1 or -1 for each sample', `${y[at]} for sample ${at}`);
  return y;
}

function readLinearConstraints(a: unknown, b: unknown, cols: number) {
  if (a === undefined) {
    if (b !== undefined) throw invalid('problem.a', 'given where b is', describe(a));
    return { a: new Float64Array(0), b: new Float64Array(0) };
  }
  const { data, rows } = toDenseMatrix(a, 'problem.a', { cols });
  return { a: Float64Array.from(data), b: toNumbers(b, 'problem.b', { length: rows }) };
}
