// Runs stopped before their first iteration: what they give is true, and can be gone on from.
import { AbortError, ConvexReLURegressor, trainConvexReLU, verify } from 'secondorder';
import t from 'tap';

const rows = 300;
const cols = 4;
const data = Float64Array.from({ length: rows * cols }, (_, i) => Math.sin(i * (1 + (i % 7)) + 1));
const x = { data, rows, cols };
const y = Float64Array.from(
  { length: rows },
  (_, i) => Math.abs(data[i * cols]!) + data[i * cols + 1]!,
);
const options = { gates: 30, maxIterations: 200 };

for (const model of ['relu', 'gated'] as const) {
  t.test(`${model}: no time gives the zero network with an honest report`, async (t) => {
    const run = { timeLimit: 0 };
    const { network, report, solution } = await trainConvexReLU(x, y, { ...options, model }, run);
    t.match(report, { status: 'time_limit', iterations: 0, neurons: 0, dualBound: 0, gap: 1 });
    t.same(report.history, []);
    const { data: predictions } = network.predict(x);
    t.ok(predictions.length === rows && predictions.every((value) => value === predictions[0]));
    const verdict = verify(network, x, y);
    t.equal(verdict.gap, 1);
    t.ok(Math.abs(verdict.objective / report.objective - 1) < 1e-12);

    const warm = await trainConvexReLU(x, y, { ...options, model, warmStart: solution });
    const cold = await trainConvexReLU(x, y, { ...options, model });
    t.equal(warm.report.objective, cold.report.objective, 'its solution starts cold');
    t.equal(warm.report.gates, cold.report.gates);
  });
}

t.test('an abort before the first iteration carries the same network', async (t) => {
  const wide = {
    data: new Float64Array(2e6).map((_, i) => Math.sin(i * i)),
    rows: 2000,
    cols: 1000,
  };
  const controller = new AbortController();
  const { signal } = controller;
  const running = trainConvexReLU(wide, new Float64Array(2000).fill(1), { gates: 64 }, { signal });
  controller.abort();
  const error = await running.catch((reason: unknown) => reason);
  if (!(error instanceof AbortError)) throw error;
  t.match(error.partial, { report: { status: 'aborted', iterations: 0, gap: 1 } });
});

t.test('an estimator that had no time is fitted, and says so', async (t) => {
  const estimator = new ConvexReLURegressor(options);
  await estimator.fit(x, y, { timeLimit: 0 });
  t.match(estimator.report, { status: 'time_limit', iterations: 0 });
  const copy = ConvexReLURegressor.fromJSON(JSON.parse(JSON.stringify(estimator)));
  t.same(copy.predict(x), estimator.predict(x));
});
