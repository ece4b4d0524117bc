// @ts-check
// One implementation (CommonJS), one native state, one error class: each entry point of the package
// gets a module that names the exports of its CommonJS file, so `import` gives the same objects.
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

for (const [entry, conditions] of Object.entries(manifest.exports)) {
  if (typeof conditions === 'string') continue;
  const source = path.join(root, conditions.require.default);
  if (!fs.existsSync(source)) throw new Error(`${entry}: ${conditions.require.default} is missing`);
  const names = Object.keys(require(source)).filter((name) => name !== 'default');
  const file = `./${path.basename(source)}`;
  fs.writeFileSync(
    path.join(root, conditions.import.default),
    `import exported from '${file}';\n\nexport const {\n  ${names.join(',\n  ')},\n} = exported;\n`,
  );
  fs.writeFileSync(path.join(root, conditions.import.types), `export * from '${file}';\n`);
}
