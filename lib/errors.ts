/**
 * The errors of this package: one class, told apart by `code`.
 */

const CODES = [
  'ERR_INVALID_ARGUMENT',
  'ERR_DIMENSION_MISMATCH',
  'ERR_OUT_OF_MEMORY',
  'ERR_NOT_FITTED',
  'ERR_ABORTED',
  'ERR_NUMERICAL',
  'ERR_EVALUATION',
  'ERR_DISPOSED',
  'ERR_BUSY',
  'ERR_FORMAT',
  'ERR_CUDA_NO_DRIVER',
  'ERR_CUDA_NO_BACKEND',
  'ERR_CUDA_NO_DEVICE',
  'ERR_CUDA_LIBRARY',
  'ERR_CUDA',
  'ERR_NATIVE_NOT_FOUND',
  'ERR_INTERNAL',
] as const;

/**
 * Why a call failed.
 *
 * - `ERR_INVALID_ARGUMENT`: wrong type, shape or range; NaN or infinity in data, with its position
 * - `ERR_DIMENSION_MISMATCH`: sizes of two arguments that do not go together
 * - `ERR_OUT_OF_MEMORY`: the message says what was needed and what there was
 * - `ERR_NOT_FITTED`: an estimator that was asked before `fit`
 * - `ERR_ABORTED`: see {@link AbortError}
 * - `ERR_NUMERICAL`: the arithmetic broke down
 * - `ERR_EVALUATION`: a callback threw (`cause`) or returned a non-finite value
 * - `ERR_DISPOSED`: a handle used after `dispose()`
 * - `ERR_BUSY`: a synchronous call on a handle whose asynchronous calls are under way
 * - `ERR_FORMAT`: a malformed file, with line or byte position
 * - `ERR_CUDA_…`: no driver, no backend package, no device, a library missing, or a failed CUDA call
 * - `ERR_NATIVE_NOT_FOUND`: no native build for this platform
 * - `ERR_INTERNAL`: a defect of this package; please report it
 */
export type ErrorCode = (typeof CODES)[number];

/** What may be said of an error besides its code and message. */
export interface ErrorDetails {
  /** The argument at fault, as in `options.beta`. */
  argument?: string;
  /** The error, or the abort reason, behind this one. */
  cause?: unknown;
}

/** Every error that this package throws or rejects with, other than those of your own callbacks. */
export class SecondOrderError extends Error {
  override name = 'SecondOrderError';
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** The argument at fault, where there is one. */
  declare readonly argument?: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    if (details.argument !== undefined) this.argument = details.argument;
  }
}

/**
 * The run was aborted by its signal: `code` is `ERR_ABORTED`, `name` is `AbortError`, `cause` is
 * `signal.reason`.
 */
export class AbortError<Partial = unknown> extends SecondOrderError {
  override name = 'AbortError';
  /** What the run would have resolved to: its best iterate so far. Absent where there is none. */
  declare readonly partial?: Partial;

  constructor(reason: unknown, partial?: Partial) {
    super('ERR_ABORTED', 'The run was aborted', { cause: reason });
    if (partial !== undefined) this.partial = partial;
  }
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether the value is one of the codes above. */
function isErrorCode(value: unknown): value is ErrorCode {
  return CODES.some((code) => code === value);
}

/**
 * A native error, which crosses the boundary as an Error with `code` and `argument`, as a
 * {@link SecondOrderError}. Anything else is returned as it is.
 */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SecondOrderError) return error;
  const { code, argument } = error as Error & { code?: unknown; argument?: unknown };
  if (!isErrorCode(code)) return error;
  const details: ErrorDetails = typeof argument === 'string' ? { argument } : {};
  return new SecondOrderError(code, error.message, details);
}
