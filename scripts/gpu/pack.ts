// Packs what a machine with a GPU and its driver, but without network, npm, compiler or Node needs to run
// the tests on the GPU and the benchmark, into one folder. Usage:
//   npm run gpu:pack -- [--out build/gpu] [--data FOLDER] [--libraries FOLDER] [--sanitizer FOLDER]
//     [--plugin FILE]
// --libraries: a folder with cuBLAS and cuSOLVER, where the machine has none; --sanitizer: a folder with
// compute-sanitizer, likewise. There: ./run [--quick]; it writes results.json.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { transformSync } from 'esbuild';
import { CUDA_BACKEND } from '../../dist/cuda-sources.js';
import { nativePath, packageVersion } from '../../dist/native.js';

const root = path.join(__dirname, '..', '..');
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(root, 'build', 'gpu') },
    data: { type: 'string' },
    libraries: { type: 'string' },
    sanitizer: { type: 'string' },
    plugin: { type: 'string', default: path.join(root, 'build', 'Release', CUDA_BACKEND) },
  },
});

/** What of the public data sets the benchmark reads. */
const DIGITS = 'mnist';

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
}

function copy(from: string, to: string): void {
  if (!fs.existsSync(from)) throw new Error(`pack: ${from} is missing`);
  fs.cpSync(from, to, { recursive: true, dereference: true });
}

/** The TypeScript files of a folder as JavaScript, at the same places. */
function transpile(folder: string, to: string): void {
  for (const name of fs.readdirSync(path.join(root, folder), {
    recursive: true,
    encoding: 'utf8',
  })) {
    if (!name.endsWith('.ts')) continue;
    const source = fs.readFileSync(path.join(root, folder, name), 'utf8');
    const { code } = transformSync(source, { loader: 'ts', format: 'cjs', target: 'node20' });
    const file = path.join(to, name.replace(/\.ts$/, '.js'));
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, code);
  }
}

/** The folders of the package's dependencies, and of theirs. */
function dependencies(): string[] {
  const listed = run('npm', 'ls', '--omit=dev', '--all', '--parseable', '--silent');
  return listed.trim().split('\n').slice(1);
}

function main(): void {
  const out = path.resolve(values.out);
  fs.rmSync(out, { recursive: true, force: true });
  const folder = path.join(out, 'package');
  copy(path.join(root, 'dist'), path.join(folder, 'dist'));
  copy(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  const addon = nativePath();
  if (addon === undefined) throw new Error('pack: no native addon; run npm run build first');
  copy(addon, path.join(folder, 'build', 'Release', 'secondorder.node'));
  for (const dependency of dependencies()) {
    copy(dependency, path.join(folder, path.relative(root, dependency)));
  }
  transpile('bench', path.join(folder, 'bench'));

  copy(process.execPath, path.join(out, 'node'));
  copy(values.plugin, path.join(out, CUDA_BACKEND));
  run('cmake', '--build', 'build-test', '--target', 'device_test');
  copy(path.join(root, 'build-test', 'device_test'), path.join(out, 'device_test'));
  if (values.libraries) copy(values.libraries, path.join(out, 'libraries'));
  if (values.sanitizer) copy(values.sanitizer, path.join(out, 'sanitizer'));
  if (values.data) copy(path.join(values.data, DIGITS), path.join(out, 'data', DIGITS));

  const facts = { version: packageVersion(), commit: run('git', 'rev-parse', 'HEAD').trim() };
  fs.writeFileSync(path.join(out, 'pack.json'), `${JSON.stringify(facts)}\n`);
  copy(path.join(__dirname, 'run.js'), path.join(out, 'run.js'));
  const script = '#!/bin/sh\ncd "$(dirname "$0")" && exec ./node run.js "$@"\n';
  fs.writeFileSync(path.join(out, 'run'), script, { mode: 0o755 });
  console.log(`${out}: ${run('du', '-sh', out).split('\t')[0]}`);
}

main();
