// The report of a regularization path.
import fc from 'fast-check';
import { ConvexReLUClassifier, crossValidateSync, regularizationPathSync } from 'secondorder';
import { type PathRun, pathReport, renderReport } from 'secondorder/report';
import t from 'tap';
import { x, y } from './fixtures/tiny-problem';
import { anything, typedCalls } from './fixtures/typed-errors';

const { isTyped, hold } = typedCalls(['ERR_INVALID_ARGUMENT'], 2000);
const betas = [0.1, 0.01, 0.001];
const options = { gates: 6, model: 'gated' } as const;
const path = regularizationPathSync(x, y, betas, options);
const { scores, beta } = crossValidateSync(new ConvexReLUClassifier(options), x, y, {
  betas,
  folds: 2,
});
const run: PathRun = { title: 'tiny', path, scores, scoring: 'accuracy', chosen: beta! };

t.test('shows what the path has', async (t) => {
  const page = pathReport(run);
  const values = (key: string) => page.history.find((column) => column.key === key)?.values;
  t.same(values('beta'), betas.toReversed(), 'from small to large, as axes go');
  t.same(values('objective'), path.points.map(({ report }) => report.objective).toReversed());
  t.same(values('score'), scores.map(({ mean }) => mean).toReversed());
  t.same(
    page.charts.map(({ title }) => title),
    ['Cross-validation', 'Objective and dual bound', 'Size', 'Relative duality gap'],
  );
  t.match(page.highlights[0], { label: 'Chosen beta', value: beta });
  t.match(renderReport(page), '<title>tiny</title>');

  const some = pathReport({ ...run, scores: scores.slice(0, 1) });
  t.same(some.history.find(({ key }) => key === 'score')?.values, [null, null, scores[0]!.mean]);
  const plain = pathReport({ title: 'tiny', path });
  t.notOk(plain.charts.some(({ title }) => title === 'Cross-validation'));
  t.match(renderReport(plain), 'A regularization path of 3 networks.');
});

t.test('whatever is given, an error has a code and an argument', async (t) => {
  const key = fc.constantFrom(...Object.keys(run));
  await hold(
    t,
    fc.property(key, anything, (name, value) =>
      isTyped(() => pathReport({ ...run, [name]: value })),
    ),
  );
  const point = fc.constantFrom('beta', 'report', 'network');
  await hold(
    t,
    fc.property(point, anything, (name, value) => {
      const points = path.points.map((p) => ({ ...p, [name]: value }));
      return isTyped(() => pathReport({ ...run, path: { ...path, points } }));
    }),
  );
  await hold(
    t,
    fc.property(anything, (data) => isTyped(() => pathReport(data as PathRun))),
  );
});
