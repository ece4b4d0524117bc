/** Samples and targets from the data files that the commands take. */
import { SecondOrderError } from '../errors';
import { readCsv, readIdx, readLibsvm, readNpy, toMatrix } from '../io';
import type { NumericTensor } from '../io/elements';
import type { Matrix, SparseMatrix } from '../matrix';
import type { DataFlags } from './options';
import { sniffFormat } from './sniff';
import { UsageError } from './usage-error';

export type Inputs = Matrix | SparseMatrix;
/** Numbers, or labels as text. */
export type Targets = Float64Array | string[];

export interface Dataset {
  x: Inputs;
  y?: Targets;
  /** The size of a sample, where the file says that it is an image. */
  image?: [height: number, width: number];
}

/** A dataset that has its targets. */
export type LabelledDataset = Dataset & { y: Targets };

/** What a reader is told besides its path. */
export interface ReadContext {
  flags: DataFlags;
  signal: AbortSignal;
  /** The option that names the file of labels, for messages; `--labels` when left out. */
  labelsOption?: string;
  /**
   * Columns that x must have. Then a file may have a target or not: a CSV file or an array with one
   * column more has one.
   */
  features?: number;
}

/**
 * Reads a data file.
 *
 * @throws SecondOrderError ERR_FORMAT, ERR_INVALID_ARGUMENT (cannot be read), ERR_DIMENSION_MISMATCH,
 * ERR_ABORTED
 */
export async function readDataset(path: string, context: ReadContext): Promise<Dataset> {
  const { flags, signal, features } = context;
  const format = flags.format === 'auto' ? await sniffFormat(path, signal) : flags.format;
  refuseIdleFlags(path, format, context);
  const dataset = await readers[format](path, context);
  if (features !== undefined && dataset.x.cols !== features) {
    throw new SecondOrderError(
      'ERR_DIMENSION_MISMATCH',
      `${path} has ${dataset.x.cols} features; the model takes ${features}`,
    );
  }
  if (dataset.y && dataset.y.length !== dataset.x.rows) {
    throw new SecondOrderError(
      'ERR_DIMENSION_MISMATCH',
      `${flags.labels ?? path} has ${dataset.y.length} labels; ${path} has ${dataset.x.rows} samples`,
    );
  }
  return dataset;
}

/**
 * Reads a data file that must have targets.
 *
 * @throws SecondOrderError as {@link readDataset}
 */
export async function readLabelled(path: string, context: ReadContext): Promise<LabelledDataset> {
  const { x, y, ...rest } = await readDataset(path, context);
  if (!y) {
    throw new SecondOrderError(
      'ERR_INVALID_ARGUMENT',
      `${path} has no targets; a column can have them, or, for npy and idx files, ${context.labelsOption ?? '--labels'} names the file that does`,
    );
  }
  return { x, y, ...rest };
}

/** Refuses options that would have no part in reading this format. */
function refuseIdleFlags(path: string, format: Format, { flags, labelsOption }: ReadContext): void {
  const refuse = (option: string, formats: string) => {
    throw new UsageError(`${option} is for ${formats} files; ${path} is a ${format} file`);
  };
  const labelled = format === 'npy' || format === 'idx';
  if (flags.labels !== undefined && !labelled) refuse(labelsOption ?? '--labels', 'npy and idx');
  if (flags.target !== undefined && (format === 'libsvm' || format === 'idx')) {
    refuse('--target', 'csv and npy');
  }
}

type Format = Exclude<DataFlags['format'], 'auto'>;
type Reader = (path: string, context: ReadContext) => Promise<Dataset>;

const readers: Record<Format, Reader> = {
  async csv(path, { flags, signal, features }) {
    const { missing, delimiter, target } = flags;
    const options = { missing, delimiter, signal };
    const withTarget = target === undefined ? {} : { target };
    const data = await readCsv(path, { ...options, ...withTarget });
    if (features === undefined || target !== undefined || data.x.cols === features) {
      return { x: data.x, ...(data.y && { y: data.y }) };
    }
    if (data.x.cols + 1 !== features) return { x: data.x };
    return { x: (await readCsv(path, { ...options, target: false })).x };
  },

  async libsvm(path, { signal, features }) {
    return readLibsvm(path, { signal, ...(features !== undefined && { features }) });
  },

  async npy(path, { flags, signal, features }) {
    const tensor = await readNpy(path, { signal });
    const image = imageOf(tensor);
    const x = toMatrix(tensor);
    if (flags.labels !== undefined)
      return { x, ...image, y: await readLabels(flags.labels, signal) };
    const noTarget =
      tensor.shape.length !== 2 || (flags.target === undefined && x.cols === features);
    return noTarget ? { x, ...image } : splitColumn(x, flags.target ?? -1, path);
  },

  async idx(path, { flags, signal }) {
    const tensor = await readIdx(path, { signal });
    // Bytes are gray levels: 0 to 1.
    const x = toMatrix(tensor, tensor.dtype === 'uint8' ? { divideBy: 255 } : {});
    const y = flags.labels === undefined ? undefined : await readLabels(flags.labels, signal);
    return { x, ...imageOf(tensor), ...(y && { y }) };
  },
};

function imageOf({ shape }: NumericTensor): Pick<Dataset, 'image'> {
  const [, height, width] = shape;
  return shape.length === 3 && height && width ? { image: [height, width] } : {};
}

async function readLabels(path: string, signal: AbortSignal): Promise<Float64Array> {
  const format = await sniffFormat(path, signal);
  if (format !== 'npy' && format !== 'idx') {
    throw new SecondOrderError('ERR_FORMAT', `${path} is neither an npy nor an idx file`);
  }
  const read = format === 'npy' ? readNpy : readIdx;
  return Float64Array.from((await read(path, { signal })).data);
}

/** Takes one column of an array as the target. */
function splitColumn(matrix: Matrix, place: string | number, path: string): LabelledDataset {
  const target = typeof place === 'number' && place < 0 ? matrix.cols + place : place;
  if (typeof target === 'string' || target < 0 || target >= matrix.cols || matrix.cols < 2) {
    throw new SecondOrderError(
      'ERR_INVALID_ARGUMENT',
      `${path} has columns 0 to ${matrix.cols - 1} and no column ${place} to predict from the others`,
    );
  }
  const { rows, cols } = matrix;
  const y = Float64Array.from({ length: rows }, (_, i) => matrix.data[i * cols + target] ?? 0);
  const data = matrix.data.filter((_, k) => k % cols !== target);
  return { x: { data, rows, cols: cols - 1 }, y };
}
