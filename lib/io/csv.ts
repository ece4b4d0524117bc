import { pipeline } from 'node:stream/promises';
import { CsvError, type Options, parse } from 'csv-parse';
import { parse as parseWhole, CsvError as SyncCsvError } from 'csv-parse/sync';
import { toPrecision } from '../floats';
import { describe, invalid, isArrayLike, toChoice, toInteger, toNumbers } from '../validate';
import { type CsvData, type CsvSettings, CsvTable } from './csv-table';
import { FormatError } from './format-error';
import {
  checkReadOptions,
  type DataSource,
  type ReadOptions,
  readSource,
  wholeSourceSync,
} from './source';

/** Options of {@link readCsv}. */
export interface CsvOptions extends ReadOptions {
  /**
   * The column to predict, by name or by number from 0 (negative: from the end); false for none.
   * Default: the last one.
   */
  target?: string | number | false;
  /** Columns to leave out, such as ids, by name or number. */
  ignore?: readonly (string | number)[];
  /**
   * Whether the first record names the columns. Default 'auto': it does when no field of it is a
   * number, or when some field of it is none and the one below it is.
   */
  header?: boolean | 'auto';
  /** Text between fields. Default ','. */
  delimiter?: string;
  /**
   * What to do about missing fields: 'error' (default), 'drop' leaves the row out, 'mean' puts the mean
   * of the column's other fields, and an array puts its entry for each column of x (as the `fill` of
   * the training data, for the data to predict on). A missing target can only be an error or dropped.
   */
  missing?: 'error' | 'drop' | 'mean' | ArrayLike<number>;
  /** Fields that count as missing. Default '', '?', 'NA', 'N/A', 'NaN', 'nan', 'null'. */
  missingValues?: readonly string[];
  /** Type of x. Default 'float64'. */
  precision?: 'float32' | 'float64';
}

const MISSING_VALUES = ['', '?', 'NA', 'N/A', 'NaN', 'nan', 'null'];
const KEYS = ['target', 'ignore', 'header', 'delimiter', 'missing', 'missingValues', 'precision'];
/** Characters; without a limit, an open quote would take the rest of any file into one field. */
const LONGEST_RECORD = 2 ** 26;

/**
 * Reads comma-separated values: numbers, and one column of targets, which may be labels. Quoted fields,
 * byte order marks, any line ends and blank lines are understood.
 *
 * @param source path (gzip too, whatever its name) or bytes
 * @returns x, rows × columns other than target and ignored ones; y, as numbers when all are, else as
 * strings; the names of the columns; what was missing
 * @throws SecondOrderError ERR_FORMAT with `line` (the last one of the record); ERR_INVALID_ARGUMENT
 * (options, or a file that cannot be read); ERR_ABORTED
 */
export async function readCsv(source: DataSource, options: CsvOptions = {}): Promise<CsvData> {
  const settings = checkOptions(options);
  return readSource(source, options, async ({ name }, chunks) => {
    const table = new CsvTable(name, settings);
    const parser = parse(parserOptions(options, table));
    parser.resume();
    await pipeline(chunks, parser).catch((error) => {
      throw explained(error, name);
    });
    return table.finish();
  });
}

/** As {@link readCsv}, on the calling thread, with the whole file in memory while it is read. */
export function readCsvSync(source: DataSource, options: CsvOptions = {}): CsvData {
  const settings = checkOptions(options);
  const { name, bytes } = wholeSourceSync(source, options);
  const table = new CsvTable(name, settings);
  try {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    parseWhole(buffer, parserOptions(options, table));
  } catch (error) {
    throw explained(error, name);
  }
  return table.finish();
}

function parserOptions({ delimiter = ',' }: CsvOptions, table: CsvTable): Options<string[]> {
  return {
    bom: true,
    delimiter,
    max_record_size: LONGEST_RECORD,
    // The table counts fields itself, to say it in its own words.
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    on_record: (record: string[], { lines }) => {
      table.add(record, lines);
      return null;
    },
  };
}

function explained(error: unknown, name: string): unknown {
  if (!(error instanceof CsvError) && !(error instanceof SyncCsvError)) return error;
  const line = typeof error.lines === 'number' ? error.lines : undefined;
  // The value can be as long as a record, and as little text as any file.
  const problem = error.message.replace(/, value is .*$/s, '');
  return new FormatError(name, problem, { line }, { cause: error });
}

function checkOptions(options: CsvOptions): CsvSettings {
  checkReadOptions(options, KEYS);
  const { target = -1, ignore = [], header = 'auto', missing = 'error' } = options;
  const { delimiter = ',', missingValues = MISSING_VALUES, precision = 'float64' } = options;
  if (typeof delimiter !== 'string' || delimiter === '' || /["\r\n]/.test(delimiter)) {
    throw invalid('options.delimiter', 'text without quotes and line ends', describe(delimiter));
  }
  if (typeof header !== 'boolean') toChoice(header, 'options.header', ['auto']);
  if (!Array.isArray(ignore)) throw invalid('options.ignore', 'an array', describe(ignore));
  if (!Array.isArray(missingValues) || !missingValues.every((text) => typeof text === 'string')) {
    throw invalid('options.missingValues', 'an array of strings', describe(missingValues));
  }
  return {
    target: target === false ? false : checkColumn(target, 'options.target'),
    ignore: ignore.map((column, i) => checkColumn(column, `options.ignore[${i}]`)),
    header,
    missing: isArrayLike(missing)
      ? toNumbers(missing, 'options.missing')
      : toChoice<'error' | 'drop' | 'mean'>(missing, 'options.missing', ['error', 'drop', 'mean']),
    missingValues: new Set(missingValues),
    precision: toPrecision(precision, 'options.precision'),
  };
}

function checkColumn(column: unknown, argument: string): string | number {
  return typeof column === 'string' ? column : toInteger(column, argument);
}
