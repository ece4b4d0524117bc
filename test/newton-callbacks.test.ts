// Functions of a problem that misbehave: each ends as it should, with the best iterate so far.

import {
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
