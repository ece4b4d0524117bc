/** Networks and estimators as ONNX models: which outputs, and what is told of the training. */
import { GraphBuilder } from '../onnx/graph';
import { checkObject, describe, invalid, toChoice, toNumber, toRecord } from '../validate';
import {
  addLabel,
  addModelledProbabilities,
  addProbabilities,
  LABEL,
  PROBABILITIES,
} from './class-graph';
import type { Label } from './estimator-state';
import { addNetwork, RAW } from './network-graph';
import type { Loss } from './option-types';
import type { StoredModel } from './stored-model';
import type { Certificate } from './verify';

/**
 * An output of an ONNX model:
 * - `'raw'`, named `output`: what the network gives, float32, batch × outputs;
 * - `'probabilities'`, of the same name: float32, batch × classes;
 * - `'label'`, of the same name: the class of each sample, a vector of int64 (labels that are whole
 *   numbers), float64 (other numbers) or strings.
 */
export type ONNXOutput = 'raw' | 'probabilities' | 'label';

/** Options of `toONNX`. */
export interface ONNXOptions {
  /**
   * The outputs of the model, one or several. Default: `'probabilities'` for classifiers, otherwise
   * `'raw'`. Regressors have no other; networks have `'probabilities'` only where their loss models
   * them: `'softmax'`, and `'logistic'`, where each output has its own.
   */
  output?: ONNXOutput | readonly ONNXOutput[];
  /**
   * What was proved of the network, to be kept in its metadata: what `verify` gives, or a report.
   * Default: the report of an estimator's last `fit`, where there is one.
   */
  certificate?: Certificate;
}

/** What is known of a network besides its arrays. */
export interface ONNXContext {
  /** What is allowed for `output`; the first is the default. */
  outputs: readonly ONNXOutput[];
  /** Of a classifier. */
  classes?: readonly Label[];
  /** Used where the options have none. */
  certificate?: Certificate | null;
}

/** Outputs of a network by itself, the default first. */
export function outputsOfNetwork(loss: Loss | undefined): ONNXOutput[] {
  return loss === 'softmax' || loss === 'logistic' ? ['raw', 'probabilities'] : ['raw'];
}

/**
 * An ONNX model (opset 17, IR version 8) from raw inputs, float32, batch × features, named `input`.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT; ERR_NUMERICAL (a weight beyond float32)
 */
export function toONNX(stored: StoredModel, context: ONNXContext, options: unknown): Uint8Array {
  const raw = checkObject(options, 'options', ['output', 'certificate']);
  const wanted = readOutputs(raw.output, context.outputs);
  const certificate =
    raw.certificate === undefined ? context.certificate : readCertificate(raw.certificate);
  const graph = new GraphBuilder();
  addNetwork(graph, stored.model);
  for (const output of wanted) addOutput(graph, output, stored, context.classes);
  return graph.finish(
    `${stored.model.kind} network`,
    metadataOf(stored, context.classes, certificate),
  );
}

function readOutputs(value: unknown, allowed: readonly ONNXOutput[]): ONNXOutput[] {
  const argument = 'options.output';
  if (value === undefined) return allowed.slice(0, 1);
  if (!Array.isArray(value)) return [toChoice(value, argument, allowed)];
  const outputs = Array.from(value, (entry, i) => toChoice(entry, `${argument}[${i}]`, allowed));
  if (outputs.length === 0 || new Set(outputs).size < outputs.length) {
    throw invalid(argument, 'one output or several different ones', describe(value));
  }
  return outputs;
}

function readCertificate(value: unknown): Certificate {
  const raw = toRecord(value, 'options.certificate');
  const read = (key: string) => toNumber(raw[key], `options.certificate.${key}`);
  return {
    objective: read('objective'),
    dualBound: read('dualBound'),
    gap: read('gap'),
    infeasibility: read('infeasibility'),
  };
}

function addOutput(
  graph: GraphBuilder,
  output: ONNXOutput,
  { model, options }: StoredModel,
  classes: readonly Label[] | undefined,
): void {
  const { outputs } = model;
  const loss = options?.loss ?? 'squared';
  if (output === 'raw') {
    graph.output(RAW, 'float32', outputs);
  } else if (!classes) {
    addModelledProbabilities(graph, loss);
    graph.output(PROBABILITIES, 'float32', outputs);
  } else if (output === 'probabilities') {
    addProbabilities(graph, { classes, outputs, loss });
    graph.output(PROBABILITIES, 'float32', classes.length);
  } else {
    graph.output(LABEL, addLabel(graph, { classes, outputs, loss }));
  }
}

function metadataOf(
  { model, options, certificate: dual }: StoredModel,
  classes: readonly Label[] | undefined,
  certificate: Certificate | null | undefined,
): Record<string, string> {
  const { objective, dualBound, gap, infeasibility } = certificate ?? {};
  const entries = {
    model: model.kind,
    loss: dual?.loss ?? options?.loss,
    beta: dual?.beta ?? options?.beta,
    penalty: options?.penalty,
    preprocess: options?.preprocess,
    components: options?.components,
    classes: classes && JSON.stringify(classes),
    gates: dual && dual.gates.length / (model.features + 1),
    samples: dual && dual.nu.length / model.outputs,
    objective,
    dualBound,
    gap,
    infeasibility,
  };
  const known = Object.entries(entries).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return Object.fromEntries(known.map(([key, value]) => [key, String(value)]));
}
