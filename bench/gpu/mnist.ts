// The gated model on all of MNIST, to its certified gap, on the GPU and on the CPU.
import { ConvexReLUClassifier, type ConvexReport, type Device } from 'secondorder';
import { digitsFolder, readDigits } from '../digits';
import { type Skipped, timed } from '../measurement';
import { gatedOptions } from '../mnist';
import type { GpuContext } from './context';

export interface GpuMnist
  extends Pick<
    ConvexReport,
    'device' | 'status' | 'gap' | 'objective' | 'dualBound' | 'iterations' | 'route'
  > {
  n: number;
  gates: number;
  threads: number;
  seconds: number;
  /** Share of the test images read right. */
  accuracy: number;
}

export async function measureGpuMnist(context: GpuContext): Promise<GpuMnist[] | Skipped> {
  const folder = digitsFolder(context);
  if (typeof folder !== 'string') return folder;
  const train = await readDigits(folder, 'train', context.quick ? 100 : undefined);
  const test = await readDigits(folder, 't10k', context.quick ? 100 : undefined);
  const gates = context.quick ? 4 : 512;
  const options = {
    ...gatedOptions(gates),
    ...(context.quick ? { components: 4 } : {}),
    tolerance: 1e-2,
    checkEvery: 2,
  };
  const results: GpuMnist[] = [];
  const cases: { device: Device; threads: number }[] = [
    { device: context.device, threads: context.threads },
    ...context.cpuThreads.map((threads) => ({ device: 'cpu' as const, threads })),
  ];
  for (const { device, threads } of cases) {
    context.log(`MNIST: n = ${train.x.rows}, ${device}, ${threads} threads`);
    const classifier = new ConvexReLUClassifier({ ...options, device });
    const { wall } = await timed(() => classifier.fit(train.x, train.labels, { threads }));
    const { status, gap, objective, dualBound, iterations, route, ...report } = classifier.report!;
    results.push({
      ...{ device: report.device, status, gap, objective, dualBound, iterations, route },
      ...{ n: train.x.rows, gates: report.gates, seconds: wall, threads },
      accuracy: classifier.score(test.x, test.labels),
    });
  }
  return results;
}
