// Functions of a problem that misbehave: each ends as it should, with the best iterate so far.

import {
  type AbortError,
  checkDerivatives,
  checkDerivativesAsync,
  EvaluationError,
  minimize,
  minimizeSync,
  type Problem as NewtonProblem,
} from 'secondorder';
import t, { type Test } from 'tap';
import { residuals } from './fixtures/kkt';
import { failure, hs79, PARTS, type Part, throwing, wrapped } from './fixtures/misbehaving';
import { findProblem, type Problem } from './problems';

/** Asserts a failure of an evaluation that carries the best iterate. */
function checkEvaluation(t: Test, error: unknown, name: string): EvaluationError {
  if (!(error instanceof EvaluationError)) throw error;
  t.match(error, { name: 'EvaluationError', code: 'ERR_EVALUATION' }, name);
  const { partial } = error;
  t.equal(partial?.status, 'evaluation_error', name);
  t.equal(partial?.message, error.message, name);
  t.ok(partial?.x.every(Number.isFinite) && partial.lambda.every(Number.isFinite), name);
  return error;
}

const forms = [
  ['sync', minimizeSync],
  ['async', minimize],
] as const;

t.test('functions that throw', async (t) => {
  for (const [form, solve] of forms) {
    for (const part of PARTS) {
      for (const at of [0, 1, 2]) {
        const cause = new TypeError(`${part} ${at}`);
        const name = `${form}: ${part}, call ${at}`;
        const error = checkEvaluation(
          t,
          await failure(() => solve(throwing(part, at, cause))),
          name,
        );
        t.equal(error.cause, cause, `${name}: the original is the cause`);
        const place = ['jacobian', 'hessian'].includes(part) ? `${part}.values` : part;
        t.equal(error.message, `problem.${place} threw: ${part} ${at}`);
        t.ok(at > 0 || !error.partial || error.partial.iterations === 0);
      }
    }
    const late = checkEvaluation(
      t,
      await failure(() => solve(throwing('hessian', 3, 'late'))),
      form,
    );
    const { x, lambda, stationarity, infeasibility, objective, history } = late.partial!;
    const actual = residuals(hs79(), x, lambda);
    t.ok(Math.abs(actual.objective - objective) <= 1e-12, `${form}: the iterate is what it says`);
    t.ok(
      Math.abs(actual.stationarity - stationarity) <= 1e-12 &&
        actual.infeasibility === infeasibility,
    );
    t.equal(
      Math.min(...history.map(({ scaledKkt }) => scaledKkt)),
      late.partial!.scaledKkt,
      'and the best',
    );
  }
});

t.test('what is thrown may be anything', async (t) => {
  const values = [undefined, null, 0, 'text', Symbol('s'), 5n, {}, [], () => {}, Number.NaN];
  const hostile = new Proxy(new Error('hidden'), {
    get: () => {
      throw new Error('trap');
    },
  });
  for (const value of [...values, hostile]) {
    for (const [form, solve] of forms) {
      const error = await failure(() => solve(throwing('constraint', 1, value)));
      checkEvaluation(t, error, form);
      t.ok(Object.is((error as Error).cause, value), 'the very value');
    }
  }
});

t.test('answers of the wrong kind', async (t) => {
  const answer = (part: Part, value: unknown): Problem => wrapped(part, () => value);
  for (const [form, solve] of forms) {
    for (const [value, got] of [
      ['5', "'5'"],
      [undefined, 'undefined'],
      [null, 'null'],
      [{}, 'an object'],
      [Promise.resolve(1), 'an object'],
      [5n, 'a value of another type'],
    ]) {
      const error = checkEvaluation(
        t,
        await failure(() => solve(answer('objective', value))),
        form,
      );
      t.equal(error.message, `problem.objective must return a number, got ${got}`);
      t.notOk('cause' in error, 'nothing was thrown');
    }
    for (const part of PARTS.slice(1)) {
      const error = await failure(() => solve(answer(part, Promise.resolve())));
      t.match(checkEvaluation(t, error, form).message, /must be synchronous, got a promise/);
    }
    const boxed = hs79();
    const result = await solve({ ...boxed, gradient: (x, out) => [boxed.gradient(x, out)] });
    t.equal(result.status, 'converged', 'other answers do not count');
    const written = minimizeSync({ ...boxed, gradient: (x, out) => boxed.gradient(x, out) ?? out });
    t.strictSame(written.x, result.x, 'nor does the output itself');
    for (const array of [[1, 2], Float64Array.of(1, 2), [[1, 2]], Float32Array.of(0, 1)]) {
      for (const part of PARTS.slice(1)) {
        const error = checkEvaluation(t, await failure(() => solve(answer(part, array))), form);
        t.match(error.message, /must write its values into its last argument, not return an array/);
      }
    }
    for (const array of [[0, 0], [], new Array(2 ** 32 - 1), ['a']]) {
      t.type((await solve(answer('gradient', array))).status, 'string', 'zeros in either way');
    }
    const { hessian, ...curved } = boxed;
    const values = (_x: Float64Array, _s: number, _l: Float64Array, out: Float64Array) =>
      out.fill(1, 1, 2); // in the upper triangle, which doesn't count
    t.type((await solve({ ...curved, hessian: { values } })).status, 'string');
  }
});

t.test('values that are not finite', async (t) => {
  const domain: NewtonProblem = {
    variables: 1,
    constraints: 0,
    x0: [5],
    objective: ([x = 0]) => x - Math.log(x), // NaN where x < 0, which the first step tries
    gradient: ([x = 0], out) => out.fill(x > 0 ? 1 - 1 / x : Number.NaN),
    hessian: { values: ([x = 0], sigma, _, out) => out.fill(sigma / x ** 2) },
  };
  for (const [form, solve] of forms) {
    const { status, x, history } = await solve(domain);
    t.equal(status, 'converged', `${form}: the line search backs off`);
    t.ok(Math.abs(x[0]! - 1) < 1e-6 && history[1]!.step < 1);
    for (const part of PARTS.slice(0, 4)) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const bad = wrapped(part, (_, args) => {
          if (part !== 'objective') (args.at(-1) as Float64Array).fill(value);
          return value;
        });
        const result = await solve(bad);
        t.equal(result.status, 'evaluation_error', `${form}, ${part} is ${value} at x0`);
        t.match(result.message, new RegExp(`At x0 .*${part}.* is(n't)?`, 'i'));
        t.same(result.x, bad.x0);
      }
    }
    const curved = wrapped('hessian', (_, args) => (args.at(-1) as Float64Array).fill(Number.NaN));
    t.match(await solve(curved), { status: 'evaluation_error', message: /Hessian .* finite/ });
  }
});

t.test('arguments that are changed, kept or given away', async (t) => {
  const expected = minimizeSync(hs79());
  const detach = (array: Float64Array) => structuredClone(array, { transfer: [array.buffer] });
  for (const [form, solve] of forms) {
    for (const part of PARTS) {
      const inputs = part === 'hessian' ? [0, 2] : [0];
      const change = (how: (array: Float64Array) => unknown) =>
        wrapped(part, (call, args) => {
          const answer = call();
          for (const i of inputs) how(args[i] as Float64Array);
          return answer;
        });
      for (const how of [(array: Float64Array) => array.fill(Number.NaN), detach]) {
        const { x, iterations } = await solve(change(how));
        t.strictSame([x, iterations], [expected.x, expected.iterations], `${form}, ${part}`);
      }
      if (part === 'objective') continue;
      const outless = wrapped(part, (_, args) => detach(args.at(-1) as Float64Array));
      const error = checkEvaluation(t, await failure(() => solve(outless)), form);
      t.match(error.message, /has given away the buffer of its output/);
      // Nothing is written: zeros, the same at every call.
      t.type((await solve(wrapped(part, () => undefined))).status, 'string');
    }
    const dense = {
      ...hs79(),
      hessian: {
        values: (_x: Float64Array, _s: number, _l: Float64Array, out: Float64Array) => detach(out),
      },
    };
    t.match(await failure(() => solve(dense)), { code: 'ERR_EVALUATION', message: /buffer/ });
  }
});

t.test('runs within runs', async (t) => {
  const expected = minimizeSync(hs79());
  let inner = 0;
  const nested = wrapped('constraint', (call) => {
    inner += minimizeSync(findProblem('HS7').problem()).iterations;
    return call();
  });
  for (const [, solve] of forms) t.strictSame((await solve(nested)).x, expected.x);
  t.ok(inner > 0);
  const started: Promise<unknown>[] = [];
  const starting = wrapped('gradient', (call) => {
    started.push(minimize(hs79()));
    return call();
  });
  t.strictSame(minimizeSync(starting).x, expected.x);
  for (const result of await Promise.all(started)) t.match(result, { x: expected.x });
  const failing = wrapped('objective', () => minimizeSync(throwing('objective', 0, 'inner')));
  const error = checkEvaluation(t, await failure(() => minimizeSync(failing)), 'nested');
  t.equal((error.cause as Error).cause as string, 'inner');
});

t.test('many at once', async (t) => {
  const expected = minimizeSync(hs79()).x;
  const ends = await Promise.allSettled(
    Array.from({ length: 30 }, (_, i) =>
      i % 3 === 0 ? minimize(throwing('gradient', i % 4, i)) : minimize(hs79()),
    ),
  );
  for (const [i, end] of ends.entries()) {
    if (end.status === 'fulfilled') t.strictSame(end.value.x, expected);
    else t.equal(end.reason.cause, i);
  }
});

t.test('checks of derivatives', async (t) => {
  const cause = new Error('as planned');
  for (const part of PARTS) {
    for (const check of [checkDerivatives, checkDerivativesAsync]) {
      const error = await failure(() => check(throwing(part, 0, cause)));
      t.match(error, { name: 'EvaluationError', code: 'ERR_EVALUATION', cause });
      t.notOk('partial' in (error as object));
    }
  }
  const controller = new AbortController();
  let calls = 0;
  const slow = wrapped('objective', (call) => {
    if (++calls === 2) controller.abort('why');
    return call();
  });
  const { signal } = controller;
  t.match(await failure(() => checkDerivativesAsync(slow, undefined, {}, { signal })), {
    name: 'AbortError',
    cause: 'why',
  });
  t.ok(calls < 6, 'it stops');
});

t.test('a synchronous run stops with its signal, at the next call', async (t) => {
  const reason = new Error('enough');
  for (const part of PARTS) {
    const controller = new AbortController();
    const { signal } = controller;
    let late = 0;
    const problem = wrapped(part, (call) => {
      if (signal.aborted) late++;
      controller.abort(reason);
      return call();
    });
    const error = await failure(() => minimizeSync(problem, {}, { signal }));
    t.match(error, { name: 'AbortError', cause: reason, partial: { status: 'aborted' } }, part);
    t.equal((error as AbortError<{ message: string }>).partial?.message, 'The run was aborted');
    t.equal(late, 0, `${part} is not called again`);
  }
});

/** Without derivatives, each evaluation slow; `hook` is told of its number, from 1. */
function slow(hook: (call: number) => void): NewtonProblem {
  let calls = 0;
  const wait = () => {
    hook(++calls);
    const end = performance.now() + 2;
    while (performance.now() < end);
  };
  return {
    variables: 40,
    constraints: 1,
    x0: new Float64Array(40).fill(2),
    objective(x) {
      wait();
      return x.reduce((sum, value) => sum + value ** 4 - value, 0);
    },
    constraint(x, out) {
      wait();
      out[0] = x[0]! - 5;
    },
    jacobian: { rows: Int32Array.of(0), cols: Int32Array.of(0) },
  };
}

t.test('finite differences stop between evaluations', async (t) => {
  const options = { derivatives: 'finite-difference' } as const;
  let calls = 0;
  let [start, limit, late] = [0, 0, 0];
  const counted = slow(() => {
    if (performance.now() - start > 1000 * limit) late++;
  });
  for (const [form, solve] of forms) {
    const within = (timeLimit: number) => {
      [start, limit, late] = [performance.now(), timeLimit, 0];
      return solve(counted, options, { timeLimit });
    };
    const early = await within(0.05);
    t.match(early, { status: 'time_limit', objective: 560, infeasibility: 3 }, form);
    t.equal(early.stationarity, Number.POSITIVE_INFINITY, 'what was not evaluated is infinite');
    t.ok(late <= 2, `${form}: ${late} late calls`);
    const some = await within(1);
    t.equal(some.status, 'time_limit', form);
    t.ok(Number.isFinite(some.stationarity), 'figures of the iterate itself');
    t.ok(late <= 3, `${form}: ${late} late calls, not all the differences again`);
    calls = 0;
    const controller = new AbortController();
    const aborting = slow((call) => {
      calls = call;
      if (call === 3) controller.abort('why');
    });
    const { signal } = controller;
    const error = await failure(() => solve(aborting, options, { signal }));
    t.match(error, { name: 'AbortError', cause: 'why', partial: { objective: 560 } }, form);
    t.equal(calls, 3, `${form}: at the next one`);
  }
});

t.test('products that make up a Hessian stop between one another', async (t) => {
  let [products, stopAt] = [0, 0];
  const controller = new AbortController();
  const problem: NewtonProblem = {
    variables: 200,
    constraints: 0,
    x0: new Float64Array(200).fill(2),
    objective: (x) => x.reduce((sum, value) => sum + value ** 4, 0),
    gradient: (x, out) => out.set(x.map((value) => 4 * value ** 3)),
    hessian: {
      product: (x, sigma, _lambda, v, out) => {
        const end = performance.now() + 2;
        while (performance.now() < end);
        if (++products === stopAt) controller.abort('why');
        out.set(v.map((value, j) => 12 * sigma * x[j]! ** 2 * value));
      },
    },
  };
  for (const [form, solve] of forms) {
    products = 0;
    t.match(await solve(problem, {}, { timeLimit: 0.1 }), { status: 'time_limit' }, form);
    t.ok(products > 0 && products < 200, `${form}: ${products} products`);
  }
  [products, stopAt] = [0, 5];
  const { signal } = controller;
  const error = await failure(() => minimizeSync(problem, {}, { signal }));
  t.match(error, { name: 'AbortError', cause: 'why' });
  t.equal(products, 5);
});

t.test('what cannot be verified has not converged', async (t) => {
  const { evaluations } = minimizeSync(hs79());
  const last = evaluations.objective - 1;
  for (const [form, solve] of forms) {
    const error = await failure(() => solve(throwing('objective', last, 'at the end')));
    t.equal(checkEvaluation(t, error, form).cause, 'at the end');
    t.ok(Number.isFinite((error as EvaluationError).partial?.scaledKkt));
  }
});

t.test('a check of derivatives does not pass what it cannot compare', async (t) => {
  const point = [0.9, 1.1, 0.7, 1.2, 0.8];
  const nan = Number.NaN;
  const infinite = Number.POSITIVE_INFINITY;
  for (const value of [nan, infinite, -infinite]) {
    const blind = wrapped('objective', () => value);
    const report = checkDerivatives(blind, point);
    t.match(report, { gradientError: infinite, wrongEntries: 5, wrong: { length: 5 } });
    t.same(report.wrong[0]?.difference, nan);
    t.ok(report.jacobianError < 1e-7 && report.hessianError < 1e-7, 'the others are checked');
    const one = wrapped('constraint', (call, [, out]) => {
      call();
      (out as Float64Array)[1] = value;
    });
    t.match(checkDerivatives(one, point), { jacobianError: infinite, wrongEntries: 5 });
    const entry = wrapped('gradient', (call, [, out]) => {
      call();
      (out as Float64Array)[2] = value;
    });
    const { gradientError, wrong } = await checkDerivativesAsync(entry, point);
    t.equal(gradientError, infinite);
    t.ok(wrong.some(({ derivative, row }) => derivative === 'gradient' && row === 2));
    t.ok(wrong.some(({ derivative, row }) => derivative === 'hessian' && row === 2));
  }
  const huge = wrapped('objective', () => 1e308);
  t.equal(checkDerivatives(huge, point).gradientError, infinite, 'too large to tell');
});
