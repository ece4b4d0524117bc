#!/usr/bin/env node
import { runCommandLine } from './program';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `secondorder predict … | head`: the reader has what it wanted.
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`secondorder: ${error.code}: cannot write the output: ${error.message}\n`);
  process.exit(1);
});

runCommandLine(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
