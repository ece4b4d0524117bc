// Many jobs, at the worst of times. Each test is bounded; the whole file takes well under a minute.
import { execFile, spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AbortError, type RunOptions } from 'secondorder';
import t from 'tap';
import { runJob } from '../dist/run.js';
import { ending, env, fixture, inTime, startWorker, twoAtATime } from './fixtures/processes';
import { native, same } from './fixtures/self-test';

const gemm = { size: 192, seconds: 60, precision: 'float32' } as const;
const output = async (...args: string[]) =>
  (await promisify(execFile)(process.execPath, args, { env, timeout: 10_000 })).stdout;

const startGemm = (options: RunOptions, seconds = 60) =>
  runJob(native.measureGemm, { ...gemm, seconds }, options, same);
const startWaiting = (options: RunOptions, seconds = 60) =>
  runJob(native.selfTest, { seconds, pause: 0.001 }, options, same);

t.test('process.exit in the middle of jobs, 20 times', async (t) => {
  const ways = ['timer', 'timer', 'progress', 'sync'];
  const runs = Array.from({ length: 20 }, (_, i) => {
    const way = String(ways[i % ways.length]);
    return () => ending('exit-mid-job.js', way, String(1 + 4 * i));
  });
  for (const [i, end] of (await twoAtATime(runs)).entries()) {
    t.strictSame(end, { code: 7, signal: null }, `${ways[i % ways.length]}, run ${i}`);
  }
});

t.test('an uncaught exception in the middle of a job', async (t) => {
  t.strictSame(await ending('uncaught.js'), { code: 1, signal: null });
});

t.test('a pending job keeps the process alive until it is done', async (t) => {
  t.equal(await output(fixture('natural-exit.js')), 'done true\n');
});

t.test('workers terminated in the middle of jobs, 20 times', async (t) => {
  for (let i = 0; i < 20; i++) {
    const mode = i % 4 === 3 ? 'sync' : 'async';
    const worker = startWorker('worker.js', { mode, watched: i % 8 === 3 });
    await once(worker, 'message');
    await sleep(2 * i);
    const code = await inTime(worker.terminate(), `terminating a worker (${mode})`);
    t.equal(code, 1, `${mode}, run ${i}`);
  }
});

t.test('process.exit in a worker in the middle of jobs', async (t) => {
  const workers = Array.from({ length: 4 }, () => startWorker('worker.js', { mode: 'exit' }));
  const exits = Promise.all(workers.map((worker) => once(worker, 'exit')));
  t.strictSame(await inTime(exits, 'leaving workers'), [[3], [3], [3], [3]]);
});

t.test('jobs in several workers and here at the same time', async (t) => {
  const workers = Array.from({ length: 4 }, (_, value) =>
    startWorker('worker.js', { mode: 'finish', value }),
  );
  const here = startWaiting({}, 0.1);
  const exits = Promise.all(workers.map((worker) => once(worker, 'exit')));
  const sums = await Promise.all(workers.map((worker) => once(worker, 'message')));
  t.strictSame(sums, [[0], [100], [200], [300]]);
  t.equal((await here).report.status, 'converged');
  await inTime(exits, 'ending workers');
});

t.test('50 child processes spawned during a job', async (t) => {
  const controller = new AbortController();
  const job = startGemm({ signal: controller.signal, threads: 2 });
  for (let i = 0; i < 50; i++) {
    const child = spawn('true', { stdio: 'ignore' });
    t.strictSame(await inTime(once(child, 'exit'), 'a child process'), [0, null]);
  }
  controller.abort();
  await t.rejects(inTime(job, 'the job'), { code: 'ERR_ABORTED' });
});

t.test('an abort takes effect at once', async (t) => {
  const latencies: number[] = [];
  for (let i = 0; i < 20; i++) {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const job: Promise<unknown> =
      i % 2 ? startWaiting(options) : startGemm({ ...options, threads: 2 });
    await sleep(5 + i);
    const start = performance.now();
    controller.abort();
    await t.rejects(job, { code: 'ERR_ABORTED' });
    latencies.push(performance.now() - start);
  }
  latencies.sort((a, b) => a - b);
  const [median, worst] = [Number(latencies[10]), Number(latencies[19])];
  t.comment(`abort latency: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`);
  t.ok(worst < 250, `worst ${worst.toFixed(1)} ms`);
});

t.test('8 jobs at once', async (t) => {
  const jobs = Array.from({ length: 8 }, () => startGemm({ threads: 1 }, 0.4));
  for (const { gigaflops } of await inTime(Promise.all(jobs), '8 jobs')) t.ok(gigaflops > 0);
});

t.test('abort storms', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(100, signal);
  const together = Array.from({ length: 100 }, () => startWaiting({ signal }));
  controller.abort();
  controller.abort();
  const apart = Array.from({ length: 200 }, (_, i) => {
    const own = new AbortController();
    const job = startWaiting({ signal: own.signal });
    if (i % 4 === 0) own.abort();
    else setTimeout(() => own.abort(), i % 50);
    return job;
  });
  const ends = await inTime(Promise.allSettled([...together, ...apart]), 'the storm');
  const aborted = ends.filter(
    (end) => end.status === 'rejected' && end.reason instanceof AbortError,
  );
  t.equal(aborted.length, 300);
});

t.test('many throwing callbacks', async (t) => {
  const jobs = Array.from({ length: 50 }, (_, i) => {
    const onProgress = () => {
      throw i;
    };
    return startWaiting({ onProgress });
  });
  const ends = await inTime(Promise.allSettled(jobs), 'the jobs');
  const reasons = ends.map((end) => (end.status === 'rejected' ? end.reason : 'resolved'));
  t.strictSame(
    reasons,
    Array.from({ length: 50 }, (_, i) => i),
  );
});

t.test('a flood of reports gives few events', async (t) => {
  const iterations: number[] = [];
  const spec = { size: 4, seconds: 1, precision: 'float64' } as const;
  const onProgress = (event: { iteration: number }) => iterations.push(event.iteration);
  await runJob(native.measureGemm, spec, { threads: 1, onProgress }, same);
  const reports = Number(iterations.at(-1));
  t.ok(reports > 10_000, `${reports} reports`);
  t.ok(iterations.length >= 5 && iterations.length <= 23, `${iterations.length} events`);
  t.ok(
    iterations.every((value, i) => i === 0 || value > Number(iterations[i - 1])),
    'each newer than the one before',
  );
});

t.test('a blocked event loop does not pile up events', async (t) => {
  let events = 0;
  const job = startWaiting({ onProgress: () => events++ }, 0.4);
  await sleep(60);
  const before = events;
  const end = performance.now() + 250;
  while (performance.now() < end);
  await sleep(1);
  t.ok(events - before <= 3, `${events - before} events after the pause`);
  await job;
});

t.test('700 jobs leave no memory behind', async (t) => {
  const growth = Number(await output('--expose-gc', fixture('leak.js')));
  t.comment(`resident memory after 500 more jobs of 1 MB each: ${growth} MB more`);
  t.ok(growth < 24, `${growth} MB`);
});
