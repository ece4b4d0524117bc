// Where the CUDA backend is looked for. It is a shared library of its own: in a package beside this one,
// or, in a clone that was built where nvcc is, in the build folder.

import fs from 'node:fs';
import path from 'node:path';

/** The package with the backend for this kind of machine; built for x64 on Linux with glibc. */
export const CUDA_PACKAGE = `@secondorder/cuda-${process.platform}-${process.arch}`;
/** The file in it. */
export const CUDA_BACKEND = 'secondorder-cuda.so';
/** Names the file to open instead of any other. */
export const CUDA_VARIABLE = 'SECONDORDER_CUDA_PLUGIN';

/** What the native code is told: it opens the first file that is there. */
export interface CudaSources {
  files: string[];
  /** How the error ends when none of them is there. */
  advice: string;
  /** The version that the backend must have. */
  version: string;
}

/** Where the backend of a package in `root` is looked for, in this order. */
export function findCudaSources(root: string, version: string): CudaSources {
  const given = process.env[CUDA_VARIABLE];
  if (given) {
    const advice = `${CUDA_VARIABLE} names ${given}, where there is no file`;
    return { files: [path.resolve(given)], advice, version };
  }
  const built = path.join(root, 'build', 'Release', CUDA_BACKEND);
  const folder = packageFolder(root);
  const files = [...(folder === undefined ? [] : [path.join(folder, CUDA_BACKEND)]), built];
  const places = [folder ?? `the package ${CUDA_PACKAGE} (not installed)`, built];
  const advice =
    `looked in ${places.join(' and for ')}. ` +
    `To install it: npm install ${CUDA_PACKAGE}@${version}`;
  return { files, advice, version };
}

function packageFolder(root: string): string | undefined {
  try {
    const manifest = require.resolve(`${CUDA_PACKAGE}/package.json`, { paths: [root] });
    return path.dirname(fs.realpathSync(manifest));
  } catch {
    return undefined;
  }
}
