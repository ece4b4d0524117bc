// How close refined networks and the bound over all networks come on public data of few dimensions.
import path from 'node:path';
import { type ConvexReport, readCsv, trainConvexReLU } from 'secondorder';
import { type Context, type Seconds, type Skipped, timed } from './measurement';

interface Run
  extends Seconds,
    Pick<ConvexReport, 'objective' | 'globalBound' | 'globalGap' | 'pricingRatio'> {
  beta: number;
}

export interface GlobalBoundResult {
  name: string;
  n: number;
  /** Principal components; the bias comes on top. */
  components: number;
  runs: Run[];
}

const SETS: Record<string, (label: string | number) => boolean> = {
  wine: (label) => Number(label) === 1,
  heart_cleveland: (label) => Number(label) > 0,
  breast_cancer_wdbc: (label) => label === 'malignant',
  pima: (label) => label === 'pos',
};
const BETAS = [1e-2, 1e-3];
const COMPONENTS = [1, 2, 3];

export async function measureGlobalBound(context: Context): Promise<GlobalBoundResult[] | Skipped> {
  const { data, quick, threads, log } = context;
  if (data === undefined) return { skipped: 'no folder of public data sets' };
  const results: GlobalBoundResult[] = [];
  for (const name of Object.keys(SETS).slice(0, quick ? 1 : undefined)) {
    const { x, y } = await readCsv(path.join(data, 'uci', `${name}.csv.gz`), { missing: 'drop' });
    const labels = Float64Array.from([...y!], (label) => (SETS[name]!(label) ? 1 : -1));
    for (const components of COMPONENTS) {
      log(`${name}, ${components} components`);
      const runs: Run[] = [];
      for (const beta of BETAS) {
        const scaling = { preprocess: 'standardize', components } as const;
        const options = { ...scaling, beta, gates: 64, globalBound: true };
        const { result, wall, cpu } = await timed(() =>
          trainConvexReLU(x, labels, options, { threads }),
        );
        const { objective, globalBound, globalGap, pricingRatio } = result.report;
        runs.push({ beta, objective, globalBound, globalGap, pricingRatio, wall, cpu });
      }
      results.push({ name, n: x.rows, components, runs });
    }
  }
  return results;
}
