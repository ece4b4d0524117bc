import { toPrecision } from '../floats';
import { LARGEST_COUNT, toChoice, toInteger } from '../validate';
import { type LibsvmData, LibsvmParser, type LibsvmSettings } from './libsvm-parser';
import {
  checkReadOptions,
  type DataSource,
  type ParserFactory,
  parseSource,
  parseSourceSync,
  type ReadOptions,
} from './source';

/** Options of {@link readLibsvm}. */
export interface LibsvmOptions extends ReadOptions {
  /** Number of columns; an index above it is an error. Default: the largest index of the file. */
  features?: number;
  /** How values are stored. Default 'float64'. */
  precision?: 'float32' | 'float64';
  /** The index of the first column. Default 1, as LIBSVM has it. */
  indexBase?: 0 | 1;
  /** What to do about a `qid:` after the label. Default 'error'. */
  qid?: 'error' | 'ignore';
}

/**
 * Reads the LIBSVM (SVMlight) format: `label index:value ...` on each line, indices ascending, `#`
 * before comments, blank lines skipped.
 *
 * @param source path (gzip too, whatever its name) or bytes
 * @returns x, rows × features in CSR with the stored entries of the file, and y, the label of each row
 * @throws SecondOrderError ERR_FORMAT with `line` and `column`; ERR_INVALID_ARGUMENT (options, or a
 * file that cannot be read); ERR_ABORTED
 */
export async function readLibsvm(
  source: DataSource,
  options: LibsvmOptions = {},
): Promise<LibsvmData> {
  return parseSource(source, options, parser(options));
}

/** As {@link readLibsvm}, on the calling thread. */
export function readLibsvmSync(source: DataSource, options: LibsvmOptions = {}): LibsvmData {
  return parseSourceSync(source, options, parser(options));
}

function parser(options: LibsvmOptions): ParserFactory<LibsvmData> {
  checkReadOptions(options, ['features', 'precision', 'indexBase', 'qid']);
  const { features, precision = 'float64', indexBase = 1, qid = 'error' } = options;
  const settings: LibsvmSettings = {
    features:
      features === undefined
        ? undefined
        : toInteger(features, 'options.features', { min: 1, max: LARGEST_COUNT }),
    precision: toPrecision(precision, 'options.precision'),
    indexBase: toInteger(indexBase, 'options.indexBase', { min: 0, max: 1 }) === 0 ? 0 : 1,
    qid: toChoice(qid, 'options.qid', ['error', 'ignore']),
  };
  return (origin) => new LibsvmParser(origin, settings);
}
