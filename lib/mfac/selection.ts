import { loadNative } from '../native';
import type { MaskSpec } from './native';
import { checkOperation, type OperationOptions, operate, operateSync } from './operation';
import { readSelection, type Selection, type SelectionOptions } from './prune-options';
import { toVector } from './vectors';

/**
 * The mask that keeps the weights with the highest scores, for scores of your own: the magnitudes of
 * the weights make it magnitude pruning.
 *
 * @param scores one finite number for each weight
 * @returns 1 kept, 0 removed
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_ABORTED
 */
export async function selectWeights(
  scores: Float32Array | Float64Array,
  options: SelectionOptions,
  run?: OperationOptions,
): Promise<Uint8Array> {
  const { request, finish } = prepare(scores, options);
  return operate(loadNative().pruningMask, request, checkOperation(run), finish);
}

/** {@link selectWeights} on the calling thread. */
export function selectWeightsSync(
  scores: Float32Array | Float64Array,
  options: SelectionOptions,
  run?: OperationOptions,
): Uint8Array {
  const { request, finish } = prepare(scores, options);
  return operateSync(loadNative().pruningMaskSync, request, checkOperation(run), finish);
}

function prepare(scores: unknown, options: unknown) {
  const checked = toVector(scores, 'scores');
  const request = select(Float64Array.from(checked), readSelection(options, checked.length));
  const finish = ({ remove }: { remove: Uint32Array }) => maskWithout(remove, checked.length);
  return { request, finish };
}

/**
 * The native form of a selection.
 *
 * @param removed 0 where a weight is gone already: it is among those that go
 */
export function select(
  scores: Float64Array,
  { sparsity, layers, pattern, prunable }: Selection,
  removed?: Uint8Array,
): MaskSpec {
  return {
    scores,
    sparsity,
    ...(layers ? { layers } : {}),
    ...(pattern ? { pattern } : {}),
    ...(prunable ? { prunable } : {}),
    ...(removed ? { frozen: removed.map((kept) => 1 - kept) } : {}),
  };
}

/** Ones, and zeros in the places given. */
export function maskWithout(remove: Uint32Array, length: number): Uint8Array {
  const mask = new Uint8Array(length).fill(1);
  for (const place of remove) mask[place] = 0;
  return mask;
}
