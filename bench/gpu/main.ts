// Everything measured on a GPU, as one JSON object. Usage: main.js --out FILE [--device cuda:0]
// [--data FOLDER] [--quick]; scripts/gpu carries it to a machine with a GPU and runs it there.
import fs from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { devices, doctor } from 'secondorder';
import { machineFacts } from '../machine';
import { checkSolvers } from './checks';
import type { GpuContext } from './context';
import { measureCrossover, measureIterations, measureRecording } from './iteration';
import { measureGpuKkt } from './kkt';
import { measureGpuMnist } from './mnist';
import { measurePasses, measureWindowCrossover } from './passes';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    device: { type: 'string', default: 'cuda:0' },
    data: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});

/** Goes on where one measurement fails: what a borrowed machine has shown by then is worth keeping. */
async function attempt<Result>(
  measure: () => Promise<Result> | Result,
): Promise<Result | { failure: string }> {
  try {
    return await measure();
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.error(failure);
    return { failure };
  }
}

async function main(): Promise<void> {
  const { out, quick } = values;
  if (out === undefined) throw new Error('--out FILE is missing');
  const gpu = devices().find(({ device }) => device === values.device);
  if (!gpu?.available || gpu.device === 'cpu') {
    throw new Error(`there is no ${values.device}: ${JSON.stringify(doctor().cuda)}`);
  }
  const cores = os.availableParallelism();
  const context: GpuContext = {
    device: gpu.device,
    quick,
    threads: cores,
    cpuThreads: [2, 16].filter((threads) => threads <= Math.max(cores, 2)),
    data: values.data,
    log: (line) => console.error(line),
  };
  const results: Record<string, unknown> = {
    date: new Date().toISOString(),
    quick,
    gpu,
    machine: machineFacts(),
    libraries: doctor().cuda,
  };
  const steps: [string, () => unknown][] = [
    ['checks', () => checkSolvers(context)],
    ['iterations', () => measureIterations(context)],
    ['recording', () => measureRecording(context)],
    ['passes', () => measurePasses(context)],
    ['crossover', () => measureCrossover(context)],
    ['windowCrossover', () => measureWindowCrossover(context)],
    ['kkt', () => measureGpuKkt(context)],
    ['mnist', () => measureGpuMnist(context)],
  ];
  for (const [name, measure] of steps) {
    results[name] = await attempt(measure);
    fs.writeFileSync(out, `${JSON.stringify(results, null, 2)}\n`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
