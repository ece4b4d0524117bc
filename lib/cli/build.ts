/** `secondorder build`: compiles the native code where no binary fits. */
import type { Command } from 'commander';
import { buildNative } from '../build';
import type { Context } from './context';
import { addJsonOption } from './options';

/** Adds the command. */
export function addBuild(program: Command, { terminal }: Context): void {
  addJsonOption(
    program
      .command('build')
      .description('Compile the native code from source, for machines that no binary fits.')
      .option('--debug', 'with symbols, without optimization', false),
  )
    .addHelpText('after', '\nExample:\n  secondorder build')
    .action(({ debug }: { debug: boolean }) => {
      const path = buildNative({ debug, quiet: terminal.json });
      terminal.event('result', { path });
      terminal.print(`Built ${path}`);
    });
}
