// Setting up Fisher blocks with their diagonal, beside the row-by-row recursion of the paper's code.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Context, Skipped } from './measurement';
import { buildPeer } from './peers/build';

export interface RecursionResult {
  /** Weights. */
  d: number;
  /** Gradients. */
  m: number;
  /** Weights of a block. */
  blockSize: number;
  /** Wall seconds from gradients to the diagonal: FisherBlocks, and the recursion in two precisions. */
  blocks: number;
  float64: number;
  float32: number;
  /** Largest relative difference to the recursion in float64: of the blocks, and in float32. */
  difference: number;
  float32Difference: number;
}

/** How many times faster than the recursion in float64 the first case is to be. */
export const RECURSION_BAR = 10;

const run = promisify(execFile);

export async function measureRecursion({
  quick,
  threads,
  log,
}: Context): Promise<RecursionResult[] | Skipped> {
  const build = await buildPeer('fisher-recursion');
  if (typeof build !== 'string') return build;
  const [d, m, rounds] = quick ? [1024, 64, 1] : [16_384, 512, 10];
  const results = [];
  for (const blockSize of quick ? [128] : [128, 512, 1024, d]) {
    log(`d = ${d}, m = ${m}, B = ${blockSize}`);
    const words = [d, m, blockSize, threads, rounds].map(String);
    const { stdout } = await run(path.join(build, 'fisher_recursion'), words);
    results.push({ d, m, blockSize, ...JSON.parse(stdout) });
  }
  return results;
}
