// The native addon as built here: what it links to and exports, how it is found, what it chooses.

import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { devices, doctor } from 'secondorder';
import t, { type Test } from 'tap';
import { loadNative, nativePath, packageRoot } from '../dist/native.js';

const addon = nativePath() ?? '';

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** Evaluates an expression in a Node process with the package loaded, in an environment of its own. */
function evaluate(expression: string, env: NodeJS.ProcessEnv): unknown {
  const script = `const secondorder = require(${JSON.stringify(packageRoot)});
    console.log(JSON.stringify(${expression}))`;
  const merged = { ...process.env, ...env };
  return JSON.parse(
    execFileSync(process.execPath, ['-e', script], { env: merged, encoding: 'utf8' }),
  );
}

t.test('exports the symbols of N-API alone', async (t) => {
  const exported = run('nm', '-D', '--defined-only', '--format=just-symbols', addon);
  t.same(exported.trim().split('\n').sort(), [
    'napi_register_module_v1',
    'node_api_module_get_api_version_v1',
  ]);
});

t.test('needs nothing but the C library, of glibc 2.34 or older', async (t) => {
  const headers = run('objdump', '-p', addon);
  const needed = [...headers.matchAll(/NEEDED\s+(\S+)/g)].map(([, library]) => library ?? '');
  const allowed = /^(libc|libm|libdl|libpthread|libgcc_s|ld-linux-.*)\.so\.\d+$/;
  t.same(
    needed.filter((library) => !allowed.test(library)),
    [],
  );
  const versions = [...headers.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  t.ok(versions.length > 0);
  t.ok(Math.max(...versions) <= 34, `GLIBC_2.${Math.max(...versions)}`);
});

t.test('kernels of one instruction set share no code with the rest', async (t) => {
  const objects = path.join(packageRoot, 'build', 'CMakeFiles');
  for (const isa of ['avx2', 'avx512']) {
    const folder = path.join(objects, `secondorder_kernels_${isa}.dir`);
    if (!fs.existsSync(folder)) continue;
    const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.o'))) {
      const symbols = run('nm', '-C', '--defined-only', path.join(folder, file)).split('\n');
      const mergeable = symbols.filter((line) => / [WVu] /.test(line));
      t.same(
        mergeable.filter((line) => !line.includes(`secondorder::${isa}::`)),
        [],
        `${isa} ${file}`,
      );
    }
  }
});

t.test('devices: the CPU with what it uses, then CUDA with the reason against it', async (t) => {
  const [cpu, cuda] = devices();
  t.match(cpu, { device: 'cpu', available: true, name: /\S/, blas: /\S/ });
  if (cpu?.device !== 'cpu') throw new Error('the CPU comes first');
  t.ok(['portable', 'avx2', 'avx512'].includes(cpu.kernels));
  t.ok(cpu.memory > 2 ** 26 && Number.isSafeInteger(cpu.memory));
  t.ok(cpu.threads >= 1);
  t.match(cuda, { device: 'cuda', available: false, code: /^ERR_CUDA_NO_/, reason: /driver/i });
});

t.test('the best kernels of the processor are chosen', async (t) => {
  const flags = fs.readFileSync('/proc/cpuinfo', 'utf8');
  const avx512 = ['f', 'bw', 'dq', 'vl', 'cd'].every((part) => flags.includes(`avx512${part}`));
  const found = evaluate('secondorder.doctor()', { OPENBLAS_CORETYPE: '' }) as ReturnType<
    typeof doctor
  >;
  t.equal(found.blas?.threads, 1);
  if (avx512) {
    t.equal(found.cpu?.kernels, 'avx512');
    t.match(found.cpu?.blas, /^(skylakex|cooperlake|sapphirerapids)$/i);
  }
  t.same(found.warnings, []);
});

t.test('OPENBLAS_CORETYPE is honoured, and doctor warns of it', async (t) => {
  const found = evaluate('secondorder.doctor()', { OPENBLAS_CORETYPE: 'Nehalem' }) as ReturnType<
    typeof doctor
  >;
  t.equal(found.cpu?.blas, 'Nehalem');
  t.match(found.warnings[0], /OPENBLAS_CORETYPE=Nehalem/);
});

t.test('doctor says what is installed, and from where', async (t) => {
  const found = doctor();
  t.match(found, {
    version: /^\d+\.\d+\.\d+/,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    libc: /^glibc \d+\.\d+$/,
    native: { loaded: true, path: addon },
    blas: { config: /OpenBLAS/ },
  });
});

t.test('spawning while a product runs does not stop it', async (t) => {
  const job = loadNative().measureGemm({ size: 256, seconds: 3, precision: 'float32' }, {});
  let running = true;
  const result = job.promise.finally(() => {
    running = false;
  });
  let spawned = 0;
  while (running && spawned < 200) {
    if (spawnSync('true').status === 0) spawned++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(spawned > 20, `${spawned} processes`);
  t.ok((await result).gigaflops > 0);
});

/** The package without its build, in a folder of its own. */
function packageWithoutBinary(t: Test): string {
  const folder = t.testdir({});
  for (const part of ['package.json', 'dist', 'node_modules']) {
    fs.symlinkSync(path.join(packageRoot, part), path.join(folder, part));
  }
  return folder;
}

function failure(folder: string): { code: string; message: string; cause: string } {
  const script = `try { require(${JSON.stringify(folder)}).devices(); } catch ({ code, message, cause }) {
    console.log(JSON.stringify({ code, message, cause: String(cause) })) }`;
  const args = ['--preserve-symlinks', '--preserve-symlinks-main', '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

t.test('without a binary the error says what was tried and what to do', async (t) => {
  const { code, message, cause } = failure(packageWithoutBinary(t));
  t.equal(code, 'ERR_NATIVE_NOT_FOUND');
  t.match(message, `${process.platform}-${process.arch}`);
  t.match(message, /glibc 2\.\d+/);
  t.match(message, /build\/Release/);
  t.match(message, /prebuilds/);
  t.match(message, 'npx secondorder build');
  t.match(cause, /No native build was found/);
});

t.test('with a binary that does not load the error names it and the reason', async (t) => {
  const folder = packageWithoutBinary(t);
  const prebuilds = path.join(folder, 'prebuilds', `${process.platform}-${process.arch}`);
  fs.mkdirSync(prebuilds, { recursive: true });
  fs.writeFileSync(path.join(prebuilds, 'secondorder.glibc.node'), 'not a shared object');
  const { code, message } = failure(folder);
  t.equal(code, 'ERR_NATIVE_NOT_FOUND');
  t.match(message, /secondorder\.glibc\.node does not load: .*(file too short|invalid ELF)/);
});

t.test('without a binary doctor still answers', async (t) => {
  const folder = packageWithoutBinary(t);
  const script = `console.log(JSON.stringify(require(${JSON.stringify(folder)}).doctor()))`;
  const args = ['--preserve-symlinks', '--preserve-symlinks-main', '-e', script];
  const found = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  t.match(found, { native: { loaded: false, error: /npx secondorder build/ }, cuda: {} });
  t.notOk('cpu' in found);
});
