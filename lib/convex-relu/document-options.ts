/** The training options in a document, and what a loaded estimator trains with. */
import { toInteger, toRecord } from '../validate';
import type { ConvexReLUOptions, TrainingOptions } from './option-types';
import { checkOptions, resolveOptions, toTrainingOptions } from './options';
import type { StoredModel } from './stored-model';

/** Reads options that a document holds; null where there are none. */
export function decodeOptions(value: unknown, features: number): TrainingOptions | null {
  if (value === null || value === undefined) return null;
  const { gates, ...others } = toRecord(value, 'options');
  const drawing = toRecord(gates, 'options.gates');
  const given = drawing.from === 'given';
  const count = toInteger(drawing.count, 'options.gates.count', { min: 1 });
  // Files from before there was refinement do not name it.
  const known = checkOptions({ refine: false, ...others, gates: given ? count : gates });
  const options = toTrainingOptions(resolveOptions(known, { features }));
  return given ? { ...options, gates: { count, from: 'given' } } : options;
}

/** Options to train again as the stored model was trained; its gates are kept where they were given. */
export function retrainingOptions({ model, certificate, options }: StoredModel): ConvexReLUOptions {
  if (!options) return {};
  const { gates, ...others } = options;
  if (gates.from !== 'given') return { ...others, gates: { ...gates, from: gates.from } };
  if (!certificate) return { ...others, gates: gates.count };
  const cols = model.features + 1;
  const matrix = { data: certificate.gates, rows: certificate.gates.length / cols, cols };
  return { ...others, gates: matrix };
}
