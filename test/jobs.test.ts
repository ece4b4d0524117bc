// One job at a time: what it takes, what it tells, how it ends.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError, type Progress, type RunOptions, SecondOrderError } from 'secondorder';
import t from 'tap';
import { runJob, runSync } from '../dist/run.js';
import { native, type SelfTestResult, type SelfTestSpec, same } from './fixtures/self-test';

const quick: SelfTestSpec = { seconds: 0.02, pause: 0.001 };
const long: SelfTestSpec = { seconds: 30, pause: 0.001 };

function start(spec: SelfTestSpec, options?: RunOptions): Promise<SelfTestResult> {
  return runJob(native.selfTest, spec, options, same);
}

function startSync(spec: SelfTestSpec, options?: RunOptions): SelfTestResult {
  return runSync(native.selfTestSync, spec, options, same);
}

/** What the promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('resolved');
}

t.test('a job gives its result', async (t) => {
  const result = await start({ ...quick, values: new Float64Array([1, 2, 3.5]) });
  t.equal(result.sum, 6.5);
  t.equal(result.report.status, 'converged');
});

t.test('a job does not block the event loop', async (t) => {
  const controller = new AbortController();
  let settled = false;
  const job = start(long, { signal: controller.signal }).finally(() => {
    settled = true;
  });
  for (let i = 0; i < 5; i++) await sleep(1);
  t.notOk(settled, 'timers fire while it runs');
  controller.abort();
  await t.rejects(job, AbortError);
});

t.test('the synchronous form gives the same', async (t) => {
  const result = startSync({ ...quick, values: new Float32Array([1, 2, 3.5]) });
  t.equal(result.sum, 6.5);
  t.equal(result.report.status, 'converged');
});

t.test('a time limit ends a run with its result', async (t) => {
  const result = await start(long, { timeLimit: 0.03 });
  t.equal(result.report.status, 'time_limit');
  t.equal(startSync(long, { timeLimit: 0.03 }).report.status, 'time_limit');
  t.equal((await start(quick, { timeLimit: Number.POSITIVE_INFINITY })).report.status, 'converged');
});

t.test('native exceptions become typed errors', async (t) => {
  const codes = {
    error: { code: 'ERR_NUMERICAL', argument: 'fail' },
    memory: { code: 'ERR_OUT_OF_MEMORY' },
    exception: { code: 'ERR_INTERNAL', message: 'The self-test throws as asked' },
    unknown: { code: 'ERR_INTERNAL' },
  } as const;
  for (const fail of ['error', 'memory', 'exception', 'unknown'] as const) {
    const error = await rejection(start({ ...quick, fail }));
    t.type(error, SecondOrderError);
    t.match(error, { name: 'SecondOrderError', ...codes[fail] });
    t.throws(() => startSync({ ...quick, fail }), codes[fail]);
  }
  const size = 3_000_000;
  t.match(
    await rejection(
      runJob(native.measureGemm, { size, seconds: 1, precision: 'float64' }, {}, same),
    ),
    { code: 'ERR_OUT_OF_MEMORY', argument: 'size', message: /need \d+ MB; \d+ MB are available/ },
  );
});

t.test('bad entries of a spec are named, with what they take and what they got', async (t) => {
  const run = (spec: object) => start({ ...quick, ...spec } as SelfTestSpec);
  const cases: [object, string, RegExp][] = [
    [{ seconds: -1 }, 'seconds', /of at least 0, got -1$/],
    [{ seconds: Number.NaN }, 'seconds', /got NaN$/],
    [{ seconds: '1' }, 'seconds', /got '1'$/],
    [{ fail: 'often' }, 'fail', /'error' or 'memory' or 'exception' or 'unknown', got 'often'$/],
    [{ fail: 3 }, 'fail', /got 3$/],
    [{ values: new Int32Array(2) }, 'values', /Float32Array or Float64Array, got an Int32Array$/],
    [{ values: [1, 2] }, 'values', /got an array$/],
    [{ values: new ArrayBuffer(8) }, 'values', /got an object$/],
  ];
  for (const [spec, argument, message] of cases) {
    t.match(await rejection(run(spec)), { code: 'ERR_INVALID_ARGUMENT', argument, message });
  }
  const gone = new Float64Array(4);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  t.match(await rejection(run({ values: gone })), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'values',
    message: /transferred/,
  });
});

t.test('bad run options are refused before anything starts', async (t) => {
  const cases: [object, string][] = [
    [{ signal: {} }, 'run.signal'],
    [{ onProgress: 3 }, 'run.onProgress'],
    [{ threads: 0 }, 'run.threads'],
    [{ threads: 1.5 }, 'run.threads'],
    [{ timeLimit: -1 }, 'run.timeLimit'],
    [{ timeLimit: '3' }, 'run.timeLimit'],
    [{ onprogress: () => {} }, 'run.onprogress'],
  ];
  for (const [options, argument] of cases) {
    const expected = { code: 'ERR_INVALID_ARGUMENT', argument };
    t.match(await rejection(start(long, options as RunOptions)), expected);
    t.throws(() => startSync(long, options as RunOptions), expected);
  }
});

t.test('a signal that is already aborted: nothing is started', async (t) => {
  const reason = new Error('too late');
  let started = 0;
  const selfTest: typeof native.selfTest = (spec, run) => {
    started++;
    return native.selfTest(spec, run);
  };
  const signal = AbortSignal.abort(reason);
  const error = await rejection(runJob(selfTest, long, { signal }, same));
  t.type(error, AbortError);
  t.match(error, { name: 'AbortError', code: 'ERR_ABORTED' });
  t.equal((error as AbortError).cause, reason);
  t.notOk('partial' in (error as AbortError));
  t.equal(started, 0);
  t.throws(() => startSync(long, { signal }), { code: 'ERR_ABORTED' });
});

t.test('an abort rejects with the reason and the partial result', async (t) => {
  const controller = new AbortController();
  const finish = (result: SelfTestResult) => ({ steps: result.report.iterations });
  const promise = runJob(native.selfTest, long, { signal: controller.signal }, finish);
  await sleep(30);
  controller.abort('enough');
  const error = await rejection(promise);
  t.type(error, AbortError);
  t.type(error, SecondOrderError);
  const { name, code, cause, partial } = error as AbortError<{ steps: number }>;
  t.strictSame([name, code, cause], ['AbortError', 'ERR_ABORTED', 'enough']);
  t.ok(partial !== undefined && partial.steps > 0, 'the partial result is the public one');
});

t.test('an abort after the end changes nothing, and leaves no listener', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  const result = await start(quick, { signal });
  controller.abort();
  t.equal(result.report.status, 'converged');
  await start(quick, { signal: AbortSignal.timeout(10_000) });
  t.equal(listeners, 0);
});

t.test('a run without a status has no partial result', async (t) => {
  const controller = new AbortController();
  const spec = { size: 64, seconds: 30, precision: 'float32' } as const;
  const promise = runJob(native.measureGemm, spec, { signal: controller.signal, threads: 1 }, same);
  setTimeout(() => controller.abort(), 20);
  const error = await rejection(promise);
  t.match(error, { code: 'ERR_ABORTED', cause: { name: 'AbortError' } });
  t.notOk('partial' in (error as AbortError));
});

t.test('a synchronous run is aborted from within onProgress', async (t) => {
  const controller = new AbortController();
  const onProgress = () => controller.abort('inside');
  try {
    startSync(long, { signal: controller.signal, onProgress });
    t.fail('it returned');
  } catch (error) {
    t.match(error, { code: 'ERR_ABORTED', cause: 'inside' });
    t.match((error as AbortError).partial, { report: { status: 'aborted' } });
  }
});

t.test('onProgress gets numbers by name, and the last state before the end', async (t) => {
  const events: Progress[] = [];
  const onProgress = (event: Progress) => events.push(event);
  const { report } = await start({ seconds: 0.5, pause: 0.001 }, { onProgress });
  t.ok(events.length >= 2 && events.length <= 12, `${events.length} events, 50 ms apart`);
  t.equal(events.at(-1)?.iteration, report.iterations);
  t.type(events.at(-1)?.seconds, 'number');
  events.length = 0;
  const direct = startSync({ seconds: 0.04, pause: 0.001 }, { onProgress });
  t.equal(events.at(-1)?.iteration, direct.report.iterations);
});

t.test('a throwing onProgress stops the run, which fails with what was thrown', async (t) => {
  const thrown = [
    new Error('mine'),
    Object.assign(new Error('x'), { code: 'ERR_FORMAT' }),
    7,
    null,
  ];
  for (const value of thrown) {
    const onProgress = () => {
      throw value;
    };
    t.equal(await rejection(start(long, { onProgress })), value);
    try {
      startSync(long, { onProgress });
      t.fail('it returned');
    } catch (error) {
      t.equal(error, value);
    }
  }
  const late = ({ seconds }: Progress) => {
    if (Number(seconds) >= 0.02) throw new Error('late');
  };
  const last = start(quick, { onProgress: late });
  t.match(await rejection(last), { message: 'late' }, 'also in the last event');
});

t.test('onProgress runs in the async context of the call', async (t) => {
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const onProgress = () => seen.push(storage.getStore());
  await storage.run('request 1', () => start(quick, { onProgress }));
  t.ok(seen.length > 0 && seen.every((value) => value === 'request 1'), `${seen}`);
});

t.test('inputs are copied before the call returns', async (t) => {
  const values = new Float64Array(1000).fill(1);
  const overwritten = start({ ...quick, values });
  values.fill(5);
  t.equal((await overwritten).sum, 1000);
  const transferred = start({ ...quick, values });
  const moved = structuredClone(values.buffer, { transfer: [values.buffer] });
  t.equal(values.length, 0);
  new Float64Array(moved).fill(Number.NaN);
  t.equal((await transferred).sum, 5000);
});

t.test('part of a buffer is read as part of it', async (t) => {
  const values = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  t.equal(startSync({ ...quick, values }).sum, 3);
  t.equal(startSync({ ...quick, values: new Float64Array(0) }).sum, 0);
});

t.test('shared memory is used in place', async (t) => {
  const values = new Float64Array(new SharedArrayBuffer(80));
  const promise = start({ seconds: 0.2, pause: 0.001, values });
  values.fill(2);
  t.equal((await promise).sum, 20);
});

t.test('findNonFinite gives the first NaN or infinity', async (t) => {
  for (const Floats of [Float32Array, Float64Array]) {
    const values = new Floats(Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 1e30));
    t.equal(native.findNonFinite(values), -1);
    for (const at of [999, 600, 256, 255, 0]) {
      values[at] = at % 2 === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
      t.equal(native.findNonFinite(values), at);
      t.equal(native.findNonFinite(values.subarray(at)), 0);
      t.equal(native.findNonFinite(values.subarray(0, at)), -1);
    }
  }
  t.throws(() => native.findNonFinite([1] as unknown as Float64Array), {
    code: 'ERR_INVALID_ARGUMENT',
  });
});

t.test('the machine is described and measured', async (t) => {
  const { core, config, threads } = native.blasInfo();
  t.match(core, /^\w+$/);
  t.match(config, /^OpenBLAS 0\./);
  t.equal(threads, 1, 'OpenBLAS starts no threads of its own');
  const cpu = native.cpuInfo();
  t.match(cpu.kernels, /^(portable|avx2|avx512)$/);
  t.ok(Number.isInteger(cpu.threads) && cpu.threads >= 1);
  for (const precision of ['float32', 'float64'] as const) {
    const spec = { size: 128, seconds: 0.1, precision };
    const { gigaflops } = await runJob(native.measureGemm, spec, { threads: 1 }, same);
    t.ok(gigaflops > 0.1 && gigaflops < 1e5, `${precision}: ${gigaflops.toFixed(1)} GF/s`);
  }
});
