/**
 * Newton's method for smooth objectives under equality constraints.
 *
 * @module secondorder/newton
 */
export {
  checkDerivatives,
  checkDerivativesAsync,
  type DerivativeCheckOptions,
  type DerivativeEntry,
  type DerivativeReport,
} from './check-derivatives';
export { EvaluationError } from './evaluation-error';
export { constrainedLogisticRegression, type LogisticRegressionData } from './logistic-regression';
export { type MinimizeRunOptions, minimize, minimizeSync } from './minimize';
export type { NativeProblem } from './native-problem';
export type { LinearSolver, MinimizeOptions } from './options';
export { type PdeControlData, pdeControl } from './pde-control';
export type {
  DenseHessian,
  DenseJacobian,
  HessianProduct,
  Problem,
  SparseHessian,
  SparseJacobian,
  SparsePattern,
} from './problem';
export type {
  EvaluationCounts,
  LinearReport,
  MinimizeProgress,
  MinimizeResult,
  MinimizeStatus,
} from './result';
export type { StartingPoint } from './starting-point';
