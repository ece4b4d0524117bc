// The package as its users get it: packed, installed in an empty folder without scripts, and used with
// nothing but Node on the PATH.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { nativePath, packageRoot } from '../dist/native.js';
import { makeCudaPackage } from '../scripts/cuda-package.js';
import { BACKEND, DRIVER_FOLDER, skip } from './fixtures/emulated-cuda';

const execute = promisify(execFile);
const manifest = JSON.parse(fs.readFileSync(path.join(packageRoot, 'package.json'), 'utf8'));
const entries = Object.entries<string | object>(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([entry]) => path.posix.join('secondorder', entry));

// Outside this repository, or its own name and its node_modules would be found.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'secondorder-package-'));
const [staged, project, bin] = ['staged', 'project', 'bin'].map((name) => {
  fs.mkdirSync(path.join(folder, name));
  return path.join(folder, name);
}) as [string, string, string];
t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));

async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('npm', args, { cwd, maxBuffer: 1 << 26 });
  return stdout;
}

/** Runs a command in the project with Node alone on the PATH. */
function user(command: string, ...args: string[]) {
  return userWith({}, command, ...args);
}

async function userWith(extra: NodeJS.ProcessEnv, command: string, ...args: string[]) {
  const env = { PATH: bin, HOME: folder, ...extra };
  try {
    const { stdout, stderr } = await execute(command, args, { cwd: project, env });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

/** Packs this repository with the addon of its build in the place of a prebuilt one. */
async function pack(): Promise<Packed> {
  for (const part of ['package.json', 'LICENSE', 'README.md', ...manifest.files]) {
    const source = path.join(packageRoot, part);
    if (part === 'prebuilds' || part.startsWith('!') || !fs.existsSync(source)) continue;
    fs.cpSync(source, path.join(staged, part), { recursive: true });
  }
  const prebuilds = path.join(staged, 'prebuilds', `${process.platform}-${process.arch}`);
  fs.mkdirSync(prebuilds, { recursive: true });
  const prebuilt = path.join(prebuilds, 'secondorder.glibc.node');
  await execute('strip', ['-o', prebuilt, nativePath() ?? '']);
  const [packed] = JSON.parse(await npm(staged, 'pack', '--ignore-scripts', '--json'));
  return packed;
}

/** Every file below a folder of the repository, relative to the repository. */
function filesBelow(part: string): string[] {
  const files = fs.readdirSync(path.join(packageRoot, part), {
    recursive: true,
    withFileTypes: true,
  });
  return files
    .filter((file) => file.isFile())
    .map((file) => path.relative(packageRoot, path.join(file.parentPath, file.name)));
}

t.before(async () => {
  fs.symlinkSync(process.execPath, path.join(bin, 'node'));
  fs.writeFileSync(path.join(project, 'package.json'), '{ "private": true }\n');
});

t.test('packs what it needs, and no more', async (t) => {
  const packed = await pack();
  const files = packed.files.map((file) => file.path);
  for (const needed of ['package.json', 'LICENSE', 'CMakeLists.txt', 'dist/cli/main.js']) {
    t.ok(files.includes(needed), needed);
  }
  for (const source of ['cpp', 'binding', 'cmake'].flatMap(filesBelow)) {
    t.ok(files.includes(source), `${source}, to build from source`);
  }
  const allowed =
    /^(dist|cpp|binding|cmake|cuda|prebuilds)\/|^[A-Z]+\.md$|^(LICENSE|package\.json|CMakeLists\.txt)$/;
  t.same(
    files.filter((file) => !allowed.test(file) || file.endsWith('.tsbuildinfo')),
    [],
  );
  t.ok(packed.size < 12e6, `${(packed.size / 1e6).toFixed(1)} MB`);

  const lifecycle = ['preinstall', 'install', 'postinstall', 'prepare'];
  t.same(
    lifecycle.filter((name) => name in manifest.scripts),
    [],
  );
  t.notOk(files.includes('binding.gyp'), 'npm would compile it at installation');

  const tarball = path.join(staged, packed.filename);
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await npm(project, 'install', '--ignore-scripts', '--prefer-offline', ...quiet, tarball);
  // The peer that secondorder/tfjs needs, as far as this repository has it.
  const peer = path.join('node_modules', '@tensorflow');
  t.notOk(fs.existsSync(path.join(project, peer)), 'optional peers are not installed');
  fs.symlinkSync(path.join(packageRoot, peer), path.join(project, peer));
});

t.test('is what publishing tools expect', async (t) => {
  const { publint } = await import('publint');
  const { formatMessage } = await import('publint/utils');
  const { messages, pkg } = await publint({ pkgDir: staged, pack: false, strict: true });
  t.same(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
});

t.test('require and import give the same objects, of every entry point', async (t) => {
  fs.writeFileSync(
    path.join(project, 'same.mjs'),
    `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    const found = {};
    for (const entry of ${JSON.stringify(entries)}) {
      const imported = await import(entry);
      const required = require(entry);
      const names = Object.keys(required);
      found[entry] = {
        names,
        different: names.filter((name) => imported[name] !== required[name]),
        surplus: Object.keys(imported).filter((name) => !(name in required)),
      };
    }
    console.log(JSON.stringify(found));`,
  );
  const { stdout, stderr } = await user('node', 'same.mjs');
  t.equal(stderr, '');
  const found = JSON.parse(stdout);
  t.same(Object.keys(found), entries);
  for (const entry of entries) {
    t.ok(found[entry].names.length > 0, entry);
    t.same(found[entry].different, [], entry);
    t.same(found[entry].surplus, [], entry);
  }
  t.ok(found.secondorder.names.includes('devices'));
});

t.test('the prebuilt addon computes', async (t) => {
  const script = 'console.log(JSON.stringify(require("secondorder").doctor()))';
  const { stdout } = await user('node', '-e', script);
  const { native, cpu } = JSON.parse(stdout);
  t.ok(native.loaded, native.error);
  t.match(native.path, /node_modules\/secondorder\/prebuilds\/.*\.node$/);
  t.ok(cpu.threads >= 1);
});

t.test('the command is there', async (t) => {
  const command = path.join(project, 'node_modules', '.bin', 'secondorder');
  const { status, stdout, stderr } = await user(command, 'doctor');
  t.equal(status, 0, stderr);
  t.match(stdout, manifest.version);
});

t.test('the CUDA backend: missing without its package, found with it', { skip }, async (t) => {
  const [[name, version]] = Object.entries<string>(manifest.optionalDependencies) as [
    [string, string],
  ];
  t.equal(version, manifest.version, 'both are published together');
  const script = 'console.log(JSON.stringify(require("secondorder").doctor().cuda))';
  const doctor = async () => {
    const { stdout, stderr } = await userWith(
      { LD_LIBRARY_PATH: DRIVER_FOLDER },
      'node',
      '-e',
      script,
    );
    t.equal(stderr, '');
    return JSON.parse(stdout);
  };
  t.match(await doctor(), {
    code: 'ERR_CUDA_NO_BACKEND',
    reason: new RegExp(`not installed.*npm install ${name}@${version}`),
  });

  const made = path.join(folder, 'cuda');
  makeCudaPackage(BACKEND, made);
  const [packed] = JSON.parse(await npm(made, 'pack', '--ignore-scripts', '--json'));
  t.same(packed.files.map((file: { path: string }) => file.path).sort(), [
    'LICENSE',
    'README.md',
    'package.json',
    'secondorder-cuda.so',
  ]);
  const parts = JSON.parse(fs.readFileSync(path.join(made, 'package.json'), 'utf8'));
  t.match(parts, { name, version, os: ['linux'], cpu: ['x64'], libc: ['glibc'] });
  t.notOk('scripts' in parts);
  const place = path.join(project, 'node_modules', name);
  fs.mkdirSync(place, { recursive: true });
  await execute('tar', [
    'xzf',
    path.join(made, packed.filename),
    '-C',
    place,
    '--strip-components=1',
  ]);
  t.match(await doctor(), { available: true, backend: fs.realpathSync(place) });
});

t.test('building from source without a compiler says what to install', async (t) => {
  const command = path.join(project, 'node_modules', '.bin', 'secondorder');
  const { status, stderr } = await user(command, 'build');
  t.equal(status, 1);
  t.match(
    stderr,
    /apt-get install -y g\+\+ cmake ninja-build libopenblas-dev gfortran libeigen3-dev/,
  );
});

t.test('types resolve for both kinds of module', async (t) => {
  const tsc = path.join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = path.join(packageRoot, 'node_modules', '@types');
  const imports = entries.map((entry, i) => `import * as entry${i} from '${entry}';`).join('\n');
  const uses = entries.map((_, i) => `void entry${i};`).join('\n');
  const checks = `import { devices, type DeviceInfo, SecondOrderError } from 'secondorder';
    const found: DeviceInfo[] = devices();
    const error: Error & { code: string } = new SecondOrderError('ERR_FORMAT', '');
    // The name of a device is text: this must not compile.
    const wrong: number = found.length > 0 ? found[0]!.device : error.code;
    void wrong;`;
  for (const file of ['user.mts', 'user.cts']) {
    fs.writeFileSync(path.join(project, file), `${imports}\n${uses}\n${checks}\n`);
  }
  const options = ['--module', 'node16', '--target', 'es2022', '--strict', '--noEmit'];
  const ambient = ['--lib', 'es2023,esnext.disposable', '--types', 'node', '--typeRoots', types];
  const { status, stdout } = await user(
    'node',
    ...[tsc, ...options, ...ambient, 'user.mts', 'user.cts'],
  );
  t.equal(status, 2);
  // The declarations of TensorFlow.js need those of a browser, and skipLibCheck.
  const errors = stdout
    .split('\n')
    .filter((line) => line.includes('error TS') && !/@(tensorflow|webgpu)\//.test(line));
  t.equal(errors.length, 2, stdout);
  t.ok(
    errors.every((line) => line.includes("Type 'string' is not assignable to type 'number'")),
    stdout,
  );
});
