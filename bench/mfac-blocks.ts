// Setting up blocks of the Fisher matrix, by their size: reading gradients, factoring, the diagonal.
import { FisherBlocks } from 'secondorder/mfac';
import type { Context } from './measurement';

export interface BlocksResult {
  /** Weights. */
  d: number;
  /** Gradients. */
  m: number;
  /** Weights of a block. */
  blockSize: number;
  form: FisherBlocks['form'];
  /** Wall seconds from gradients to factors. */
  setUp: number;
  /** Wall seconds of the diagonal of the inverse. */
  diagonal: number;
  /** Wall seconds of one product with the inverse. */
  solve: number;
  bytes: number;
}

export async function measureBlocks({ quick, threads, log }: Context): Promise<BlocksResult[]> {
  const [d, m] = quick ? [1024, 64] : [16_384, 512];
  const data = Float32Array.from({ length: d * m }, (_, i) => Math.sin(i * 0.37 + (i % 7)));
  const gradients = { data, rows: m, cols: d };
  const sizes = quick ? [16, d] : [1, 16, 64, 128, 512, 1024, 4096, d];
  const run = { threads };
  return sizes.map((blockSize) => {
    log(`d = ${d}, m = ${m}, B = ${blockSize}`);
    const options = { blockSize, damping: 1e-4 };
    const [setUp, blocks] = timed(() => FisherBlocks.fromGradientsSync(gradients, options, run));
    const [diagonal] = timed(() => blocks.diagonalSync(undefined, run));
    const [solve] = timed(() => blocks.solveSync(data.subarray(0, d), undefined, run));
    const { form, bytes } = blocks;
    blocks.dispose();
    return { d, m, blockSize, form, setUp, diagonal, solve, bytes };
  });
}

/** Wall seconds of a call, the shortest of three, and what the last one gave. */
function timed<Result>(call: () => Result): [seconds: number, result: Result] {
  let best = Number.POSITIVE_INFINITY;
  let result: Result;
  let rounds = 0;
  do {
    const start = performance.now();
    result = call();
    best = Math.min(best, (performance.now() - start) / 1e3);
  } while (++rounds < 3);
  return [best, result];
}
