/**
 * A network as a document: named tensors and a header of plain values. Files (safetensors) and JSON
 * are two ways of writing the same document.
 */
import { SecondOrderError } from '../errors';
import { FormatError } from '../io/format-error';
import type { NativeCertificate, NativeDrawnDirections, NativeModel } from '../native-interface';
import {
  checkObject,
  describe,
  invalid,
  LARGEST_COUNT,
  toChoice,
  toInteger,
  toNumber,
  toRecord,
} from '../validate';
import { decodeOptions } from './document-options';
import { type EstimatorState, readEstimator } from './estimator-state';
import { LOSSES, PENALTIES } from './options';
import { certificateProblem, innerLength, modelProblem, StoredModel } from './stored-model';

export const FORMAT = 'secondorder/convex-relu';
const VERSION = 1;

export type TensorData = Float32Array | Float64Array | Int32Array;

/** One array of a document, row-major. */
export interface Tensor {
  shape: number[];
  data: TensorData;
}

/** What a document holds. */
export interface DocumentContents {
  stored: StoredModel;
  /** Present when an estimator was saved. */
  estimator?: EstimatorState;
}

/** The values of a document other than tensors. */
export type DocumentHeader = Record<string, unknown>;

/** The header and tensors of a document. */
export function encode(contents: DocumentContents): {
  header: DocumentHeader;
  tensors: Map<string, Tensor>;
} {
  const { model, certificate, options } = contents.stored;
  const { kind, penalty = 'gate', features, outputs } = model;
  const { featureScale, biasValue, outputScale } = model;
  const header = {
    format: FORMAT,
    version: VERSION,
    model: { kind, penalty, features, outputs, featureScale, biasValue, outputScale },
    certificate: certificate ? certificateHeader(certificate) : null,
    options,
    estimator: contents.estimator ?? null,
  };
  const tensors = new Map<string, Tensor>();
  const add = (name: string, data: TensorData | null | undefined, shape: number[]): void => {
    if (data) tensors.set(name, { shape, data });
  };
  addModel(model, add);
  if (certificate) addCertificate(certificate, model, add);
  return { header, tensors };
}

function certificateHeader({ loss, beta, epsilon, drawn }: NativeCertificate): DocumentHeader {
  return {
    loss,
    beta,
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(drawn === undefined ? {} : { drawn }),
  };
}

/** The directions that a certificate of a sampled convex program has from a seed. */
export function readDrawn(value: unknown): { drawn?: NativeDrawnDirections } {
  if (value === undefined) return {};
  const place = 'certificate.drawn';
  const raw = checkObject(value, place, ['seed', 'count']);
  return {
    drawn: {
      seed: toInteger(raw.seed, `${place}.seed`, { min: 0 }),
      count: toInteger(raw.count, `${place}.count`, { min: 0, max: LARGEST_COUNT }),
    },
  };
}

type Add = (name: string, data: TensorData | null | undefined, shape: number[]) => void;

function addModel(model: NativeModel, add: Add): void {
  const { features, outputs } = model;
  const inner = innerLength(model);
  const gates = (model.gates?.length ?? 0) / (features + 1);
  const neurons = (model.output?.length ?? 0) / outputs;
  add('mean', model.mean, [features]);
  add('scale', model.scale, [features]);
  add('components', model.components, [(model.components?.length ?? 0) / features, features]);
  add('hidden', model.hidden, [neurons, inner]);
  add('output', model.output, [outputs, neurons]);
  add('groups', model.groups, [neurons]);
  add('gates', model.gates, [gates, features + 1]);
  add('weights', model.weights, [outputs, gates, inner]);
  add('outputBias', model.outputBias, [outputs]);
}

function addCertificate(certificate: NativeCertificate, model: NativeModel, add: Add): void {
  const { features, outputs } = model;
  const gates = certificate.gates.length / (features + 1);
  const rows = certificate.nu.length / outputs;
  add('certificate.gates', certificate.gates, [gates, features + 1]);
  add('certificate.nu', certificate.nu, [rows, outputs]);
  add('certificate.muRows', certificate.muRows, [certificate.muRows?.length ?? 0]);
  add('certificate.mu', certificate.mu, [certificate.muRows?.length ?? 0, rows]);
  add('certificate.shifts', certificate.shifts, [rows, innerLength(model)]);
  add('certificate.sampleWeights', certificate.sampleWeights, [rows]);
}

/**
 * Reads a header and tensors, with all checks.
 *
 * @throws SecondOrderError ERR_FORMAT, naming the source
 */
export function decode(
  header: unknown,
  tensors: ReadonlyMap<string, Tensor>,
  source: string,
): DocumentContents {
  return asFormatError(source, () => {
    const root = toRecord(header, 'header');
    checkFormat(root);
    const model = decodeModel(root.model, tensors);
    refuse(modelProblem(model));
    const certificate = decodeCertificate(root.certificate, tensors);
    if (certificate) refuse(certificateProblem(certificate, model));
    const options = decodeOptions(root.options, model.features);
    const estimator = readEstimator(root.estimator, model);
    const stored = new StoredModel(model, certificate, options);
    return estimator ? { stored, estimator } : { stored };
  });
}

/** Refuses documents of another kind or version. */
export function checkFormat({ format, version }: DocumentHeader): void {
  if (format !== FORMAT) throw invalid('format', `"${FORMAT}"`, describe(format));
  if (version !== VERSION) {
    throw invalid('version', `${VERSION}, the one known to this release`, describe(version));
  }
}

/** Runs a reader; what it throws becomes ERR_FORMAT, naming the source. */
export function asFormatError<T>(source: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError || !(error instanceof SecondOrderError)) throw error;
    throw new FormatError(source, error.message, {}, { cause: error });
  }
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new SecondOrderError('ERR_FORMAT', problem);
}

function decodeModel(value: unknown, tensors: ReadonlyMap<string, Tensor>): NativeModel {
  const raw = toRecord(value, 'model');
  const kind = toChoice(raw.kind, 'model.kind', ['relu', 'gated']);
  const hidden = optionalTensor(tensors, 'hidden', isFloats);
  const output = optionalTensor(tensors, 'output', isFloats);
  const groups = optionalTensor(tensors, 'groups', isInt32);
  const gates = optionalTensor(tensors, 'gates', isFloat64);
  const weights = optionalTensor(tensors, 'weights', isFloats);
  return {
    kind,
    penalty: toChoice(raw.penalty, 'model.penalty', PENALTIES),
    features: toInteger(raw.features, 'model.features', { min: 1, max: LARGEST_COUNT }),
    outputs: toInteger(raw.outputs, 'model.outputs', { min: 1, max: LARGEST_COUNT }),
    mean: tensor(tensors, 'mean', isFloat64),
    scale: tensor(tensors, 'scale', isFloat64),
    components: optionalTensor(tensors, 'components', isFloat64) ?? null,
    featureScale: toNumber(raw.featureScale, 'model.featureScale', { above: 0 }),
    biasValue: toNumber(raw.biasValue, 'model.biasValue'),
    ...(hidden ? { hidden } : {}),
    ...(output ? { output } : {}),
    ...(groups ? { groups } : {}),
    ...(gates ? { gates } : {}),
    ...(weights ? { weights } : {}),
    outputBias: tensor(tensors, 'outputBias', isFloat64),
    outputScale: toNumber(raw.outputScale, 'model.outputScale', { above: 0 }),
  };
}

function decodeCertificate(
  value: unknown,
  tensors: ReadonlyMap<string, Tensor>,
): NativeCertificate | null {
  if (value === null || value === undefined) return null;
  const raw = toRecord(value, 'certificate');
  const robust =
    raw.epsilon === undefined
      ? {}
      : {
          epsilon: toNumber(raw.epsilon, 'certificate.epsilon', { above: 0 }),
          shifts: tensor(tensors, 'certificate.shifts', isFloat64),
        };
  return {
    ...robust,
    ...readDrawn(raw.drawn),
    loss: toChoice(raw.loss, 'certificate.loss', LOSSES),
    beta: toNumber(raw.beta, 'certificate.beta', { above: 0 }),
    gates: tensor(tensors, 'certificate.gates', isFloat64),
    nu: tensor(tensors, 'certificate.nu', isFloat64),
    muRows: optionalTensor(tensors, 'certificate.muRows', isInt32) ?? null,
    mu: optionalTensor(tensors, 'certificate.mu', isFloats) ?? null,
    sampleWeights: optionalTensor(tensors, 'certificate.sampleWeights', isFloat64) ?? null,
  };
}

type Floats = Float32Array | Float64Array;
const isFloat64 = (data: TensorData): data is Float64Array => data instanceof Float64Array;
const isInt32 = (data: TensorData): data is Int32Array => data instanceof Int32Array;
const isFloats = (data: TensorData): data is Floats => !(data instanceof Int32Array);

function optionalTensor<T extends TensorData>(
  tensors: ReadonlyMap<string, Tensor>,
  name: string,
  is: (data: TensorData) => data is T,
): T | undefined {
  const data = tensors.get(name)?.data;
  if (data === undefined) return undefined;
  if (!is(data)) throw invalid(`tensor ${name}`, 'of another type', describe(data));
  return data;
}

function tensor<T extends TensorData>(
  tensors: ReadonlyMap<string, Tensor>,
  name: string,
  is: (data: TensorData) => data is T,
): T {
  const data = optionalTensor(tensors, name, is);
  if (data === undefined) throw new SecondOrderError('ERR_FORMAT', `tensor ${name} is missing`);
  return data;
}
