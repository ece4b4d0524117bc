import type { NativeSolution } from '../native-interface';
import { describe, invalid, mismatch } from '../validate';
import { ReLUNetwork } from './network';
import { ConvexSolution, type ModelShape } from './solution';

/** The warm start in native form, after checks that it fits the model, inputs and outputs. */
export function readWarmStart(
  value: unknown,
  expected: ModelShape,
  method: 'admm' | 'scp' = 'admm',
): { warmStart?: NativeSolution } {
  if (value === undefined) return {};
  const argument = 'options.warmStart';
  if (!(value instanceof ConvexSolution) && !(value instanceof ReLUNetwork)) {
    throw invalid(argument, 'a ConvexSolution or a ReLUNetwork', describe(value));
  }
  const from = value instanceof ConvexSolution ? (value.options.method ?? 'admm') : method;
  if (from !== method) {
    throw invalid(argument, `a start of method "${method}"`, `one of method "${from}"`);
  }
  const { kind, features, outputs } = value.shape;
  if (kind !== expected.kind) {
    throw invalid(argument, `a start of model "${expected.kind}"`, `one of model "${kind}"`);
  }
  if (features !== expected.features || outputs !== expected.outputs) {
    throw mismatch(
      argument,
      `${argument} has ${features} features and ${outputs} outputs; ` +
        `the data have ${expected.features} and ${expected.outputs}`,
    );
  }
  return { warmStart: value.toWarmStart() };
}
