/** Which columns of a CSV file there are, and which of them are features and target. */
import { invalid } from '../validate';
import type { CsvSettings } from './csv-table';
import { decimalFromText } from './decimal';

/** The columns of a file, by their place in a record. */
export interface CsvColumns {
  /** The name of every column. */
  names: string[];
  /** Places of the columns of x. */
  features: number[];
  /** Place of the target; -1 for none. */
  target: number;
}

/**
 * Whether the first record names the columns: when no field of it is a number, or when some field of
 * it is none and the one below it is.
 */
export function looksLikeHeader(
  first: readonly string[],
  second: readonly string[] | undefined,
  missingValues: ReadonlySet<string>,
): boolean {
  const texts = first.map((text) => !missingValues.has(text) && !isNumber(text));
  const numbers = first.some((text) => isNumber(text) && !missingValues.has(text));
  if (texts.includes(true) && !numbers) return true;
  return second !== undefined && texts.some((isText, i) => isText && isNumber(second[i] ?? ''));
}

/**
 * Finds the target and the ignored columns.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (no such column, or more than one of that name)
 */
export function chooseColumns(names: string[], settings: CsvSettings): CsvColumns {
  const target =
    settings.target === false ? -1 : findColumn(names, settings.target, 'options.target');
  const left = new Set(
    settings.ignore.map((name, i) => findColumn(names, name, `options.ignore[${i}]`)),
  );
  if (left.has(target)) {
    throw invalid(
      'options.ignore',
      'without the target',
      JSON.stringify(names[target]),
      'options.ignore',
    );
  }
  const features = [...names.keys()].filter((place) => place !== target && !left.has(place));
  return { names, features, target };
}

/** Names for the columns of a file that has none: column0, column1 and so on. */
export function defaultNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `column${i}`);
}

function findColumn(names: string[], wanted: string | number, argument: string): number {
  if (typeof wanted === 'string') {
    const place = names.indexOf(wanted);
    if (place >= 0 && place === names.lastIndexOf(wanted)) return place;
    const takes = `the name of one column (${listed(names)})`;
    throw invalid(
      argument,
      takes,
      `${JSON.stringify(wanted)}, which ${place < 0 ? 'none' : 'more than one'} has`,
    );
  }
  const place = wanted < 0 ? wanted + names.length : wanted;
  if (place >= 0 && place < names.length) return place;
  throw invalid(argument, `from ${-names.length} to ${names.length - 1}`, `${wanted}`);
}

function listed(names: string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown}, …` : shown;
}

function isNumber(text: string): boolean {
  return !Number.isNaN(decimalFromText(text));
}
