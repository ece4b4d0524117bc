// Runs that are watched and stopped: each tells how far it came.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortError,
  type MinimizeProgress,
  type MinimizeRunOptions,
  minimize,
  minimizeSync,
} from 'secondorder';
import t from 'tap';
import { endless, unlimited } from './fixtures/endless.js';
import { failure, hs79, PARTS, wrapped } from './fixtures/misbehaving';
import { findProblem } from './problems';

const forms = [
  ['sync', minimizeSync],
  ['async', minimize],
] as const;

t.test('limits', async (t) => {
  for (const [form, solve] of forms) {
    const few = await solve(hs79(), { maxIterations: 2 });
    t.match(few, { status: 'iteration_limit', iterations: 2, history: { length: 3 } }, form);
    const none = await solve(hs79(), { maxIterations: 0 });
    t.match(none, { status: 'iteration_limit', iterations: 0, x: hs79().x0 }, form);
    const late = await solve(endless(1), unlimited, { timeLimit: 0.2 });
    t.equal(late.status, 'time_limit', form);
    t.ok(late.seconds >= 0.2, `${late.seconds} s`);
    t.equal((await solve(hs79(), {}, { timeLimit: 0 })).status, 'time_limit');
  }
});

t.test('progress', async (t) => {
  for (const [form, solve] of forms) {
    const events: MinimizeProgress[] = [];
    const result = await solve(
      endless(2),
      { maxIterations: 120 },
      { onProgress: (e) => events.push(e) },
    );
    t.ok(events.length >= 3 && events.length < 60, `${form}: ${events.length} events`);
    t.strictSame(events.at(-1), result.history.at(-1), 'the last one is the last iterate');
    for (const event of events) t.strictSame(event, result.history[event.iteration]);
    const own = new Error('own');
    const onProgress = () => {
      throw own;
    };
    t.equal(await failure(() => solve(endless(1), unlimited, { onProgress })), own, form);
  }
});

t.test('short runs have more iterates than events', async (t) => {
  for (const [form, solve] of forms) {
    const events: MinimizeProgress[] = [];
    const problem = findProblem('BT6').problem();
    const { history, iterations } = await solve(problem, {}, { onProgress: (e) => events.push(e) });
    t.ok(events.length > 0 && events.length < history.length, `${form}: ${events.length} events`);
    t.strictSame(events.at(-1), history.at(-1), 'the last iterate comes in any case');
    t.equal(history.length, iterations + 1, 'the history has them all');
  }
  const progressInterval = 0;
  const run = { progressInterval, onProgress: () => undefined } as MinimizeRunOptions;
  t.throws(() => minimizeSync(hs79(), {}, run), { code: 'ERR_INVALID_ARGUMENT' }, 'fixed');
});

t.test('the event loop goes on between evaluations', async (t) => {
  let ticks = 0;
  const clock = setInterval(() => ticks++, 1);
  const { evaluations, seconds } = await minimize(endless(3), { maxIterations: 150 });
  clearInterval(clock);
  t.comment(`${ticks} ticks in ${seconds.toFixed(2)} s`);
  t.ok(ticks > evaluations.objective / 4, `${ticks} ticks`);
});

t.test('aborts', async (t) => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const run = minimize(endless(1), unlimited, { signal: controller.signal });
  await sleep(100);
  controller.abort(reason);
  const error = await failure(() => run);
  if (!(error instanceof AbortError)) throw error;
  t.equal(error.cause, reason);
  t.match(error.partial, { status: 'aborted', x: Float64Array, message: /aborted/ });
  for (const [form, solve] of forms) {
    const { signal } = controller;
    const before = await failure(() => solve(endless(), unlimited, { signal }));
    t.match(before, { name: 'AbortError', cause: reason }, `${form}: aborted before`);
    t.notOk((before as AbortError).partial);
  }
  const within = new AbortController();
  const onProgress = () => within.abort(reason);
  const sync = await failure(() =>
    minimizeSync(endless(1), unlimited, { signal: within.signal, onProgress }),
  );
  t.match(sync, { name: 'AbortError', cause: reason, partial: { status: 'aborted' } });
});

t.test('aborts from within a function win over what it throws', async (t) => {
  for (const [form, solve] of forms) {
    for (const part of PARTS) {
      const controller = new AbortController();
      const { signal } = controller;
      const problem = wrapped(part, () => {
        controller.abort(part);
        throw new Error('on the way out');
      });
      const error = await failure(() => solve(problem, {}, { signal }));
      t.match(error, { name: 'AbortError', cause: part }, `${form}, ${part}`);
      t.ok((error as AbortError).partial, `${form}, ${part}: with the iterate`);
    }
  }
});
