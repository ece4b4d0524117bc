// A benchmark measures what users get: without settings that change OpenBLAS.
import { spawnSync } from 'node:child_process';

const SETTINGS = ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'];

/**
 * Runs this program again without those settings where there are any, for OpenBLAS reads them when
 * it is loaded.
 *
 * @returns the exit code of the other run; undefined when there was no need
 */
export function runWithoutBlasSettings(): number | undefined {
  if (!SETTINGS.some((name) => process.env[name] !== undefined)) return undefined;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !SETTINGS.includes(name)),
  );
  const args = [...process.execArgv, ...process.argv.slice(1)];
  return spawnSync(process.execPath, args, { env, stdio: 'inherit' }).status ?? 1;
}
