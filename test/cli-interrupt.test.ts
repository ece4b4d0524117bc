import { join } from 'node:path';
import t from 'tap';
import { ansi, type Outcome, program, result, ringCsv, secondorder } from './cli-run';

const endless = ['--tolerance', '1e-14', '--max-iterations', '100000000', '--gates', '60'];

t.test('Ctrl-C keeps the best result', async (t) => {
  const folder = t.testdir({ 'ring.csv': ringCsv(300) });
  const [data, model] = [join(folder, 'ring.csv'), join(folder, 'model.json')];
  const stopped = await secondorder(['train', data, '--json', '--out', model, ...endless], {
    onOutput: (child) => child.kill('SIGINT'),
  });
  t.equal(stopped.code, 1, stopped.err);
  t.match(result(stopped), { status: 'aborted', objective: Number });
  t.equal(stopped.err, '');
  const predicted = await secondorder(['predict', model, data]);
  t.equal(predicted.code, 0, 'the model was written');
});

t.test('a time limit keeps the best result, too', async (t) => {
  const folder = t.testdir({ 'ring.csv': ringCsv(300) });
  const args = ['train', join(folder, 'ring.csv'), '--time-limit', '0.2', ...endless];
  const stopped = await secondorder(args);
  t.match(stopped, { code: 0, out: /^status +time limit$/m });
});

const pseudoTerminal = (args: string[]) => [
  'script',
  ...['-q', '-e', '-c', [process.execPath, program, ...args].map((arg) => `'${arg}'`).join(' ')],
  '/dev/null',
];

t.test('a bar on a terminal, unless NO_COLOR is set', async (t) => {
  const folder = t.testdir({ 'ring.csv': ringCsv(300) });
  const args = ['train', join(folder, 'ring.csv'), '--time-limit', '1', ...endless];
  const iterating = [...args, '--refine', 'never'];
  let drawn: Outcome;
  try {
    drawn = await secondorder([], { command: pseudoTerminal(iterating) });
  } catch {
    t.comment('skipped: no script(1) to make a terminal with');
    return;
  }
  t.equal(drawn.code, 0);
  t.match(drawn.out, ansi);
  t.match(drawn.out, /iteration \d+ {2}gap \d\.\de[+-]\d+ {2}infeasibility \S+ {2}\d+\.\d s/);
  const plain = await secondorder([], { command: pseudoTerminal(args), env: { NO_COLOR: '1' } });
  t.equal(plain.code, 0);
  t.notMatch(plain.out, ansi);
  t.match(plain.out, /status +time limit/);
});
