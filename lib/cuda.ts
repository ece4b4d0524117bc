// What CUDA offers here, and if nothing, the first reason: the driver is asked for before the backend,
// so that a machine without a GPU is not told to install a package.

import { type ErrorCode, SecondOrderError } from './errors';
import { loadNative } from './native';
import { runDirect } from './run';

/** The name of a GPU; 0 is the first. */
export type GpuName = `cuda:${number}`;

/** A GPU as the driver describes it. */
export interface GpuFacts {
  /** As the driver calls it. */
  name: string;
  /** Its memory in bytes, and what of it is free now. */
  memory: number;
  free: number;
  /** Such as `9.0`; 8.0 or newer is needed. */
  computeCapability: string;
  multiprocessors: number;
  /** Versions of CUDA: the newest that the driver takes, and the one the backend was built with. */
  driver: string;
  runtime: string;
}

/** A GPU. */
export interface GpuInfo extends GpuFacts {
  device: GpuName;
  available: true;
}

/** CUDA, and why it cannot be used. */
export interface CudaInfo {
  device: 'cuda';
  available: false;
  /** The code that asking for this device throws. */
  code: ErrorCode;
  /** Why it cannot be used. */
  reason: string;
}

/** What `doctor` finds of CUDA where it can be used. */
export interface CudaFound {
  device: 'cuda';
  available: true;
  /** The file of the backend. */
  backend: string;
  gpus: GpuInfo[];
  /** cuBLAS and cuSOLVER: their files, or why they cannot be used. */
  libraries: { found: true; files: string[] } | { found: false; code: ErrorCode; reason: string };
}

/** The GPUs, or one entry that says why there is none. */
export function cudaDevices(): GpuInfo[] | [CudaInfo] {
  const found = diagnoseCuda();
  return found.available ? found.gpus : [found];
}

/** Looks for CUDA; never throws for what it finds. */
export function diagnoseCuda(): CudaFound | CudaInfo {
  try {
    const native = loadNative();
    const { backend, devices } = runDirect(() => native.cudaDevices());
    if (devices.length === 0) runDirect(() => native.cudaRequire({ device: ['cuda'] }));
    return {
      device: 'cuda',
      available: true,
      backend,
      gpus: devices.map(toGpuInfo),
      libraries: findLibraries(),
    };
  } catch (error) {
    return { device: 'cuda', available: false, ...reasonOf(error) };
  }
}

function toGpuInfo(gpu: GpuFacts, index: number): GpuInfo {
  return { device: `cuda:${index}`, available: true, ...gpu };
}

function findLibraries(): CudaFound['libraries'] {
  try {
    const files = runDirect(() => loadNative().cudaLibraries());
    return { found: true, files: files.split('\n') };
  } catch (error) {
    return { found: false, ...reasonOf(error) };
  }
}

/** What a typed error says; anything else is a defect, and passed on. */
function reasonOf(error: unknown): { code: ErrorCode; reason: string } {
  if (!(error instanceof SecondOrderError)) throw error;
  return { code: error.code, reason: error.message };
}
