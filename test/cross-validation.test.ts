// Cross-validation of beta: how samples are dealt, what is scored, what is chosen.

import fc from 'fast-check';
import {
  AbortError,
  ConvexReLUClassifier,
  ConvexReLURegressor,
  type CrossValidation,
  type CrossValidationProgress,
  crossValidate,
  crossValidateSync,
  type Matrix,
  maximumBetaSync,
  type ScoreName,
} from 'secondorder';
import t from 'tap';
import { dealFolds } from '../dist/convex-relu/folds.js';
import { clusters, regressionData, toRows, toSparse, uniform } from './convex-relu-data';

const names = ['ash', 'birch', 'cedar'];
const quick = { gates: 15, refine: false, tolerance: 1e-2, maxIterations: 500 } as const;
const betas = [0.3, 0.03, 0.003];

/** Clusters that overlap, so that not everything is right at once. */
function overlapping(perClass: number): { x: Matrix; labels: string[] } {
  const { x, index } = clusters(perClass, 3, 4);
  const next = uniform(11);
  const data = x.data.map((value) => value + 6 * (next() - 0.5));
  return { x: { ...x, data }, labels: index.map((k) => names[k]!) };
}

const { x, labels } = overlapping(20);
const regression = regressionData(60, 3);

const pick = <T>(values: ArrayLike<T>, rows: number[]) => rows.map((row) => values[row]!);
const meanOf = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Rows in and outside a fold. */
function partsOf(folds: Int32Array, fold: number) {
  const rows = Array.from(folds, (_, row) => row);
  return {
    training: rows.filter((row) => folds[row] !== fold),
    test: rows.filter((row) => folds[row] === fold),
  };
}

t.test('folds are even, in every class, and drawn by the seed', async (t) => {
  const dealt = fc.property(
    fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 2, maxLength: 60 }),
    fc.integer({ min: 2, max: 12 }),
    fc.nat(),
    fc.boolean(),
    (classes, wanted, seed, stratified) => {
      const count = Math.min(wanted, classes.length);
      const folds = dealFolds(classes.length, count, seed, stratified ? classes : undefined);
      const sizesOf = (of: string[]) =>
        Array.from({ length: count }, (_, fold) => {
          return classes.filter((label, row) => folds[row] === fold && of.includes(label)).length;
        });
      const even = (sizes: number[]) => Math.max(...sizes) - Math.min(...sizes) <= 1;
      const again = dealFolds(classes.length, count, seed, stratified ? classes : undefined);
      return (
        folds.every((fold) => fold >= 0 && fold < count) &&
        even(sizesOf(['a', 'b', 'c', 'd'])) &&
        (!stratified || ['a', 'b', 'c', 'd'].every((label) => even(sizesOf([label])))) &&
        folds.join() === again.join()
      );
    },
  );
  const details = fc.check(dealt, { numRuns: 500 });
  t.notOk(details.failed, fc.defaultReportMessage(details) ?? 'holds');
  t.not(dealFolds(60, 5, 0).join(), dealFolds(60, 5, 1).join(), 'another seed, another deal');
});

t.test('scores are those of models trained on the other folds', async (t) => {
  const rows = toRows(x);
  const estimator = new ConvexReLUClassifier({ ...quick, loss: 'logistic' });
  for (const stratified of [true, false]) {
    for (const scoring of ['accuracy', 'negative-log-loss'] as const) {
      const options = { betas: [0.01], folds: 4, seed: 3, stratified, scoring, refit: false };
      const { scores } = await crossValidate(estimator, x, labels, options);
      const folds = dealFolds(60, 4, 3, stratified ? labels : undefined);
      const expected = [0, 1, 2, 3].map((fold) => {
        const { training, test } = partsOf(folds, fold);
        const model = new ConvexReLUClassifier({ ...quick, loss: 'logistic', beta: 0.01 });
        model.fitSync(pick(rows, training), pick(labels, training));
        const [inputs, truth] = [pick(rows, test), pick(labels, test)];
        if (scoring === 'accuracy') return model.score(inputs, truth);
        const shares = toRows(model.predictProba(inputs));
        return meanOf(truth.map((label, i) => Math.log(shares[i]![names.indexOf(label)]!)));
      });
      t.same(scores[0]!.folds, expected, `${scoring}, stratified: ${stratified}`);
    }
  }
  t.throws(() => estimator.classes, { code: 'ERR_NOT_FITTED' }, 'the estimator is left alone');
});

t.test('scores of regressors, with sample weights', async (t) => {
  const { x, y } = regression;
  const sampleWeights = Array.from(y, (_, i) => 1 + (i % 3));
  const rows = toRows(x);
  const estimator = new ConvexReLURegressor({ ...quick, sampleWeights });
  for (const scoring of ['r2', 'negative-mean-squared-error'] as const) {
    const options = { betas: [0.01], folds: 3, scoring, refit: false };
    const { scores } = crossValidateSync(estimator, x, y, options);
    const folds = dealFolds(60, 3, 0);
    const expected = [0, 1, 2].map((fold) => {
      const { training, test } = partsOf(folds, fold);
      const weights = pick(sampleWeights, training);
      const model = new ConvexReLURegressor({ ...quick, beta: 0.01, sampleWeights: weights });
      model.fitSync(pick(rows, training), pick(y, training));
      const [inputs, truth] = [pick(rows, test), pick(y, test)];
      if (scoring === 'r2') return model.score(inputs, truth);
      const predicted = model.predict(inputs);
      return -meanOf(truth.map((value, i) => (value - predicted[i]!) ** 2));
    });
    t.ok(Math.max(...scores[0]!.folds.map((s, i) => Math.abs(s - expected[i]!))) < 1e-12);
  }
});

t.test('what is chosen', async (t) => {
  const estimator = new ConvexReLUClassifier(quick);
  const found = await crossValidate(estimator, x, labels, { betas: [0.003, 0.3, 0.03], folds: 6 });
  t.equal(found.status, 'complete');
  t.same(
    found.scores.map(({ beta }) => beta),
    betas,
  );
  for (const { mean, deviation, standardError, folds } of found.scores) {
    t.equal(folds.length, 6);
    const expected = meanOf(folds);
    const spread = Math.sqrt(
      folds.reduce((sum, score) => sum + (score - expected) ** 2, 0) / (folds.length - 1),
    );
    t.ok(Math.abs(mean - expected) < 1e-12 && Math.abs(deviation - spread) < 1e-12);
    t.ok(Math.abs(standardError - spread / Math.sqrt(6)) < 1e-12);
  }
  const means = found.scores.map(({ mean }) => mean);
  const best = means.indexOf(Math.max(...means));
  t.equal(found.bestBeta, betas[best]);
  const limit = means[best]! - found.scores[best]!.standardError;
  const largest = betas[means.findIndex((mean) => mean >= limit)];
  t.equal(found.oneStandardErrorBeta, largest);
  t.equal(found.beta, found.bestBeta);

  const alone = new ConvexReLUClassifier({ ...quick, beta: found.beta! }).fitSync(x, labels);
  t.same(found.estimator!.toJSON(), alone.toJSON(), 'trained anew on all samples');
  const rule = { betas, folds: 6, rule: 'one-standard-error', refit: false } as const;
  const smaller = await crossValidate(estimator, x, labels, rule);
  t.equal(smaller.beta, largest);
  t.equal(smaller.estimator, null);
});

t.test('a rule that differs from the best', async (t) => {
  // Scores by beta and fold, made up: the mean is highest at 0.003, and 0.03 within its error.
  const made = new Map([
    [0.3, [0, 0]],
    [0.03, [0.5, 0.7]],
    [0.003, [0.5, 0.9]],
  ]);
  const at = new Map<number, number>();
  const scoring = (model: ConvexReLUClassifier) => {
    const beta = model.network.options!.beta;
    const fold = at.get(beta) ?? 0;
    at.set(beta, fold + 1);
    return made.get(beta)![fold]!;
  };
  const options = { betas, folds: 2, scoring, refit: false };
  const found = await crossValidate(new ConvexReLUClassifier(quick), x, labels, options);
  t.match(found, { bestBeta: 0.003, oneStandardErrorBeta: 0.03, beta: 0.003 });
});

t.test('sparse inputs, the calling thread, a grid', async (t) => {
  const estimator = new ConvexReLUClassifier(quick);
  const options = { betas, folds: 3, seed: 5 };
  const facts = ({ estimator, ...others }: CrossValidation<ConvexReLUClassifier>) => ({
    ...others,
    predicted: estimator!.predict(x),
  });
  const found = facts(await crossValidate(estimator, x, labels, options));
  t.same(facts(crossValidateSync(estimator, x, labels, options)), found);
  const rows = await crossValidate(estimator, toRows(x), labels, options);
  t.same(facts(rows), found);
  const sparse = await crossValidate(estimator, toSparse(x), labels, options);
  t.ok(sparse.scores.every(({ mean }, i) => Math.abs(mean - found.scores[i]!.mean) < 0.06));

  const { y } = regression;
  const regressor = new ConvexReLURegressor({ ...quick, standardizeTarget: false });
  const grid = { betas: { count: 3, ratio: 0.01 }, folds: 2 };
  const { scores } = await crossValidate(regressor, regression.x, y, grid);
  const largest = maximumBetaSync(regression.x, y, quick);
  t.same(
    scores.map(({ beta }) => Math.round(100 * Math.log10(beta / largest)) / 100),
    [0, -1, -2],
  );
});

t.test('classes that a fold has not seen', async (t) => {
  const rare = labels.map((label, i) => (i === 7 ? 'oak' : label));
  const options = { betas, folds: 4, scoring: 'negative-log-loss' } as const;
  const { scores } = await crossValidate(new ConvexReLUClassifier(quick), x, rare, options);
  t.ok(scores.every(({ mean }) => Number.isFinite(mean)));
});

t.test('events, and runs that are stopped', async (t) => {
  const estimator = new ConvexReLUClassifier(quick);
  const events: CrossValidationProgress[] = [];
  const onProgress = (event: CrossValidationProgress) => void events.push(event);
  await crossValidate(estimator, x, labels, { betas, folds: 2 }, { onProgress });
  t.match(events[0], { beta: 0.3, point: 0, points: 3, fold: 0, folds: 2, gap: Number });
  t.match(events.at(-1), { fold: 2, folds: 2, points: 3 });

  const abortAt = async (fold: number) => {
    const controller = new AbortController();
    const watch = (event: CrossValidationProgress) => {
      if (event.fold === fold) controller.abort();
    };
    const run = { signal: controller.signal, onProgress: watch };
    const error = await crossValidate(estimator, x, labels, { betas, folds: 3 }, run).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof AbortError)) throw error;
    return error.partial as CrossValidation | undefined;
  };
  t.equal(await abortAt(0), undefined, 'no fold was done');
  const partial = await abortAt(2);
  t.equal(partial?.status, 'aborted');
  t.ok(partial?.scores.every(({ folds }) => folds.length >= 1 && folds.length <= 2));

  const none = await crossValidate(estimator, x, labels, { betas }, { timeLimit: 0 });
  t.same(none, {
    ...{ status: 'time_limit', scores: [], bestBeta: null, oneStandardErrorBeta: null },
    ...{ beta: null, estimator: null },
  });
  // Time is over once the first fold has been scored.
  let scored = 0;
  const slow = () => {
    scored++;
    const end = performance.now() + (scored === 3 ? 2000 : 0);
    while (performance.now() < end);
    return scored;
  };
  const options = { betas, folds: 3, scoring: slow };
  const limited = crossValidateSync(estimator, x, labels, options, { timeLimit: 2 });
  t.equal(limited.status, 'time_limit');
  t.same(
    limited.scores.map(({ folds }) => folds),
    [[1], [2], [3]],
  );
  t.match(limited, { bestBeta: 0.003, estimator: null });
});

t.test('what is refused', async (t) => {
  const classifier = new ConvexReLUClassifier(quick);
  const regressor = new ConvexReLURegressor(quick);
  const bad = { code: 'ERR_INVALID_ARGUMENT' };
  const wrong: [object, string][] = [
    [{ folds: 1 }, 'options.folds'],
    [{ folds: 61 }, 'options.folds'],
    [{ betas: [0] }, 'options.betas'],
    [{ betas: { count: 0 } }, 'options.betas.count'],
    [{ seed: -1 }, 'options.seed'],
    [{ rule: 'worst' }, 'options.rule'],
    [{ refit: 1 }, 'options.refit'],
    [{ stratified: 1 }, 'options.stratified'],
    [{ scoring: 'r2' }, 'options.scoring'],
    [{ fold: 3 }, 'options.fold'],
  ];
  for (const [options, argument] of wrong) {
    await t.rejects(crossValidate(classifier, x, labels, options), { ...bad, argument });
  }
  await t.rejects(crossValidate(regressor, regression.x, regression.y, { stratified: true }), {
    ...bad,
    argument: 'options.stratified',
  });
  await t.rejects(
    crossValidate(regressor, regression.x, regression.y, { scoring: 'accuracy' as ScoreName }),
    {
      ...bad,
      argument: 'options.scoring',
    },
  );
  await t.rejects(crossValidate({} as ConvexReLUClassifier, x, labels), {
    ...bad,
    argument: 'estimator',
  });
  await t.rejects(crossValidate(classifier, [[1]], ['a']), { ...bad, argument: 'x' });
  await t.rejects(crossValidate(classifier, x, ['a']), { code: 'ERR_DIMENSION_MISMATCH' });
  await t.rejects(crossValidate(classifier, x, labels, {}, { threads: 0 }), bad);
  const short = new ConvexReLUClassifier({ ...quick, sampleWeights: [1, 2] });
  await t.rejects(crossValidate(short, x, labels), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'options.sampleWeights',
  });
  const own = new Error('own');
  const throwing = () => {
    throw own;
  };
  const failed = { code: 'ERR_EVALUATION', argument: 'options.scoring' };
  await t.rejects(crossValidate(classifier, x, labels, { betas, scoring: throwing }), {
    ...failed,
    cause: own,
  });
  const nan = () => Number.NaN;
  await t.rejects(crossValidate(classifier, x, labels, { betas, scoring: nan }), failed);
});
