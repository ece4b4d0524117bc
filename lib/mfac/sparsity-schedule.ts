/**
 * How sparsity grows over the steps of gradual pruning.
 *
 * - `'cubic'`: s (1 − (1 − t/T)³), much at first, little at last (Zhu and Gupta, arXiv 1710.01878).
 * - `'geometric'`: every step removes the same share of the weights that are left.
 */
export type SparsityGrowth = 'cubic' | 'geometric';

export const GROWTHS = ['cubic', 'geometric'] as const;

/** Sparsity after step `step` of `steps`, from 1; the last one gives `target` itself. */
export function sparsityAt(
  step: number,
  steps: number,
  target: number,
  growth: SparsityGrowth,
): number {
  if (step === steps) return target;
  const time = step / steps;
  return growth === 'cubic' ? target * (1 - (1 - time) ** 3) : 1 - (1 - target) ** time;
}
