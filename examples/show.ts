/** How the demo talks: a bar for what is under way on a terminal, and a table of results. */
import { SingleBar } from 'cli-progress';

/** Runs `work`, with a bar on a terminal; elsewhere only with a line at the start. */
export async function withBar<T>(
  title: string,
  work: (show: (done: number, note?: string) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY || process.env.NO_COLOR) {
    console.log(title);
    return work(() => undefined);
  }
  const bar = new SingleBar({
    format: `${title} {bar} {note}`,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(1, 0, { note: '' });
  try {
    return await work((done, note = '') => bar.update(done, { note }));
  } finally {
    bar.stop();
    console.log(title);
  }
}

/** Prints rows as a table: the first column to the left, the others to the right. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
    );
    console.log(`  ${cells.join('   ')}`);
  }
}

/** 97.85 % */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** 7.3 s */
export function seconds(time: number): string {
  return `${time.toFixed(1)} s`;
}
