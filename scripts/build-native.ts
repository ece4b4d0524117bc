// Builds the addon of this clone. Usage: build-native.ts [--debug] [-DNAME=VALUE…] (CMake's cache).
// SECONDORDER_CUDA=ON in the environment builds the CUDA backend, too (needs nvcc).
// SECONDORDER_WERROR=ON in the environment makes warnings errors, SECONDORDER_VERBOSE=1 shows commands.
import path from 'node:path';
import { buildNative } from '../lib/build';

const args = process.argv.slice(2);
const definitions = args.flatMap((arg) => (arg.startsWith('-D') ? [arg.slice(2)] : []));
if (process.env.SECONDORDER_WERROR) {
  definitions.push(`SECONDORDER_WERROR=${process.env.SECONDORDER_WERROR}`);
}
// The CUDA backend takes nvcc minutes: a clone has it when it is asked for.
if (!definitions.some((definition) => definition.startsWith('SECONDORDER_CUDA='))) {
  definitions.push(`SECONDORDER_CUDA=${process.env.SECONDORDER_CUDA ?? 'OFF'}`);
}
const unknown = args.filter((arg) => arg !== '--debug' && !arg.startsWith('-D'));
if (unknown.length > 0) {
  console.error(`build-native: unknown argument ${unknown.join(' ')}`);
  process.exit(2);
}
try {
  buildNative({
    directory: path.join(__dirname, '..'),
    debug: args.includes('--debug'),
    definitions,
    check: !definitions.some((definition) => /^SECONDORDER_SANITIZE=./.test(definition)),
    quiet: process.env.SECONDORDER_VERBOSE === undefined,
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
