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
export { type ClassifierOptions, ConvexReLUClassifier } from './classifier';
export type { JsonTensor, NetworkDocument } from './document-json';
export { estimateMemory, type MemoryEstimate, type ProblemShape } from './estimate-memory';
export type { Estimator } from './estimator';
export type { Label } from './estimator-state';
export { GatedReLUNetwork } from './gated-network';
export { loadModel, modelFromJSON, type SavedModel } from './load';
export { ReLUNetwork, type ReLUNetworkArrays } from './network';
export type {
  AdversarialOptions,
  ConvexReLUOptions,
  GateDrawing,
  Loss,
  Model,
  Penalty,
  Preprocess,
  Route,
  TrainingOptions,
} from './option-types';
export { ConvexReLURegressor, type RegressorOptions } from './regressor';
export type { ConvexProgress, ConvexReport, RobustReport } from './report';
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
