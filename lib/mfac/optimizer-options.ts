import type { Device } from '../devices';
import { checkObject, isRecord, LARGEST_COUNT, toChoice, toInteger, toNumber } from '../validate';
import type { NativeStorage } from './native';
import {
  type ParameterGroup,
  type ParameterList,
  readParameterMask,
  readParameters,
} from './parameter-groups';
import { readSchedule, type Schedule } from './schedule';
import { toUsefulMask } from './vectors';
import {
  checkPrecisionOptions,
  STORAGES,
  toWindowDevice,
  type WindowDeviceOptions,
} from './window-options';

/** λ in proportion to the gradients: `relative` times the mean of ‖gᵢ‖² over the rows, over their number. */
export interface RelativeDamping {
  relative: number;
}

/** Options that say how a step is made; see {@link MFacOptimizer} for the equations. */
export interface MFacStepOptions {
  /**
   * Length of a step in units of SGD's with the same momentum; default 0.1. A function is asked before
   * each step, with the number of steps taken before.
   */
  learningRate?: number | Schedule;
  /** μ, from 0 to below 1; default 0.9. */
  momentum?: number;
  /** Decoupled: each step takes learningRate · weightDecay of every weight away; default 0. */
  weightDecay?: number;
  /**
   * λ: a number, a function of the step, or in proportion to the gradients; default
   * `{ relative: 0.1 }`, which does not depend on how the loss is scaled. Changing λ costs O(m³).
   */
  damping?: number | Schedule | RelativeDamping;
  /** The largest root mean square of an update; default 0.1. `Infinity` for none. */
  clip?: number;
}

/** Options of {@link MFacOptimizer}. */
export interface MFacOptimizerOptions extends MFacStepOptions, WindowDeviceOptions {
  /** The arrays to train, or groups of them; updated in place. */
  parameters: Float32Array[] | ParameterGroup[];
  /** Gradients in the window, m; default 128. */
  capacity?: number;
  /** Type of a stored gradient entry; default `'float32'`. See {@link FisherWindowOptions}. */
  storage?: NativeStorage;
  /**
   * 1 to train, 0 frozen: one array for all parameters together, or one for each array. Frozen
   * weights are never written to: zeros that pruning left stay zeros exactly.
   */
  mask?: Uint8Array | Uint8Array[];
}

/** Options that say how a step is made, with defaults filled in. */
export type StepSettings = Required<MFacStepOptions>;

/** Checked options. */
export interface OptimizerSettings extends StepSettings {
  parameters: ParameterList;
  capacity: number;
  storage: NativeStorage;
  mask: Uint8Array | undefined;
  device: Device[];
}

const DEFAULT_CAPACITY = 128;

/** Limits of what schedules may give. */
export const RATES = { min: 0 };
export const DAMPINGS = { above: 0 };

export const STEP_KEYS = ['learningRate', 'momentum', 'weightDecay', 'damping', 'clip'] as const;
const DEVICE_KEYS = ['device', 'precision', 'seed'] as const;

/** Checks the options of an optimizer and fills in the defaults. */
export function readOptimizerOptions(options: unknown): OptimizerSettings {
  const raw = checkObject(options ?? {}, 'options', ['parameters', 'mask', ...PLAIN_KEYS]);
  const plain = readPlainOptions(raw);
  const parameters = readParameters(raw.parameters, 'options.parameters');
  const mask = raw.mask === undefined ? undefined : readMask(raw.mask, parameters);
  return { ...plain, parameters, mask };
}

/** The names of the options that don't depend on the parameters. */
export const PLAIN_KEYS = ['capacity', 'storage', ...STEP_KEYS, ...DEVICE_KEYS] as const;

/** Checks the options that don't depend on the parameters. */
export function readPlainOptions(
  raw: Record<string, unknown>,
): Omit<OptimizerSettings, 'parameters' | 'mask'> {
  checkPrecisionOptions(raw);
  const { capacity = DEFAULT_CAPACITY, storage = 'float32' } = raw;
  return {
    ...readStepOptions(raw),
    capacity: toInteger(capacity, 'options.capacity', { min: 1, max: LARGEST_COUNT }),
    storage: toChoice(storage, 'options.storage', STORAGES),
    device: toWindowDevice(raw.device),
  };
}

/** Options given when an optimizer is read from files, the parameters checked. */
export interface ResumeSettings {
  parameters: ParameterList;
  given: Record<string, unknown>;
  /** Where it goes on: that is not in the files. */
  device: Device[];
}

/** Checks the options given when an optimizer is read from files; the others are in the files. */
export function readResumeOptions(options: unknown): ResumeSettings {
  const known = ['parameters', ...STEP_KEYS, ...DEVICE_KEYS];
  const given = checkObject(options ?? {}, 'options', known);
  checkPrecisionOptions(given);
  const parameters = readParameters(given.parameters, 'options.parameters');
  return { parameters, given, device: toWindowDevice(given.device) };
}

/** Checks the options of a step and fills in the defaults. */
export function readStepOptions(raw: Record<string, unknown>): StepSettings {
  const {
    learningRate = 0.1,
    momentum = 0.9,
    weightDecay = 0,
    damping = { relative: 0.1 },
    clip = 0.1,
  } = raw;
  return {
    learningRate: readSchedule(learningRate, 'options.learningRate', RATES),
    momentum: toNumber(momentum, 'options.momentum', { min: 0, below: 1 }),
    weightDecay: toNumber(weightDecay, 'options.weightDecay', { min: 0 }),
    damping: readDamping(damping, 'options.damping'),
    clip: clip === Number.POSITIVE_INFINITY ? clip : toNumber(clip, 'options.clip', { above: 0 }),
  };
}

function readDamping(value: unknown, argument: string): StepSettings['damping'] {
  if (!isRecord(value)) return readSchedule(value, argument, DAMPINGS);
  const { relative } = checkObject(value, argument, ['relative']);
  return { relative: toNumber(relative, `${argument}.relative`, { above: 0 }) };
}

function readMask(value: unknown, parameters: ParameterList): Uint8Array {
  const whole = readParameterMask(value, 'options.mask', parameters);
  // A copy: the window was told of it as it is now.
  return toUsefulMask(whole, 'options.mask', parameters.dimension).slice();
}
