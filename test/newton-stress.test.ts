// Runs whose functions are JavaScript, at the worst of times: no hang, no crash, no memory left.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AbortError, constrainedLogisticRegression, minimize, pdeControl } from 'secondorder';
import t from 'tap';
import { endless, unlimited } from './fixtures/endless.js';
import { ending, env, fixture, inTime, startWorker, twoAtATime } from './fixtures/processes';
import { findProblem } from './problems';

t.test('a process that ends in the midst of runs', async (t) => {
  const ways = [
    ['async', 'function', 7],
    ['async', 'timer', 7],
    ['sync', 'function', 7],
    ['async', 'throw', 1],
  ] as const;
  const runs = Array.from({ length: 24 }, (_, i) => {
    const [form, from] = ways[i % ways.length]!;
    return () => ending('newton-exit.js', form, from, String(1 + 5 * i));
  });
  for (const [i, end] of (await twoAtATime(runs)).entries()) {
    const [form, from, code] = ways[i % ways.length]!;
    t.strictSame(end, { code, signal: null }, `${form}, ${from}, run ${i}`);
  }
});

t.test('workers terminated in the midst of runs', async (t) => {
  const modes = ['async', 'busy', 'sync', 'async'];
  for (let i = 0; i < 24; i++) {
    const mode = modes[i % modes.length];
    const worker = startWorker('newton-worker.js', { mode });
    await once(worker, 'message');
    await sleep(3 * i);
    const start = performance.now();
    const code = await inTime(worker.terminate(), `terminating a worker (${mode})`);
    t.equal(code, 1, `${mode}, run ${i}, ${(performance.now() - start).toFixed(0)} ms`);
  }
});

t.test('workers that leave, and workers that finish', async (t) => {
  const leaving = ['exit', 'exit'].map((mode) => startWorker('newton-worker.js', { mode }));
  const exits = Promise.all(leaving.map((worker) => once(worker, 'exit')));
  t.strictSame(await inTime(exits, 'leaving workers'), [[3], [3]]);
  const finishing = Array.from({ length: 4 }, () =>
    startWorker('newton-worker.js', { mode: 'finish' }),
  );
  const here = minimize(endless(1), { maxIterations: 30 });
  const counts = finishing.map(async (worker) => {
    const messages: unknown[] = [];
    worker.on('message', (message) => messages.push(message));
    await once(worker, 'exit');
    return messages;
  });
  t.strictSame(
    await inTime(Promise.all(counts), 'workers'),
    Array.from(finishing, () => ['started', 30]),
  );
  t.equal((await here).iterations, 30);
});

t.test('an abort takes effect at once', async (t) => {
  const x = Array.from({ length: 20_000 }, (_, i) =>
    Float64Array.from({ length: 100 }, (_, j) => Math.sin(i * 0.7 + j * j)),
  );
  const y = x.map((_, i) => (i % 3 === 0 ? 1 : -1));
  const problems = {
    'quick functions': () => endless(),
    'slow functions': () => endless(5),
    'logistic regression': () => constrainedLogisticRegression({ x, y, weightDecay: 1e-3 }),
    'a grid': () => pdeControl({ grid: 150 }),
  };
  for (const [name, problem] of Object.entries(problems)) {
    const latencies: number[] = [];
    for (let i = 0; i < 8; i++) {
      const controller = new AbortController();
      const { signal } = controller;
      const run = minimize(problem(), { ...unlimited, tolerance: 1e-300 }, { signal });
      const end = run.then(
        ({ status }) => status, // the best that rounding allows
        (error) => error instanceof AbortError && error.partial,
      );
      await sleep(10 + 15 * i);
      const start = performance.now();
      controller.abort();
      t.ok(await inTime(end, name));
      latencies.push(performance.now() - start);
    }
    latencies.sort((a, b) => a - b);
    const [median, worst] = [Number(latencies[4]), Number(latencies[7])];
    t.comment(`${name}: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`);
    t.ok(median < 50 && worst < 250, `${name}: ${median.toFixed(1)} ms, ${worst.toFixed(1)} ms`);
  }
});

t.test('an abort storm', async (t) => {
  const { x } = await minimize(findProblem('HS79').problem());
  const runs = Array.from({ length: 150 }, async (_, i) => {
    if (i % 5 === 0) return minimize(findProblem('HS79').problem());
    const controller = new AbortController();
    const run = minimize(endless(0.1), unlimited, { signal: controller.signal });
    if (i % 5 === 1) controller.abort();
    else setTimeout(() => controller.abort(), i);
    return run;
  });
  const ends = await inTime(Promise.allSettled(runs), 'the storm');
  for (const [i, end] of ends.entries()) {
    if (end.status === 'fulfilled') t.strictSame(end.value.x, x);
    else t.ok(i % 5 !== 0 && end.reason instanceof AbortError);
  }
});

t.test('runs leave no memory behind', async (t) => {
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const options = { env: { ...env, MALLOC_ARENA_MAX: '2' }, timeout: 120_000 };
  const child = promisify(execFile)(
    process.execPath,
    [...flags, fixture('newton-leak.js')],
    options,
  );
  const { growth, ...ends } = JSON.parse((await child).stdout);
  t.comment(`resident memory: ${growth.toFixed(1)} MB more`);
  t.strictSame(ends, { resolved: 840, aborted: 120, failed: 240 });
  t.ok(growth < 15, `${growth} MB`);
});
