/**
 * M-FAC: inverse-Hessian-vector products from gradients alone, an optimizer and pruning with them.
 *
 * @module secondorder/mfac
 */
export { FisherBlocks, type RemovalOptions, type RemovalUpdate } from './blocks';
export type { BlocksRunOptions } from './blocks-builder';
export type { FisherBlocksOptions } from './blocks-options';
export type { GradientStream } from './gradient-stream';
export type { OperationOptions } from './operation';
export { MFacOptimizer, type StepInfo } from './optimizer';
export type { ResumeOptions } from './optimizer-folder';
export type { MFacOptimizerOptions, MFacStepOptions, RelativeDamping } from './optimizer-options';
export type { ParameterGroup } from './parameter-groups';
export { prune, pruneSync } from './prune';
export type {
  GradientSource,
  PruneOptions,
  PruneProgress,
  PruneRunOptions,
  SelectionOptions,
} from './prune-options';
export type { PruneResult, PruneStep } from './pruning';
export type { Schedule } from './schedule';
export { selectWeights, selectWeightsSync } from './selection';
export type { SparsityGrowth } from './sparsity-schedule';
export { FisherWindow } from './window';
export type {
  FisherWindowOptions,
  WindowDeviceOptions,
  WindowLoadOptions,
} from './window-options';
