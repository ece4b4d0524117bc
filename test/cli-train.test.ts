import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { writeNpySync } from 'secondorder/io';
import t from 'tap';
import { ansi, imageFiles, result, ring, ringCsv, secondorder } from './cli-run';

/** Small problems of few features take many, quick iterations. */
const patient = ['--max-iterations', '50000'];

t.test('train, predict and verify a classifier from csv', async (t) => {
  const folder = t.testdir({ 'ring.csv': ringCsv(200), 'new.csv': 'a,b\n0,0\n1.9,1.9\n' });
  const data = join(folder, 'ring.csv');
  for (const name of ['model.json', 'model.safetensors']) {
    const model = join(folder, name);
    const trained = await secondorder(['train', data, '--gates', '40', '--out', model, ...patient]);
    t.equal(trained.code, 0, trained.err);
    t.match(trained.out, /^status +converged$/m);
    t.match(trained.out, /^accuracy, training +0\.9/m);
    t.notMatch(trained.out + trained.err, ansi, 'no terminal, no escapes');

    const verified = await secondorder(['verify', model, data]);
    t.equal(verified.code, 0, verified.err);
    t.match(verified.out, /^certificate +holds$/m);
    const objective = (text: string) => Number(/^objective +(\S+)$/m.exec(text)?.[1]);
    const difference = Math.abs(objective(verified.out) / objective(trained.out) - 1);
    t.ok(difference < 1e-4, 'verify computes the objective that train reported');
    const strict = await secondorder(['verify', model, data, '--tolerance', '1e-12', '--json']);
    t.equal(strict.code, 1);
    t.match(result(strict), { holds: false, tolerance: 1e-12, samples: 200 });

    const predicted = await secondorder(['predict', model, join(folder, 'new.csv')]);
    t.match(predicted, { code: 0, out: 'prediction\nin\nout\n', err: '' });
  }
});

t.test('train writes ONNX models', async (t) => {
  const folder = t.testdir({ 'ring.csv': ringCsv(100) });
  const data = join(folder, 'ring.csv');
  const outputs = { classification: ['label', 'probabilities'], regression: ['output'] };
  for (const [task, names] of Object.entries(outputs)) {
    const model = join(folder, `${task}.onnx`);
    const target = task === 'regression' ? ['--target', 'a'] : [];
    const table = join(folder, 'numbers.csv');
    if (task === 'regression') {
      writeFileSync(table, ringCsv(100).replaceAll('in\n', '0\n').replaceAll('out\n', '1\n'));
    }
    const source = task === 'regression' ? table : data;
    const trained = await secondorder([
      ...['train', source, '--task', task, '--gates', '20', '--out', model, ...target],
    ]);
    t.equal(trained.code, 0, trained.err);
    const session = await InferenceSession.create(model);
    t.same(session.inputNames, ['input']);
    t.same(session.outputNames, names);
    await session.release();
  }
});

t.test('predict reports probabilities and, with targets, the score', async (t) => {
  const folder = t.testdir({ 'ring.csv': ringCsv(150) });
  const [data, model, table] = ['ring.csv', 'model.json', 'out.csv'].map((name) =>
    join(folder, name),
  );
  if (!data || !model || !table) throw new Error('three paths');
  await secondorder(['train', data, '--loss', 'logistic', '--out', model]);
  const written = await secondorder(['predict', model, data, '--proba', '--out', table]);
  t.match(written, { code: 0, out: '', err: /^accuracy [01]\.\d+ on 150 samples\n$/ });
  const [head, ...rows] = readFileSync(table, 'utf8').trim().split('\n');
  t.equal(head, 'prediction,p(in),p(out)');
  t.equal(rows.length, 150);
  for (const row of rows) {
    const [label, inside, outside] = row.split(',');
    t.ok(Math.abs(Number(inside) + Number(outside) - 1) < 1e-6);
    t.equal(label, Number(inside) > 0.5 ? 'in' : 'out');
  }
  const json = await secondorder(['predict', model, data, '--proba', '--json']);
  t.equal(json.lines.length, 151);
  t.match(json.lines[0], { type: 'prediction', row: 0, prediction: /^(in|out)$/ });
  t.match(result(json), { rows: 150, classes: ['in', 'out'], score: Number });
  const refused = await secondorder(['predict', model, data, '--missing', 'drop']);
  t.equal(refused.code, 2);
});

t.test('a test share is the same for train and verify', async (t) => {
  const folder = t.testdir({ 'ring.csv': ringCsv(200) });
  const [data, model] = [join(folder, 'ring.csv'), join(folder, 'model.json')];
  const options = ['--test-fraction', '0.25', '--seed', '5', '--out', model, '--json', ...patient];
  const trained = await secondorder(['train', data, ...options]);
  t.equal(trained.code, 0, trained.err);
  const { type: _, ...progress } = trained.lines[0] ?? {};
  t.match(progress, { iteration: Number, gap: Number, dualBound: Number, seconds: Number });
  t.match(result(trained), { status: 'converged', seed: 5, test: Number, training: Number });
  t.ok(Number(result(trained).test) > 0.8);
  const verified = await secondorder(['verify', model, data, '--json']);
  t.equal(verified.code, 0, verified.err);
  t.match(result(verified), { holds: true, samples: 150, of: 200 });

  const document = JSON.parse(readFileSync(model, 'utf8'));
  document.options.seed = 6;
  writeFileSync(model, JSON.stringify(document));
  const other = await secondorder(['verify', model, data, '--json']);
  t.match(other, { code: 1 }, 'other samples are not those of the certificate');
});

t.test('images with a report', async (t) => {
  const folder = t.testdir();
  const { images, labels } = imageFiles(folder, 120);
  const [model, page] = [join(folder, 'model.json'), join(folder, 'report.html')];
  const files = ['--labels', labels, '--out', model, '--report', page];
  const trained = await secondorder([
    'train',
    images,
    '--test-fraction',
    '0.2',
    '--json',
    ...files,
  ]);
  t.equal(trained.code, 0, trained.err);
  const found = result(trained);
  const html = readFileSync(page, 'utf8');
  const report = JSON.parse(/id="report-data">(.*)<\/script>/.exec(html)?.[1] ?? '');
  t.match(report, { title: 'images', status: { text: 'converged', good: true } });
  const fact = (label: string) =>
    report.tables
      .flatMap(({ rows }: { rows: { label: string }[] }) => rows)
      .find((row: { label: string }) => row.label === label)?.value;
  t.equal(fact('Objective'), found.objective);
  t.equal(fact('Dual bound'), found.dualBound);
  t.equal(fact('Accuracy, test'), found.test);
  t.equal(fact('Training samples'), 96);
  t.equal(
    report.confusion.counts.flat().reduce((sum: number, n: number) => sum + n),
    24,
  );
  t.match(report.galleries[0], { title: 'Gates', width: 6, height: 6, colors: 'diverging' });
  const column = (key: string) =>
    report.history.find((entry: { key: string }) => entry.key === key)?.values;
  t.equal(column('test').at(-1), found.test, 'the accuracy curve ends at the result');
  t.equal(column('iteration').length, column('gap').length);

  const verified = await secondorder(['verify', model, images, '--labels', labels]);
  t.equal(verified.code, 0, verified.err);
  const wrong = await secondorder(['train', images, '--labels', labels, '--image', '7x5']);
  t.match(wrong, { code: 2, err: /--image 7x5 does not fit samples of 36 features/ });
});

t.test('libsvm and npy are recognised; regression', async (t) => {
  const folder = t.testdir();
  const libsvm = join(folder, 'data');
  const lines = ring(100).map(({ x: [a, b], inside }) => `${inside ? '+1' : '-1'} 1:${a} 2:${b}`);
  writeFileSync(libsvm, `${lines.join('\n')}\n`);
  const classes = await secondorder(['train', libsvm, '--json']);
  t.equal(classes.code, 0, classes.err);
  t.match(result(classes), { task: 'classification' });

  const npy = join(folder, 'measurements');
  const values = ring(100).flatMap(({ x: [a = 0, b = 0] }) => [Math.abs(a) + b, a, b]);
  writeNpySync(npy, { data: Float64Array.from(values), shape: [100, 3] });
  const model = join(folder, 'model.json');
  const fitted = await secondorder([
    'train',
    npy,
    '--target',
    '0',
    '--json',
    '--out',
    model,
    '--beta',
    '1e-2',
  ]);
  t.equal(fitted.code, 0, fitted.err);
  t.match(result(fitted), { task: 'regression', training: Number });
  t.ok(Number(result(fitted).training) > 0.9, 'R²');
  const verified = await secondorder(['verify', model, npy, '--target', '0']);
  t.equal(verified.code, 0, verified.err);
  const predicted = await secondorder(['predict', model, npy, '--target', '0', '--json']);
  t.equal(predicted.lines.length, 101);
  t.ok(Math.abs(Number(result(predicted).score) - Number(result(fitted).training)) < 1e-9);
  const missing = await secondorder(['train', npy, '--target', '3']);
  t.match(missing, { code: 1, err: /no column 3/ });
});

t.test('refinement, the bound over all networks, and adversarial training', async (t) => {
  const folder = t.testdir({ 'ring.csv': ringCsv(120) });
  const train = (...more: string[]) =>
    secondorder(['train', join(folder, 'ring.csv'), '--gates', '12', '--json', ...more]);
  const plain = result(await train('--refine', 'never', '--global-bound', 'never', ...patient));
  t.match(plain, { rounds: 0, globalBound: null, robust: null });

  const refined = await train('--refine', 'always', '--global-bound', 'always', ...patient);
  t.match(refined.lines[0], { type: 'progress', round: 0, iteration: 0 });
  const better = result(refined);
  t.ok(Number(better.objective) < Number(plain.objective), 'better gates');
  t.ok(Number(better.rounds) > 0);
  t.ok(Number(better.globalBound) > 0 && Number(better.globalBound) <= Number(better.objective));

  const narrow = result(await train('--max-gates', '5'));
  t.ok(Number(narrow.neurons) <= 5 && Number(narrow.rounds) > 0, 'no wider than asked');

  const robust = result(await train('--adversarial', '0.1', '--loss', 'hinge'));
  t.match(robust, { rounds: 0, robust: { epsilon: 0.1 } });
  const { accuracy, pgdAccuracy, certifiedAccuracy } = robust.robust as Record<string, number>;
  t.ok(certifiedAccuracy! <= pgdAccuracy! && pgdAccuracy! <= accuracy!);

  const sampled = await train('--method', 'scp', '--loss', 'logistic', '--refine', 'never');
  t.match(result(sampled), { status: 'converged', sampling: { directions: 12 } });

  t.match(await train('--refine', 'never', '--max-gates', '5'), { code: 2 });
  t.match(await train('--adversarial', '0'), { code: 2 });
  t.match(await train('--adversarial', '0.1', '--model', 'gated'), { code: 1 });
});
