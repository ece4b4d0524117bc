/** The state of an optimizer as bytes in memory, and such bytes as tensors. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Tensor, tensor1d } from '@tensorflow/tfjs';
import { FormatError } from '../io/format-error';
import { readSafetensorsSync } from '../io/safetensors';
import type { MFacOptimizer } from '../mfac';
import { STATE_FILE } from '../mfac/optimizer-folder';
import { decodeState, isWindowName } from '../mfac/optimizer-state';

/** The two files of a saved optimizer. */
export interface StateBytes {
  state: Uint8Array;
  window: Uint8Array;
}

const PREFIX = path.join(os.tmpdir(), 'secondorder-');

/** The state of an optimizer. */
export async function writeState(optimizer: MFacOptimizer): Promise<StateBytes> {
  const folder = await fs.promises.mkdtemp(PREFIX);
  try {
    await optimizer.save(folder);
    const window = (await fs.promises.readdir(folder)).find(isWindowName) ?? '';
    const [state, rows] = await Promise.all(
      [STATE_FILE, window].map((name) => fs.promises.readFile(path.join(folder, name))),
    );
    return { state: state!, window: rows! };
  } finally {
    await fs.promises.rm(folder, { recursive: true, force: true });
  }
}

/** Gives a folder with the state to a function that reads it. */
export function readState<Result>(
  { state, window }: StateBytes,
  read: (folder: string) => Result,
): Result {
  const stored = decodeState(readSafetensorsSync(state), 'weights');
  const folder = fs.mkdtempSync(PREFIX);
  try {
    fs.writeFileSync(path.join(folder, STATE_FILE), state);
    fs.writeFileSync(path.join(folder, stored.window), window);
    return read(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const WORD = Int32Array.BYTES_PER_ELEMENT;

/** Bytes as a tensor: their number, then four in each entry. TensorFlow.js has no type of bytes. */
export function fromBytes(bytes: Uint8Array): Tensor {
  const words = new Int32Array(1 + Math.ceil(bytes.length / WORD));
  words[0] = bytes.length;
  new Uint8Array(words.buffer, WORD).set(bytes);
  return tensor1d(words, 'int32');
}

/** The bytes of {@link fromBytes}. */
export async function toBytes(tensor: Tensor): Promise<Uint8Array> {
  const words = await tensor.data<'int32'>();
  const length = words[0] ?? -1;
  if (tensor.dtype !== 'int32' || length < 0 || length > (words.length - 1) * WORD) {
    throw new FormatError('weights', 'not the state of an MFac optimizer');
  }
  return new Uint8Array(words.buffer, words.byteOffset + WORD, length).slice();
}
