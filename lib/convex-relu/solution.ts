import type { NativeCertificate, NativeSolution } from '../native-interface';
import type { TrainingOptions } from './option-types';

/** The dual variables saved with a network, from which {@link verify} recomputes the lower bound. */
export type { NativeCertificate as DualCertificate };

/** What a warm start must fit. */
export interface ModelShape {
  kind: 'relu' | 'gated';
  features: number;
  outputs: number;
}

/**
 * The solution of a convex program as the solver holds it: pass it as `warmStart` to continue, for
 * example with another `beta`, on the same data and with the same gates.
 */
export class ConvexSolution {
  /** The dual certificate of the network that this solution gave. */
  readonly certificate: NativeCertificate;
  /** The options it was solved with. */
  readonly options: TrainingOptions;
  /** @internal */
  readonly shape: ModelShape;
  readonly #state: NativeSolution;

  /** @internal Solutions come from {@link trainConvexReLU}. */
  constructor(
    state: NativeSolution,
    certificate: NativeCertificate,
    options: TrainingOptions,
    shape: ModelShape,
  ) {
    this.certificate = certificate;
    this.options = options;
    this.shape = shape;
    this.#state = state;
  }

  /** @internal */
  toWarmStart(): NativeSolution {
    return this.#state;
  }
}
