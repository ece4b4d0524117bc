// @ts-check
// The npm package of the CUDA backend: the plugin, with what npm needs to know where it runs.
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const PLUGIN = 'secondorder-cuda.so';

/**
 * Puts the package together.
 * @param {string} plugin the built file
 * @param {string} folder where to
 */
function makeCudaPackage(plugin, folder) {
  const main = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const { version, license, author, engines } = main;
  const [name] = Object.keys(main.optionalDependencies);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const manifest = {
    name,
    version,
    description: 'The CUDA backend of secondorder, for x64 Linux with glibc',
    license,
    author,
    os: ['linux'],
    cpu: ['x64'],
    libc: ['glibc'],
    engines,
    files: [PLUGIN],
    publishConfig: { access: 'public' },
  };
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  fs.copyFileSync(path.join(root, 'cuda', 'package.md'), path.join(folder, 'README.md'));
  fs.copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  fs.copyFileSync(plugin, path.join(folder, PLUGIN));
}

module.exports = { makeCudaPackage, PLUGIN };
