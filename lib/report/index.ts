/** Reports: a run's facts, convergence curves and pictures as one self-contained HTML page. */

export { type ConvexRun, convexReport, type ScorePoint } from './convex-relu';
export type * from './data';
export type { ClassificationEvaluation, Evaluation, RegressionEvaluation } from './evaluation';
export { renderReport, writeReport } from './render';
