/** The state of an optimizer without its window, as a safetensors file with a header and a checksum. */
import { createHash } from 'node:crypto';
import { messageOf, SecondOrderError } from '../errors';
import { FormatError } from '../io/format-error';
import type { Safetensors } from '../io/safetensors';
import { encodeSafetensors, type TensorContent } from '../io/safetensors-write';
import { describe, invalid, toInteger, toNumber, toRecord } from '../validate';
import {
  type OptimizerSettings,
  readStepOptions,
  STEP_KEYS,
  type StepSettings,
} from './optimizer-options';
import type { Momenta } from './optimizer-step';
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
  /** Values of all parameters, one after the other. */
  values: Float32Array;
}

const FORMAT = 'secondorder/mfac-optimizer';
const VERSION = 1;
const HEADER_KEY = 'secondorder';
const CHECKSUM_KEY = 'sha256';
const WINDOW_NAME = /^window-\d+\.mfac$/;

/** The name under which the window of a step is kept. */
export function windowName(steps: number): string {
  return `window-${steps}.mfac`;
}

/** Whether a file is a window that some state names, or named. */
export function isWindowName(name: string): boolean {
  return WINDOW_NAME.test(name);
}

/** The bytes of the state. */
export function encodeState({ settings, momenta, scale, steps }: OptimizerContents): Uint8Array {
  const { parameters, mask } = settings;
  const values = new Float32Array(parameters.dimension);
  for (const segment of parameters.segments) values.set(segment.values, segment.start);
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
    window: windowName(steps),
    steps,
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
    mask: tensors.mask && toUsefulMask(tensors.mask.data, 'mask', values.length),
    values,
  };
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
