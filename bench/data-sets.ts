// Iterations and time of ReLU networks with default settings on public classification sets.
import path from 'node:path';
import { type ConvexReport, type Loss, readCsv, trainConvexReLU } from 'secondorder';
import { pickRows } from './digits';
import { type Context, type Seconds, type Skipped, timed } from './measurement';

export const LOSSES = ['squared', 'logistic', 'hinge'] as const satisfies Loss[];

interface Run extends Seconds, Pick<ConvexReport, 'status' | 'iterations' | 'gap'> {
  loss: Loss;
}

export interface DataSetResult {
  name: string;
  n: number;
  d: number;
  runs: Run[];
}

/** The class that is told from all others. */
const SETS: Record<string, (label: string | number) => boolean> = {
  pima: (label) => label === 'pos',
  heart_cleveland: (label) => Number(label) > 0,
  sonar: (label) => label === 'M',
  breast_cancer_wdbc: (label) => label === 'malignant',
  vehicle: (label) => label === 'bus' || label === 'van',
  digits: (label) => Number(label) % 2 === 0,
  spambase: (label) => label === 'spam',
  wine: (label) => Number(label) === 1,
};
const MOST_SAMPLES = 1000;
const GATES = 64;

export async function measureDataSets(context: Context): Promise<DataSetResult[] | Skipped> {
  if (context.data === undefined) return { skipped: 'no folder of public data sets' };
  const names = Object.keys(SETS).slice(0, context.quick ? 2 : undefined);
  const results = [];
  for (const name of names) {
    context.log(name);
    results.push(await measure(name, context.data, context.threads));
  }
  return results;
}

async function measure(name: string, data: string, threads: number): Promise<DataSetResult> {
  const table = await readCsv(path.join(data, 'uci', `${name}.csv.gz`), { missing: 'drop' });
  const { x, labels } = pickRows(
    { x: table.x, labels: [...table.y!].map((label) => (SETS[name]!(label) ? 1 : -1)) },
    evenly(table.x.rows, MOST_SAMPLES),
  );
  const runs: Run[] = [];
  for (const loss of LOSSES) {
    const options = { loss, gates: GATES, refine: false } as const;
    const { result, wall, cpu } = await timed(() =>
      trainConvexReLU(x, Float64Array.from(labels), options, { threads }),
    );
    const { status, iterations, gap } = result.report;
    runs.push({ loss, status, iterations, gap, wall, cpu });
  }
  return { name, n: x.rows, d: x.cols, runs };
}

/** At most `most` rows of all, equally far apart. */
function evenly(rows: number, most: number): number[] {
  const count = Math.min(rows, most);
  return Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
}
