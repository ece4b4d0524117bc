// Builds what a measurement compares with, where this machine has what it needs.
import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Skipped } from '../measurement';

const run = promisify(execFile);

/** Builds the CMake project in `bench/peers/<name>` and gives its build folder. */
export async function buildPeer(name: string): Promise<string | Skipped> {
  const folder = path.join(__dirname, name);
  // Not below bench: CMake writes files that end in .ts.
  const build = path.join(__dirname, '..', '..', 'build-peers', name);
  try {
    await run('cmake', ['-S', folder, '-B', build]);
    await run('cmake', ['--build', build, '--parallel', String(os.availableParallelism())]);
    return build;
  } catch (error) {
    return { skipped: `${name} cannot be built (${firstLine(error)})` };
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return text.trim().split('\n')[0] || String(error);
}
