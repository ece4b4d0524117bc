import { SecondOrderError } from '../errors';
import type { MinimizeResult } from './result';

/**
 * A function of a problem threw, or gave what it must not: `code` is `ERR_EVALUATION`, `cause` what it
 * threw, where it did.
 */
export class EvaluationError extends SecondOrderError {
  override name = 'EvaluationError';
  /** The best iterate before it, with status `evaluation_error`. Absent for derivative checks. */
  declare readonly partial?: MinimizeResult;

  constructor(message: string, details: { cause?: unknown } = {}, partial?: MinimizeResult) {
    super('ERR_EVALUATION', message, details);
    if (partial !== undefined) this.partial = partial;
  }
}
