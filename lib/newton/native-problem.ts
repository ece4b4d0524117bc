import { loadNative } from '../native';
import { runDirect } from '../run';
import type { NativeProblemSpec } from './native';

/**
 * A problem whose functions are native code: made by {@link constrainedLogisticRegression} and
 * {@link pdeControl}, and used wherever a {@link Problem} is.
 */
export class NativeProblem {
  /** n */
  readonly variables: number;
  /** m */
  readonly constraints: number;
  readonly #spec: NativeProblemSpec;
  #x0: Float64Array | undefined;

  /** @internal */
  constructor(spec: NativeProblemSpec, variables: number, constraints: number) {
    this.#spec = spec;
    this.variables = variables;
    this.constraints = constraints;
  }

  /** Where a run starts, n numbers; a copy. */
  get x0(): Float64Array {
    this.#x0 ??= runDirect(() => loadNative().newtonStart({ problem: this.#spec }));
    return this.#x0.slice();
  }

  /** @internal */
  toNative(): NativeProblemSpec {
    return this.#spec;
  }
}
