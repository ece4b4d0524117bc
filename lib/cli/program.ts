/** The commands, and what the process's exit code says: 0 done, 1 failed, 2 not understood. */
import { Command, CommanderError } from 'commander';
import { messageOf } from '../errors';
import { packageVersion } from '../native';
import { addBench } from './bench';
import { addBuild } from './build';
import type { Context } from './context';
import { addDoctor } from './doctor';
import { addPredict } from './predict';
import { addPrune } from './prune';
import { Terminal } from './terminal';
import { addTrain } from './train';
import { UsageError } from './usage-error';
import { addVerify } from './verify';

/**
 * Runs one command line.
 *
 * @param argv the arguments after the name of the program
 * @returns the exit code
 */
export async function runCommandLine(argv: string[]): Promise<number> {
  // Looked for before parsing: the errors of parsing are to be in the form asked for, too.
  const context: Context = { terminal: new Terminal(argv.includes('--json')), exitCode: 0 };
  const program = createProgram(context);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return fail(error, context.terminal, program);
  }
}

function createProgram(context: Context): Command {
  const program = new Command('secondorder')
    .description('Second-order and convex training of neural networks, with certificates.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage.');
  for (const add of [addTrain, addPredict, addVerify, addPrune, addDoctor, addBuild, addBench]) {
    add(program, context);
  }
  return program;
}

function fail(error: unknown, terminal: Terminal, program: Command): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Asked for nothing: commander has written the help.
    if (error.code !== 'commander.help') {
      terminal.error('ERR_INVALID_ARGUMENT', error.message.replace(/^error: /, ''));
    }
    return 2;
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERR_INTERNAL';
  terminal.error(code, inFlags(messageOf(error), program));
  return error instanceof UsageError ? 2 : 1;
}

/** A message of the library in words of the command line: `options.timeLimit` is `--time-limit`. */
function inFlags(message: string, program: Command): string {
  const options = program.commands.flatMap((command) => command.options);
  return message.replaceAll(
    /\boptions\.(\w+)\b(?!\.)/g,
    (place, name) => options.find((option) => option.attributeName() === name)?.long ?? place,
  );
}
