/** A classifier's probabilities and labels as nodes of an ONNX graph; in JavaScript: labels.ts. */
import type { GraphBuilder, TensorType } from '../onnx/graph';
import { TYPES } from '../onnx/graph';
import type { Label } from './estimator-state';
import { RAW } from './network-graph';
import type { Loss } from './option-types';

export const PROBABILITIES = 'probabilities';
export const LABEL = 'label';

/** What a network decides between. */
export interface Decision {
  classes: readonly Label[];
  /** Outputs of the network. */
  outputs: number;
  loss: Loss;
}

/** Adds {@link PROBABILITIES}, batch × classes, as ConvexReLUClassifier.predictProba has them. */
export function addProbabilities(graph: GraphBuilder, { classes, outputs, loss }: Decision): void {
  if (classes.length === 1) {
    const one = graph.float32('one', [1], []);
    graph.add(PROBABILITIES, 'Clip', [RAW, one, one]);
  } else if (outputs === 1) {
    const last = addShares(graph, loss, true);
    const first = graph.add('first', 'Sub', [graph.float32('one', [1], []), last]);
    graph.add(PROBABILITIES, 'Concat', [first, last], { axis: 1 });
  } else if (loss === 'softmax') {
    addModelledProbabilities(graph, loss);
  } else {
    addNormalized(graph, addShares(graph, loss, loss !== 'squared'), outputs);
  }
}

/** Adds {@link PROBABILITIES} as the loss models them, without classes: softmax or logistic. */
export function addModelledProbabilities(graph: GraphBuilder, loss: Loss): void {
  if (loss === 'softmax') graph.add(PROBABILITIES, 'Softmax', [RAW], { axis: 1 });
  else graph.add(PROBABILITIES, 'Sigmoid', [RAW]);
}

/** Numbers in [0, 1] that rise with the outputs; `signed` where the targets were ±1. */
function addShares(graph: GraphBuilder, loss: Loss, signed: boolean): string {
  if (loss === 'logistic') return graph.add('shares', 'Sigmoid', [RAW]);
  const [low, high] = [graph.float32('least', [0], []), graph.float32('most', [1], [])];
  let name = RAW;
  if (signed) {
    name = graph.add('raised', 'Add', [name, graph.float32('raise', [1], [])]);
    name = graph.add('halved', 'Mul', [name, graph.float32('half', [0.5], [])]);
  }
  return graph.add('shares', 'Clip', [name, low, high]);
}

/** Shares divided by their sum; where that is 0, the largest output has all. */
function addNormalized(graph: GraphBuilder, shares: string, outputs: number): void {
  const axis = graph.int64('shares.axis', [1]);
  const sum = graph.add('shares.sum', 'ReduceSum', [shares, axis], { keepdims: 1 });
  const zero = graph.float32('shares.zero', [0], []);
  const some = graph.add('shares.some', 'Greater', [sum, zero]);
  const unit = graph.float32('shares.unit', [1], []);
  const divisor = graph.add('shares.divisor', 'Where', [some, sum, unit]);
  const divided = graph.add('shares.divided', 'Div', [shares, divisor]);
  const largest = graph.add('shares.largest', 'ArgMax', [RAW], { axis: 1, keepdims: 0 });
  const depth = graph.int64('shares.depth', [outputs]);
  const values = graph.float32('shares.offOn', [0, 1], [2]);
  const oneHot = graph.add('shares.oneHot', 'OneHot', [largest, depth, values], { axis: 1 });
  graph.add(PROBABILITIES, 'Where', [some, divided, oneHot]);
}

/** Adds {@link LABEL}, a vector of the batch: int64 for whole numbers, else float64 or string. */
export function addLabel(graph: GraphBuilder, { classes, outputs }: Decision): TensorType {
  const { name, type } = addClasses(graph, classes);
  graph.add(LABEL, 'Gather', [name, addIndex(graph, classes.length, outputs)], { axis: 0 });
  return type;
}

function addIndex(graph: GraphBuilder, classCount: number, outputs: number): string {
  if (outputs > 1) return graph.add('index', 'ArgMax', [RAW], { axis: 1, keepdims: 0 });
  const zero = graph.float32('threshold', [0], []);
  const flat = graph.add('decision', 'Reshape', [RAW, graph.int64('decision.shape', [-1])]);
  const above = graph.add('decision.above', 'Greater', [flat, zero]);
  const index = graph.add('decision.index', 'Cast', [above], { to: TYPES.int64 });
  return graph.add('index', 'Mul', [index, graph.int64('lastClass', [classCount - 1])]);
}

function addClasses(
  graph: GraphBuilder,
  classes: readonly Label[],
): { name: string; type: TensorType } {
  const texts = classes.filter((label) => typeof label === 'string');
  if (texts.length > 0) return { name: graph.strings('classes', texts), type: 'string' };
  const numbers = classes.map(Number);
  if (numbers.every(Number.isSafeInteger)) {
    return { name: graph.int64('classes', numbers), type: 'int64' };
  }
  const name = graph.float64('classes', Float64Array.from(numbers), [numbers.length]);
  return { name, type: 'float64' };
}
