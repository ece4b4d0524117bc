/**
 * Networks as ONNX graphs from raw inputs to outputs, in float32.
 *
 * The scaling of the inputs, the feature scale and the bias are folded into weights. Centring stays a
 * node, and the projection on components another one: folded in, the first would cost digits where a
 * mean is large beside its deviation, the second would multiply the size of the model.
 *
 * Gates are computed in float64 and in the order of operations of `predict`, so that inputs at a
 * gate's boundary are on the same side in both.
 */

import type { NativeModel } from '../native-interface';
import type { GraphBuilder } from '../onnx/graph';
import { TYPES } from '../onnx/graph';
import { type AffineRows, overRawInputs, overScaledInputs, splitBias } from './raw-space';
import { innerLength } from './stored-model';

type Floats = Float32Array | Float64Array;

export const INPUT = 'input';
/** Name of the network's outputs, batch × outputs. */
export const RAW = 'output';

/** Adds the input and all nodes of a network; its outputs are the tensor {@link RAW}. */
export function addNetwork(graph: GraphBuilder, model: NativeModel): void {
  graph.input(INPUT, 'float32', model.features);
  const { kind, output, gates } = model;
  const empty = kind === 'relu' ? !output?.length : !gates?.length;
  if (empty) addConstant(graph, model);
  else if (kind === 'relu') addReLU(graph, model);
  else addGated(graph, model);
}

/** A network without neurons: 0 · x + output bias. */
function addConstant(graph: GraphBuilder, { features, outputs, outputBias }: NativeModel): void {
  const weights = new Float64Array(outputs * features);
  addAffine(graph, RAW, { name: INPUT, cols: features }, { weights, constants: outputBias });
}

function addReLU(graph: GraphBuilder, model: NativeModel): void {
  const { hidden = new Float32Array(0), output = new Float32Array(0) } = model;
  const { outputs, outputScale, outputBias } = model;
  const features = addFeatures(graph, model);
  const neurons = output.length / outputs;
  const inner = addAffine(graph, 'hidden', features, features.weightsOf(hidden));
  const activations = { name: graph.add('activations', 'Relu', [inner]), cols: neurons };
  const weights = Float64Array.from(output, (weight) => weight * outputScale);
  addAffine(graph, RAW, activations, { weights, constants: outputBias });
}

/** Σᵢ 1[gateᵢ open] · (uᵢ · z) + output bias, by output. */
function addGated(graph: GraphBuilder, model: NativeModel): void {
  const { weights = new Float32Array(0), outputs, outputScale, outputBias } = model;
  const features = addFeatures(graph, model);
  const { name: open, count } = addGates(graph, model);
  const scaled = features.weightsOf(Float64Array.from(weights, (weight) => weight * outputScale));
  const all = addAffine(graph, 'linear', features, scaled);
  // 0 stands for the batch's own size.
  const shape = graph.int64('linear.shape', [0, outputs, count]);
  const byOutput = graph.add('linear.byOutput', 'Reshape', [all, shape]);
  const spread = graph.add('gates.spread', 'Unsqueeze', [open, graph.int64('gates.axis', [1])]);
  const gated = graph.add('gated', 'Mul', [byOutput, spread]);
  const axis = graph.int64('gated.axis', [2]);
  const sum = graph.add('gated.sum', 'ReduceSum', [gated, axis], { keepdims: 0 });
  graph.add(RAW, 'Add', [sum, graph.float32('outputBias', outputBias, [outputs])]);
}

/** 1 where a gate is open, 0 elsewhere: batch × gates, float32. */
function addGates(graph: GraphBuilder, model: NativeModel): { name: string; count: number } {
  const { features, mean, scale, gates = new Float64Array(0) } = model;
  const { weights, constants } = splitBias(gates, features);
  const count = constants.length;
  let name = graph.add('input.float64', 'Cast', [INPUT], { to: TYPES.float64 });
  if (mean.some((value) => value !== 0)) {
    const inputs = [name, graph.float64('mean.float64', mean, [features])];
    name = graph.add('centred.float64', 'Sub', inputs);
  }
  if (scale.some((value) => value !== 1)) {
    const divisors = scale.map((value) => value || 1);
    const inputs = [name, graph.float64('scale', divisors, [features])];
    name = graph.add('scaled.float64', 'Div', inputs);
  }
  const columns = new Float64Array(features * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < features; j++) {
      // A feature of scale 0 is 0 to the gates.
      columns[j * count + i] = scale[j] === 0 ? 0 : weights[i * features + j]!;
    }
  }
  const matrix = graph.float64('gates.weight', columns, [features, count]);
  const product = graph.add('gates.product', 'MatMul', [name, matrix]);
  const bias = graph.float64('gates.bias', constants, [count]);
  const value = graph.add('gates.value', 'Add', [product, bias]);
  const zero = graph.float64('gates.zero', Float64Array.of(0), []);
  const open = graph.add('gates.open', 'GreaterOrEqual', [value, zero]);
  return { name: graph.add('gates', 'Cast', [open], { to: TYPES.float32 }), count };
}

/** A tensor of batch × cols. */
interface Columns {
  name: string;
  cols: number;
}

/** What weights apply to. */
interface Features extends Columns {
  /** Rows over z(x), each of the model's inner length, as affine functions of these columns. */
  weightsOf(rows: Floats): AffineRows;
}

function addFeatures(graph: GraphBuilder, model: NativeModel): Features {
  const { features, components, featureScale } = model;
  const inner = innerLength(model);
  const { name, rest } = addCentred(graph, model);
  const centred = { ...model, mean: rest };
  const columns = { name, cols: features };
  if (!components) {
    const weightsOf = (rows: Floats) =>
      overRawInputs(centred, overScaledInputs(model, rows, inner));
    return { ...columns, weightsOf };
  }
  const cols = components.length / features;
  const directions = {
    weights: components.map((entry) => entry * featureScale),
    constants: new Float64Array(cols),
  };
  const projected = { ...model, features: cols, components: null, featureScale: 1 };
  return {
    name: addAffine(graph, 'components', columns, overRawInputs(centred, directions)),
    cols,
    weightsOf: (rows) => overScaledInputs(projected, rows, inner),
  };
}

/** x − mean with the mean in float32, and what that leaves of the mean. */
function addCentred(
  graph: GraphBuilder,
  { features, mean }: NativeModel,
): { name: string; rest: Float64Array } {
  if (mean.every((value) => Math.fround(value) === 0)) return { name: INPUT, rest: mean };
  const inputs = [INPUT, graph.float32('mean', mean, [features])];
  const rest = mean.map((value) => value - Math.fround(value));
  return { name: graph.add('centred', 'Sub', inputs), rest };
}

/** weights · columns + constants. */
function addAffine(
  graph: GraphBuilder,
  name: string,
  { name: from, cols }: Columns,
  { weights, constants }: AffineRows,
): string {
  const matrix = graph.float32(`${name}.weight`, weights, [constants.length, cols]);
  const bias = graph.float32(`${name}.bias`, constants, [constants.length]);
  return graph.add(name, 'Gemm', [from, matrix, bias], { transB: 1 });
}
