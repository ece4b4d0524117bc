// What reports are made of: what is refused, and the curve of scores along a run.
import { join } from 'node:path';
import fc from 'fast-check';
import { type ClassifierOptions, ConvexReLUClassifier } from 'secondorder';
import {
  type ConvexRun,
  convexReport,
  type ReportData,
  renderReport,
  scoreCurve,
  writeReport,
} from 'secondorder/report';
import t from 'tap';
import { toRows } from './convex-relu-data';
import { sample } from './fixtures/report';
import { x, y } from './fixtures/tiny-problem';
import { anything, typedCalls } from './fixtures/typed-errors';

const { isTyped, hold } = typedCalls(['ERR_INVALID_ARGUMENT', 'ERR_DIMENSION_MISMATCH'], 2000);

const options = { gates: 6, tolerance: 1e-6, checkEvery: 5, seed: 3, refine: false } as const;
const model = new ConvexReLUClassifier(options).fitSync(x, y);
const matrix = { data: Float64Array.from(x.flat()), rows: 4, cols: 2 };
const run: ConvexRun = {
  title: 'tiny',
  report: model.report!,
  network: model.network,
  x: matrix,
  image: [1, 2],
  evaluation: {
    kind: 'classification',
    on: 'training',
    x: matrix,
    truth: y,
    predicted: model.predict(x),
    probabilities: model.predictProba(x),
    classes: model.classes,
    score: model.score(x, y),
  },
};

t.test('data that do not fit together are refused', async (t) => {
  const wrong = (change: (data: ReportData) => void) => () => {
    const data = sample();
    change(data);
    return renderReport(data);
  };
  t.throws(
    wrong((data) => data.charts[0]?.columns.push('missing')),
    {
      code: 'ERR_INVALID_ARGUMENT',
      message: 'data.charts[].columns must be keys of history columns, got "missing"',
    },
  );
  t.throws(
    wrong((data) => data.history[2]?.values.pop()),
    { code: 'ERR_DIMENSION_MISMATCH', message: 'history column "gap" has 23 entries, not 24' },
  );
  t.throws(
    wrong((data) => data.galleries[0]?.pictures.push({ values: [1, 2], caption: '' })),
    {
      code: 'ERR_DIMENSION_MISMATCH',
      message: 'picture 5 of "diverging pictures" has 2 values, not 3 x 4',
    },
  );
});

t.test('runs of a special kind have tables of their own', async (t) => {
  const tables = async (more: ClassifierOptions) => {
    const special = await new ConvexReLUClassifier({ ...options, ...more }).fit(x, y);
    const { report, network } = { report: special.report!, network: special.network };
    const page = convexReport({ ...run, report, network });
    renderReport(page);
    const rows = page.tables.flatMap((table) => table.rows);
    return { report, titles: page.tables.map(({ title }) => title), rows };
  };
  const plain = await tables({});
  t.same(plain.titles, ['Result', 'Data', 'Options']);

  const sampled = await tables({ method: 'scp', tolerance: 1e-2 });
  t.same(sampled.titles, ['Result', 'Hidden vectors', 'Data', 'Options']);
  const tested = sampled.rows.find(({ label }) => label === 'Tested afterwards');
  t.equal(tested?.value, sampled.report.sampling!.tested);

  const robust = await tables({ loss: 'hinge', adversarial: { epsilon: 0.1 }, tolerance: 1e-2 });
  t.same(robust.titles, ['Result', 'Training samples under attack', 'Data', 'Options']);
  const certified = robust.rows.find(({ label }) => label === 'Accuracy, certified');
  t.equal(certified?.value, robust.report.robust!.certifiedAccuracy);
});

t.test('the report of a run', async (t) => {
  const page = convexReport(run);
  t.equal(page.title, 'tiny');
  t.same(page.confusion?.classes, ['-1', '1']);
  t.match(renderReport(page), '<title>tiny</title>');
  const { evaluation: shown } = run;
  const inRows = { ...shown, x, probabilities: toRows(model.predictProba(x)) };
  t.same(convexReport({ ...run, x, evaluation: inRows }), page, 'arrays of rows are matrices too');

  const { evaluation } = run;
  const wrong: [Partial<ConvexRun> | undefined, string, string][] = [
    [undefined, 'ERR_INVALID_ARGUMENT', 'run'],
    [{ title: '' }, 'ERR_INVALID_ARGUMENT', 'run.title'],
    [{ report: {} as ConvexRun['report'] }, 'ERR_INVALID_ARGUMENT', 'run.report'],
    [{ network: {} as ConvexRun['network'] }, 'ERR_INVALID_ARGUMENT', 'run.network'],
    [{ x: { ...matrix, cols: 4, rows: 2 } }, 'ERR_DIMENSION_MISMATCH', 'run.x'],
    [{ image: [2, 2] }, 'ERR_DIMENSION_MISMATCH', 'run.image'],
    [{ pictures: 1 } as object, 'ERR_INVALID_ARGUMENT', 'run.pictures'],
    [
      { scores: [{ iteration: 5 }] as ConvexRun['scores'] & object },
      'ERR_INVALID_ARGUMENT',
      'run.scores[0].training',
    ],
    [
      { evaluation: { ...evaluation, predicted: [1] } as ConvexRun['evaluation'] },
      'ERR_DIMENSION_MISMATCH',
      'run.evaluation.predicted',
    ],
    [
      {
        evaluation: {
          ...evaluation,
          x: { data: new Float32Array(2), rows: 1, cols: 2 },
        } as ConvexRun['evaluation'],
      },
      'ERR_DIMENSION_MISMATCH',
      'run.evaluation',
    ],
  ];
  for (const [change, code, argument] of wrong) {
    const given = change && { ...run, ...change };
    t.throws(() => convexReport(given as ConvexRun), { code, argument }, argument);
  }
});

t.test('whatever is given, an error has a code and an argument', async (t) => {
  const key = fc.constantFrom(...Object.keys(run), ...Object.keys(run.evaluation));
  const rows = fc.array(fc.array(fc.double(), { maxLength: 3 }).map((r) => Float32Array.from(r)));
  await hold(
    t,
    fc.property(key, fc.oneof(anything, rows), (name, value) => {
      const changed =
        name in run
          ? { ...run, [name]: value }
          : { ...run, evaluation: { ...run.evaluation, [name]: value } };
      return isTyped(() => convexReport(changed as ConvexRun));
    }),
  );
  const part = fc.constantFrom(...Object.keys(sample()));
  await hold(
    t,
    fc.property(part, anything, (name, value) =>
      isTyped(() => renderReport({ ...sample(), [name]: value } as ReportData)),
    ),
  );
  await hold(
    t,
    fc.property(anything, (data) => isTyped(() => renderReport(data as ReportData))),
  );
});

t.test('a page that cannot be written', async (t) => {
  const path = join(t.testdir(), 'absent', 'page.html');
  await t.rejects(writeReport(path, sample()), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'target',
    message: /^cannot write .*page\.html: ENOENT/,
  });
});

t.test('scores along a run are those of its own networks', async (t) => {
  const { report } = model;
  if (!report) throw new Error('it was just fitted');
  t.ok(report.history.length > 4, 'there is something to draw');
  const asked: number[] = [];
  const points = await scoreCurve(
    report,
    async (maxIterations) => {
      asked.push(maxIterations);
      const again = new ConvexReLUClassifier({ ...options, maxIterations }).fitSync(x, y);
      const then = report.history.find(({ iteration }) => iteration === maxIterations);
      t.equal(again.report?.objective.toPrecision(5), then?.objective.toPrecision(5));
      return asked.length === 1 ? undefined : { training: again.score(x, y) };
    },
    { training: model.score(x, y) },
  );
  t.ok(asked.length >= 2 && asked.length < 7);
  t.same(
    points.map(({ iteration }) => iteration),
    [...asked.slice(1), report.history.at(-1)?.iteration],
    'ascending, without the one left out, and the end',
  );
  t.same(await scoreCurve({ history: [] }, async () => undefined, { training: 1 }), []);
  await t.rejects(
    scoreCurve(null as unknown as typeof report, async () => undefined, { training: 1 }),
    { code: 'ERR_INVALID_ARGUMENT', argument: 'report' },
  );
});
