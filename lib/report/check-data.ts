/** Checks that the parts of a page are there, and that those which refer to each other fit. */
import { describe, invalid, isArrayLike, mismatch, toRecord, toText } from '../validate';
import type { ReportData } from './data';

/** Checks the argument of `renderReport`; what single facts and captions hold is not looked at. */
export function checkData(value: unknown): asserts value is ReportData {
  const data = toRecord(value, 'data');
  toText(data.title, 'data.title');
  for (const key of ['highlights', 'tables']) toRecords(data[key], `data.${key}`);
  for (const gallery of toRecords(data.galleries, 'data.galleries')) {
    for (const { values } of toRecords(gallery.pictures, 'data.galleries[].pictures')) {
      if (isArrayLike(values)) continue;
      throw invalid('data.galleries[].pictures[].values', 'an array', describe(values));
    }
  }
  const keys = checkHistory(data.history);
  const checkKeys = (names: unknown, argument: string) => {
    if (!Array.isArray(names)) throw invalid(argument, 'an array of keys', describe(names));
    const unknown = names.find((name) => !keys.has(name));
    if (unknown !== undefined)
      throw invalid(argument, 'keys of history columns', describe(unknown));
  };
  for (const { columns, band = [] } of toRecords(data.charts, 'data.charts')) {
    checkKeys(columns, 'data.charts[].columns');
    checkKeys(band, 'data.charts[].band');
  }
  for (const { column } of toRecords(data.runAxes, 'data.runAxes')) {
    checkKeys([column], 'data.runAxes[].column');
  }
}

/** The keys of the columns, which must be of one length. */
function checkHistory(history: unknown): Set<unknown> {
  const columns = toRecords(history, 'data.history');
  let length: number | undefined;
  for (const { key, values } of columns) {
    if (!Array.isArray(values)) {
      throw invalid('data.history[].values', 'an array', describe(values));
    }
    const count = values.length;
    length ??= count;
    if (count !== length) {
      const column = `history column ${describe(key)}`;
      throw mismatch('data.history', `${column} has ${count} entries, not ${length}`);
    }
  }
  return new Set(columns.map(({ key }) => key));
}

function toRecords(value: unknown, argument: string): Record<string, unknown>[] {
  if (!Array.isArray(value)) throw invalid(argument, 'an array', describe(value));
  // Array.from sees holes, which map leaves out.
  return Array.from(value, (entry, i) => toRecord(entry, `${argument}[${i}]`));
}
