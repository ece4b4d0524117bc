// What the package can compute on here, and a diagnosis of the installation.

import fs from 'node:fs';
import os from 'node:os';
import { cudaUnavailable } from './cuda';
import { type ErrorCode, messageOf, SecondOrderError } from './errors';
import { libc, loadNative, nativePath, packageVersion } from './native';
import { describe, invalid } from './validate';

/** Where to compute: `auto` takes CUDA when it can be used, otherwise the CPU. */
export type Device = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

/** Options that every solver takes. */
export interface DeviceOptions {
  /** Default `auto`. */
  device?: Device;
  /** Default `float32` where the mathematics allows it. Certificates are float64 always. */
  precision?: 'float32' | 'float64';
  /** Seed of all random numbers: the same seed gives the same result on every device. Default 0. */
  seed?: number;
}

/** The processor, as this process may use it. */
export interface CpuInfo {
  device: 'cpu';
  available: true;
  /** As the processor calls itself. */
  name: string;
  /** Bytes that this process may use. */
  memory: number;
  /** Instruction set of the kernels in use. */
  kernels: 'portable' | 'avx2' | 'avx512';
  /** The OpenBLAS kernels in use, such as `SkylakeX`. */
  blas: string;
  /** Threads that a run uses unless told otherwise. */
  threads: number;
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

/** An entry of {@link devices}. */
export type DeviceInfo = CpuInfo | CudaInfo;

/**
 * The devices, the CPU first, then CUDA with the reason when it cannot be used.
 *
 * @throws SecondOrderError `ERR_NATIVE_NOT_FOUND` when the native addon does not load.
 */
export function devices(): DeviceInfo[] {
  return [cpuInfo(), cudaInfo()];
}

/**
 * Checks the `device` option.
 *
 * @throws SecondOrderError `ERR_INVALID_ARGUMENT` for anything but a device, `ERR_CUDA_…` for a CUDA
 * device that cannot be used.
 */
export function checkDevice(device: unknown, argument = 'options.device'): void {
  if (device === undefined || device === 'auto' || device === 'cpu') return;
  if (typeof device !== 'string' || !/^cuda(:\d+)?$/.test(device)) {
    throw invalid(argument, "'auto', 'cpu', 'cuda' or 'cuda:N'", describe(device));
  }
  const { code, reason } = cudaUnavailable();
  throw new SecondOrderError(code, reason, { argument });
}

/** What {@link doctor} finds. */
export interface Diagnosis {
  /** Version of this package. */
  version: string;
  /** Version of Node. */
  node: string;
  /** Such as `linux-x64`. */
  platform: string;
  /** Such as `glibc 2.36`. */
  libc: string;
  /** The native addon: where it was loaded from, or why it was not. */
  native: { loaded: true; path: string } | { loaded: false; path?: string; error: string };
  /** Absent when the addon does not load. */
  cpu?: CpuInfo;
  /** The BLAS in use, with its build configuration. Absent when the addon does not load. */
  blas?: { core: string; config: string; threads: number };
  /** Why CUDA cannot be used. */
  cuda: CudaInfo;
  /** What makes this installation fail, or slower than the machine allows. */
  warnings: string[];
}

/** Looks at the installation; never throws for what it finds. */
export function doctor(): Diagnosis {
  const path = nativePath();
  const diagnosis: Diagnosis = {
    version: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    libc: libc(),
    native: { loaded: false, error: '' },
    cuda: cudaInfo(),
    warnings: [],
  };
  try {
    diagnosis.cpu = cpuInfo();
    diagnosis.blas = loadNative().blasInfo();
    diagnosis.native = { loaded: true, path: path ?? '' };
    diagnosis.warnings = warnings(diagnosis.cpu);
  } catch (error) {
    const message = messageOf(error);
    diagnosis.native = { loaded: false, error: message, ...(path === undefined ? {} : { path }) };
    diagnosis.warnings = [message];
  }
  return diagnosis;
}

function cpuInfo(): CpuInfo {
  const { kernels, threads } = loadNative().cpuInfo();
  return {
    device: 'cpu',
    available: true,
    name: os.cpus()[0]?.model.trim() ?? process.arch,
    memory: usableMemory(),
    kernels,
    blas: loadNative().blasInfo().core,
    threads,
  };
}

function cudaInfo(): CudaInfo {
  return { device: 'cuda', available: false, ...cudaUnavailable() };
}

/** The machine's memory, or the control group's limit where that is lower. */
function usableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

/** OpenBLAS kernels that use AVX-512. */
const AVX512_CORES = ['SkylakeX', 'Cooperlake', 'SapphireRapids'];

function warnings({ kernels, blas }: CpuInfo): string[] {
  const found: string[] = [];
  const forced = process.env.OPENBLAS_CORETYPE;
  if (forced) {
    found.push(`OPENBLAS_CORETYPE=${forced} overrides the choice of OpenBLAS kernels (${blas})`);
  }
  if (offersAvx512()) {
    if (kernels !== 'avx512') {
      found.push(`The processor offers AVX-512, but the kernels in use are ${kernels}`);
    }
    if (!AVX512_CORES.some((core) => core.toLowerCase() === blas.toLowerCase())) {
      found.push(`The processor offers AVX-512, but OpenBLAS uses its ${blas} kernels`);
    }
  }
  return found;
}

/** Whether the processor has all of AVX-512 that the kernels use. */
function offersAvx512(): boolean {
  let flags: string[];
  try {
    const line = /^flags\s*:(.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    flags = line.trim().split(/\s+/);
  } catch {
    return false;
  }
  return ['f', 'bw', 'dq', 'vl', 'cd'].every((part) => flags.includes(`avx512${part}`));
}
