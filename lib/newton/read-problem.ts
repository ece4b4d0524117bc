/** Checks of a {@link Problem}, and the form that the native code takes. */
import { distance } from 'fastest-levenshtein';
import { SecondOrderError } from '../errors';
import { allocate } from '../floats';
import {
  describe,
  invalid,
  isRecord,
  LARGEST_COUNT,
  toInteger,
  toNumbers,
  toRecord,
} from '../validate';
import type { NativeCallbackProblem, NativeProblemSpec } from './native';
import { NativeProblem } from './native-problem';
import type {
  DenseHessian,
  HessianProduct,
  Problem,
  SparseHessian,
  SparseJacobian,
  SparsePattern,
} from './problem';
import { readNumbers } from './starting-point';

const OPTIONAL = ['gradient', 'constraint', 'jacobian', 'hessian'];

type Derivatives = NativeCallbackProblem['derivatives'];
type Entries = Record<string, unknown>;

/** A problem in its native form, and its size. */
export interface ReadProblem {
  spec: NativeProblemSpec;
  variables: number;
  constraints: number;
}

/**
 * Brings a problem into its native form. Positions of entries are left for the native code to check.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (a function missing, a wrong type, numbers that are not
 * finite), ERR_DIMENSION_MISMATCH, ERR_OUT_OF_MEMORY
 */
export function readProblem(value: unknown, derivatives: Derivatives): ReadProblem {
  if (value instanceof NativeProblem) {
    const { variables, constraints } = value;
    return { spec: value.toNative(), variables, constraints };
  }
  const problem = toRecord(value, 'problem');
  checkSpelling(problem);
  const variables = readCount(problem, 'variables', 1);
  const constraints = readCount(problem, 'constraints', 0);
  const spec: NativeCallbackProblem = {
    kind: 'callbacks',
    variables,
    constraints,
    derivatives,
    x0: toNumbers(problem.x0, 'problem.x0', { length: variables }),
    lambda0: readNumbers(problem.lambda0, 'problem.lambda0', constraints),
    objective: demand(method<Problem['objective']>(problem, 'objective'), 'objective'),
    gradient: readGradient(problem, derivatives),
    ...(constraints > 0 ? readConstraints(problem, constraints, variables, derivatives) : {}),
    hessian: readHessian(problem.hessian, variables),
  };
  return { spec, variables, constraints };
}

/**
 * What may be left out must not be left out by a slip. Other entries are allowed, and any in instances
 * of classes: functions may use them through `this`.
 */
function checkSpelling(problem: Entries): void {
  if (Object.getPrototypeOf(problem) !== Object.prototype) return;
  const absent = OPTIONAL.filter((key) => problem[key] === undefined);
  for (const key of Object.keys(problem)) {
    if (key === 'constraints' || OPTIONAL.includes(key)) continue;
    const meant = absent.find((known) => distance(key.toLowerCase(), known) <= 2);
    if (meant === undefined) continue;
    throw new SecondOrderError(
      'ERR_INVALID_ARGUMENT',
      `problem has an unknown entry ${describe(key)}; did you mean "${meant}"?`,
      { argument: `problem.${key}` },
    );
  }
}

function readCount(problem: Entries, key: 'variables' | 'constraints', min: number): number {
  return toInteger(problem[key], `problem.${key}`, { min, max: LARGEST_COUNT });
}

function readGradient(problem: Entries, derivatives: Derivatives): Problem['gradient'] {
  const gradient = method<NonNullable<Problem['gradient']>>(problem, 'gradient');
  return derivatives === 'given' ? demandDerivative(gradient, 'gradient') : gradient;
}

function readConstraints(
  problem: Entries,
  constraints: number,
  variables: number,
  derivatives: Derivatives,
): Pick<NativeCallbackProblem, 'constraint' | 'jacobian'> {
  const constraint = method<NonNullable<Problem['constraint']>>(problem, 'constraint');
  const jacobian = readJacobian(problem.jacobian, constraints, variables);
  if (derivatives === 'given') {
    const values = jacobian && 'values' in jacobian ? jacobian.values : undefined;
    demandDerivative(values, jacobian ? 'jacobian.values' : 'jacobian');
  }
  return { constraint: demand(constraint, 'constraint'), jacobian };
}

function readJacobian(
  value: unknown,
  rows: number,
  cols: number,
): SparseJacobian | SparsePattern | undefined {
  if (value === undefined) return undefined;
  const place = 'problem.jacobian';
  const jacobian = toRecord(value, place);
  const values = method<SparseJacobian['values']>(jacobian, 'values', place);
  const positions = readPositions(jacobian) ?? (values && denseRows(rows, cols, place));
  if (!positions)
    throw invalid(place, '{ values }, with or without rows and cols', describe(value));
  return values ? { ...positions, values } : positions;
}

function readHessian(value: unknown, variables: number): NativeCallbackProblem['hessian'] {
  const place = 'problem.hessian';
  if (value === undefined || value === 'bfgs') return 'bfgs';
  if (!isRecord(value)) throw invalid(place, "'bfgs', { values } or { product }", describe(value));
  const product = method<HessianProduct['product']>(value, 'product', place);
  if (product) return { product };
  const values = method<SparseHessian['values']>(value, 'values', place);
  if (!values) throw invalid(place, "'bfgs', { values } or { product }", describe(value));
  const positions = readPositions(value);
  return positions ? { ...positions, values } : lowerTriangle(variables, values);
}

/** What is given as positions, to be checked by the native code, or nothing where none are. */
function readPositions(matrix: Entries): SparsePattern | undefined {
  const { rows, cols } = matrix;
  return rows === undefined && cols === undefined ? undefined : ({ rows, cols } as SparsePattern);
}

/** All positions of a matrix, row after row. */
function denseRows(rows: number, cols: number, place: string): SparsePattern {
  const positions = allocatePositions(rows * cols, place);
  for (let i = 0, k = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++, k++) {
      positions.rows[k] = i;
      positions.cols[k] = j;
    }
  }
  return positions;
}

/** A dense Hessian as one of the entries of its lower triangle. */
function lowerTriangle(n: number, values: DenseHessian['values']): SparseHessian {
  const place = 'problem.hessian';
  const positions = allocatePositions((n * (n + 1)) / 2, place);
  const matrix = allocate((length) => new Float64Array(length), n * n, place, place);
  for (let i = 0, k = 0; i < n; i++) {
    for (let j = 0; j <= i; j++, k++) {
      positions.rows[k] = i;
      positions.cols[k] = j;
    }
  }
  return {
    ...positions,
    values(x, sigma, lambda, out) {
      matrix.fill(0);
      const returned: unknown = values(x, sigma, lambda, matrix);
      if (matrix.length !== n * n) throw new Error('the buffer of out was given away');
      for (let i = 0, k = 0; i < n; k += ++i) out.set(matrix.subarray(i * n, i * n + i + 1), k);
      return returned === matrix ? undefined : (returned as undefined);
    },
  };
}

function allocatePositions(length: number, place: string): SparsePattern {
  if (length > LARGEST_COUNT) {
    throw invalid(place, 'given with rows and cols for so large a matrix', `${length} entries`);
  }
  const create = (entries: number) => new Int32Array(entries);
  return {
    rows: allocate(create, length, place, place),
    cols: allocate(create, length, place, place),
  };
}

/** A function of an object, which it is called with as `this`; undefined where there is none. */
function method<F>(holder: Entries, key: string, parent = 'problem'): F | undefined {
  const value = holder[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw invalid(`${parent}.${key}`, 'a function', describe(value));
  return value.bind(holder);
}

function demand<F>(given: F | undefined, key: string): F {
  if (given === undefined) throw missing(key, '');
  return given;
}

function demandDerivative<F>(given: F | undefined, key: string): F {
  if (given === undefined) {
    throw missing(key, "; give it, or ask for options.derivatives: 'finite-difference'");
  }
  return given;
}

function missing(key: string, remedy: string): SecondOrderError {
  const argument = `problem.${key}`;
  return new SecondOrderError('ERR_INVALID_ARGUMENT', `${argument} is missing${remedy}`, {
    argument,
  });
}
