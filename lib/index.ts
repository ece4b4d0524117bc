/**
 * Second-order and convex training for Node.
 *
 * @module secondorder
 */
export * from './convex-relu';
export type { CudaFound, CudaInfo, GpuFacts, GpuInfo, GpuName } from './cuda';
export {
  type CpuInfo,
  type Device,
  type DeviceInfo,
  type DeviceOptions,
  type Diagnosis,
  devices,
  doctor,
} from './devices';
export { AbortError, type ErrorCode, type ErrorDetails, SecondOrderError } from './errors';
export * from './io';
export type { DenseMatrixLike, Matrix, MatrixLike, SparseMatrix } from './matrix';
export * from './mfac';
export * from './newton';
export type { Progress, RunOptions } from './run';
