import type { Terminal } from './terminal';

/** What a command is given besides its own arguments. */
export interface Context {
  terminal: Terminal;
  /** Code to exit with when the command ends without an error; 0 unless set. */
  exitCode: number;
}
