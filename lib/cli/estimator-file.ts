import { ConvexReLUClassifier, ConvexReLURegressor, loadModel } from '../convex-relu';
import { SecondOrderError } from '../errors';
import type { Model } from './task';

/**
 * Reads a classifier or regressor that `train --out` or `save` wrote.
 *
 * @throws SecondOrderError ERR_FORMAT (damaged, or a network without the labels of an estimator),
 * ERR_INVALID_ARGUMENT (cannot be read)
 */
export async function loadEstimator(path: string): Promise<Model> {
  const model = await loadModel(path);
  if (model instanceof ConvexReLUClassifier || model instanceof ConvexReLURegressor) return model;
  throw new SecondOrderError(
    'ERR_FORMAT',
    `${path} holds a network alone; the command line takes classifiers and regressors`,
  );
}
