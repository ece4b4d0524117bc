import { loadNative } from '../native';
import { runDirect } from '../run';
import { checkObject, LARGEST_COUNT, toInteger } from '../validate';
import type { ConvexReLUOptions } from './option-types';
import { checkOptions, resolveOptions, settleRefinement } from './options';

/** The size of a problem. */
export interface ProblemShape {
  /** Samples. */
  rows: number;
  /** Features. */
  cols: number;
  /** Default 1. */
  outputs?: number;
}

/** What training will need. */
export interface MemoryEstimate {
  /** Most bytes of the machine's memory held at once, the solver's copy of the inputs included. */
  bytes: number;
  /** Bytes on the GPU, of several on the one that holds most; 0 on the CPU. */
  gpuBytes: number;
  /** Where it will be computed: `cpu` or such as `cuda:0`; several GPUs are joined by commas. */
  device: string;
  /** How it will solve its linear systems. */
  route: string;
}

/**
 * The memory that {@link trainConvexReLU} will take for a problem of this size, without doing it.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT; ERR_CUDA_… and ERR_OUT_OF_MEMORY of a GPU asked for
 */
export function estimateMemory(shape: ProblemShape, options?: ConvexReLUOptions): MemoryEstimate {
  const raw = checkObject(shape, 'shape', ['rows', 'cols', 'outputs']);
  const range = { min: 1, max: LARGEST_COUNT };
  const rows = toInteger(raw.rows, 'shape.rows', range);
  const cols = toInteger(raw.cols, 'shape.cols', range);
  const outputs = toInteger(raw.outputs ?? 1, 'shape.outputs', range);
  const known = checkOptions(options);
  const settings = settleRefinement(
    resolveOptions(known, { features: cols }),
    { rows, cols, outputs },
    known.refine !== undefined,
  );
  return runDirect(() =>
    loadNative().convexReluEstimateMemory({ ...settings, rows, cols, outputs }),
  );
}
