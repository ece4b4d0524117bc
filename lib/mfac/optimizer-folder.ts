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
import { mismatch } from '../validate';
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
  resumeStep,
  type StoredState,
  windowName,
} from './optimizer-state';
import type { ParameterGroup, ParameterList } from './parameter-groups';
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
  const state = encodeState(contents);
  const { files, place } = targets(directory, contents.steps);
  try {
    await fs.promises.mkdir(directory, { recursive: true });
    await contents.window.save(files.window, run);
    await fs.promises.writeFile(files.state, state);
    place();
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
  const { files, place } = targets(directory, contents.steps);
  try {
    fs.mkdirSync(directory, { recursive: true });
    contents.window.saveSync(files.window, run);
    fs.writeFileSync(files.state, encodeState(contents));
    place();
  } catch (cause) {
    for (const file of Object.values(files)) fs.rmSync(file, { force: true });
    throw fileError(cause, 'write', directory, 'folder');
  }
}

/** Where to write first, and how to put it in place. */
function targets(directory: string, steps: number) {
  const state = path.join(directory, STATE_FILE);
  const window = path.join(directory, windowName(steps));
  const files = { state: temporary(state), window: temporary(window) };
  const place = (): void => {
    fs.renameSync(files.window, window);
    fs.renameSync(files.state, state);
    for (const name of fs.readdirSync(directory)) {
      const old = path.join(directory, name);
      if (isWindowName(name) && old !== window) fs.rmSync(old, { force: true });
    }
  };
  return { files, place };
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
  checkLengths(resume.parameters, stored);
  const window = await FisherWindow.load(path.join(directory, stored.window), run);
  return assemble(resume, stored, window, source);
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
  checkLengths(resume.parameters, stored);
  const window = FisherWindow.loadSync(path.join(directory, stored.window), run);
  return assemble(resume, stored, window, source);
}

function checkLengths({ dimension }: ParameterList, { values }: StoredState): void {
  if (dimension === values.length) return;
  const message = `options.parameters has ${dimension} parameters; ${values.length} were saved`;
  throw mismatch('options.parameters', message);
}

function assemble(
  { parameters, given }: ResumeSettings,
  stored: StoredState,
  window: FisherWindow,
  source: string,
): OptimizerContents {
  try {
    const { dimension, capacity, storage } = window;
    if (dimension !== stored.values.length || capacity !== stored.scale.squares.length) {
      throw new FormatError(source, `${stored.window} beside it is not the window of the state`);
    }
    const settings: OptimizerSettings = {
      ...resumeStep(given, stored),
      parameters,
      capacity,
      storage,
      mask: stored.mask,
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
