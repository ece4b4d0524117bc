// Tables in Markdown, and numbers as they are written there.

export type Cell = string | number;

export function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Seconds as milliseconds. */
export const milliseconds = (value: number) =>
  value < 1 ? (1e3 * value).toPrecision(3) : (1e3 * value).toFixed(0);
export const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
export const reached = (is: boolean) => (is ? 'reached' : 'missed');
