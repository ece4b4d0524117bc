/**
 * Classifiers for inputs that an adversary may move: the robust convex program and the descent after
 * it, beside a robust linear classifier, a network trained without an adversary, and networks of the
 * same width trained by Adam on inputs moved by PGD. Accuracy on test samples as they are, under FGSM
 * and PGD, and what is certified; mean over splits.
 *
 *     npm run example:adversarial                # some minutes on two cores
 *     npm run example:adversarial -- --quick     # small sizes, to see that it runs
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { attack, robustness, type TrainedNetwork, trainConvexReLU } from 'secondorder';
import { startTensorFlow } from './adam';
import { type AdversarialAdamOptions, trainAdversarialAdam } from './adversarial-adam';
import { average, draw, readOrDraw, split, type TwoClasses } from './adversarial-data';
import { drawLines } from './draw';
import { percent, printTable, withBar } from './show';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    data: {
      type: 'string',
      default: join(__dirname, '../../shared/data/uci/breast_cancer_wdbc.csv.gz'),
    },
    splits: { type: 'string' },
    figure: { type: 'string', default: 'adversarial.svg' },
  },
});
const SPLITS = Number(flags.splits ?? (flags.quick ? 1 : 5));
/** What networks are trained for, and attacked with. */
const EPSILONS = flags.quick ? [0.3] : [0.1, 0.3];
const ATTACKS = flags.quick ? [0, 0.3] : [0, 0.1, 0.2, 0.3, 0.4, 0.5];
const BETA = 1e-3;
const WIDTH = flags.quick ? 16 : 64;
const CONVEX = {
  beta: BETA,
  gates: WIDTH,
  preprocess: 'none',
  maxIterations: flags.quick ? 400 : 4000,
} as const;
const ADAM = {
  width: WIDTH,
  beta: BETA,
  learningRate: 0.01,
  iterations: flags.quick ? 20 : 300,
  attackSteps: flags.quick ? 2 : 5,
} satisfies Partial<AdversarialAdamOptions>;

type Trainer = (data: TwoClasses, epsilon: number, seed: number) => Promise<TrainedNetwork>;

const METHODS: Record<string, Trainer> = {
  'convex, no adversary': async ({ x, y }, _, seed) =>
    (await trainConvexReLU(x, y, { ...CONVEX, loss: 'hinge', refine: false, seed })).network,
  'linear, robust': convex('hinge', { gates: 1, descent: false }),
  'convex, robust': convex('hinge', { descent: false }),
  '  … and descent': convex('hinge', {}),
  'convex, robust, logistic': convex('logistic', { descent: false }),
  '  … and descent, logistic': convex('logistic', {}),
  'Adam with PGD': adam('hinge'),
  'Adam with PGD, logistic': adam('logistic'),
};

function convex(
  loss: 'hinge' | 'logistic',
  { gates = WIDTH, descent = true }: { gates?: number; descent?: boolean },
): Trainer {
  return async ({ x, y }, epsilon, seed) => {
    const options = { ...CONVEX, loss, seed, gates, adversarial: { epsilon, descent } };
    return (await trainConvexReLU(x, y, options)).network;
  };
}

function adam(loss: 'hinge' | 'logistic'): Trainer {
  return async (data, epsilon, seed) =>
    trainAdversarialAdam(data, { ...ADAM, loss, epsilon, seed });
}

/** Shares of the test samples of one split. */
interface Scores {
  clean: number;
  fgsm: number;
  pgd: number;
  certified: number;
  /** By the strength of PGD. */
  curve: number[];
}

async function score(
  network: TrainedNetwork,
  { x, y }: TwoClasses,
  epsilon: number,
): Promise<Scores> {
  const options = { loss: 'hinge', epsilon } as const;
  const measured = await robustness(network, x, y, options);
  const moved = await attack(network, x, y, { ...options, method: 'fgsm' });
  const outputs = network.predict(moved).data;
  const fgsm = average(y.map((label, i) => (label * outputs[i]! > 0 ? 1 : 0)));
  const curve: number[] = [];
  for (const strength of ATTACKS) {
    const at = { ...options, epsilon: strength };
    const known = strength === epsilon ? measured.pgdAccuracy : measured.accuracy;
    const other = strength === epsilon || strength === 0;
    curve.push(other ? known : (await robustness(network, x, y, at)).pgdAccuracy);
  }
  const { accuracy, pgdAccuracy, certifiedAccuracy } = measured;
  return { clean: accuracy, fgsm, pgd: pgdAccuracy, certified: certifiedAccuracy ?? 0, curve };
}

async function main(): Promise<void> {
  await startTensorFlow();
  const data = flags.quick ? { name: 'drawn data', ...draw(120, 8) } : await readOrDraw(flags.data);
  console.log(
    `${data.name}: ${data.x.length} samples, ${data.x[0]!.length} features, standardised`,
  );
  console.log(`${WIDTH} gates or neurons, beta ${BETA}, ${SPLITS} splits of 70 % to 30 %`);
  const panels = [];
  for (const epsilon of EPSILONS) {
    const all = new Map<string, Scores[]>();
    await withBar(
      `\nTrained for and attacked with epsilon ${epsilon}, test samples`,
      async (bar) => {
        const names = Object.keys(METHODS);
        for (let seed = 0; seed < SPLITS; seed++) {
          const { train, test } = split(data, seed);
          for (const [i, name] of names.entries()) {
            const network = await METHODS[name]!(train, epsilon, seed);
            all.set(name, [...(all.get(name) ?? []), await score(network, test, epsilon)]);
            bar((seed + (i + 1) / names.length) / SPLITS, name.trim());
          }
        }
      },
    );
    show(all);
    panels.push({
      lines: Array.from(all, ([name, scores]) => ({
        name: name.replace('  …', 'convex, robust,').trim(),
        points: ATTACKS.map((x, i) => ({ x, y: average(scores.map(({ curve }) => curve[i]!)) })),
      })),
      x: { title: `epsilon of the attack; trained for ${epsilon}` },
      y: { title: 'test accuracy under PGD', format: '.0%' },
    });
  }
  const path = resolve(flags.figure);
  await drawLines(path, panels);
  console.log(`\nFigure: ${path}`);
}

function show(all: ReadonlyMap<string, readonly Scores[]>): void {
  const head = ['', 'as they are', 'FGSM', 'PGD', '± over splits', 'certified'];
  const rows = Array.from(all, ([name, scores]) => {
    const mean = (key: 'clean' | 'fgsm' | 'pgd' | 'certified'): number =>
      average(scores.map((at) => at[key]));
    const spread = Math.sqrt(average(scores.map(({ pgd }) => (pgd - mean('pgd')) ** 2)));
    const shares = [mean('clean'), mean('fgsm'), mean('pgd'), spread, mean('certified')];
    return [name, ...shares.map(percent)];
  });
  printTable([head, ...rows]);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
