import { type Device, type DeviceOptions, toDevice } from '../devices';
import { SecondOrderError } from '../errors';
import { toPrecision } from '../floats';
import { checkObject, LARGEST_COUNT, toChoice, toInteger, toNumber } from '../validate';
import type { FisherWindowSpec, NativeStorage } from './native';
import { toUsefulMask } from './vectors';

/** Where a window's gradients are kept. */
export interface WindowDeviceOptions extends Omit<DeviceOptions, 'device'> {
  /**
   * Default `'auto'`. Several GPUs, such as `['cuda:0', 'cuda:1']`, share the gradients by columns, and
   * the work with them.
   */
  device?: Device | readonly Device[];
}

/** Options of {@link FisherWindow}. */
export interface FisherWindowOptions extends WindowDeviceOptions {
  /** Length d of a gradient. */
  dimension: number;
  /** Gradients held, m; any number from 1. The oldest one leaves when another comes. */
  capacity: number;
  /** λ, above 0, in units of a squared gradient entry. */
  damping: number;
  /**
   * Type of a stored entry; default `'float32'`. `'bfloat16'` and `'float16'` halve the memory and
   * about the time of a step, `'int8'` quarters both. H is that of the *rounded* gradients.
   */
  storage?: NativeStorage;
  /**
   * What the sum of squares is divided by: `'count'` (default), the gradients held, `'capacity'` for m
   * from the start, as the authors' code does.
   */
  normalize?: 'count' | 'capacity';
  /** `dimension` entries, 1 to take part, 0 frozen: those of gradients are ignored, of solutions 0. */
  mask?: Uint8Array;
}

export const STORAGES = ['float32', 'bfloat16', 'float16', 'int8'] as const;

const KNOWN = [
  'dimension',
  'capacity',
  'damping',
  'storage',
  'normalize',
  'mask',
  'device',
  'precision',
  'seed',
] as const;

/** Checks the options of a window and fills in the defaults. */
export function readWindowOptions(options: unknown): FisherWindowSpec {
  const raw = checkObject(options ?? {}, 'options', KNOWN);
  checkPrecisionOptions(raw);
  const bounds = { min: 1, max: LARGEST_COUNT };
  const dimension = toInteger(raw.dimension, 'options.dimension', bounds);
  const { storage = 'float32', normalize = 'count' } = raw;
  return {
    dimension,
    capacity: toInteger(raw.capacity, 'options.capacity', bounds),
    damping: toDamping(raw.damping, 'options.damping'),
    storage: toChoice(storage, 'options.storage', STORAGES),
    normalize: toChoice(normalize, 'options.normalize', ['count', 'capacity']),
    device: toWindowDevice(raw.device),
    ...(raw.mask === undefined ? {} : { mask: toUsefulMask(raw.mask, 'options.mask', dimension) }),
  };
}

/** Options of reading a window from a file. */
export type WindowLoadOptions = Pick<WindowDeviceOptions, 'device'>;

/** Checks {@link WindowLoadOptions}. */
export function readLoadDevice(options: unknown): Device[] {
  return toWindowDevice(checkObject(options ?? {}, 'options', ['device']).device);
}

/** λ: a number above 0. */
export function toDamping(value: unknown, argument: string): number {
  return toNumber(value, argument, { above: 0 });
}

/** The devices of a window. */
export function toWindowDevice(device: unknown): Device[] {
  return toDevice(device, 'options.device', true);
}

/** Checks the options that say in what precision to compute; nothing here is random. */
export function checkPrecisionOptions(raw: Record<string, unknown>): void {
  if (raw.seed !== undefined) toInteger(raw.seed, 'options.seed', { min: 0 });
  if (raw.precision === undefined) return;
  if (toPrecision(raw.precision, 'options.precision') === 'float32') return;
  throw new SecondOrderError(
    'ERR_INVALID_ARGUMENT',
    'options.precision: this version keeps gradients in float32 or less (the small factor is always float64)',
    { argument: 'options.precision' },
  );
}
