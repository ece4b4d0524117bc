// Handwritten digits: the gated model on all of MNIST, and a ReLU network for 2 against 8.
import {
  type ClassifierOptions,
  ConvexReLUClassifier,
  type ConvexReport,
  trainConvexReLU,
} from 'secondorder';
import { type Digits, digitsFolder, readDigits, SIDE, upright } from './digits';
import { type Context, type Seconds, type Skipped, timed } from './measurement';
import { twoAgainstEight } from './two-against-eight';

type Facts = Pick<ConvexReport, 'status' | 'gap' | 'infeasibility' | 'iterations' | 'route'>;

export interface GatedResult extends Facts {
  n: number;
  deskewed: boolean;
  gates: number;
  seconds: Seconds;
  /** Share of the test images read right. */
  accuracy: number;
  testImages: number;
}

export interface TwoAgainstEightResult extends Facts {
  n: number;
  gates: number;
  seconds: Seconds;
  objective: number;
}

export interface MnistResult {
  gated: GatedResult[];
  twoAgainstEight: TwoAgainstEightResult;
}

/** What both measurements of the gated model are trained with. */
export const gatedOptions = (count: number): ClassifierOptions => ({
  model: 'gated',
  gates: { count, from: 'patches', image: [SIDE, SIDE] },
  components: 40,
  beta: 1e-4,
});

const CASES = [
  { deskewed: false, gates: 512 },
  { deskewed: true, gates: 512 },
  { deskewed: false, gates: 1024 },
  { deskewed: true, gates: 4096 },
];
const QUICK = [
  { deskewed: false, gates: 64 },
  { deskewed: true, gates: 64 },
];

export async function measureMnist(context: Context): Promise<MnistResult | Skipped> {
  const folder = digitsFolder(context);
  if (typeof folder !== 'string') return folder;
  const train = await readDigits(folder, 'train', context.quick ? 2000 : undefined);
  const test = await readDigits(folder, 't10k');
  const gated = [];
  for (const { deskewed, gates } of context.quick ? QUICK : CASES) {
    context.log(`gated, n = ${train.x.rows}, P = ${gates}${deskewed ? ', deskewed' : ''}`);
    const prepare = deskewed ? upright : (digits: Digits) => digits;
    gated.push({
      deskewed,
      ...(await measureGated(prepare(train), prepare(test), gates, context)),
    });
  }
  context.log('2 against 8');
  return { gated, twoAgainstEight: await measureTwoAgainstEight(folder, context) };
}

async function measureGated(
  train: Digits,
  test: Digits,
  count: number,
  { threads }: Context,
): Promise<Omit<GatedResult, 'deskewed'>> {
  const classifier = new ConvexReLUClassifier({
    ...gatedOptions(count),
    tolerance: 1e-2,
    checkEvery: 2, // an iteration over all images costs more than a certificate
  });
  const { wall, cpu } = await timed(() => classifier.fit(train.x, train.labels, { threads }));
  const report = classifier.report!;
  return {
    ...facts(report),
    n: train.x.rows,
    gates: report.gates,
    seconds: { wall, cpu },
    accuracy: classifier.score(test.x, test.labels),
    testImages: test.x.rows,
  };
}

/** With the default settings of the solver, but for the unit columns of the problem. */
async function measureTwoAgainstEight(
  folder: string,
  { quick, threads }: Context,
): Promise<TwoAgainstEightResult> {
  const { x, y, options } = await twoAgainstEight(folder, quick ? 300 : undefined);
  const { result, wall, cpu } = await timed(() => trainConvexReLU(x, y, options, { threads }));
  const { report } = result;
  return {
    ...facts(report),
    n: x.rows,
    gates: report.gates,
    seconds: { wall, cpu },
    objective: report.objective,
  };
}

function facts({ status, gap, infeasibility, iterations, route }: ConvexReport): Facts {
  return { status, gap, infeasibility, iterations, route };
}
