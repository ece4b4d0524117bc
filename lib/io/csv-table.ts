/** Turns the records of a CSV file, one by one, into a matrix, targets and an account of the gaps. */
import { createFloats } from '../floats';
import type { Matrix } from '../matrix';
import { mismatch } from '../validate';
import { type CsvColumns, chooseColumns, defaultNames, looksLikeHeader } from './csv-columns';
import { decimalFromText } from './decimal';
import { excerpt, FormatError } from './format-error';
import { GrowingArray } from './growing-array';

/** What was missing, and what was done about it. */
export interface CsvMissing {
  /** Missing fields of x in the file, for each of its columns. */
  fields: Int32Array;
  /** Rows of the file that had a missing field or target. */
  rows: number;
  /** How many of them were left out of x and y. */
  dropped: number;
  /** What missing fields of each column were replaced by, with `missing: 'mean'` or an array. */
  fill?: Float64Array;
}

/** The contents of a CSV file. */
export interface CsvData {
  /** rows × features. */
  x: Matrix;
  /** The target of each row; absent with `target: false`. */
  y?: Float64Array | string[];
  /** Names of the columns of x. */
  columns: string[];
  /** Name of the target; absent with `target: false`. */
  target?: string;
  /** What was missing. */
  missing: CsvMissing;
}

/** {@link readCsv}'s own options, with their defaults filled in. */
export interface CsvSettings {
  target: string | number | false;
  ignore: readonly (string | number)[];
  header: boolean | 'auto';
  missing: 'error' | 'drop' | 'mean' | Float64Array;
  missingValues: ReadonlySet<string>;
  precision: 'float32' | 'float64';
}

interface NumberedRecord {
  fields: string[];
  line: number;
}

/** Collects the records of one file. */
export class CsvTable {
  readonly #name: string;
  readonly #settings: CsvSettings;
  readonly #values: GrowingArray<Float32Array | Float64Array>;
  readonly #numbers: GrowingArray<Float64Array>;
  readonly #labels: string[] = [];
  #allNumbers = true;
  #first: NumberedRecord | undefined;
  #columns: CsvColumns | undefined;
  #row = new Float64Array(0);
  #means = new Float64Array(0);
  #counts = new Int32Array(0);
  #gaps = new Int32Array(0);
  #rows = 0;
  #rowsWithGaps = 0;
  #dropped = 0;

  constructor(name: string, settings: CsvSettings) {
    this.#name = name;
    this.#settings = settings;
    this.#values = new GrowingArray((n) => createFloats(settings.precision, n), name);
    this.#numbers = new GrowingArray((n) => new Float64Array(n), name);
  }

  /** Takes the next record, which ends on the given line. */
  add(fields: string[], line: number): void {
    const record = { fields, line };
    if (this.#columns !== undefined) this.#addRow(record, this.#columns);
    else if (this.#first === undefined) this.#first = record;
    else this.#begin(this.#first, record);
  }

  finish(): CsvData {
    if (this.#columns === undefined && this.#first !== undefined) this.#begin(this.#first);
    const columns = this.#columns;
    if (columns === undefined || this.#rows === 0) {
      const why = this.#dropped > 0 ? ` (${this.#dropped} were dropped)` : '';
      throw new FormatError(this.#name, `holds no rows${why}`, { line: this.#first?.line ?? 1 });
    }
    const missing: CsvMissing = {
      fields: this.#gaps,
      rows: this.#rowsWithGaps,
      dropped: this.#dropped,
    };
    const data = this.#values.join();
    const fill = this.#fill(columns);
    if (fill !== undefined) {
      missing.fill = fill;
      replaceNaN(data, fill);
    }
    const x: Matrix = { data, rows: this.#rows, cols: columns.features.length };
    const names = columns.features.map((place) => columns.names[place]!);
    if (columns.target < 0) return { x, columns: names, missing };
    const y = this.#allNumbers ? this.#numbers.join() : this.#labels;
    return { x, y, columns: names, target: columns.names[columns.target]!, missing };
  }

  /** Settles header and columns once the first two records, or the only one, are there. */
  #begin(first: NumberedRecord, second?: NumberedRecord): void {
    const { header, missingValues } = this.#settings;
    const named =
      header === 'auto' ? looksLikeHeader(first.fields, second?.fields, missingValues) : header;
    const names = named ? first.fields : defaultNames(first.fields.length);
    const columns = chooseColumns(names, this.#settings);
    const count = columns.features.length;
    if (count === 0) {
      const problem = `no column is left for x; with another delimiter, set options.delimiter (first record: ${excerpt(first.fields.join(','))})`;
      throw new FormatError(this.#name, problem, { line: first.line });
    }
    if (typeof this.#settings.missing === 'object' && this.#settings.missing.length !== count) {
      const given = this.#settings.missing.length;
      throw mismatch(
        'options.missing',
        `options.missing has ${given} entries; x has ${count} columns`,
      );
    }
    this.#columns = columns;
    this.#row = new Float64Array(count);
    this.#means = new Float64Array(count);
    this.#counts = new Int32Array(count);
    this.#gaps = new Int32Array(count);
    if (!named) this.#addRow(first, columns);
    if (second !== undefined) this.#addRow(second, columns);
  }

  #addRow({ fields, line }: NumberedRecord, { names, features, target }: CsvColumns): void {
    if (fields.length !== names.length) {
      const problem = `${fields.length} fields; the records before have ${names.length}`;
      throw new FormatError(this.#name, problem, { line });
    }
    const { missing, missingValues } = this.#settings;
    let gaps = 0;
    for (let j = 0; j < features.length; j++) {
      const text = fields[features[j]!]!;
      const gap = missingValues.has(text);
      this.#row[j] = gap ? Number.NaN : this.#toNumber(text, names[features[j]!]!, line);
      if (!gap) continue;
      if (missing === 'error') {
        throw this.#refuseGap(names[features[j]!]!, line, "'drop' or 'mean' deals with such rows");
      }
      this.#gaps[j]!++;
      gaps++;
    }
    const targetText = target < 0 ? undefined : fields[target]!;
    const targetMissing = targetText !== undefined && missingValues.has(targetText);
    if (targetMissing && missing !== 'drop') {
      throw this.#refuseGap(names[target]!, line, "'drop' leaves such rows out");
    }
    if (gaps > 0 || targetMissing) this.#rowsWithGaps++;
    if (missing === 'drop' && (gaps > 0 || targetMissing)) {
      this.#dropped++;
      return;
    }
    this.#rows++;
    for (let j = 0; j < features.length; j++) this.#push(j, this.#row[j]!);
    if (targetText !== undefined) this.#pushTarget(targetText, names[target]!, line);
  }

  #push(column: number, value: number): void {
    this.#values.push(value);
    if (Number.isNaN(value)) return;
    const count = ++this.#counts[column]!;
    const mean = this.#means[column]!;
    this.#means[column] = mean + (value / count - mean / count);
  }

  #pushTarget(text: string, column: string, line: number): void {
    const value = decimalFromText(text);
    if (Math.abs(value) === Number.POSITIVE_INFINITY) {
      const problem = `column ${excerpt(column)} holds ${excerpt(text)}, beyond float64`;
      throw new FormatError(this.#name, problem, { line });
    }
    this.#labels.push(text);
    this.#numbers.push(value);
    if (Number.isNaN(value)) this.#allNumbers = false;
  }

  #toNumber(text: string, column: string, line: number): number {
    const value = decimalFromText(text);
    const stored = this.#settings.precision === 'float32' ? Math.fround(value) : value;
    if (Number.isFinite(stored)) return stored;
    const problem = `column ${excerpt(column)} must hold finite ${this.#settings.precision} numbers, not ${excerpt(text)}`;
    throw new FormatError(this.#name, problem, { line });
  }

  #refuseGap(column: string, line: number, ways: string): FormatError {
    const problem = `column ${excerpt(column)} is missing; options.missing ${ways}`;
    return new FormatError(this.#name, problem, { line });
  }

  #fill(columns: CsvColumns): Float64Array | undefined {
    const { missing } = this.#settings;
    if (typeof missing === 'object') return missing;
    if (missing !== 'mean') return undefined;
    const empty = this.#counts.indexOf(0);
    if (empty >= 0) {
      const column = excerpt(columns.names[columns.features[empty]!]!);
      const problem = `column ${column} has no number to take a mean of`;
      throw new FormatError(this.#name, problem, { line: this.#first?.line ?? 1 });
    }
    return this.#means;
  }
}

function replaceNaN(data: Float32Array | Float64Array, fill: Float64Array): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i])) data[i] = fill[i % fill.length]!;
  }
}
