import type { HistoryColumn } from './data';

/** Steps kept in a page: more than a chart has pixels across, few enough to keep the page small. */
const kept = 1200;

/**
 * Thins a long history evenly in the logarithm of the step, so that the early steps, which move
 * most, stay whole. The first and last steps and every step with a sparse value are kept.
 */
export function thinHistory(columns: HistoryColumn[]): HistoryColumn[] {
  const length = columns[0]?.values.length ?? 0;
  if (length <= kept) return columns;
  const steps = new Set([0, length - 1]);
  for (let i = 0; i < kept; i++) steps.add(Math.floor(length ** (i / kept)) - 1);
  for (const { values } of columns) {
    const measured = values.flatMap((value, step) => (value === null ? [] : [step]));
    if (measured.length < kept / 4) for (const step of measured) steps.add(step);
  }
  const order = [...steps].sort((a, b) => a - b);
  return columns.map((column) => ({
    ...column,
    values: order.map((step) => column.values[step] ?? null),
  }));
}
