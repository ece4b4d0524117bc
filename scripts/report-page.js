// @ts-check
// Bundles the script and the styles of report pages, which the reports hold inside them.
const path = require('node:path');
const { buildSync } = require('esbuild');

const root = path.join(__dirname, '..');
buildSync({
  entryPoints: { page: path.join(root, 'lib/report/page/main.ts') },
  outdir: path.join(root, 'dist/report'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  legalComments: 'inline',
  logLevel: 'warning',
});
