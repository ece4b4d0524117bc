/** The state of a pruning run, and what its steps do apart from the calls that take time. */
import { AbortError } from '../errors';
import type { RemovalUpdate } from './blocks';
import type { MaskSpec } from './native';
import type { PruneProgress, PruneSettings } from './prune-options';
import { maskWithout, select } from './selection';
import { sparsityAt } from './sparsity-schedule';
import { toSingle } from './vectors';

/** One step of pruning. */
export interface PruneStep {
  /** From 1. */
  step: number;
  /** Share of all weights that are removed after it. */
  sparsity: number;
  /** Weights removed after it, those of the steps before included. */
  removed: number;
  /** What the quadratic model expects the loss to rise by in this step. */
  lossIncrease: number;
  /** Gradients that H was estimated from. */
  gradients: number;
}

/** Pruned weights. */
export interface PruneResult {
  /** Removed ones exactly 0. */
  weights: Float32Array;
  /** 1 kept, 0 removed. */
  mask: Uint8Array;
  /** Of all steps together, as the quadratic model expects it. */
  lossIncrease: number;
  steps: PruneStep[];
}

/** A pruning run between its steps. */
export class Pruning {
  #weights: Float32Array;
  #mask: Uint8Array;
  readonly #steps: PruneStep[] = [];

  constructor(
    weights: Float32Array,
    readonly settings: PruneSettings,
  ) {
    this.#weights = weights.slice();
    this.#mask = new Uint8Array(weights.length).fill(1);
  }

  /** Whether all steps are taken. */
  get done(): boolean {
    return this.#steps.length === this.settings.steps;
  }

  /** For callbacks: a copy, so that they cannot change the run's own. */
  get weights(): Float32Array {
    return this.#weights.slice();
  }

  get mask(): Uint8Array {
    return this.#mask.slice();
  }

  get lossIncrease(): number {
    return this.#steps.reduce((sum, { lossIncrease }) => sum + lossIncrease, 0);
  }

  get result(): PruneResult {
    const { weights, mask, lossIncrease } = this;
    return { weights, mask, lossIncrease, steps: [...this.#steps] };
  }

  /** Where the run is, in its step under way. */
  progress(gradients: number): PruneProgress {
    const { steps } = this.settings;
    const iteration = this.#steps.length + 1;
    const { lossIncrease } = this;
    return { iteration, steps, sparsity: this.#sparsity, gradients, lossIncrease };
  }

  /** Which weights are to be gone after the step under way: those with the least ρ = w²/(2 diag). */
  selection(diagonal: Float64Array): MaskSpec {
    const scores = diagonal.map((d, i) => this.#weights[i]! ** 2 / (2 * d));
    return select(scores, { ...this.settings, sparsity: this.#sparsity }, this.#mask);
  }

  /** What the update of the step under way is to be asked for. */
  removal(remove: Uint32Array): [Float32Array, Uint32Array, { joint: boolean }] {
    return [this.#weights, remove, { joint: this.settings.joint }];
  }

  /** Takes the step. */
  take({ weights, lossIncrease }: RemovalUpdate, remove: Uint32Array, gradients: number): void {
    this.#weights = weights;
    this.#mask = maskWithout(remove, weights.length);
    const removed = remove.length;
    const step = this.#steps.length + 1;
    const sparsity = removed / weights.length;
    this.#steps.push({ step, sparsity, removed, lossIncrease, gradients });
  }

  /** Takes weights that were trained meanwhile; removed ones stay 0. */
  replace(tuned: unknown): void {
    const weights = toSingle(tuned, 'the result of options.tune', this.#weights.length).slice();
    for (let i = 0; i < weights.length; i++) if (this.#mask[i] === 0) weights[i] = 0;
    this.#weights = weights;
  }

  /** An AbortError gets the steps that were taken; anything else stays as it is. */
  explain(error: unknown): unknown {
    if (!(error instanceof AbortError) || this.#steps.length === 0) return error;
    return new AbortError(error.cause, this.result);
  }

  /** Share of the prunable weights that are to be gone after the step under way. */
  get #sparsity(): number {
    const { steps, sparsity, growth, pattern } = this.settings;
    const step = this.#steps.length + 1;
    if (step === steps || !pattern) return sparsityAt(step, steps, sparsity, growth);
    const [n, m] = pattern;
    return sparsityAt(step, steps, Math.min(sparsity, 1 - n / m), growth);
  }
}
