// Finds and loads the native addon, at the first use rather than at import: the command line can
// then build it, and `doctor` can say why it does not load.

import fs from 'node:fs';
import path from 'node:path';
import nodeGypBuild from 'node-gyp-build';
import { findCudaSources } from './cuda-sources';
import { messageOf, SecondOrderError } from './errors';
import type { Native } from './native-interface';

export type * from './native-interface';

/** The folder of the package: where `build/` and `prebuilds/` are looked for. */
export const packageRoot = path.join(__dirname, '..');

/** The version of this package. */
export function packageVersion(): string {
  return require(path.join(packageRoot, 'package.json')).version;
}

let loaded: Native | undefined;

/**
 * The native addon, loaded at the first call.
 *
 * @throws SecondOrderError `ERR_NATIVE_NOT_FOUND` when no binary fits this machine or the one found
 * does not load; `cause` holds the loader's own error.
 */
export function loadNative(): Native {
  loaded ??= load();
  return loaded;
}

/** The file that {@link loadNative} loads, or undefined when there is none for this machine. */
export function nativePath(): string | undefined {
  try {
    return nodeGypBuild.path(packageRoot);
  } catch {
    return undefined;
  }
}

function load(): Native {
  let native: Native;
  try {
    native = nodeGypBuild(packageRoot) as Native;
  } catch (cause) {
    throw new SecondOrderError('ERR_NATIVE_NOT_FOUND', explain(cause), { cause });
  }
  native.cudaSources(findCudaSources(packageRoot, packageVersion()));
  return native;
}

/** "glibc 2.36" or "musl", as node-gyp-build tells them apart. */
export function libc(): string {
  const header = reportHeader();
  return header?.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
}

function reportHeader(): { glibcVersionRuntime?: string } | undefined {
  const report = process.report?.getReport();
  return typeof report === 'object' ? (report as { header: object }).header : undefined;
}

function explain(cause: unknown): string {
  const machine = `${process.platform}-${process.arch} (${libc()}, Node ${process.versions.node})`;
  const file = nativePath();
  const reason =
    file === undefined
      ? `none found; looked for ${tried().join(', ')}`
      : `${file} does not load: ${messageOf(cause)}`;
  return (
    `No native binary of secondorder fits ${machine}: ${reason}. ` +
    'To build it from source: npx secondorder build'
  );
}

function tried(): string[] {
  const prebuilds = path.join(packageRoot, 'prebuilds');
  const present = fs.existsSync(prebuilds) ? fs.readdirSync(prebuilds) : [];
  const shipped = present.length > 0 ? ` (shipped: ${present.join(', ')})` : '';
  return [
    path.join(packageRoot, 'build', 'Release', '*.node'),
    path.join(prebuilds, `${process.platform}-${process.arch}`, `*.node${shipped}`),
  ];
}
