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
  const { spec, finish } = prepare(scores, options);
  return operate(loadNative().pruningMask, spec, checkOperation(run), finish);
}

/** {@link selectWeights} on the calling thread. */
export function selectWeightsSync(
  scores: Float32Array | Float64Array,
  options: SelectionOptions,
  run?: OperationOptions,
): Uint8Array {
  const { spec, finish } = prepare(scores, options);
  return operateSync(loadNative().pruningMaskSync, spec, checkOperation(run), finish);
}

function prepare(scores: unknown, options: unknown) {
  const checked = toVector(scores, 'scores');
  const request = select(Float64Array.from(checked), readSelection(options, checked.length));
  const finish = ({ remove }: { remove: Uint32Array }) =>
    maskWithout(request.places(remove), checked.length);
  return { spec: request.spec, finish };
}

/** A selection for the native code, and its answer as places among all weights, ascending. */
export interface SelectionRequest {
  spec: MaskSpec;
  places(remove: Uint32Array): Uint32Array;
}

/**
 * The native form of a selection.
 *
 * @param removed 0 where a weight is gone already: it is among those that go
 */
export function select(
  scores: Float64Array,
  selection: Selection,
  removed?: Uint8Array,
): SelectionRequest {
  const { sparsity, layers, pattern, prunable } = selection;
  const frozen = removed?.map((kept) => 1 - kept);
  const gone = frozen ? { frozen } : {};
  if (!prunable) {
    const spec = { scores, sparsity, ...(layers ? { layers } : {}), ...gone };
    return { spec: pattern ? { ...spec, pattern } : spec, places: (remove) => remove };
  }
  if (!pattern) return selectAmong(prunable, scores, selection, frozen);
  // Groups stand where they are: those that have to stay go last, and come back where they went.
  const worth = scores.map((score, i) => (prunable[i] === 1 ? score : Number.POSITIVE_INFINITY));
  return {
    spec: { scores: worth, sparsity, pattern, ...(layers ? { layers } : {}), ...gone },
    places: (remove) => remove.filter((place) => prunable[place] === 1),
  };
}

/** A selection among the prunable weights alone. */
function selectAmong(
  prunable: Uint8Array,
  scores: Float64Array,
  { sparsity, layers }: Selection,
  frozen: Uint8Array | undefined,
): SelectionRequest {
  const among = <Values extends Float64Array | Uint8Array>(values: Values) =>
    values.filter((_, i) => prunable[i] === 1) as Values;
  const all = Uint32Array.from(prunable.keys()).filter((place) => prunable[place] === 1);
  let start = 0;
  const lengths = Array.from(layers ?? [], (length) => {
    const part = prunable.subarray(start, start + length);
    start += length;
    return part.reduce((sum, entry) => sum + entry, 0);
  }).filter((length) => length > 0);
  return {
    spec: {
      scores: among(scores),
      sparsity,
      ...(layers ? { layers: Int32Array.from(lengths) } : {}),
      ...(frozen ? { frozen: among(frozen) } : {}),
    },
    places: (remove) => remove.map((place) => all[place]!),
  };
}

/** Ones, and zeros in the places given. */
export function maskWithout(remove: Uint32Array, length: number): Uint8Array {
  const mask = new Uint8Array(length).fill(1);
  for (const place of remove) mask[place] = 0;
  return mask;
}
