#!/usr/bin/env node
// @ts-check
// prebuildify calls node-gyp; this stands in its place, since the addon is built by cmake-js.
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const build = spawnSync(
  process.execPath,
  [
    require.resolve('cmake-js/bin/cmake-js'),
    'rebuild',
    ...['--directory', path.join(__dirname, '..')],
    ...[
      '--parallel',
      process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(require('node:os').availableParallelism()),
    ],
  ],
  { stdio: 'inherit' },
);
process.exitCode = build.status ?? 1;
