// IPOPT in this process, through a small addon that is compiled here where the library is installed.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { NativeProblemSpec } from '../../lib/newton/native';
import type { Skipped } from '../measurement';
import { buildPeer } from './build';

export interface IpoptResult {
  status: string;
  x: Float64Array;
  lambda: Float64Array;
  objective: number;
  iterations: number;
  evaluations: Record<'objective' | 'gradient' | 'constraint' | 'jacobian' | 'hessian', number>;
}

export interface IpoptOptions {
  tolerance: number;
  maxIterations: number;
  /** Of the evaluations of native problems. */
  threads: number;
}

export interface Ipopt {
  version: string;
  minimize(problem: NativeProblemSpec, options: IpoptOptions): IpoptResult;
}

/** Compiles the addon, which takes minutes at first, and loads it. */
export async function loadIpopt(log: (line: string) => void): Promise<Ipopt | Skipped> {
  const library = spawnSync('pkg-config', ['--modversion', 'ipopt'], { encoding: 'utf8' });
  if (library.status !== 0) {
    return { skipped: 'IPOPT is not installed (Debian: coinor-libipopt-dev, pkg-config)' };
  }
  log('building the addon of IPOPT');
  const build = await buildPeer('ipopt');
  if (typeof build !== 'string') return build;
  const addon = require(path.join(build, 'ipopt_peer.node')) as {
    minimize(spec: { problem: NativeProblemSpec; options: IpoptOptions }): IpoptResult;
  };
  return {
    version: library.stdout.trim(),
    minimize: (problem, options) => addon.minimize({ problem, options }),
  };
}
