// Regularization paths, and the beta at which they begin.

import {
  AbortError,
  type ConvexReLUOptions,
  type Loss,
  maximumBeta,
  maximumBetaSync,
  type PathProgress,
  type RegularizationPath,
  regularizationPath,
  regularizationPathSync,
  trainConvexReLUSync,
  verify,
} from 'secondorder';
import t from 'tap';
import { clusters, regressionData, toRows, toSparse, uniform } from './convex-relu-data';
import { adjoint, groupNorms, lossOf, makeProgram, type Program } from './convex-relu-reference';

const { x, y } = regressionData(80, 3);
const exact = {
  precision: 'float64',
  gates: 25,
  refine: false,
  tolerance: 1e-4,
} satisfies ConvexReLUOptions;

/** ‖Zᵀ(Dᵢ g)‖ of the groups, g by differences of the loss about 0. */
function normsAtZero(program: Program): number[] {
  const slopes = program.y.map((row, i) =>
    row.map((_, k) => {
      const at = (value: number) =>
        lossOf(
          program.loss,
          row.map((_, other) => (other === k ? value : 0)),
          row,
        );
      return (program.weights[i]! * (at(1e-5) - at(-1e-5))) / 2e-5;
    }),
  );
  return groupNorms(program, adjoint(program, slopes));
}

/** Targets of a loss, n × outputs. */
function targets(loss: Loss, rows: number, outputs: number): number[][] {
  const next = uniform(rows + outputs);
  return Array.from({ length: rows }, () => {
    if (loss === 'squared') return Array.from({ length: outputs }, () => next() - 0.3);
    if (loss !== 'softmax') {
      return Array.from({ length: outputs }, () => (next() > 0.4 ? 1 : -1));
    }
    const at = Math.floor(next() * outputs);
    return Array.from({ length: outputs }, (_, k) => (k === at ? 1 : 0));
  });
}

t.test('the largest beta of use, by its definition', async (t) => {
  for (const loss of ['squared', 'logistic', 'hinge', 'softmax'] as const) {
    for (const penalty of ['gate', 'neuron'] as const) {
      const outputs = loss === 'softmax' ? 3 : 2;
      const labels = targets(loss, x.rows, outputs);
      const next = uniform(7);
      const weights = Array.from({ length: x.rows }, (_, i) => (i % 9 === 0 ? 0 : 0.5 + next()));
      for (const sampleWeights of [undefined, weights]) {
        const options = {
          ...exact,
          ...({ model: 'gated', preprocess: 'none' } as const),
          ...{ loss, penalty },
          ...(sampleWeights && { sampleWeights }),
        } as const;
        const found = maximumBetaSync(x, labels, options);
        const { network } = trainConvexReLUSync(x, labels, { ...options, maxIterations: 2 });
        const program = makeProgram(x, labels, network.certificate!.gates, {
          ...{ loss, penalty },
          ...(sampleWeights && { weights: sampleWeights }),
        });
        const total = program.weights.reduce((sum, weight) => sum + weight, 0);
        const largest = Math.max(...normsAtZero(program)) / total;
        t.ok(Math.abs(found / largest - 1) < 1e-9, `${loss}, ${penalty}: ${found} for ${largest}`);
      }
    }
  }
});

t.test('above it networks are zero, below it gated ones are not', async (t) => {
  for (const model of ['relu', 'gated'] as const) {
    for (const data of [x, toSparse(x)]) {
      const options = { ...exact, model, tolerance: 1e-9, maxIterations: 20_000 };
      const largest = await maximumBeta(data, y, options);
      t.equal(largest, maximumBetaSync(data, y, options));
      const at = (beta: number) => {
        const { network } = trainConvexReLUSync<'relu' | 'gated'>(data, y, { ...options, beta });
        return network.predict(x).data.every((value) => Math.abs(value) < 1e-6);
      };
      t.ok(at(1.001 * largest), `${model}: zero above`);
      if (model === 'gated') t.notOk(at(0.99 * largest), 'not zero below');
    }
  }
  const strong = { ...exact, model: 'gated', beta: maximumBetaSync(x, y, exact) } as const;
  const { iterations } = trainConvexReLUSync(x, y, strong).report;
  t.ok(iterations <= 100, `near it a run takes ${iterations} iterations`);
  const zeros = new Float64Array(x.rows);
  t.equal(maximumBetaSync(x, zeros, { gates: 5, refine: false }), 0);
  t.throws(() => regularizationPathSync(x, zeros, { count: 3 }, { gates: 5, refine: false }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'betas',
  });
});

for (const model of ['relu', 'gated'] as const) {
  t.test(`a path of ${model} models is that of its points`, async (t) => {
    const betas = [0.02, 0.3, 0.005, 0.08];
    const options = { ...exact, model };
    const path = await regularizationPath<'relu' | 'gated'>(x, y, betas, options);
    t.equal(path.status, 'converged');
    t.same(
      path.points.map(({ beta }) => beta),
      [0.3, 0.08, 0.02, 0.005],
    );
    let warm = 0;
    let cold = 0;
    let before = Number.POSITIVE_INFINITY;
    for (const { beta, network, report, solution } of path.points) {
      t.same(network.options?.beta, beta);
      t.same(solution.options.beta, beta);
      const proof = verify(network, x, y);
      t.ok(proof.gap <= 1e-4, 'certified');
      const gates = {
        data: network.certificate!.gates,
        rows: report.gates,
        cols: x.cols + 1,
      };
      t.same(gates.data, path.points[0]!.network.certificate!.gates, 'the same gates');
      const alone = trainConvexReLUSync<'relu' | 'gated'>(x, y, { ...options, beta, gates }).report;
      const apart = Math.abs(alone.objective - report.objective) / alone.objective;
      t.ok(apart < 3e-4, `the optimum that a run of its own finds: ${apart}`);
      t.ok(report.objective < before, 'the optimum falls with beta');
      before = report.objective;
      warm += report.iterations;
      cold += alone.iterations;
    }
    // Betas far apart gain little from a start; it must do no harm.
    t.ok(warm < 2 * cold, `${warm} iterations, from zero ${cold}`);
    const inPlace = regularizationPathSync<'relu' | 'gated'>(x, y, betas, options);
    t.same(inPlace.points.map(facts), path.points.map(facts), 'the same on the calling thread');
  });
}

function facts({ beta, network, report }: RegularizationPath['points'][number]) {
  const { objective, dualBound, iterations } = report;
  return { beta, objective, dualBound, iterations, json: network.toJSON() };
}

t.test('a grid begins at the largest beta of use', async (t) => {
  const options = { ...exact, model: 'gated', tolerance: 1e-3 } as const;
  const { points } = await regularizationPath(x, y, { count: 5, ratio: 1e-2 }, options);
  const largest = maximumBetaSync(x, y, options);
  t.equal(points.length, 5);
  points.forEach(({ beta }, i) => {
    t.ok(Math.abs(beta / (largest * 10 ** (-i / 2)) - 1) < 1e-12);
  });
  const atZero = y.reduce((sum, value) => sum + value * value, 0) / 2 / y.length;
  t.ok(Math.abs(points[0]!.report.objective / atZero - 1) < 1e-3, 'with nothing learnt yet');
  t.equal((await regularizationPath(x, y, undefined, options)).points.length, 10);
});

t.test('starting warm pays on a path of gated models', async (t) => {
  const { x, y } = regressionData(300, 5, 2);
  for (const loss of ['squared', 'logistic'] as const) {
    const targets = loss === 'squared' ? y : y.map((value) => (value > 2 ? 1 : -1));
    const options = { model: 'gated', gates: 50, loss } as const;
    const { points } = regularizationPathSync(x, targets, { count: 20 }, options);
    const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
    const warm = sum(points.map(({ report }) => report.iterations));
    const cold = sum(
      points.map(({ beta }) => {
        return trainConvexReLUSync(x, targets, { ...options, beta }).report.iterations;
      }),
    );
    t.ok(warm < 0.8 * cold, `${loss}: ${warm} iterations, from zero ${cold}`);
  }
});

t.test('a path of ReLU models leaves zero behind', async (t) => {
  for (const seed of [1, 2, 3]) {
    const { x, y } = regressionData(100, 6, seed);
    const options = { gates: 40, refine: false, tolerance: 1e-2, maxIterations: 2000 } as const;
    const { points, status } = regularizationPathSync(x, y, { count: 6 }, options);
    t.equal(status, 'converged');
    const atZero = y.reduce((sum, value) => sum + value * value, 0) / 2 / y.length;
    t.ok(Math.abs(points[0]!.report.objective / atZero - 1) < 1e-2, 'it begins there');
    t.ok(points[5]!.report.objective < 0.5 * points[0]!.report.objective);
  }
});

t.test('other losses, several outputs, sample weights', async (t) => {
  const { x, index } = clusters(10, 3);
  const shares = index.map((k) => [0, 1, 2].map((other) => (other === k ? 1 : 0)));
  const sampleWeights = index.map((k) => (k === 1 ? 2 : 1));
  const options = { ...exact, model: 'gated', loss: 'softmax', sampleWeights } as const;
  const { points, status } = regularizationPathSync(x, shares, [0.1, 0.01], options);
  t.equal(status, 'converged');
  for (const { network } of points) t.ok(verify(network, x, shares).gap <= 1e-4);
});

t.test('events say where on the path they are', async (t) => {
  const events: PathProgress[] = [];
  const onProgress = (event: PathProgress) => void events.push(event);
  await regularizationPath(x, y, [0.01, 0.1], exact, { onProgress });
  t.match(events[0], { beta: 0.1, point: 0, points: 2, iteration: Number, gap: Number });
  t.match(events.at(-1), { beta: 0.01, point: 1, points: 2 });
});

t.test('the path so far of a run that is stopped', async (t) => {
  const endless = { gates: 20, refine: false, tolerance: 1e-15, maxIterations: 1e8 } as const;
  const stopAt = (point: number) => {
    const controller = new AbortController();
    const onProgress = (event: PathProgress) => {
      if (event.point === point) controller.abort('enough');
    };
    return { signal: controller.signal, onProgress };
  };
  const fail = async (run: Promise<unknown>) => {
    const error = await run.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof AbortError)) throw error;
    return error;
  };
  const first = await fail(regularizationPath(x, y, [1, 2], endless, stopAt(0)));
  t.equal(first.cause, 'enough');
  t.match(first.partial, {
    status: 'aborted',
    points: [{ beta: 2, report: { status: 'aborted' } }],
  });
  const quick = { gates: 20, refine: false, tolerance: 0.5, checkEvery: 1 } as const;
  const later = await fail(regularizationPath(x, y, [1, 2, 0.5], quick, stopAt(1)));
  const { points } = later.partial as RegularizationPath;
  t.ok(points.length >= 1 && points.length <= 2, 'what was done');
  t.ok(points.every(({ network }) => network.predict(x).rows === x.rows));

  const before = await fail(regularizationPath(x, y, [1], quick, { signal: AbortSignal.abort() }));
  t.notOk('partial' in before);

  const limited = await regularizationPath(x, y, [1, 2, 3], endless, { timeLimit: 0.05 });
  t.equal(limited.status, 'time_limit');
  t.equal(limited.points.length, 1);
  t.equal(limited.points[0]!.beta, 3);
  t.equal(regularizationPathSync(x, y, [1, 2], quick, { timeLimit: 0 }).points.length, 1);
});

t.test('inputs may be changed once the call is made', async (t) => {
  const own = { ...x, data: x.data.slice() };
  const going = regularizationPath(own, y, [0.1, 0.01], exact);
  own.data.fill(Number.NaN);
  t.same(
    (await going).points.map(facts),
    regularizationPathSync(x, y, [0.1, 0.01], exact).points.map(facts),
  );
});

t.test('what is refused', async (t) => {
  const wrong: [unknown, string][] = [
    [[], 'betas'],
    [[1, 1], 'betas'],
    [[1, -1], 'betas'],
    [[1, Number.NaN], 'betas'],
    ['many', 'betas'],
    [7, 'betas'],
    [{ count: 1 }, 'betas.count'],
    [{ count: 2.5 }, 'betas.count'],
    [{ ratio: 1 }, 'betas.ratio'],
    [{ ratio: 0 }, 'betas.ratio'],
    [{ counts: 3 }, 'betas.counts'],
  ];
  for (const [betas, argument] of wrong) {
    const call = regularizationPath(x, y, betas as number[], exact);
    await t.rejects(call, { code: 'ERR_INVALID_ARGUMENT', argument });
  }
  const bad = { code: 'ERR_INVALID_ARGUMENT' };
  await t.rejects(regularizationPath(x, y, [1], exact, { threads: -1 }), bad);
  await t.rejects(regularizationPath(x, y, [1], { betas: 3 } as never), bad);
  await t.rejects(maximumBeta(x, y, exact, { threads: -1 }), bad);
  t.throws(() => maximumBetaSync([[1]], [1, 2]), { code: 'ERR_DIMENSION_MISMATCH' });
  t.ok(toRows(x).length === x.rows);
});
