import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { manifest, program, result, secondorder } from './cli-run';

t.test('wrong usage exits with 2 and one line', async (t) => {
  const text = join(t.testdir({ 'text.csv': 'a,b\n1,x\n2,y\n3,x\n' }), 'text.csv');
  const cases: [string[], RegExp][] = [
    [['fly'], /unknown command 'fly'/],
    [['train'], /missing required argument 'data'/],
    [['train', 'x.csv', '--wings'], /unknown option '--wings'/],
    [['train', 'x.csv', '--gates', '0'], /--gates.*at least 1/],
    [['train', 'x.csv', '--gates', '1.5'], /--gates.*whole number/],
    [['train', 'x.csv', '--beta', 'much'], /--beta.*Not a number/],
    [['train', 'x.csv', '--image', '28'], /--image.*28x28/],
    [['train', 'x.csv', '--loss', 'cubic'], /--loss.*squared/],
    [['train', 'x.csv', '--test-fraction', '1.5'], /test-fraction.*between 0 and 1/],
    [['train', 'x.csv', '--test', 'y', '--test-fraction', '0.5'], /cannot be used with/],
    [['train', 'x.csv', '--beta', '0'], /--beta.*above 0/],
    [['train', 'x.csv', '--tolerance', '1'], /--tolerance.*below 1/],
    [['train', text, '--test-labels', 'y'], /--test-labels goes with --test/],
    [['train', text, '--labels', 'y'], /--labels is for npy and idx files; .* is a csv file/],
    [['train', text, '--format', 'libsvm', '--target', '0'], /--target is for csv and npy files/],
    [['train', text, '--task', 'regression', '--loss', 'hinge'], /--loss hinge is for classif/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await secondorder(args);
    t.equal(code, 2, args.join(' '));
    t.equal(out, '');
    t.match(err, message);
    t.match(err, /^secondorder: ERR_INVALID_ARGUMENT: [^\n]*\n$/);
  }
  const { code, out, err } = await secondorder(['train', '--json']);
  t.equal(code, 2);
  t.equal(out, '');
  t.match(JSON.parse(err), { type: 'error', code: 'ERR_INVALID_ARGUMENT', message: /missing/ });
});

t.test('help and version', async (t) => {
  const version = await secondorder(['--version']);
  t.match(version, { code: 0, out: `${manifest.version}\n` });
  t.equal((await secondorder([])).code, 2, 'nothing asked for');
  for (const command of ['train', 'predict', 'verify', 'doctor', 'build', 'bench']) {
    const { code, out } = await secondorder([command, '--help']);
    t.equal(code, 0);
    t.match(out, new RegExp(`Usage: secondorder ${command}`));
    t.match(out, new RegExp(`Example:\n  secondorder ${command}`));
  }
});

t.test('files that are not right exit with 1 and one line', async (t) => {
  const folder = t.testdir({
    'bad.csv': 'a,b,c\n1,2,x\n3,oops,y\n',
    'text.csv': 'a,b\n1,x\n2,y\n3,x\n',
    'model.json': '{"format": "another"}',
  });
  const cases: [string[], string][] = [
    [['train', join(folder, 'absent.csv')], 'ERR_INVALID_ARGUMENT: cannot read .*absent.csv'],
    [['train', join(folder, 'bad.csv')], 'ERR_FORMAT: .*bad.csv, line 3: .*oops'],
    [
      ['train', join(folder, 'text.csv'), '--task', 'regression'],
      'ERR_INVALID_ARGUMENT: regression needs numbers to predict, not "x"',
    ],
    [['verify', join(folder, 'model.json'), join(folder, 'text.csv')], 'ERR_FORMAT: .*model.json'],
    [
      ['predict', join(folder, 'none.json'), join(folder, 'text.csv')],
      'ERR_INVALID_ARGUMENT: .*none',
    ],
    [
      ['train', join(folder, 'text.csv'), '--components', '2'],
      'ERR_INVALID_ARGUMENT: --components must be .* at most 1, got 2',
    ],
    [
      ['predict', join(folder, 'text.csv'), join(folder, 'text.csv')],
      'ERR_FORMAT: .*text.csv, byte 0: no safetensors file',
    ],
    [
      ['train', join(folder, 'text.csv'), '--out', join(folder, 'absent', 'model.json')],
      'ERR_INVALID_ARGUMENT: cannot write .*model.json',
    ],
    [
      ['train', join(folder, 'text.csv'), '--report', folder],
      'ERR_INVALID_ARGUMENT: cannot write .*: it is a folder',
    ],
  ];
  for (const [args, message] of cases) {
    const { code, err } = await secondorder(args);
    t.equal(code, 1, args.join(' '));
    t.match(err, new RegExp(`^secondorder: ${message}[^\n]*\n$`));
  }
  const { code, err } = await secondorder(['train', join(folder, 'bad.csv'), '--json']);
  t.equal(code, 1);
  t.match(JSON.parse(err), { type: 'error', code: 'ERR_FORMAT', message: /line 3/ });
});

t.test('output that cannot be written is one line, too', async (t) => {
  if (!existsSync('/dev/full')) {
    t.comment('skipped: no /dev/full');
    return;
  }
  const command = ['sh', '-c', `'${process.execPath}' '${program}' doctor >/dev/full`];
  const { code, err } = await secondorder([], { command });
  t.equal(code, 1);
  t.match(err, /^secondorder: ENOSPC: cannot write the output: [^\n]*\n$/);
});

t.test('doctor and bench', async (t) => {
  const doctor = await secondorder(['doctor']);
  t.equal(doctor.code, 0);
  t.match(doctor.out, new RegExp(`^secondorder +${manifest.version}$`, 'm'));
  t.match(doctor.out, /^native code +\/.*\.node$/m);
  const json = await secondorder(['doctor', '--json']);
  t.match(result(json), { version: manifest.version, native: { loaded: true } });

  const sizes = ['--samples', '100', '--features', '10', '--gates', '20', '--iterations', '40'];
  const bench = await secondorder([
    'bench',
    '--json',
    '--seconds',
    '0.1',
    '--threads',
    '1',
    ...sizes,
  ]);
  t.equal(bench.code, 0, bench.err);
  t.same(
    bench.lines.map(({ precision }) => precision),
    ['float32', 'float64'],
  );
  for (const line of bench.lines) {
    t.ok(Number(line.gemmGigaflops) > 0);
    t.ok(Number(line.fraction) > 0 && Number(line.fraction) < 2);
    t.ok(Number(line.secondsPerIteration) > 0);
  }
});
