/**
 * Weights and gradients in files: arrays of NumPy, or tensors of safetensors by name. Gradients have
 * one axis more, the first: one gradient after the other.
 */
import { SecondOrderError } from '../errors';
import {
  readNpy,
  readSafetensors,
  type Tensor,
  type TensorContent,
  writeNpy,
  writeSafetensors,
} from '../io';
import type { NumericArray } from '../io/elements';
import { FormatError } from '../io/format-error';
import { sizeOf } from '../io/shape';
import { sniffFormat } from './sniff';

/** Weights under one name. */
export interface WeightPart {
  name: string;
  shape: readonly number[];
  /** Place of the first one among all. */
  start: number;
  length: number;
}

/** The weights of a file that have gradients, as one vector, and how to write others in their place. */
export interface WeightFiles {
  parts: WeightPart[];
  weights: Float32Array;
  /** How many gradients there are. */
  count: number;
  /** One after the other, in the same array. */
  gradients(): Iterable<Float32Array>;
  writeWeights(path: string, weights: Float32Array): Promise<void>;
  /** Bytes of 0 and 1. */
  writeMask(path: string, mask: Uint8Array): Promise<void>;
}

/**
 * Reads weights and their gradients.
 *
 * @throws SecondOrderError ERR_FORMAT, ERR_INVALID_ARGUMENT (cannot be read),
 * ERR_DIMENSION_MISMATCH, ERR_ABORTED
 */
export async function readWeightFiles(
  weights: string,
  gradients: string,
  signal: AbortSignal,
): Promise<WeightFiles> {
  const [first, second] = [await isNpy(weights, signal), await isNpy(gradients, signal)];
  if (first !== second) {
    const [a, b] = first ? [weights, gradients] : [gradients, weights];
    const problem = `${a} is a npy file and ${b} is not: both have to be npy or safetensors`;
    throw new SecondOrderError('ERR_INVALID_ARGUMENT', problem);
  }
  return first ? readArrays(weights, gradients, signal) : readTensors(weights, gradients, signal);
}

async function isNpy(path: string, signal: AbortSignal): Promise<boolean> {
  return (await sniffFormat(path, signal)) === 'npy';
}

async function readArrays(
  path: string,
  gradientPath: string,
  signal: AbortSignal,
): Promise<WeightFiles> {
  const { data, shape } = await readNpy(path, { signal });
  const gradients = await readNpy(gradientPath, { signal });
  const part = { name: path, shape, start: 0, length: data.length };
  const count = countOf(gradients.shape, part, gradientPath);
  return {
    parts: [part],
    weights: inSingle(data),
    count,
    gradients: () => rows([{ part, data: gradients.data }], count),
    writeWeights: (target, weights) => writeNpy(target, { data: weights, shape }),
    writeMask: (target, mask) => writeNpy(target, { data: mask, shape }),
  };
}

async function readTensors(
  path: string,
  gradientPath: string,
  signal: AbortSignal,
): Promise<WeightFiles> {
  const { tensors, metadata } = await readSafetensors(path, { signal });
  const gradients = (await readSafetensors(gradientPath, { signal })).tensors;
  const unknown = Object.keys(gradients).find((name) => !(name in tensors));
  if (unknown !== undefined) throw new FormatError(path, `has no tensor ${unknown} to prune`);
  const parts: WeightPart[] = [];
  const sources: Source[] = [];
  let start = 0;
  let count: number | undefined;
  for (const [name, gradient] of Object.entries(gradients)) {
    const { data, shape } = floatsOf(tensors, name, path);
    const part = { name, shape, start, length: data.length };
    const found = countOf(gradient.shape, part, gradientPath);
    if (count !== undefined && found !== count) {
      const problem = `${name} has ${found} gradients, others have ${count}`;
      throw new SecondOrderError('ERR_DIMENSION_MISMATCH', `${gradientPath}: ${problem}`);
    }
    count = found;
    parts.push(part);
    sources.push({ part, data: floatsOf(gradients, name, gradientPath).data });
    start += part.length;
  }
  if (count === undefined) throw new FormatError(gradientPath, 'holds no tensor');
  const gradientCount = count;
  const weights = new Float32Array(start);
  for (const { name, start: at } of parts) weights.set(floatsOf(tensors, name, path).data, at);
  const written = (make: (part: WeightPart, tensor: Tensor) => TensorContent) =>
    Object.fromEntries(parts.map((part) => [part.name, make(part, tensors[part.name]!)]));
  return {
    parts,
    weights,
    count: gradientCount,
    gradients: () => rows(sources, gradientCount),
    writeWeights: (target, pruned) =>
      writeSafetensors(
        target,
        {
          ...tensors,
          ...written((part, { dtype }) => likeBefore(slice(pruned, part), part, dtype)),
        },
        metadata,
      ),
    writeMask: (target, mask) =>
      writeSafetensors(
        target,
        written((part) => ({ data: slice(mask, part), shape: part.shape, dtype: 'BOOL' })),
      ),
  };
}

/** Gradients of one part, one after the other. */
interface Source {
  part: WeightPart;
  data: NumericArray;
}

function* rows(sources: readonly Source[], count: number): Iterable<Float32Array> {
  const last = sources.at(-1)?.part;
  const row = new Float32Array(last ? last.start + last.length : 0);
  for (let i = 0; i < count; i++) {
    for (const { part, data } of sources) {
      row.set(data.subarray(i * part.length, (i + 1) * part.length), part.start);
    }
    yield row;
  }
}

function slice<Values extends Float32Array | Uint8Array>(
  values: Values,
  { start, length }: WeightPart,
): Values {
  return values.slice(start, start + length) as Values;
}

/** In the type that the file had. */
function likeBefore(data: Float32Array, { shape }: WeightPart, dtype: string): TensorContent {
  return { data: dtype === 'F64' ? Float64Array.from(data) : data, shape };
}

function inSingle(data: NumericArray): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

function floatsOf(tensors: Readonly<Record<string, Tensor>>, name: string, path: string) {
  const { data, shape, dtype } = tensors[name]!;
  if (data instanceof Float32Array || data instanceof Float64Array) return { data, shape };
  throw new FormatError(path, `tensor ${name} is ${dtype}; only F32 and F64 can be pruned`);
}

/** How many gradients an array of this shape has for the weights. */
function countOf(
  [count = 0, ...axes]: readonly number[],
  { name, shape, length }: WeightPart,
  path: string,
): number {
  if (count > 0 && axes.length > 0 && sizeOf(axes) === length) return count;
  const got = [count, ...axes].join(' x ');
  throw new SecondOrderError(
    'ERR_DIMENSION_MISMATCH',
    `${path}: gradients of ${name} are to have the shape m x ${shape.join(' x ')}, not ${got}`,
  );
}
