import { ConvexReLUClassifier } from './classifier';
import type { DocumentContents } from './document';
import { loadDocument } from './document-file';
import { readJson } from './document-json';
import { GatedReLUNetwork } from './gated-network';
import { ReLUNetwork } from './network';
import { ConvexReLURegressor } from './regressor';

/** What a file can hold. */
export type SavedModel =
  | ReLUNetwork
  | GatedReLUNetwork
  | ConvexReLUClassifier
  | ConvexReLURegressor;

/**
 * Reads whatever `save` wrote: a classifier, a regressor or a network.
 *
 * @throws SecondOrderError ERR_FORMAT; ERR_INVALID_ARGUMENT (a file that cannot be read)
 */
export async function loadModel(path: string): Promise<SavedModel> {
  return toModel(await loadDocument(path), path);
}

/**
 * Reads whatever `toJSON` gave, as an object or as text.
 *
 * @throws SecondOrderError ERR_FORMAT
 */
export function modelFromJSON(document: unknown): SavedModel {
  return toModel(readJson(document), 'the document');
}

function toModel(contents: DocumentContents, source: string): SavedModel {
  const { stored, estimator } = contents;
  if (estimator?.type === 'classifier') return ConvexReLUClassifier.from(contents, source);
  if (estimator?.type === 'regressor') return ConvexReLURegressor.from(contents, source);
  return stored.model.kind === 'gated' ? new GatedReLUNetwork(stored) : new ReLUNetwork(stored);
}
