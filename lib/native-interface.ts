// What the native addon offers: plain objects and typed arrays, no defaults, nothing public.

import type { GpuFacts } from './cuda';
import type { CudaSources } from './cuda-sources';
import type { MFacNative } from './mfac/native';
import type { NewtonNative } from './newton/native';

/** A running job: `cancel` stops it at the next iteration, and the promise still gives its best. */
export interface NativeJob<Result> {
  promise: Promise<Result>;
  cancel(): void;
}

/** Fields of a progress event, by name. */
export type NativeProgress = Record<string, number>;

export interface NativeRun {
  /** 0 or left out: all that the process may use. */
  threads?: number;
  /** Seconds. */
  timeLimit?: number;
  onProgress?: (event: NativeProgress) => void;
  /** Milliseconds between two events, at least. */
  progressInterval?: number;
}

/** A native function in its two forms: as a job, and on the calling thread. */
export type NativeJobOf<Spec, Result> = (spec: Spec, run: NativeRun) => NativeJob<Result>;
export type NativeSyncOf<Spec, Result> = (spec: Spec, run: NativeRun) => Result;

export type Floats = Float32Array | Float64Array;
export type NativePrecision = 'float32' | 'float64';
export type NativeLoss = 'squared' | 'logistic' | 'hinge' | 'softmax';
export type NativeKernels = 'portable' | 'avx2' | 'avx512';
export interface GpuMeasurementSpec {
  device: string[];
  size: number;
  bytes: number;
  seconds: number;
  products: 'float32' | 'tf32' | 'float64';
}

export type NativeRoute = 'auto' | 'woodbury' | 'gram' | 'cg';

/** Row-major when dense; CSR when `columns` and `rowOffsets` are there. */
export interface NativeX {
  values: Floats;
  rows: number;
  cols: number;
  columns?: Int32Array;
  rowOffsets?: Int32Array;
}

/**
 * The arrays of a model. With s(x) = (x − mean) / scale (0 where scale is 0),
 * t(x) = featureScale · (components ? components · s(x) : s(x)) and z(x) = [t(x), biasValue]
 * (no last entry when biasValue is 0), ŷ = outputScale · (…) + outputBias.
 */
export interface NativeModel {
  kind: 'relu' | 'gated';
  /** Which weights share one norm in the penalty; `gate` when left out. */
  penalty?: 'gate' | 'neuron';
  /** Raw input columns, d. */
  features: number;
  outputs: number;
  /** d */
  mean: Float64Array;
  /** d */
  scale: Float64Array;
  /** k × d, row-major. */
  components: Float64Array | null;
  featureScale: number;
  biasValue: number;
  /** relu: neurons × length of z. */
  hidden?: Floats;
  /** relu: outputs × neurons. */
  output?: Floats;
  /** relu: the penalty group of each neuron. */
  groups?: Int32Array;
  /** gated: P × (d + 1); a gate is open where [s(x), 1]·a ≥ 0. */
  gates?: Float64Array;
  /** gated: outputs × P × length of z. */
  weights?: Floats;
  outputBias: Float64Array;
  outputScale: number;
}

/** The dual point from which the bound of a solution can be recomputed. */
export interface NativeCertificate {
  loss: NativeLoss;
  beta: number;
  /** P × (d + 1) */
  gates: Float64Array;
  /** n × outputs */
  nu: Float64Array;
  /** Rows (set · P + gate) · outputs + output of the parameters that have multipliers, or null. */
  muRows: Int32Array | null;
  /** muRows × n: the multipliers of the cones, or null. */
  mu: Floats | null;
  sampleWeights: Float64Array | null;
  /** Of a robust program: its epsilon. */
  epsilon?: number;
  /** Of a robust program: n × length of z, the shifts ξ of the dual samples νx + ξ. */
  shifts?: Float64Array;
  /** Of a sampled convex program: hidden vectors, beside `gates`, that the seed draws again. */
  drawn?: NativeDrawnDirections;
}

/** The first `count` directions that a seed defines, uniform on the unit sphere over z. */
export interface NativeDrawnDirections {
  seed: number;
  count: number;
}

/** Opaque arrays for a warm start. */
export type NativeSolution = Record<string, unknown>;

export type NativeGates =
  | { count: number; from: 'gaussian' | 'data' | 'patches'; height?: number; width?: number }
  | { matrix: Float64Array; count: number };

export interface ConvexReluProblem {
  x: NativeX;
  /** n × outputs: targets; ±1 (logistic, hinge); class probabilities (softmax). */
  y: Float64Array;
  outputs: number;
  sampleWeights?: Float64Array;
}

/** Gate refinement; the width is `maxGates`, which the network then keeps to, or the gates' count. */
export interface NativeRefine {
  rounds: number;
  maxGates?: number;
  tolerance: number;
}

export interface ConvexReluSettings {
  loss: NativeLoss;
  /** ADMM when left out. */
  method?: 'scp';
  model: 'relu' | 'gated';
  beta: number;
  penalty: 'gate' | 'neuron';
  gates: NativeGates;
  refine?: NativeRefine;
  preprocess: 'standardize' | 'unit-columns' | 'none';
  components?: number;
  bias: boolean;
  precision: NativePrecision;
  seed: number;
  tolerance: number;
  maxIterations: number;
  checkEvery: number;
  rho?: number;
  relaxation: number;
  route: NativeRoute;
  adversarial?: { epsilon: number; descent: boolean };
  globalBound: NativeGlobalBound;
  /** Names of devices. */
  device: string[];
  products: 'float32' | 'tf32';
}

export interface NativeGlobalBound {
  when: 'never' | 'auto' | 'always';
  seconds?: number;
  nodes?: number;
  tolerance: number;
  rounds: number;
}

export type ConvexReluTrainSpec = ConvexReluProblem &
  ConvexReluSettings & { warmStart?: NativeSolution };

export interface NativeRobustReport {
  epsilon: number;
  programObjective: number;
  objective: number;
  descentIterations: number;
  descended: boolean;
  /** NaN, as the next two, where targets are no classes. */
  accuracy: number;
  pgdAccuracy: number;
  certifiedAccuracy: number;
}

export interface NativeSamplingReport {
  directions: number;
  drawn: number;
  xi: number;
  /** NaN for none. */
  psi: number;
  asked: number;
  tested: number;
  violating: number;
  /** NaN where none were tested. */
  limit: number;
}

export interface NativeConvexReport {
  status: 'converged' | 'iteration_limit' | 'time_limit' | 'aborted' | 'refined' | 'width_limit';
  objective: number;
  dualBound: number;
  /** Relative. */
  gap: number;
  infeasibility: number;
  globalBound: number | null;
  globalGap: number | null;
  pricingRatio: number;
  iterations: number;
  /** Steps of conjugate gradients within the iterations; 0 on direct routes. */
  innerIterations: number;
  rounds: number;
  gates: number;
  neurons: number;
  seconds: number;
  peakBytes: number;
  gpuBytes: number;
  device: string;
  deviceReason: string;
  route: string;
  seed: number;
  robust: NativeRobustReport | null;
  sampling: NativeSamplingReport | null;
  /** Columns of equal length, by the name of the progress field. */
  history: Record<string, Float64Array>;
  /** The same of the rounds of refinement. */
  refinement: Record<string, Float64Array>;
}

export interface ConvexReluTrainResult {
  model: NativeModel;
  certificate: NativeCertificate;
  solution: NativeSolution;
  report: NativeConvexReport;
}

export interface ConvexReluPredictSpec {
  model: NativeModel;
  x: NativeX;
}

export interface ConvexReluVerifySpec {
  model: NativeModel;
  certificate: NativeCertificate;
  x: NativeX;
  y: Float64Array;
}

export interface NativeVerification {
  objective: number;
  dualBound: number;
  gap: number;
  infeasibility: number;
}

export interface ConvexReluObjectiveSpec {
  model: NativeModel;
  x: NativeX;
  y: Float64Array;
  loss: NativeLoss;
  beta: number;
  sampleWeights?: Float64Array;
}

export interface ConvexReluAttackSpec {
  model: NativeModel;
  x: NativeX;
  y: Float64Array;
  method: 'fgsm' | 'pgd';
  units: 'input' | 'solver';
  goal: 'margin' | 'squared';
  epsilon: number;
  steps: number;
  restarts: number;
  /** In the units of epsilon; 2.5·epsilon/steps when left out. */
  stepSize?: number;
  seed: number;
}

export interface NativeRobustness {
  accuracy: number;
  attackedAccuracy: number;
  /** NaN where it is not computed. */
  certifiedAccuracy: number;
}

export type ConvexReluMemorySpec = { rows: number; cols: number; outputs: number } & Partial<
  Omit<ConvexReluSettings, 'gates'>
> & { gates: NativeGates | { count: number } };

export interface GemmSpec {
  /** Rows and columns of both factors. */
  size: number;
  seconds: number;
  precision: NativePrecision;
}

export interface Native extends MFacNative, NewtonNative {
  measureGemm: NativeJobOf<GemmSpec, { gigaflops: number }>;
  measureGemmSync: NativeSyncOf<GemmSpec, { gigaflops: number }>;
  blasInfo(): { core: string; config: string; threads: number };
  cpuInfo(): { kernels: NativeKernels; threads: number };
  /** Where the CUDA backend is to be looked for; has no effect once it is open. */
  cudaSources(sources: CudaSources): void;
  /** Throws where one of these GPUs cannot be used. */
  cudaRequire(spec: { device: string[] }): void;
  cudaDevices(): { backend: string; devices: GpuFacts[] };
  /** cuBLAS's products of `size` × `size`, and copies of so many bytes within the GPU's memory. */
  measureGpu: NativeJobOf<GpuMeasurementSpec, { gigaflops: number; gigabytesPerSecond: number }>;
  /** Where cuBLAS and cuSOLVER are, one in a line. */
  cudaLibraries(): string;
  /** Position of the first NaN or infinity; -1 when there is none. */
  findNonFinite(values: Floats): number;

  convexReluTrain: NativeJobOf<ConvexReluTrainSpec, ConvexReluTrainResult>;
  convexReluTrainSync: NativeSyncOf<ConvexReluTrainSpec, ConvexReluTrainResult>;
  /** n × outputs, row-major. */
  convexReluPredict: NativeJobOf<ConvexReluPredictSpec, Floats>;
  convexReluPredictSync: NativeSyncOf<ConvexReluPredictSpec, Floats>;
  convexReluVerify: NativeJobOf<ConvexReluVerifySpec, NativeVerification>;
  convexReluVerifySync: NativeSyncOf<ConvexReluVerifySpec, NativeVerification>;
  /** n × features, in the precision of x. */
  convexReluAttack: NativeJobOf<ConvexReluAttackSpec, Floats>;
  convexReluAttackSync: NativeSyncOf<ConvexReluAttackSpec, Floats>;
  convexReluRobustness: NativeJobOf<ConvexReluAttackSpec, NativeRobustness>;
  convexReluRobustnessSync: NativeSyncOf<ConvexReluAttackSpec, NativeRobustness>;
  convexReluObjective(spec: ConvexReluObjectiveSpec): number;
  convexReluSampleCount(spec: { decisions: number; psi: number; xi: number }): number;
  convexReluEstimateMemory(spec: ConvexReluMemorySpec): {
    bytes: number;
    gpuBytes: number;
    route: string;
    device: string;
  };
}
