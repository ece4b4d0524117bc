/** What the commands write: text for people, or one JSON object on each line. */
import { SingleBar } from 'cli-progress';

/** The entries of a JSON line. */
export type Fields = Record<string, unknown>;

export class Terminal {
  #bar: Bar | undefined;

  /** @param json whether results are written as JSON lines */
  constructor(readonly json: boolean) {}

  /** A line for people, on standard output. */
  print(line = ''): void {
    if (!this.json) process.stdout.write(`${line}\n`);
  }

  /** A line for people about the run rather than its result, on standard error. */
  note(line: string): void {
    if (!this.json) process.stderr.write(`${line}\n`);
  }

  /** A JSON line on standard output, when they were asked for. NaN and infinities become null. */
  event(type: string, fields: Fields): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ type, ...fields })}\n`);
  }

  /** One line on standard error. */
  error(code: string, message: string): void {
    const line = this.json
      ? JSON.stringify({ type: 'error', code, message })
      : `secondorder: ${code}: ${message.replaceAll(/\s*\n\s*/g, ' ')}`;
    process.stderr.write(`${line}\n`);
  }

  /** Aligned names and values, for people. */
  table(rows: readonly (readonly [name: string, value: string])[]): void {
    const width = Math.max(...rows.map(([name]) => name.length));
    for (const [name, value] of rows) this.print(`${name.padEnd(width)}  ${value}`);
  }

  /**
   * A bar on standard error from 0 to 1; only on a terminal, since it moves the cursor, which NO_COLOR
   * (no-color.org) asks programs not to do either. Elsewhere it does nothing.
   *
   * @param format of cli-progress: `{bar}` and the names of the values that `update` is given
   */
  bar(format: string, values: Record<string, string>): Bar {
    const shown = process.stderr.isTTY && !process.env.NO_COLOR && !this.json;
    if (!shown) return { update: () => undefined, stop: () => undefined };
    this.#bar = new TerminalBar(format, values);
    return this.#bar;
  }

  /** Takes the bar away and shows the cursor again, before the process ends in the midst of a run. */
  restore(): void {
    this.#bar?.stop();
  }
}

export interface Bar {
  update(done: number, values: Record<string, string>): void;
  /** Takes the bar away. */
  stop(): void;
}

class TerminalBar implements Bar {
  readonly #bar: SingleBar;

  constructor(format: string, values: Record<string, string>) {
    this.#bar = new SingleBar({
      format,
      barsize: 24,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      // Ctrl-C is ours: it ends the run with its best result.
      gracefulExit: false,
      stream: process.stderr,
    });
    this.#bar.start(1, 0, values);
  }

  update(done: number, values: Record<string, string>): void {
    this.#bar.update(done, values);
  }

  stop(): void {
    this.#bar.stop();
  }
}
