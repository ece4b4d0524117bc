/** Gradients as they come: rows of a matrix, or one after the other from an iterable. */
import { AbortError, messageOf, SecondOrderError } from '../errors';
import { type DenseMatrixLike, toDenseMatrix } from '../matrix';
import { untilAborted } from '../run';
import { describe, invalid, isRecord } from '../validate';
import { inSingle, toVector } from './vectors';

/** Gradients one after the other, each with as many entries as there are weights. */
export type GradientStream =
  | AsyncIterable<Float32Array | Float64Array>
  | Iterable<Float32Array | Float64Array>;

/** Rows in one buffer. */
export interface GradientRows {
  data: Float32Array;
  rows: number;
  cols: number;
}

/** Whether the value gives its entries one after the other and is no matrix. */
export function isStream(value: unknown): value is GradientStream {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

/** A matrix of gradients, a row each, in float32. */
export function toGradientRows(value: unknown, argument: string, cols?: number): GradientRows {
  const matrix = toDenseMatrix(value, argument, {
    minRows: 1,
    ...(cols === undefined ? {} : { cols }),
  });
  return { ...matrix, data: inSingle(matrix.data, argument) };
}

/** What {@link readGradients} is told. */
interface Reading {
  argument: string;
  /** Entries that each must have; those of the first when left out. */
  dimension?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The gradients of a stream or matrix in float32, checked one by one.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH; ERR_EVALUATION, with what the
 * stream threw as its cause; AbortError
 */
export async function* readGradients(
  value: GradientStream | DenseMatrixLike,
  { argument, dimension, signal }: Reading,
): AsyncGenerator<GradientRows> {
  if (!isStream(value)) {
    yield toGradientRows(value, argument, dimension);
    return;
  }
  let length = dimension;
  let count = 0;
  for await (const gradient of watched(value, argument, signal)) {
    const place = `${argument}[${count}]`;
    const data = inSingle(toVector(gradient, place, length), place);
    length ??= data.length;
    if (length === 0) throw invalid(place, 'a gradient with at least one entry', 'none');
    count++;
    yield { data, rows: 1, cols: length };
  }
  if (count === 0) throw invalid(argument, 'at least one gradient', 'none');
}

/**
 * The stream, left at once when the signal aborts, also while its next item is awaited. What it
 * throws becomes the cause of an ERR_EVALUATION.
 */
async function* watched(
  stream: GradientStream,
  argument: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<unknown> {
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  try {
    iterator =
      Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
    for (;;) {
      const { done, value } = await untilAborted(iterator.next(), signal);
      if (done) break;
      yield value;
    }
    iterator = undefined; // it has come to its end
  } catch (cause) {
    const aborted = cause instanceof AbortError;
    // A generator closes only once its pending item is there: not to be waited for.
    if (aborted) Promise.resolve(iterator?.return?.()).catch(() => undefined);
    iterator = undefined;
    throw aborted ? cause : evaluationError(argument, cause);
  } finally {
    await iterator?.return?.();
  }
}

/** What a callback of the user threw, as the cause of a typed error. */
export function evaluationError(argument: string, cause: unknown): SecondOrderError {
  return new SecondOrderError('ERR_EVALUATION', `${argument} threw: ${messageOf(cause)}`, {
    argument,
    cause,
  });
}

/** Checks that the value can be read as gradients at all. */
export function checkGradients(
  value: unknown,
  argument: string,
): asserts value is GradientStream | DenseMatrixLike {
  if (isStream(value) || Array.isArray(value) || isRecord(value)) return;
  throw invalid(argument, 'a matrix or an (async) iterable of gradients', describe(value));
}
