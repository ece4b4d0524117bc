// Trains one problem in a process of its own and prints, as JSON, what it took.
import fs from 'node:fs';
import { estimateMemory, trainConvexReLU } from 'secondorder';
import type { MemoryMeasured, MemoryTask } from './memory';
import { repeatTargets, syntheticProblem } from './problem';

/** A line of /proc/self/status that is a size, in bytes. */
function statusBytes(name: 'VmHWM' | 'VmRSS'): number {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const kibibytes = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/self/status has no ${name}`);
  return Number(kibibytes) * 1024;
}

async function main(): Promise<void> {
  const { shape, options, threads } = JSON.parse(process.argv[2] ?? '') as MemoryTask;
  const { x, y } = syntheticProblem(shape.rows, shape.cols);
  const targets = repeatTargets(y, shape.outputs);
  const estimate = estimateMemory(shape, options);
  const before = statusBytes('VmRSS');
  fs.writeFileSync('/proc/self/clear_refs', '5'); // the peak counts from here
  const { report } = await trainConvexReLU(x, targets, options, { threads });
  const measured: MemoryMeasured = {
    route: report.route,
    estimatedBytes: estimate.bytes,
    plannedBytes: report.peakBytes,
    measuredBytes: statusBytes('VmHWM') - before,
  };
  process.stdout.write(JSON.stringify(measured));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
