/** `secondorder doctor`: what the installation can do, and what is wrong with it. */
import type { Command } from 'commander';
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

function describe({ version, node, platform, libc, native, cpu, blas, cuda }: Diagnosis) {
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
  rows.push(['cuda', cuda.reason]);
  return rows;
}
