// What a result depends on besides the code.
import os from 'node:os';
import { doctor } from 'secondorder';

export interface Machine {
  processor: string;
  /** Processors that the process may use. */
  cores: number;
  /** Of the machine. */
  memoryGiB: number;
  system: string;
  node: string;
  version: string;
  /** Instruction set of the package's own inner loops. */
  kernels: string;
  blas: string;
}

export function machineFacts(): Machine {
  const { cpu, blas, version } = doctor();
  if (!cpu || !blas) throw new Error('the native addon does not load; run: npx secondorder doctor');
  return {
    processor: cpu.name,
    cores: os.availableParallelism(),
    memoryGiB: Number((os.totalmem() / 2 ** 30).toFixed(1)),
    system: `${os.type()} ${os.arch()}`,
    node: process.versions.node,
    version,
    kernels: cpu.kernels,
    blas: `${blas.config.split(' ').slice(0, 2).join(' ')}, ${blas.core} kernels`,
  };
}

/** Runnable processes in the mean of the last minute: well above 0 before a run, others compete. */
export function load(): number {
  return Number((os.loadavg()[0] ?? 0).toFixed(2));
}
