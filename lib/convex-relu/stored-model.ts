/** A model's arrays with what was kept of its training, and the checks that they fit together. */
import { findNonFinite } from '../matrix';
import type { NativeCertificate, NativeModel } from '../native-interface';
import type { TrainingOptions } from './option-types';

/** What a network class wraps. */
export class StoredModel {
  constructor(
    readonly model: NativeModel,
    readonly certificate: NativeCertificate | null = null,
    readonly options: TrainingOptions | null = null,
  ) {}
}

type Floats = Float32Array | Float64Array;

/** Length of z(x): the inputs that a neuron sees, with the bias. */
export function innerLength(model: NativeModel): number {
  const directions = model.components ? model.components.length / model.features : model.features;
  return directions + (model.biasValue === 0 ? 0 : 1);
}

/** What is wrong with the arrays of a model, or undefined. */
export function modelProblem(model: NativeModel): string | undefined {
  const { features, outputs, kind } = model;
  const inner = innerLength(model);
  const problem =
    lengthProblem('mean', model.mean, features) ??
    lengthProblem('scale', model.scale, features) ??
    lengthProblem('outputBias', model.outputBias, outputs) ??
    lengthProblem('components', model.components, undefined, features);
  if (problem !== undefined) return problem;
  if (model.components?.length === 0) return 'components is empty';
  return kind === 'relu' ? reluProblem(model, inner) : gatedProblem(model, inner);
}

/** What is wrong with a certificate, by itself and for a model if one is given, or undefined. */
export function certificateProblem(
  certificate: NativeCertificate,
  model: NativeModel,
): string | undefined {
  const { gates, nu, mu, muRows, sampleWeights } = certificate;
  const width = model.features + 1;
  const problem =
    lengthProblem('certificate gates', gates, undefined, width) ??
    lengthProblem('certificate nu', nu, undefined, model.outputs);
  if (problem !== undefined) return problem;
  const directions = gates.length + (certificate.drawn?.count ?? 0);
  if (directions === 0 || nu.length === 0) return 'certificate without gates or samples';
  const rows = nu.length / model.outputs;
  const parameters = 2 * model.outputs * (gates.length / width);
  if (muRows?.some((row) => row < 0 || row >= parameters)) {
    return `certificate muRows has entries outside 0 to ${parameters - 1}`;
  }
  return (
    lengthProblem('certificate mu', mu, (muRows?.length ?? 0) * rows) ??
    lengthProblem('certificate sampleWeights', sampleWeights, rows) ??
    lengthProblem('certificate shifts', certificate.shifts, rows * innerLength(model))
  );
}

function reluProblem(model: NativeModel, inner: number): string | undefined {
  const { hidden, output, groups, outputs } = model;
  if (!hidden || !output) return 'a relu model needs hidden and output weights';
  if (groups?.some((group) => group < 0)) return 'groups has a negative entry';
  const neurons = hidden.length / inner;
  return (
    lengthProblem('hidden', hidden, undefined, inner) ??
    lengthProblem('output', output, outputs * neurons) ??
    lengthProblem('groups', groups, neurons)
  );
}

function gatedProblem(model: NativeModel, inner: number): string | undefined {
  const { gates, weights, features, outputs } = model;
  if (!gates || !weights) return 'a gated model needs gates and weights';
  return (
    lengthProblem('gates', gates, undefined, features + 1) ??
    lengthProblem('weights', weights, outputs * (gates.length / (features + 1)) * inner)
  );
}

function lengthProblem(
  name: string,
  values: Floats | Int32Array | null | undefined,
  length: number | undefined,
  multiple = 1,
): string | undefined {
  if (!values) return undefined;
  if (length !== undefined && values.length !== length) {
    return `${name} has ${values.length} entries; ${length} are needed`;
  }
  if (multiple === 0 ? values.length > 0 : values.length % multiple !== 0) {
    return `${name} has ${values.length} entries; a multiple of ${multiple} is needed`;
  }
  if (!(values instanceof Int32Array)) {
    const at = findNonFinite(values);
    if (at >= 0) return `${name} has ${values[at]} at ${at}`;
  }
  return undefined;
}
