// What the package can compute on here, and a diagnosis of the installation.

import fs from 'node:fs';
import os from 'node:os';
import {
  type CudaFound,
  type CudaInfo,
  cudaDevices,
  diagnoseCuda,
  type GpuInfo,
  type GpuName,
} from './cuda';
import { CUDA_VARIABLE } from './cuda-sources';
import { messageOf, SecondOrderError } from './errors';
import { libc, loadNative, nativePath, packageVersion } from './native';
import { runDirect } from './run';
import { describe, invalid } from './validate';

/**
 * Where to compute: `auto` takes the first GPU where there is one and the problem is large enough to
 * gain by it, otherwise the CPU; `cuda` is the first GPU.
 */
export type Device = 'auto' | 'cpu' | 'cuda' | GpuName;

/** Where and how to compute; solvers say what they take of it. */
export interface DeviceOptions {
  /** Default `auto`. */
  device?: Device;
  /** Default `float32` where the mathematics allows it. Certificates are float64 always. */
  precision?: 'float32' | 'float64';
  /**
   * Seed of all random numbers, such as the gates; default 0. The same seed gives the same result on the
   * same device; between devices results differ by rounding.
   */
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

/** An entry of {@link devices}. */
export type DeviceInfo = CpuInfo | GpuInfo | CudaInfo;

/**
 * The devices, the CPU first, then the GPUs, or CUDA with the reason when there is none to use. Looking
 * at a GPU starts CUDA on it, which takes some of its memory and up to a second.
 *
 * @throws SecondOrderError `ERR_NATIVE_NOT_FOUND` when the native addon does not load.
 */
export function devices(): DeviceInfo[] {
  return [cpuInfo(), ...cudaDevices()];
}

/**
 * Checks the `device` option.
 *
 * @param list whether several GPUs may be named
 * @returns the names of the devices asked for; `['auto']` when left out
 * @throws SecondOrderError `ERR_INVALID_ARGUMENT` for anything but a device, `ERR_CUDA_…` for a GPU that
 * cannot be used.
 */
export function toDevice(device: unknown, argument = 'options.device', list = false): Device[] {
  const names: unknown[] = list && Array.isArray(device) ? Array.from(device) : [device ?? 'auto'];
  if (!names.every(isDevice) || names.length === 0 || !goTogether(names)) {
    const takes = "'auto', 'cpu', 'cuda' or 'cuda:N'";
    throw invalid(
      argument,
      list ? `${takes}, or different ones of the last` : takes,
      describe(device),
    );
  }
  if (names[0] === 'auto' || names[0] === 'cpu') return names;
  try {
    runDirect(() => loadNative().cudaRequire({ device: names }));
  } catch (error) {
    if (!(error instanceof SecondOrderError)) throw error;
    throw new SecondOrderError(error.code, error.message, { argument, cause: error });
  }
  return names;
}

function isDevice(name: unknown): name is Device {
  return name === 'auto' || name === 'cpu' || isGpu(name);
}

function isGpu(name: unknown): name is 'cuda' | GpuName {
  return typeof name === 'string' && /^cuda(:(0|[1-9]\d{0,5}))?$/.test(name);
}

/** Whether several are GPUs by number, each named once. */
function goTogether(names: Device[]): boolean {
  if (names.length === 1) return true;
  return new Set(names).size === names.length && names.every((name) => name.startsWith('cuda:'));
}

/**
 * Checks the `device` option of something that has no form for a GPU.
 *
 * @param what that has none, as in 'FisherBlocks'
 * @throws SecondOrderError `ERR_INVALID_ARGUMENT` for anything but a device, `ERR_CUDA_NO_BACKEND` for a
 * GPU.
 */
export function requireCpu(device: unknown, what: string, argument = 'options.device'): void {
  const names: unknown[] = Array.isArray(device) ? Array.from(device) : [device ?? 'auto'];
  if (names.length === 1 && (names[0] === 'auto' || names[0] === 'cpu')) return;
  if (!names.every(isGpu) || names.length === 0) {
    throw invalid(argument, "'auto' or 'cpu'", describe(device));
  }
  throw new SecondOrderError(
    'ERR_CUDA_NO_BACKEND',
    `${argument}: ${what} runs on the CPU alone in this version; leave the option out, or take 'cpu'`,
    { argument },
  );
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
  /** The backend, the GPUs and the libraries it needs, or why CUDA cannot be used. */
  cuda: CudaFound | CudaInfo;
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
    cuda: diagnoseCuda(),
    warnings: [],
  };
  try {
    diagnosis.cpu = cpuInfo();
    diagnosis.blas = loadNative().blasInfo();
    diagnosis.native = { loaded: true, path: path ?? '' };
    diagnosis.warnings = [...warnings(diagnosis.cpu), ...cudaWarnings(diagnosis.cuda)];
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

function cudaWarnings(cuda: Diagnosis['cuda']): string[] {
  const found: string[] = [];
  const given = process.env[CUDA_VARIABLE];
  if (given) found.push(`${CUDA_VARIABLE}=${given} takes the place of the installed CUDA backend`);
  if (cuda.available && !cuda.libraries.found) found.push(cuda.libraries.reason);
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
