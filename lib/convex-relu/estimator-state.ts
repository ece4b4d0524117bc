/** What a saved estimator holds besides its network. */
import type { NativeModel } from '../native-interface';
import { describe, invalid, toBoolean, toChoice, toRecord } from '../validate';

/** A class label: all of one classifier's are numbers, or all are strings. */
export type Label = number | string;

export interface ClassifierState {
  type: 'classifier';
  /** In ascending order. */
  classes: Label[];
}

export interface RegressorState {
  type: 'regressor';
  standardizeTarget: boolean;
}

export type EstimatorState = ClassifierState | RegressorState;

/** Reads the estimator of a document, undefined where there is none. */
export function readEstimator(value: unknown, model: NativeModel): EstimatorState | undefined {
  if (value === null || value === undefined) return undefined;
  const raw = toRecord(value, 'estimator');
  const type = toChoice(raw.type, 'estimator.type', ['classifier', 'regressor']);
  if (type === 'regressor') {
    return {
      type,
      standardizeTarget: toBoolean(raw.standardizeTarget, 'estimator.standardizeTarget'),
    };
  }
  return { type, classes: readClasses(raw.classes, model.outputs) };
}

function readClasses(value: unknown, outputs: number): Label[] {
  if (!Array.isArray(value)) throw invalid('estimator.classes', 'an array', describe(value));
  const labels: unknown[] = value;
  const classes = labels.filter((label) => isLabel(label));
  const sameType = new Set(classes.map((label) => typeof label)).size === 1;
  if (classes.length !== labels.length || !sameType || new Set(classes).size !== classes.length) {
    throw invalid('estimator.classes', 'distinct numbers or distinct strings', describe(value));
  }
  const fits = outputs === 1 ? classes.length <= 2 : classes.length === outputs;
  if (!fits) {
    throw invalid('estimator.classes', `labels for ${outputs} output(s)`, `${classes.length}`);
  }
  return classes;
}

/** Whether the value can be a class label: a finite number or a string. */
export function isLabel(value: unknown): value is Label {
  return typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
}
