// Builds the native addon from the sources in the package: what `npx secondorder build` runs, and the
// set-up script of a clone.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SecondOrderError } from './errors';
import { packageRoot } from './native';

export interface BuildOptions {
  /** The package to build; this one by default. */
  directory?: string;
  /** With symbols and without optimization, into build/Debug. */
  debug?: boolean;
  /** CMake cache entries, such as `SECONDORDER_STATIC_BLAS=OFF`. */
  definitions?: string[];
  /** Print only what goes wrong. */
  quiet?: boolean;
  /** Load the result once. Default true; a sanitized build loads only where its runtime is first. */
  check?: boolean;
}

/**
 * Compiles the addon with cmake-js and loads it once in a process of its own: a shared object links
 * with undefined symbols, and only loading it shows that it is whole.
 *
 * @returns the path of the built addon.
 * @throws SecondOrderError `ERR_NATIVE_NOT_FOUND` when a tool or library is missing (the message lists the
 * packages to install), when the compiler fails, or when the result does not load.
 */
export function buildNative(options: BuildOptions = {}): string {
  const directory = options.directory ?? packageRoot;
  const staticBlas = !(options.definitions ?? []).includes('SECONDORDER_STATIC_BLAS=OFF');
  const missing = missingPackages(staticBlas);
  if (missing.length > 0) {
    throw new SecondOrderError(
      'ERR_NATIVE_NOT_FOUND',
      'Building secondorder from source needs packages that are not installed. On Debian or Ubuntu: ' +
        `apt-get install -y ${missing.join(' ')}`,
    );
  }
  compile(directory, options);
  const file = path.join(
    directory,
    'build',
    options.debug ? 'Debug' : 'Release',
    'secondorder.node',
  );
  if (options.check !== false) checkLoads(file);
  return file;
}

/** The Debian packages without which the addon cannot be built here; empty when all is there. */
export function missingPackages(staticBlas = true): string[] {
  const compiler = process.env.CXX ?? ['c++', 'g++', 'clang++'].find(onPath);
  const missing: string[] = [];
  if (compiler === undefined || !onPath(compiler)) missing.push('g++');
  if (!onPath('cmake')) missing.push('cmake');
  if (!onPath('ninja') && !onPath('make')) missing.push('ninja-build');
  if (compiler !== undefined && onPath(compiler)) {
    const blas = staticBlas ? 'libopenblas.a' : 'libopenblas.so';
    if (!compilerFinds(compiler, blas)) missing.push('libopenblas-dev');
    if (staticBlas && !compilerFinds(compiler, 'libgfortran.a')) missing.push('gfortran');
    if (!compilerIncludes(compiler, 'eigen3/signature_of_eigen3_matrix_library')) {
      missing.push('libeigen3-dev');
    }
  } else {
    missing.push('libopenblas-dev', ...(staticBlas ? ['gfortran'] : []), 'libeigen3-dev');
  }
  return missing;
}

function compile(directory: string, options: BuildOptions): void {
  const command = [
    require.resolve('cmake-js/bin/cmake-js'),
    'compile',
    ...['--directory', directory],
    ...['--parallel', process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(os.availableParallelism())],
    ...(options.debug ? ['--debug'] : []),
    ...(options.definitions ?? []).map((definition) => `--CD${definition}`),
  ];
  const result = spawnSync(process.execPath, command, {
    cwd: directory,
    encoding: 'utf8',
    stdio: options.quiet ? 'pipe' : 'inherit',
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  if (result.status === 0) return;
  const output = options.quiet ? `\n${result.stdout ?? ''}${result.stderr ?? ''}` : '';
  throw new SecondOrderError('ERR_NATIVE_NOT_FOUND', `The native build failed.${output}`, {
    cause: result.error,
  });
}

function checkLoads(file: string): void {
  const result = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', file], {
    encoding: 'utf8',
  });
  if (result.status === 0) return;
  throw new SecondOrderError(
    'ERR_NATIVE_NOT_FOUND',
    `The native build made ${file}, which does not load:\n${result.stderr}`,
    { cause: result.error },
  );
}

function onPath(command: string): boolean {
  const folders = command.includes(path.sep)
    ? ['']
    : (process.env.PATH ?? '').split(path.delimiter);
  return folders.some((folder) => isExecutable(path.join(folder, command)));
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function compilerFinds(compiler: string, library: string): boolean {
  const result = spawnSync(compiler, [`-print-file-name=${library}`], { encoding: 'utf8' });
  return result.status === 0 && path.isAbsolute(result.stdout.trim());
}

function compilerIncludes(compiler: string, header: string): boolean {
  const flags = ['-E', '-x', 'c++', '-include', header, '/dev/null', '-o', '/dev/null'];
  return spawnSync(compiler, flags).status === 0;
}
