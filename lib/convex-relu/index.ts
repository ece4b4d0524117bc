/**
 * Convex training of two-layer ReLU networks, with a certificate of optimality.
 *
 * @module secondorder/convex-relu
 */
export { type ClassifierOptions, ConvexReLUClassifier } from './classifier';
export type { JsonTensor, NetworkDocument } from './document-json';
export { estimateMemory, type MemoryEstimate, type ProblemShape } from './estimate-memory';
export type { Estimator } from './estimator';
export type { Label } from './estimator-state';
export { GatedReLUNetwork } from './gated-network';
export { loadModel, modelFromJSON, type SavedModel } from './load';
export { ReLUNetwork, type ReLUNetworkArrays } from './network';
export type {
  ConvexReLUOptions,
  GateDrawing,
  Loss,
  Model,
  Penalty,
  Preprocess,
  RefineOptions,
  Route,
  TrainingOptions,
} from './option-types';
export { ConvexReLURegressor, type RegressorOptions } from './regressor';
export type { ConvexProgress, ConvexReport, RefinementRound } from './report';
export { ConvexSolution, type DualCertificate } from './solution';
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
