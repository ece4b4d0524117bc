/** Readers of option values, and options that several commands share. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { MOST_THREADS } from '../run';
import { inWords, type NumberRange, within } from '../validate';

/** A reader of numbers in a range. */
export function number(range: NumberRange = {}): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) throw new InvalidArgumentError('Not a number.');
    if (!within(value, range)) throw new InvalidArgumentError(`Must be${inWords(range)}.`);
    return value;
  };
}

/** A reader of whole numbers in a range. */
export function integer(range: NumberRange = {}): (text: string) => number {
  const read = number(range);
  return (text) => {
    const value = read(text);
    if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Not a whole number.');
    return value;
  };
}

/** Reads `28x28`: height and width. */
export function imageSize(text: string): [height: number, width: number] {
  const match = /^([1-9]\d{0,5})x([1-9]\d{0,5})$/i.exec(text.trim());
  if (!match) throw new InvalidArgumentError('Write height x width in pixels, as in 28x28.');
  return [Number(match[1]), Number(match[2])];
}

/** Reads a column: a number is its place, anything else its name. */
export function column(text: string): string | number {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

function delimiter(text: string): string {
  return text.replaceAll('\\t', '\t');
}

/** Options that say how to read DATA. */
export interface DataFlags {
  format: 'auto' | 'csv' | 'libsvm' | 'npy' | 'idx';
  target?: string | number;
  labels?: string;
  missing: 'error' | 'drop' | 'mean';
  delimiter: string;
}

/** Adds the options of {@link DataFlags}. */
export function addDataOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--format <name>', 'format of the data; auto looks at the contents')
        .choices(['auto', 'csv', 'libsvm', 'npy', 'idx'])
        .default('auto'),
    )
    .option(
      '--target <column>',
      'column to predict, by name or by number from 0, negative from the end (csv, npy; default: the last)',
      column,
    )
    .option('--labels <file>', 'file of the labels, for images and arrays in two files (npy, idx)')
    .addOption(
      new Option('--missing <what>', 'what to do about missing fields (csv)')
        .choices(['error', 'drop', 'mean'])
        .default('error'),
    )
    .option('--delimiter <text>', 'text between fields, \\t for a tab (csv)', delimiter, ',');
}

/** Adds `--json`, which {@link Terminal} was told of already. */
export function addJsonOption(command: Command): Command {
  return command.option('--json', 'write JSON lines instead of text', false);
}

/** Adds `--threads`. */
export function addThreadsOption(command: Command): Command {
  const parse = integer({ min: 1, max: MOST_THREADS });
  return command.option('--threads <n>', 'threads to compute with (default: all)', parse);
}
