// @ts-check
// Builds the addon for this platform and puts it, stripped, into prebuilds/, where the package finds it.
// Where nvcc is, the CUDA backend comes with it, and goes into a package of its own under packages/.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { makeCudaPackage, PLUGIN } = require('./cuda-package.js');

const root = path.join(__dirname, '..');
const shim = path.join(__dirname, 'node-gyp-shim.js');
fs.rmSync(path.join(root, 'prebuilds'), { recursive: true, force: true });

const built = spawnSync(
  process.execPath,
  [
    require.resolve('prebuildify/bin.js'),
    ...['--napi', '--strip', '--tag-libc'],
    ...['--target', process.versions.node],
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, PREBUILD_NODE_GYP: shim } },
);
if (built.status !== 0) process.exit(built.status ?? 1);

// prebuildify takes along what else the build left beside the addon.
const folder = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.node'))) {
  const file = path.join(folder, name);
  require(file); // links with undefined symbols, too: loading shows that it is whole
  console.log(`${path.relative(root, file)} ${(fs.statSync(file).size / 1e6).toFixed(1)} MB`);
}

const plugins = fs.readdirSync(folder).filter((file) => file.endsWith('.so'));
for (const name of plugins) fs.rmSync(path.join(folder, name));
const plugin = path.join(root, 'build', 'Release', PLUGIN);
if (fs.existsSync(plugin)) {
  const stripped = path.join(root, 'build', `stripped-${PLUGIN}`);
  const { status } = spawnSync('strip', ['-o', stripped, plugin], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const cudaPackage = path.join(root, 'packages', `cuda-${process.platform}-${process.arch}`);
  makeCudaPackage(stripped, cudaPackage);
  const size = fs.statSync(path.join(cudaPackage, PLUGIN)).size;
  console.log(`${path.relative(root, cudaPackage)} ${(size / 1e6).toFixed(1)} MB`);
} else {
  console.log('no nvcc here: no CUDA package');
}

// The licences of what is linked into the binary (MPL-2.0 and BSD ask for it), as the distribution
// that it was built on words them.
const LINKED = ['libopenblas-dev', 'libeigen3-dev', 'libstdc++6']; // the last for all runtimes of GCC
const notices = LINKED.map((name) => {
  const text = fs.readFileSync(path.join('/usr/share/doc', name, 'copyright'), 'utf8');
  return `===== ${name} =====\n\n${text.trim()}\n`;
});
fs.writeFileSync(path.join(folder, 'NOTICES.txt'), notices.join('\n\n'));
