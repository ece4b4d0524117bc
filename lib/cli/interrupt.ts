/** Ctrl-C: the first asks the run to stop with its best result, the second ends the process. */

import type { Terminal } from './terminal';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs work under an AbortSignal that Ctrl-C (or SIGTERM) aborts.
 * A second one ends the process at once, with exit code 1 and the terminal as it was.
 */
export async function interruptible<Result>(
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      terminal.restore();
      process.exit(1);
    }
    controller.abort(new Error(`interrupted by ${name}`));
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}
