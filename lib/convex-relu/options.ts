/** Checks of {@link ConvexReLUOptions}, and their defaults. */

import { requireCpu, toDevice } from '../devices';
import { toPrecision } from '../floats';
import { toDenseMatrix } from '../matrix';
import type { ConvexReluSettings, NativeGates, NativeRefine } from '../native-interface';
import {
  checkObject,
  describe,
  invalid,
  isArrayLike,
  isRecord,
  LARGEST_COUNT,
  mismatch,
  toBoolean,
  toChoice,
  toInteger,
  toNumber,
} from '../validate';
import { readGlobalBound } from './global-bound';
import type { Loss, Model, TrainingOptions } from './option-types';
import { DEFAULT_DIRECTIONS, readMethod } from './scp-options';

export const LOSSES = ['squared', 'logistic', 'hinge', 'softmax'] as const;
export const PENALTIES = ['gate', 'neuron'] as const;
const MODELS = ['relu', 'gated'] as const;
const DEFAULT_GATES = 128;

const KNOWN = [
  'loss',
  'beta',
  'gates',
  'model',
  'penalty',
  'refine',
  'method',
  'adversarial',
  'preprocess',
  'components',
  'bias',
  'tolerance',
  'maxIterations',
  'checkEvery',
  'rho',
  'relaxation',
  'route',
  'globalBound',
  'sampleWeights',
  'warmStart',
  'device',
  'products',
  'precision',
  'seed',
] as const;

type Raw = Record<string, unknown>;

/** What options are checked against. */
export interface OptionContext {
  /** Columns of x; checks that need it are left out without it. */
  features?: number | undefined;
  /** Model when the user names none. */
  defaultModel?: Model;
}

/** Checks that options are an object without unknown entries; `extra` names further known ones. */
export function checkOptions(options: unknown, extra: readonly string[] = []): Raw {
  return checkObject(options, 'options', [...KNOWN, ...extra]);
}

/** Checks all options that don't depend on the number of samples, and fills in the defaults. */
export function resolveOptions(raw: Raw, context: OptionContext): ConvexReluSettings {
  const sampled = readMethod(raw);
  const usualModel = sampled.method ? 'relu' : context.defaultModel;
  const model = pick(raw, 'model', usualModel ?? 'relu', (v, a) => toChoice(v, a, MODELS));
  const components = optional(raw, 'components', (v, a) =>
    toInteger(v, a, { min: 1, max: context.features ?? LARGEST_COUNT }),
  );
  const usual = sampled.method === 'scp' ? DEFAULT_DIRECTIONS : DEFAULT_GATES;
  const gates = readGates(raw.gates, model, context.features, usual);
  const rho = optional(raw, 'rho', (v, a) => toNumber(v, a, { above: 0 }));
  const adversarial = readAdversarial(raw, model);
  const refine =
    adversarial || sampled.method
      ? undefined
      : readRefine(raw.refine, model === 'relu', 'matrix' in gates);
  return {
    loss: readLoss(raw),
    ...sampled,
    model,
    beta: pick(raw, 'beta', 1e-3, (v, a) => toNumber(v, a, { above: 0 })),
    penalty: pick(raw, 'penalty', 'gate', (v, a) => toChoice(v, a, PENALTIES)),
    gates,
    ...(refine === undefined ? {} : { refine }),
    preprocess: pick(raw, 'preprocess', components !== undefined ? 'none' : 'standardize', (v, a) =>
      toChoice(v, a, ['standardize', 'unit-columns', 'none']),
    ),
    ...(components === undefined ? {} : { components }),
    bias: pick(raw, 'bias', true, toBoolean),
    precision: pick(raw, 'precision', 'float32', toPrecision),
    seed: pick(raw, 'seed', 0, (v, a) => toInteger(v, a, { min: 0 })),
    tolerance: pick(raw, 'tolerance', 1e-3, (v, a) => toNumber(v, a, { above: 0, below: 1 })),
    maxIterations: pick(raw, 'maxIterations', 10_000, positiveCount),
    checkEvery: pick(raw, 'checkEvery', model === 'gated' ? 4 : 10, positiveCount),
    ...(rho === undefined ? {} : { rho }),
    ...(adversarial === undefined ? {} : { adversarial }),
    relaxation: pick(raw, 'relaxation', 1.7, (v, a) => toNumber(v, a, { min: 1, below: 2 })),
    route: pick(raw, 'route', 'auto', (v, a) => toChoice(v, a, ['auto', 'woodbury', 'gram', 'cg'])),
    globalBound: readGlobalBound(adversarial || sampled.method ? false : raw.globalBound, model),
    products: pick(raw, 'products', 'float32', (v, a) => toChoice(v, a, ['float32', 'tf32'])),
    device: toDevice(raw.device, 'options.device', true),
  };
}

/** The loss asked for; default squared. */
export function readLoss(raw: Raw): Loss {
  return pick(raw, 'loss', 'squared', (v, a) => toChoice(v, a, LOSSES));
}

/** Options as they are kept with a network: not where it was trained, which changes nothing. */
export function toTrainingOptions(settings: ConvexReluSettings): TrainingOptions {
  const { gates, refine, globalBound: _, device, products, ...others } = settings;
  return { ...others, refine: refine ?? false, gates: gatesToKeep(gates) };
}

function gatesToKeep(gates: NativeGates): TrainingOptions['gates'] {
  if ('matrix' in gates) return { count: gates.count, from: 'given' };
  const { count, from, height, width } = gates;
  if (height === undefined || width === undefined) return { count, from };
  return { count, from, image: [height, width] };
}

/** Refinement asked for, or by default; undefined for none. */
function readRefine(value: unknown, possible: boolean, given: boolean): NativeRefine | undefined {
  if (value === false || (value === undefined && (!possible || given))) return undefined;
  const argument = 'options.refine';
  if (!possible) throw invalid(argument, 'false for model "gated"', describe(value));
  if (value !== undefined && !isRecord(value)) {
    throw invalid(argument, 'false or { rounds, maxGates, tolerance }', describe(value));
  }
  const raw = checkObject(value, argument, ['rounds', 'maxGates', 'tolerance']);
  const maxGates = optional(raw, 'maxGates', positiveCount, argument);
  return {
    rounds: optional(raw, 'rounds', positiveCount, argument) ?? 16,
    ...(maxGates === undefined ? {} : { maxGates }),
    tolerance: optional(raw, 'tolerance', (v, a) => toNumber(v, a, { above: 0 }), argument) ?? 2e-3,
  };
}

/** Samples × features × neurons up to which refinement is on by itself: seconds to half a minute. */
const REFINED_BY_DEFAULT = 5e7;

/**
 * Settings for a problem of a size. Refinement that nobody asked for is left out where it would take
 * long, and over several outputs where each is to have neurons of its own, which it cannot keep.
 */
export function settleRefinement(
  settings: ConvexReluSettings,
  { rows, cols, outputs }: { rows: number; cols: number; outputs: number },
  asked: boolean,
): ConvexReluSettings {
  const { refine, ...others } = settings;
  if (!refine) return settings;
  if (settings.penalty === 'neuron' && outputs > 1) {
    if (asked) throw invalid('options.refine', 'false for penalty "neuron"', 'refinement');
    return others;
  }
  const features = settings.components ?? cols;
  const long = rows * features * settings.gates.count > REFINED_BY_DEFAULT;
  return long && !asked ? others : settings;
}

function readAdversarial(raw: Raw, model: Model): ConvexReluSettings['adversarial'] {
  if (raw.adversarial === undefined) return undefined;
  const place = 'options.adversarial';
  const entries = checkObject(raw.adversarial, place, ['epsilon', 'descent']);
  const epsilon = toNumber(entries.epsilon, `${place}.epsilon`, { above: 0 });
  const descent = toBoolean(entries.descent ?? true, `${place}.descent`);
  const needs = (key: string, fits: boolean, what: string): void => {
    if (fits) return;
    const got = describe(raw[key]);
    throw invalid(`options.${key}`, `${what} for adversarial training`, got);
  };
  needs('model', model === 'relu', '"relu"');
  needs('loss', raw.loss !== 'softmax', '"hinge", "logistic" or "squared"');
  needs('components', raw.components === undefined, 'left out');
  needs('warmStart', raw.warmStart === undefined, 'left out');
  needs('refine', raw.refine === undefined || raw.refine === false, 'false');
  const bounded = raw.globalBound === undefined || raw.globalBound === 'auto';
  needs('globalBound', bounded || raw.globalBound === false, 'false');
  requireCpu(raw.device, 'adversarial training');
  const drawn = isRecord(raw.gates) && 'from' in raw.gates && raw.gates.from !== 'gaussian';
  needs('gates', !drawn, 'a count or a matrix');
  return { epsilon, descent };
}

function readGates(
  value: unknown,
  model: Model,
  features: number | undefined,
  usual: number,
): NativeGates {
  const from = model === 'gated' ? 'data' : 'gaussian';
  const argument = 'options.gates';
  if (value === undefined) return { count: usual, from };
  if (typeof value === 'number') return { count: positiveCount(value, argument), from };
  if (Array.isArray(value) || (isRecord(value) && 'data' in value)) {
    return readGateMatrix(value, argument, features);
  }
  if (!isRecord(value)) {
    throw invalid(argument, 'a count, a matrix or { count, from }', describe(value));
  }
  return readDrawing(value, argument, features, usual);
}

function readGateMatrix(
  value: unknown,
  argument: string,
  features: number | undefined,
): NativeGates {
  const { data, rows, cols } = toDenseMatrix(value, argument, { minRows: 1 });
  if (features !== undefined && cols !== features && cols !== features + 1) {
    throw mismatch(
      argument,
      `${argument} has ${cols} columns; ${features} (or ${features + 1}, bias last) are needed`,
    );
  }
  return { matrix: Float64Array.from(data), count: rows };
}

function readDrawing(
  value: Raw,
  argument: string,
  features: number | undefined,
  usual: number,
): NativeGates {
  checkObject(value, argument, ['count', 'from', 'image']);
  const from = toChoice(value.from, `${argument}.from`, ['gaussian', 'data', 'patches']);
  const count = optional(value, 'count', positiveCount, argument) ?? usual;
  const place = `${argument}.image`;
  if (from !== 'patches') {
    if (value.image === undefined) return { count, from };
    throw invalid(place, `left out unless from is "patches"`, describe(value.image));
  }
  const image = value.image;
  if (!isArrayLike(image) || image.length !== 2) {
    throw invalid(place, '[height, width]', describe(image));
  }
  const height = positiveCount(image[0], `${place}[0]`);
  const width = positiveCount(image[1], `${place}[1]`);
  if (features !== undefined && height * width !== features) {
    throw mismatch(place, `${place} has ${height} x ${width} pixels; x has ${features} columns`);
  }
  return { count, from, height, width };
}

function positiveCount(value: unknown, argument: string): number {
  return toInteger(value, argument, { min: 1, max: LARGEST_COUNT });
}

function optional<T>(
  raw: Raw,
  key: string,
  read: (value: unknown, argument: string) => T,
  parent = 'options',
): T | undefined {
  return raw[key] === undefined ? undefined : read(raw[key], `${parent}.${key}`);
}

function pick<T>(
  raw: Raw,
  key: string,
  fallback: NoInfer<T>,
  read: (value: unknown, argument: string) => T,
): T {
  return optional(raw, key, read) ?? fallback;
}
