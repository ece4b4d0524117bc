// @ts-check
// On the machine with the GPU: the tests on it, those once more small under compute-sanitizer where that
// is there, then the benchmark; results.json has all of it. Usage: ./run [--quick] [--device cuda:0]
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const here = __dirname;
const quick = process.argv.includes('--quick');
const at = process.argv.indexOf('--device');
const device = at < 0 ? 'cuda:0' : (process.argv[at + 1] ?? 'cuda:0');
const libraries = path.join(here, 'libraries');
const env = {
  ...process.env,
  SECONDORDER_CUDA_PLUGIN: path.join(here, 'secondorder-cuda.so'),
  ...(fs.existsSync(libraries) ? { SECONDORDER_CUDA_LIBRARIES: libraries } : {}),
};

/** @type {Record<string, unknown>} */
const results = { ...JSON.parse(fs.readFileSync(path.join(here, 'pack.json'), 'utf8')) };
let failed = false;
const save = () =>
  fs.writeFileSync(path.join(here, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} extra
 */
function run(command, args, extra = {}) {
  console.log(`--- ${path.basename(command)} ${args.join(' ')}`);
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: here,
    env: { ...env, ...extra },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = `${stdout ?? ''}${stderr ?? ''}${error ? error.message : ''}`;
  console.log(output.slice(-4000));
  if (status !== 0) failed = true;
  return { status: status ?? signal ?? 'not started', output };
}

/** @param {string} output of doctest */
function counts(output) {
  const [, passed, failures, skipped] =
    /test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped/.exec(output) ?? [];
  return { passed: Number(passed), failed: Number(failures), skipped: Number(skipped) };
}

/** compute-sanitizer that was carried along, or the machine's. */
function sanitizer() {
  const carried = path.join(here, 'sanitizer');
  const files = fs.existsSync(carried)
    ? fs.readdirSync(carried, { recursive: true, encoding: 'utf8' })
    : [];
  const own = files.find((name) => path.basename(name) === 'compute-sanitizer');
  const home = process.env.CUDA_HOME ?? '/usr/local/cuda';
  const places = [
    ...(own === undefined ? [] : [path.join(carried, own)]),
    ...(process.env.PATH ?? '').split(':').map((folder) => path.join(folder, 'compute-sanitizer')),
    path.join(home, 'bin', 'compute-sanitizer'),
  ];
  return places.find((file) => fs.existsSync(file));
}

const small = { SECONDORDER_SMALL_TESTS: '1' };
const tests = run('./device_test', [], quick ? small : {});
results.tests = { status: tests.status, ...counts(tests.output) };
if (tests.status !== 0) results.testOutput = tests.output.slice(-20_000);
save();

const tool = sanitizer();
if (tool === undefined) {
  results.sanitizer = { skipped: 'no compute-sanitizer, neither carried nor on this machine' };
} else {
  const checked = run(
    tool,
    ['--tool', 'memcheck', '--leak-check', 'full', '--error-exitcode', '86', './device_test'],
    small,
  );
  results.sanitizer = {
    status: checked.status,
    ...counts(checked.output),
    errors: Number(/ERROR SUMMARY: (\d+) error/.exec(checked.output)?.[1] ?? Number.NaN),
  };
  if (checked.status !== 0) results.sanitizerOutput = checked.output.slice(-20_000);
}
save();

const measured = path.join(here, 'benchmark.json');
const data = path.join(here, 'data');
const bench = run(process.execPath, [
  path.join(here, 'package', 'bench', 'gpu', 'main.js'),
  ...['--out', measured, '--device', device],
  ...(quick ? ['--quick'] : []),
  ...(fs.existsSync(data) ? ['--data', data] : []),
]);
results.benchmark =
  bench.status === 0
    ? JSON.parse(fs.readFileSync(measured, 'utf8'))
    : { failure: bench.output.slice(-4000) };
save();

if (failed) process.exitCode = 1;
