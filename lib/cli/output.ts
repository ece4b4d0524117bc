/** Files that a command writes at its end. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConvexReLUClassifier, type ONNXOptions } from '../convex-relu';
import { SecondOrderError } from '../errors';
import { fileError } from '../io/paths';
import { writeParts } from '../io/write';
import type { Model } from './task';

/**
 * Fails now where a file could not be written after the work is done; without a path, does nothing.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (the file system's error is the cause)
 */
export async function checkWritable(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new SecondOrderError('ERR_INVALID_ARGUMENT', `cannot write ${path}: it is a folder`);
  }
  await access(found ? path : dirname(path), constants.W_OK).catch((cause) => {
    throw fileError(cause, 'write', path, 'path');
  });
}

/**
 * Writes a fitted model: an ONNX model for a name in `.onnx`, otherwise what `save` writes.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (cannot be written)
 */
export async function writeModel(model: Model, path: string): Promise<void> {
  if (!path.toLowerCase().endsWith('.onnx')) return model.save(path);
  const isClassifier = model instanceof ConvexReLUClassifier;
  const options: ONNXOptions = isClassifier ? { output: ['label', 'probabilities'] } : {};
  return writeParts(path, [model.toONNX(options)]);
}
