/**
 * Convex training of two-layer ReLU networks, with a certificate of optimality.
 *
 * @module secondorder/convex-relu
 */
export {
  type AttackOptions,
  attack,
  attackSync,
  type Robustness,
  type RobustnessOptions,
  robustness,
  robustnessSync,
} from './attack';
export type { BetaGrid, Betas } from './betas';
export { type ClassifierOptions, ConvexReLUClassifier } from './classifier';
export { crossValidate, crossValidateSync } from './cross-validate';
export type {
  BetaScore,
  CrossValidation,
  CrossValidationOptions,
  CrossValidationProgress,
  CrossValidationRunOptions,
} from './cross-validation';
export type { JsonTensor, NetworkDocument } from './document-json';
export { estimateMemory, type MemoryEstimate, type ProblemShape } from './estimate-memory';
export type { Estimator } from './estimator';
export type { Label } from './estimator-state';
export { GatedReLUNetwork } from './gated-network';
export { loadModel, modelFromJSON, type SavedModel } from './load';
export { type MaximumBetaRun, maximumBeta, maximumBetaSync } from './maximum-beta';
export { ReLUNetwork, type ReLUNetworkArrays } from './network';
export type {
  AdversarialOptions,
  ConvexReLUOptions,
  GateDrawing,
  GlobalBoundOptions,
  Loss,
  Model,
  Penalty,
  Preprocess,
  RefineOptions,
  Route,
  TrainingOptions,
} from './option-types';
export {
  type PathPoint,
  type PathProgress,
  type PathRunOptions,
  type RegularizationPath,
  regularizationPath,
  regularizationPathSync,
} from './path';
export { ConvexReLURegressor, type RegressorOptions } from './regressor';
export type {
  ConvexProgress,
  ConvexReport,
  RefinementRound,
  RobustReport,
  SamplingReport,
} from './report';
export type { AnyEstimator, ScoreName, Scorer, TargetsOf } from './scoring';
export { type SampleCountOptions, scpSampleCount } from './scp-sample-count';
export { ConvexSolution, type DualCertificate } from './solution';
export type { ONNXOptions, ONNXOutput } from './to-onnx';
export {
  type ConvexRunOptions,
  type NetworkOf,
  type OptionsOf,
  type TrainResult,
  trainConvexReLU,
  trainConvexReLUSync,
} from './train';
export type { ObjectiveOptions, TrainedNetwork } from './trained-network';
export { type Certificate, type Verifiable, verify, verifyAsync } from './verify';
