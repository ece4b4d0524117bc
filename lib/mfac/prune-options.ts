import type { Progress, RunOptions } from '../run';
import {
  checkObject,
  describe,
  invalid,
  isRecord,
  LARGEST_COUNT,
  mismatch,
  toBoolean,
  toChoice,
  toInteger,
  toNumber,
} from '../validate';
import { FisherBlocks } from './blocks';
import {
  BLOCKS_KEYS,
  type BlocksSettings,
  type FisherBlocksOptions,
  readBlocksEntries,
} from './blocks-options';
import type { OperationOptions } from './operation';
import { GROWTHS, type SparsityGrowth } from './sparsity-schedule';
import { toMask } from './vectors';

/** Which weights may go, and how many. */
export interface SelectionOptions {
  /**
   * Share of the prunable weights to remove, from 0 to below 1. With a `pattern` it may be left out;
   * otherwise the lowest of those that the pattern lets go, up to this share.
   */
  sparsity?: number;
  /**
   * Lengths of the layers, one after the other, that `sparsity` is to hold for each by itself; all
   * weights together when left out.
   */
  layers?: readonly number[];
  /**
   * N:M sparsity, as in `[2, 4]`: of every m weights one after the other, in each layer, n are kept,
   * and in proportion of a shorter last group.
   */
  pattern?: readonly [n: number, m: number];
  /** 1 where a weight may be removed, 0 where it stays, for example biases; all may when left out. */
  prunable?: Uint8Array;
}

/** Options of {@link prune}. */
export interface PruneOptions extends SelectionOptions {
  /**
   * How many times H is estimated anew on the way, default 0: the sparsity is reached in
   * `recompute + 1` steps, each with the gradients of the weights as they are then.
   */
  recompute?: number;
  /** How sparsity grows over the steps; default `'cubic'`. */
  growth?: SparsityGrowth;
  /** See {@link RemovalOptions}; default true. */
  joint?: boolean;
  /**
   * Trains between two steps: is given the weights, which it may change in place, and the mask (1
   * kept), and returns the weights to go on with. What it leaves in removed places is set to 0.
   */
  tune?: (weights: Float32Array, mask: Uint8Array) => Float32Array | Promise<Float32Array>;
}

/** How far pruning is: `iteration` counts the steps. */
export interface PruneProgress extends Progress {
  steps: number;
  /** Share of the prunable weights that this step removes up to. */
  sparsity: number;
  /** Gradients read in this step. */
  gradients: number;
  /** Of the steps before, together. */
  lossIncrease: number;
}

/** Options of a pruning run. */
export type PruneRunOptions = OperationOptions & Pick<RunOptions<PruneProgress>, 'onProgress'>;

/** Gradients of given weights, from which H is estimated before every step. */
export interface GradientSource<Gradients> extends FisherBlocksOptions {
  /** Gradients of single samples or small batches at these weights, which it must not change. */
  gradients: (weights: Float32Array) => Gradients;
}

/** Checked options of a selection. */
export interface Selection {
  /** 1 where a pattern alone says it. */
  sparsity: number;
  layers: Int32Array | undefined;
  pattern: [n: number, m: number] | undefined;
  prunable: Uint8Array | undefined;
}

/** Checked options of pruning. */
export interface PruneSettings extends Selection {
  steps: number;
  growth: SparsityGrowth;
  joint: boolean;
  tune: PruneOptions['tune'];
}

/** Where H comes from: given, or estimated anew. */
export type FisherSource<Gradients> =
  | { blocks: FisherBlocks }
  | { gradients: (weights: Float32Array) => Gradients; settings: BlocksSettings };

const SELECTION_KEYS = ['sparsity', 'layers', 'pattern', 'prunable'];

/** Checks options that say which weights may go. */
export function readSelection(options: unknown, dimension: number): Selection {
  const raw = checkObject(options ?? {}, 'options', SELECTION_KEYS);
  return selectionOf(raw, dimension);
}

/** Checks the options of pruning. */
export function readPruneOptions(options: unknown, dimension: number): PruneSettings {
  const known = [...SELECTION_KEYS, 'recompute', 'growth', 'joint', 'tune'];
  const raw = checkObject(options ?? {}, 'options', known);
  const { recompute = 0, growth = 'cubic', joint = true, tune } = raw;
  if (tune !== undefined && typeof tune !== 'function') {
    throw invalid('options.tune', 'a function', describe(tune));
  }
  return {
    ...selectionOf(raw, dimension),
    steps: 1 + toInteger(recompute, 'options.recompute', { min: 0, max: LARGEST_COUNT - 1 }),
    growth: toChoice(growth, 'options.growth', GROWTHS),
    joint: toBoolean(joint, 'options.joint'),
    tune: tune as PruneOptions['tune'],
  };
}

function selectionOf(raw: Record<string, unknown>, dimension: number): Selection {
  const pattern = raw.pattern === undefined ? undefined : readPattern(raw.pattern);
  const layers = raw.layers === undefined ? undefined : readLayers(raw.layers, dimension);
  return {
    sparsity: readSparsity(raw.sparsity, pattern),
    layers,
    pattern,
    prunable:
      raw.prunable === undefined ? undefined : toMask(raw.prunable, 'options.prunable', dimension),
  };
}

function readSparsity(value: unknown, pattern: Selection['pattern']): number {
  if (value === undefined && pattern) return 1;
  return toNumber(value, 'options.sparsity', { min: 0, below: 1 });
}

function readPattern(value: unknown): [number, number] {
  if (!Array.isArray(value) || value.length !== 2) {
    throw invalid('options.pattern', '[n, m]', describe(value));
  }
  const m = toInteger(value[1], 'options.pattern[1]', { min: 2, max: LARGEST_COUNT });
  return [toInteger(value[0], 'options.pattern[0]', { min: 1, max: m - 1 }), m];
}

function readLayers(value: unknown, dimension: number): Int32Array {
  if (!Array.isArray(value)) throw invalid('options.layers', 'a list of lengths', describe(value));
  const range = { min: 1, max: LARGEST_COUNT };
  const lengths = value.map((length, i) => toInteger(length, `options.layers[${i}]`, range));
  const sum = lengths.reduce((total, length) => total + length, 0);
  if (sum !== dimension) {
    throw mismatch(
      'options.layers',
      `options.layers sum to ${sum}; there are ${dimension} weights`,
    );
  }
  return Int32Array.from(lengths);
}

/** Checks where H is to come from. */
export function readFisher<Gradients>(
  value: unknown,
  { steps }: PruneSettings,
  dimension: number,
): FisherSource<Gradients> {
  if (value instanceof FisherBlocks) {
    if (value.dimension !== dimension) {
      throw mismatch('fisher', `fisher is for ${value.dimension} weights; there are ${dimension}`);
    }
    if (steps === 1) return { blocks: value };
    const takes = '0 when fisher is given rather than { gradients }';
    throw invalid('options.recompute', takes, String(steps - 1));
  }
  if (!isRecord(value)) {
    throw invalid('fisher', 'FisherBlocks or { gradients, damping, … }', describe(value));
  }
  const raw = checkObject(value, 'fisher', ['gradients', ...BLOCKS_KEYS]);
  if (typeof raw.gradients !== 'function') {
    throw invalid('fisher.gradients', 'a function of the weights', describe(raw.gradients));
  }
  return {
    gradients: raw.gradients as (weights: Float32Array) => Gradients,
    settings: readBlocksEntries(raw, 'fisher'),
  };
}
