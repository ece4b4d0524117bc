/** `secondorder doctor`: what the installation can do, and what is wrong with it. */
import type { Command } from 'commander';
import type { GpuInfo } from '../cuda';
import { type Diagnosis, doctor } from '../devices';
import type { Context } from './context';
import { addJsonOption } from './options';

const GIBIBYTE = 2 ** 30;

/** Adds the command. */
export function addDoctor(program: Command, context: Context): void {
  addJsonOption(program.command('doctor').description('Look at this installation.'))
    .addHelpText(
      'after',
      '\nExits with 1 when the native code does not load.\n\nExample:\n  secondorder doctor',
    )
    .action(() => {
      const diagnosis = doctor();
      context.terminal.event('result', { ...diagnosis });
      context.terminal.table(describe(diagnosis));
      for (const warning of diagnosis.warnings) context.terminal.print(`warning: ${warning}`);
      context.exitCode = diagnosis.native.loaded ? 0 : 1;
    });
}

function describe(diagnosis: Diagnosis): [string, string][] {
  const { version, node, platform, libc, native, cpu, blas, cuda } = diagnosis;
  const rows: [string, string][] = [
    ['secondorder', version],
    ['node', node],
    ['platform', `${platform}, ${libc}`],
    ['native code', native.loaded ? native.path : 'not loaded'],
  ];
  if (cpu) {
    rows.push(['cpu', `${cpu.name}, ${cpu.threads} threads, ${cpu.kernels} kernels`]);
    rows.push(['memory', `${(cpu.memory / GIBIBYTE).toFixed(1)} GiB`]);
  }
  if (blas) rows.push(['blas', `${blas.core} (${blas.config})`]);
  return [...rows, ...describeCuda(cuda)];
}

function describeCuda(cuda: Diagnosis['cuda']): [string, string][] {
  if (!cuda.available) return [['cuda', cuda.reason]];
  const { backend, gpus, libraries } = cuda;
  return [
    ...gpus.map(describeGpu),
    ['cuda backend', backend],
    ['cuda libraries', libraries.found ? libraries.files.join(', ') : 'not found'],
  ];
}

function describeGpu(gpu: GpuInfo): [string, string] {
  const { name, memory, free, computeCapability, driver, runtime } = gpu;
  const room = `${(memory / GIBIBYTE).toFixed(1)} GiB, ${(free / GIBIBYTE).toFixed(1)} free`;
  return [
    gpu.device,
    `${name}, ${room}, compute capability ${computeCapability}, ` +
      `CUDA ${runtime}, driver for up to ${driver}`,
  ];
}
