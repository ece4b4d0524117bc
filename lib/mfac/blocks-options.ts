import { type DeviceOptions, requireCpu } from '../devices';
import { checkObject, LARGEST_COUNT, toChoice, toInteger, toText } from '../validate';
import type { FisherBlocksSpec, NativeBlockStorage } from './native';
import { checkPrecisionOptions, toDamping } from './window-options';

/** Options of {@link FisherBlocks}, which computes on the CPU: asking for a GPU is refused. */
export interface FisherBlocksOptions extends DeviceOptions {
  /**
   * Weights of a block, B: H is taken to be block diagonal, over consecutive weights. One block of all
   * weights when left out. Smaller blocks need less memory and, below the number of gradients, less
   * time; 1 is the diagonal of the Fisher matrix.
   */
  blockSize?: number;
  /** λ, above 0, in units of a squared gradient entry. */
  damping: number;
  /**
   * Where the gradients are kept; default `'auto'`: in float32 where that fits into memory, otherwise
   * in bfloat16, otherwise on disk. An iterable without `expected` cannot be planned for: it is kept in
   * float32, from the gradient on that finds no memory on disk.
   */
  storage?: NativeBlockStorage;
  /**
   * Gradients that an iterable will give, where it is known: memory is then planned for them with the
   * first one. Left out, ERR_OUT_OF_MEMORY comes only where room runs out, after part of the gradients
   * or all of them were read. A matrix tells it by itself.
   */
  expected?: number;
  /** Folder for gradients that lie on disk; default: that of temporary files. */
  directory?: string;
}

/** The names of these options. */
export const BLOCKS_KEYS = [
  'blockSize',
  'damping',
  'storage',
  'expected',
  'directory',
  'device',
  'precision',
  'seed',
] as const;

/** Options of blocks without their dimension, which the first gradient tells. */
export type BlocksSettings = Omit<FisherBlocksSpec, 'dimension'>;

/** Checks the options of blocks and fills in the defaults. */
export function readBlocksOptions(options: unknown): BlocksSettings {
  return readBlocksEntries(checkObject(options ?? {}, 'options', BLOCKS_KEYS), 'options');
}

/** Checks the entries that say how blocks are to be made. */
export function readBlocksEntries(raw: Record<string, unknown>, parent: string): BlocksSettings {
  requireCpu(raw.device, 'FisherBlocks', `${parent}.device`);
  checkPrecisionOptions(raw);
  const count = (key: 'blockSize' | 'expected') =>
    raw[key] === undefined
      ? {}
      : { [key]: toInteger(raw[key], `${parent}.${key}`, { min: 1, max: LARGEST_COUNT }) };
  const { storage = 'auto', directory } = raw;
  return {
    ...count('blockSize'),
    ...count('expected'),
    damping: toDamping(raw.damping, `${parent}.damping`),
    storage: toChoice(storage, `${parent}.storage`, ['auto', 'float32', 'bfloat16', 'disk']),
    ...(directory === undefined ? {} : { directory: toText(directory, `${parent}.directory`) }),
  };
}
