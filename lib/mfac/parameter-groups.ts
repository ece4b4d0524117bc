/** The parameters of an optimizer as one long vector, and the groups they come in. */
import { findNonFinite } from '../matrix';
import { checkObject, describe, invalid, isRecord, mismatch, toNumber } from '../validate';
import { readSchedule, type Schedule } from './schedule';

/** Parameters that share their own learning rate or weight decay. */
export interface ParameterGroup {
  /** Updated in place. */
  parameters: Float32Array[];
  /** The optimizer's when left out. */
  learningRate?: number | Schedule;
  /** The optimizer's when left out. */
  weightDecay?: number;
}

/** One array of parameters, and where it stands in the long vector. */
export interface Segment {
  values: Float32Array;
  /** What it is called in messages. */
  name: string;
  start: number;
  length: number;
  group: GroupSettings;
}

/** What a group sets for itself. */
export interface GroupSettings {
  learningRate?: number | Schedule;
  weightDecay?: number;
}

/** All parameters, in order. */
export interface ParameterList {
  segments: Segment[];
  dimension: number;
}

/** Checks the parameters given: arrays, or groups of arrays. */
export function readParameters(value: unknown, argument: string): ParameterList {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid(argument, 'a list of Float32Arrays or of parameter groups', describe(value));
  }
  const list: ParameterList = { segments: [], dimension: 0 };
  if (isRecord(value[0])) {
    for (const [i, group] of value.entries()) readGroup(group, `${argument}[${i}]`, list);
  } else {
    addArrays(value, argument, {}, list);
  }
  if (list.dimension === 0) throw invalid(argument, 'at least one parameter', 'none');
  checkOverlaps(list.segments, argument);
  return list;
}

function readGroup(value: unknown, argument: string, list: ParameterList): void {
  const raw = checkObject(value ?? null, argument, ['parameters', 'learningRate', 'weightDecay']);
  const { parameters, learningRate, weightDecay } = raw;
  if (!Array.isArray(parameters)) {
    throw invalid(`${argument}.parameters`, 'a list of Float32Arrays', describe(parameters));
  }
  const group: GroupSettings = {};
  if (learningRate !== undefined) {
    group.learningRate = readSchedule(learningRate, `${argument}.learningRate`, { min: 0 });
  }
  if (weightDecay !== undefined) {
    group.weightDecay = toNumber(weightDecay, `${argument}.weightDecay`, { min: 0 });
  }
  addArrays(parameters, `${argument}.parameters`, group, list);
}

function addArrays(
  arrays: readonly unknown[],
  argument: string,
  group: GroupSettings,
  list: ParameterList,
): void {
  for (const [i, values] of arrays.entries()) {
    const name = `${argument}[${i}]`;
    if (!(values instanceof Float32Array)) throw invalid(name, 'a Float32Array', describe(values));
    list.segments.push({ values, name, start: list.dimension, length: values.length, group });
    list.dimension += values.length;
  }
}

/** Two arrays that share memory would be updated twice. */
function checkOverlaps(segments: readonly Segment[], argument: string): void {
  const sorted = segments.filter(({ length }) => length > 0);
  const ends = new Map<ArrayBufferLike, { end: number; name: string }>();
  sorted.sort((a, b) => a.values.byteOffset - b.values.byteOffset);
  for (const { values, name } of sorted) {
    const before = ends.get(values.buffer);
    if (before !== undefined && before.end > values.byteOffset) {
      throw invalid(name, 'memory of its own', `some of ${before.name}`, argument);
    }
    ends.set(values.buffer, { end: values.byteOffset + values.byteLength, name });
  }
}

/** @throws SecondOrderError ERR_INVALID_ARGUMENT when an array was transferred away */
export function checkPresent({ segments }: ParameterList): void {
  for (const { values, name, length } of segments) {
    if (values.length !== length) {
      throw invalid(name, 'an array that stays in place', 'one that was transferred', name);
    }
  }
}

/**
 * Checks gradients, one array for each array of parameters, and writes them into one vector; entries
 * that the mask freezes become 0.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH
 */
export function gatherGradients(
  gradients: unknown,
  { segments }: ParameterList,
  mask: Uint8Array | undefined,
  into: Float32Array,
): void {
  if (!Array.isArray(gradients)) {
    throw invalid('gradients', 'a list of Float32Arrays', describe(gradients));
  }
  if (gradients.length !== segments.length) {
    const message = `gradients has ${gradients.length} arrays; there are ${segments.length} of parameters`;
    throw mismatch('gradients', message);
  }
  for (const [i, { start, length }] of segments.entries()) {
    const gradient: unknown = gradients[i];
    const name = `gradients[${i}]`;
    if (!(gradient instanceof Float32Array)) {
      throw invalid(name, 'a Float32Array', describe(gradient), 'gradients');
    }
    if (gradient.length !== length) {
      const message = `${name} has ${gradient.length} entries; its parameters have ${length}`;
      throw mismatch('gradients', message);
    }
    const at = findNonFinite(gradient);
    if (at >= 0) throw invalid(name, 'finite numbers', `${gradient[at]} at ${at}`, 'gradients');
    into.set(gradient, start);
  }
  if (mask) zeroFrozen(into, mask);
}

function zeroFrozen(values: Float32Array, mask: Uint8Array): void {
  for (let i = 0; i < mask.length; i++) if (mask[i] === 0) values[i] = 0;
}

/** A mask for all parameters: one array of bytes for all, or one for each array of parameters. */
export function readParameterMask(
  value: unknown,
  argument: string,
  { segments, dimension }: ParameterList,
): unknown {
  if (!Array.isArray(value)) return value;
  const mask = new Uint8Array(dimension);
  if (value.length !== segments.length) {
    const message = `${argument} has ${value.length} arrays; there are ${segments.length} of parameters`;
    throw mismatch(argument, message);
  }
  for (const [i, { start, length }] of segments.entries()) {
    const part: unknown = value[i];
    if (!(part instanceof Uint8Array)) {
      throw invalid(`${argument}[${i}]`, 'a Uint8Array', describe(part), argument);
    }
    if (part.length !== length) {
      const message = `${argument}[${i}] has ${part.length} entries; its parameters have ${length}`;
      throw mismatch(argument, message);
    }
    mask.set(part, start);
  }
  return mask;
}
