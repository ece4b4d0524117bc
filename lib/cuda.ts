// Whether a CUDA device can be used, and if not, the first reason: the driver is asked for before the
// backend, so that a machine without a GPU is not told to install a package.

import { constants } from 'node:os';
import { type ErrorCode, messageOf } from './errors';

/** Why no CUDA device can be used. */
export interface CudaUnavailable {
  code: Extract<ErrorCode, `ERR_CUDA${string}`>;
  reason: string;
}

/** The library that NVIDIA's driver brings. */
const DRIVER = 'libcuda.so.1';

/** The first thing that keeps this process from using a CUDA device. */
export function cudaUnavailable(): CudaUnavailable {
  const failure = openFailure(DRIVER);
  if (failure !== undefined) {
    return { code: 'ERR_CUDA_NO_DRIVER', reason: `The NVIDIA driver was not found: ${failure}` };
  }
  return {
    code: 'ERR_CUDA_NO_BACKEND',
    reason: 'The NVIDIA driver is here, but this version of secondorder has no CUDA backend',
  };
}

/** What the dynamic loader says when it cannot open a library; undefined when it can. */
function openFailure(library: string): string | undefined {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_LAZY);
  } catch (error) {
    const message = messageOf(error);
    // Node opened it, found no addon in it, and closed it again: it is there.
    return message.includes('Module did not self-register') ? undefined : message;
  }
  return undefined;
}
