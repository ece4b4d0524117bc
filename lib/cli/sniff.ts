import { readSource } from '../io/source';
import type { DataFlags } from './options';

const ENOUGH = 65536;

/**
 * Tells the format of a file, gzip or plain, by its first bytes rather than its name.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (cannot be read), ERR_FORMAT (damaged gzip), ERR_ABORTED
 */
export async function sniffFormat(
  path: string,
  signal: AbortSignal,
): Promise<Exclude<DataFlags['format'], 'auto'>> {
  const start = await readSource(path, { signal }, async (_origin, chunks) => {
    for await (const chunk of chunks) return Buffer.from(chunk.subarray(0, ENOUGH));
    return Buffer.alloc(0);
  });
  if (start.subarray(1, 6).toString('latin1') === 'NUMPY') return 'npy';
  if (start.length >= 4 && start[0] === 0 && start[1] === 0) return 'idx';
  return looksLikeLibsvm(start.toString('latin1')) ? 'libsvm' : 'csv';
}

/** A label, then index:value pairs, on the first line that has any. */
function looksLikeLibsvm(text: string): boolean {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const first = lines.find((line) => /\s/.test(line)) ?? '';
  const [label = '', ...pairs] = first.split(/\s+/);
  if (Number.isNaN(Number(label)) || pairs.length === 0) return false;
  // The last pair may be cut by the end of what was read.
  return pairs.slice(0, 20).every((pair) => /^(\d+|qid):\S*$/.test(pair));
}
