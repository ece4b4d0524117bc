// What each kernel takes of a GPU: registers, shared memory, and bytes that it spills, as ptxas says, for
// every architecture that the plugin has code for. Writes build/cuda-resources.json; fails where a kernel
// spills. Usage: npm run gpu:resources [-- FILE.cu…]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

interface KernelResources {
  file: string;
  architecture: string;
  kernel: string;
  registers: number;
  /** Static, in bytes. */
  shared: number;
  stack: number;
  spillStores: number;
  spillLoads: number;
}

const root = path.join(__dirname, '..');
const ARCHITECTURES = ['sm_80', 'sm_90'];
const NVCC = ['nvcc', '/usr/local/cuda/bin/nvcc'];

function sources(folder: string): string[] {
  const names = fs.readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.cu')).map((name) => path.join(folder, name));
}

/** What ptxas prints for each kernel, mangled names made readable. */
function parse(text: string): Omit<KernelResources, 'file' | 'architecture'>[] {
  const found = [];
  for (const part of text.split('Compiling entry function').slice(1)) {
    const number = (pattern: RegExp) => Number(pattern.exec(part)?.[1] ?? 0);
    found.push({
      kernel: demangle(/'([^']+)'/.exec(part)?.[1] ?? ''),
      registers: number(/Used (\d+) registers/),
      shared: number(/(\d+) bytes smem/),
      stack: number(/(\d+) bytes stack frame/),
      spillStores: number(/(\d+) bytes spill stores/),
      spillLoads: number(/(\d+) bytes spill loads/),
    });
  }
  return found;
}

function demangle(name: string): string {
  const { stdout } = spawnSync('c++filt', ['-p', name], { encoding: 'utf8' });
  return stdout?.trim() || name;
}

function compile(nvcc: string, file: string, architecture: string): KernelResources[] {
  const cubin = path.join(os.tmpdir(), `secondorder-${process.pid}.cubin`);
  const args = ['-cubin', `-arch=${architecture}`, '-std=c++20', '-O3', '-Icpp', '-Icuda'];
  const options = ['--extended-lambda', '--expt-relaxed-constexpr', '-Xptxas=-v', '-o', cubin];
  const { status, stderr } = spawnSync(nvcc, [...args, ...options, file], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  fs.rmSync(cubin, { force: true });
  if (status !== 0) throw new Error(`${file} does not compile for ${architecture}:\n${stderr}`);
  return parse(stderr).map((kernel) => ({ file, architecture, ...kernel }));
}

function main(): void {
  const nvcc = NVCC.find((name) => spawnSync(name, ['--version']).status === 0);
  if (nvcc === undefined) throw new Error('nvcc was not found');
  const given = process.argv.slice(2);
  const kernels = (given.length > 0 ? given : sources('cuda')).flatMap((file) =>
    ARCHITECTURES.flatMap((architecture) => compile(nvcc, file, architecture)),
  );
  const out = path.join(root, 'build', 'cuda-resources.json');
  fs.mkdirSync(path.dirname(out), { recursive: true });
  fs.writeFileSync(out, `${JSON.stringify(kernels, null, 2)}\n`);
  const spilling = kernels.filter(({ spillStores, spillLoads }) => spillStores + spillLoads > 0);
  const most = Math.max(...kernels.map(({ registers }) => registers));
  console.log(
    `${kernels.length} kernels, at most ${most} registers, ${spilling.length} that spill`,
  );
  for (const { kernel, architecture, spillStores, spillLoads } of spilling) {
    console.log(`${architecture} ${kernel}: ${spillStores} bytes stored, ${spillLoads} loaded`);
  }
  if (spilling.length > 0) process.exitCode = 1;
}

main();
