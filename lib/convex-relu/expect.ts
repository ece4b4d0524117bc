/** Checks that a document holds what the caller reads it as. */
import { FormatError } from '../io/format-error';
import type { DocumentContents } from './document';
import type { EstimatorState } from './estimator-state';

/** The contents, when their network is of the given kind. */
export function expectKind(
  contents: DocumentContents,
  kind: 'relu' | 'gated',
  source: string,
): DocumentContents {
  if (contents.stored.model.kind === kind) return contents;
  const other = kind === 'relu' ? 'GatedReLUNetwork' : 'ReLUNetwork';
  throw new FormatError(source, `holds a network of another kind; read it with ${other}`);
}

/** The estimator's state, when it is of the given type. */
export function expectEstimator<T extends EstimatorState['type']>(
  { estimator }: DocumentContents,
  type: T,
  source: string,
): Extract<EstimatorState, { type: T }> {
  if (isOfType(estimator, type)) return estimator;
  throw new FormatError(
    source,
    `holds ${estimator ? `a ${estimator.type}` : 'a network'}, no ${type}`,
  );
}

function isOfType<T extends EstimatorState['type']>(
  state: EstimatorState | undefined,
  type: T,
): state is Extract<EstimatorState, { type: T }> {
  return state?.type === type;
}
