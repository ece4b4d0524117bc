/** The state of an optimizer without its window, as a safetensors file with a header and a checksum. */
import { createHash } from 'node:crypto';
import { messageOf, SecondOrderError } from '../errors';
import { FormatError } from '../io/format-error';
import type { Safetensors } from '../io/safetensors';
import { encodeSafetensors, type TensorContent } from '../io/safetensors-write';
import { describe, invalid, mismatch, toInteger, toNumber, toRecord } from '../validate';
import {
  type OptimizerSettings,
  readStepOptions,
  STEP_KEYS,
  type StepSettings,
} from './optimizer-options';
import type { Momenta } from './optimizer-step';
import type { GroupSettings, ParameterList } from './parameter-groups';
import { RowScale } from './row-scale';
import { toUsefulMask } from './vectors';
import type { FisherWindow } from './window';

/** All that an optimizer consists of. */
export interface OptimizerContents {
  settings: OptimizerSettings;
  window: FisherWindow;
  momenta: Momenta;
  scale: RowScale;
  steps: number;
}

/** What a file of the state says. */
export interface StoredState {
  /** Name of the window's file in the same folder. */
  window: string;
  steps: number;
  step: Partial<StepSettings>;
  momenta: Momenta;
  scale: RowScale;
  mask: Uint8Array | undefined;
  segments: StoredSegment[];
  /** Values of all parameters, one after the other. */
  values: Float32Array;
}

/** An array of parameters, and what its group set for it: null for a function. */
interface StoredSegment extends GroupRates {
  length: number;
}

interface GroupRates {
  learningRate?: number | null;
  weightDecay?: number;
}

const FORMAT = 'secondorder/mfac-optimizer';
const VERSION = 1;
const HEADER_KEY = 'secondorder';
const CHECKSUM_KEY = 'sha256';
const WINDOW_NAME = /^window-\d+-[0-9a-f]{16}\.mfac$/;

/** The name under which a window is kept: other contents, other name. */
export function windowName(steps: number, checksum: string): string {
  return `window-${steps}-${checksum}.mfac`;
}

/** Whether a file is a window that some state names, or named. */
export function isWindowName(name: string): boolean {
  return WINDOW_NAME.test(name);
}

/** All parameters, as they are now. */
export function valuesOf({ settings: { parameters } }: OptimizerContents): Float32Array {
  const values = new Float32Array(parameters.dimension);
  for (const segment of parameters.segments) values.set(segment.values, segment.start);
  return values;
}

/** The bytes of the state, with the parameters and the window's name given. */
export function encodeState(
  { settings, momenta, scale, steps }: OptimizerContents,
  values: Float32Array,
  window: string,
): Uint8Array {
  const { parameters, mask } = settings;
  const tensors: Record<string, TensorContent> = {
    direction: vector(momenta.direction),
    gradient: vector(momenta.gradient),
    values: vector(values),
    squares: vector(scale.squares),
    ...(mask ? { mask: vector(mask) } : {}),
  };
  const step = STEP_KEYS.map((key) => [key, settings[key]] as const);
  const header = JSON.stringify({
    format: FORMAT,
    version: VERSION,
    window,
    steps,
    segments: parameters.segments.map(
      ({ length, group }): StoredSegment => ({ length, ...withoutFunctions(group) }),
    ),
    rows: scale.count,
    reference: scale.reference,
    // Functions cannot be kept: they have to be given again.
    step: Object.fromEntries(step.filter(([, value]) => typeof value !== 'function')),
  });
  return encodeSafetensors(tensors, {
    [HEADER_KEY]: header,
    [CHECKSUM_KEY]: checksum(header, tensors),
  });
}

function withoutFunctions({ learningRate, weightDecay }: GroupSettings): GroupRates {
  const rate = typeof learningRate === 'function' ? null : learningRate;
  return {
    ...(rate === undefined ? {} : { learningRate: rate }),
    ...(weightDecay === undefined ? {} : { weightDecay }),
  };
}

function vector(data: TensorContent['data']): TensorContent {
  return { data, shape: [data.length] };
}

/**
 * Reads a state.
 *
 * @throws SecondOrderError ERR_FORMAT, naming the source
 */
export function decodeState({ tensors, metadata }: Safetensors, source: string): StoredState {
  const header = metadata[HEADER_KEY];
  if (header === undefined) throw new FormatError(source, 'holds no state of an MFacOptimizer');
  try {
    const raw = toRecord(JSON.parse(header), 'header');
    if (raw.format !== FORMAT) throw invalid('format', `"${FORMAT}"`, describe(raw.format));
    if (raw.version !== VERSION) {
      throw invalid('version', `${VERSION}, the one known to this release`, describe(raw.version));
    }
    if (metadata[CHECKSUM_KEY] !== checksum(header, tensors)) {
      throw new SecondOrderError('ERR_FORMAT', 'its checksum does not fit its contents');
    }
    return readState(raw, tensors);
  } catch (cause) {
    throw new FormatError(source, messageOf(cause), {}, { cause });
  }
}

function readState(raw: Record<string, unknown>, tensors: Safetensors['tensors']): StoredState {
  const values = array(tensors, 'values', Float32Array);
  const squares = array(tensors, 'squares', Float64Array);
  const scale = new RowScale(squares.length);
  scale.squares.set(squares);
  scale.count = toInteger(raw.rows, 'rows', { min: 0, max: squares.length });
  scale.reference = toNumber(raw.reference, 'reference', { min: 0 });
  if (typeof raw.window !== 'string' || !isWindowName(raw.window)) {
    throw invalid('window', 'the name of a window', describe(raw.window));
  }
  return {
    window: raw.window,
    steps: toInteger(raw.steps, 'steps', { min: 0 }),
    step: toRecord(raw.step, 'step'),
    momenta: {
      direction: array(tensors, 'direction', Float32Array, values.length),
      gradient: array(tensors, 'gradient', Float32Array, values.length),
    },
    scale,
    segments: readSegments(raw.segments, values.length),
    mask: tensors.mask && toUsefulMask(tensors.mask.data, 'mask', values.length),
    values,
  };
}

function readSegments(raw: unknown, dimension: number): StoredSegment[] {
  if (!Array.isArray(raw)) throw invalid('segments', 'a list', describe(raw));
  const segments = raw.map((entry: unknown, i): StoredSegment => {
    const name = `segments[${i}]`;
    const { length, learningRate: rate, weightDecay: decay } = toRecord(entry, name);
    const positive = (value: unknown, key: string) => toNumber(value, `${name}.${key}`, { min: 0 });
    return {
      length: toInteger(length, `${name}.length`, { min: 0 }),
      ...(rate === undefined
        ? {}
        : { learningRate: rate === null ? null : positive(rate, 'learningRate') }),
      ...(decay === undefined ? {} : { weightDecay: positive(decay, 'weightDecay') }),
    };
  });
  const sum = segments.reduce((total, { length }) => total + length, 0);
  if (sum !== dimension) throw invalid('segments', `${dimension} entries in all`, `${sum}`);
  return segments;
}

function array<Data extends Float32Array | Float64Array>(
  tensors: Safetensors['tensors'],
  name: string,
  type: { new (length: number): Data; name: string },
  length?: number,
): Data {
  const data = tensors[name]?.data;
  if (!(data instanceof type)) throw invalid(`tensor ${name}`, `a ${type.name}`, describe(data));
  if (length !== undefined && data.length !== length) {
    throw invalid(`tensor ${name}`, `${length} entries`, `${data.length}`);
  }
  return data;
}

/** Over the header and all tensors by name. */
function checksum(header: string, tensors: Readonly<Record<string, TensorContent>>): string {
  const hash = createHash('sha256').update(header);
  for (const name of Object.keys(tensors).sort()) {
    const { buffer, byteOffset, byteLength } = tensors[name]!.data;
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

/** The settings of a step to go on with: those given, and otherwise those stored. */
export function resumeStep(given: Record<string, unknown>, stored: StoredState): StepSettings {
  const missing = STEP_KEYS.find((key) => given[key] === undefined && !(key in stored.step));
  if (missing !== undefined) {
    throw invalid(`options.${missing}`, 'given again, since it was a function', 'none');
  }
  const { clip } = stored.step;
  // JSON has no infinity: null stands for it.
  const step = clip === null ? { ...stored.step, clip: Number.POSITIVE_INFINITY } : stored.step;
  return readStepOptions({ ...step, ...given });
}

/**
 * The parameters to go on with: with the rates that their groups give, and otherwise those stored.
 *
 * @throws SecondOrderError ERR_DIMENSION_MISMATCH, ERR_INVALID_ARGUMENT
 */
export function resumeGroups(list: ParameterList, { segments }: StoredState): ParameterList {
  if (list.segments.length !== segments.length) {
    const message = `options.parameters has ${list.segments.length} arrays; ${segments.length} were saved`;
    throw mismatch('options.parameters', message);
  }
  const resumed = list.segments.map((segment, i) => {
    const { length, learningRate, weightDecay } = segments[i]!;
    if (segment.length !== length) {
      const message = `${segment.name} has ${segment.length} entries; ${length} were saved`;
      throw mismatch('options.parameters', message);
    }
    const group: GroupSettings = { ...segment.group };
    if (learningRate === null && group.learningRate === undefined) {
      const takes = 'parameters of a group with a learningRate, since that was a function';
      throw invalid(segment.name, takes, 'none', 'options.parameters');
    }
    if (learningRate != null) group.learningRate ??= learningRate;
    if (weightDecay !== undefined) group.weightDecay ??= weightDecay;
    return { ...segment, group };
  });
  return { ...list, segments: resumed };
}
