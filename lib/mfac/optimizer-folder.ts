/**
 * An optimizer as a folder: `state.safetensors`, and the window in a file that the state names. Both
 * are written under other names first, and the state is put in place last: whatever happens
 * meanwhile, the folder holds one whole state.
 */
import fs from 'node:fs';
import path from 'node:path';
import { FormatError } from '../io/format-error';
import { fileError, toPath } from '../io/paths';
import { readSafetensors, readSafetensorsSync } from '../io/safetensors';
import type { OperationOptions } from './operation';
import {
  type MFacStepOptions,
  type OptimizerSettings,
  type ResumeSettings,
  readResumeOptions,
} from './optimizer-options';
import {
  decodeState,
  encodeState,
  isWindowName,
  type OptimizerContents,
  resumeGroups,
  resumeStep,
  type StoredState,
  valuesOf,
  windowName,
} from './optimizer-state';
import type { ParameterGroup } from './parameter-groups';
import { FisherWindow } from './window';

/** Options to go on with: the parameters, and what is to replace the options saved. */
export interface ResumeOptions extends MFacStepOptions {
  /** Arrays, or groups of them, of the lengths that were saved; the values saved are written into them. */
  parameters: Float32Array[] | ParameterGroup[];
}

/** Name of the file that holds everything but the window. */
export const STATE_FILE = 'state.safetensors';
const TAKES = 'a path or a file: URL';
const temporary = (file: string): string => `${file}.${process.pid}.part`;

/** Writes the optimizer into the folder. */
export async function saveOptimizer(
  folder: string | URL,
  contents: OptimizerContents,
  run: OperationOptions,
): Promise<void> {
  const directory = toPath(folder, 'folder', TAKES);
  const values = valuesOf(contents);
  const { files, place } = targets(directory);
  try {
    await fs.promises.mkdir(directory, { recursive: true });
    await contents.window.save(files.window, run);
    const window = windowName(contents.steps, checksumOf(files.window));
    await fs.promises.writeFile(files.state, encodeState(contents, values, window));
    place(window);
  } catch (cause) {
    for (const file of Object.values(files)) await fs.promises.rm(file, { force: true });
    throw fileError(cause, 'write', directory, 'folder');
  }
}

/** {@link saveOptimizer} on the calling thread. */
export function saveOptimizerSync(
  folder: string | URL,
  contents: OptimizerContents,
  run: OperationOptions,
): void {
  const directory = toPath(folder, 'folder', TAKES);
  const { files, place } = targets(directory);
  try {
    fs.mkdirSync(directory, { recursive: true });
    contents.window.saveSync(files.window, run);
    const window = windowName(contents.steps, checksumOf(files.window));
    fs.writeFileSync(files.state, encodeState(contents, valuesOf(contents), window));
    place(window);
  } catch (cause) {
    for (const file of Object.values(files)) fs.rmSync(file, { force: true });
    throw fileError(cause, 'write', directory, 'folder');
  }
}

/** Where to write first, and how to put it in place. */
function targets(directory: string) {
  const state = path.join(directory, STATE_FILE);
  const files = { state: temporary(state), window: temporary(path.join(directory, 'window')) };
  const place = (window: string): void => {
    fs.renameSync(files.window, path.join(directory, window));
    fs.renameSync(files.state, state);
    for (const name of fs.readdirSync(directory)) {
      if (isWindowName(name) && name !== window) {
        fs.rmSync(path.join(directory, name), { force: true });
      }
    }
  };
  return { files, place };
}

/** The checksum that a window's file ends with. */
function checksumOf(file: string): string {
  const handle = fs.openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(8);
    fs.readSync(handle, bytes, 0, 8, Math.max(0, fs.fstatSync(handle).size - 8));
    return bytes.toString('hex');
  } finally {
    fs.closeSync(handle);
  }
}

/** Reads an optimizer; its parameters are written into the arrays given. */
export async function loadOptimizer(
  folder: string | URL,
  options: unknown,
  run: OperationOptions,
): Promise<OptimizerContents> {
  const directory = toPath(folder, 'folder', TAKES);
  const resume = readResumeOptions(options);
  const source = path.join(directory, STATE_FILE);
  const stored = decodeState(await readSafetensors(source), source);
  const parameters = resumeGroups(resume.parameters, stored);
  const file = path.join(directory, stored.window);
  const window = await FisherWindow.load(file, run, { device: resume.device });
  return assemble({ ...resume, parameters }, stored, window, { source, file });
}

/** {@link loadOptimizer} on the calling thread. */
export function loadOptimizerSync(
  folder: string | URL,
  options: unknown,
  run: OperationOptions,
): OptimizerContents {
  const directory = toPath(folder, 'folder', TAKES);
  const resume = readResumeOptions(options);
  const source = path.join(directory, STATE_FILE);
  const stored = decodeState(readSafetensorsSync(source), source);
  const parameters = resumeGroups(resume.parameters, stored);
  const file = path.join(directory, stored.window);
  const window = FisherWindow.loadSync(file, run, { device: resume.device });
  return assemble({ ...resume, parameters }, stored, window, { source, file });
}

function assemble(
  { parameters, given, device }: ResumeSettings,
  stored: StoredState,
  window: FisherWindow,
  { source, file }: { source: string; file: string },
): OptimizerContents {
  try {
    const { dimension, capacity, storage } = window;
    if (
      stored.window !== windowName(stored.steps, checksumOf(file)) ||
      dimension !== stored.values.length ||
      capacity !== stored.scale.squares.length
    ) {
      throw new FormatError(source, `${stored.window} beside it is not the window of the state`);
    }
    const settings: OptimizerSettings = {
      ...resumeStep(given, stored),
      parameters,
      capacity,
      storage,
      mask: stored.mask,
      device,
    };
    for (const { values, start, length } of parameters.segments) {
      values.set(stored.values.subarray(start, start + length));
    }
    const { momenta, scale, steps } = stored;
    return { settings, window, momenta, scale, steps };
  } catch (error) {
    window.dispose();
    throw error;
  }
}
