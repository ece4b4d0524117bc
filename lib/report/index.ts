/** Reports: a run's facts, convergence curves and pictures as one self-contained HTML page. */

export { type ConvexRun, convexReport } from './convex-relu';
export type * from './data';
export type { ClassificationEvaluation, Evaluation, RegressionEvaluation } from './evaluation';
export { type PathRun, pathReport } from './path';
export { renderReport, writeReport } from './render';
export { type ScoreAt, type ScorePoint, type Scores, scoreCurve } from './score-curve';
