// Test accuracy over the number of training images: the gated model, the same settings at every n.
import { ConvexReLUClassifier } from 'secondorder';
import { drawSplit } from '../dist/cli/split.js';
import { digitsFolder, pickRows, readDigits } from './digits';
import { type Context, median, type Seconds, type Skipped, timed } from './measurement';
import { gatedOptions } from './mnist';

export interface LearningCurvePoint {
  n: number;
  /** On the test images, of each draw of training images. */
  accuracies: number[];
  /** Of one fit, the median. */
  seconds: Seconds;
}

export interface LearningCurveResult {
  gates: number;
  testImages: number;
  points: LearningCurvePoint[];
}

export async function measureLearningCurve(
  context: Context,
): Promise<LearningCurveResult | Skipped> {
  const folder = digitsFolder(context);
  if (typeof folder !== 'string') return folder;
  const all = await readDigits(folder, 'train');
  const test = await readDigits(folder, 't10k');
  const sizes = context.quick ? [200] : [200, 500, 1000, 2000, 5000];
  const seeds = context.quick ? [0] : [0, 1, 2];
  const gates = context.quick ? 64 : 512;
  const points = [];
  for (const n of sizes) {
    context.log(`n = ${n}`);
    const fits = [];
    for (const seed of seeds) {
      const { x, labels } = pickRows(all, [...drawSplit(all.x.rows, n, seed).training]);
      const classifier = new ConvexReLUClassifier({ ...gatedOptions(gates), seed });
      const { wall, cpu } = await timed(() =>
        classifier.fit(x, labels, { threads: context.threads }),
      );
      fits.push({ wall, cpu, accuracy: classifier.score(test.x, test.labels) });
    }
    points.push({
      n,
      accuracies: fits.map(({ accuracy }) => accuracy),
      seconds: {
        wall: median(fits.map(({ wall }) => wall)),
        cpu: median(fits.map(({ cpu }) => cpu)),
      },
    });
  }
  return { gates, testImages: test.x.rows, points };
}
