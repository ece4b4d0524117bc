// The methods whose test accuracy is compared. Each chooses its settings by cross-validation on the
// training samples alone.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ConvexReLUClassifier, crossValidate, type Matrix, writeNpy } from 'secondorder';
import { dealFolds } from '../dist/convex-relu/folds.js';
import { nativePath } from '../dist/native.js';
import { accuracy, startTensorFlow, trainAdam } from '../examples/adam';
import { pick, type Samples, type Split } from './accuracy-sets';
import { timed } from './measurement';

/** Test accuracy, and processor seconds of tuning and training together. */
export interface Score {
  accuracy: number;
  cpu: number;
}

/** How thorough to be. */
export interface Effort {
  gates: number;
  folds: number;
  betas: number;
  rates: number[];
  decays: number[];
  /** Of Adam: at least so many steps, and at least so many epochs. */
  steps: number;
  epochs: number;
  trees: number;
}

export const FULL: Effort = {
  ...{ gates: 64, folds: 3, betas: 8 },
  ...{ rates: [1e-3, 1e-2], decays: [1e-4, 1e-3, 1e-2], steps: 600, epochs: 40 },
  trees: 500,
};
export const QUICK: Effort = {
  ...{ gates: 32, folds: 3, betas: 4 },
  ...{ rates: [1e-2], decays: [1e-3, 1e-2], steps: 60, epochs: 5 },
  trees: 50,
};

/** One column, or several that a program gives at once. */
export interface Method {
  names: string[];
  /** What its scores depend on besides the split: they are kept for the next run. */
  key: unknown;
  run(split: Split, seed: number, threads: number): Promise<Record<string, Score>>;
}

/** Stands for the solver as it is built: its scores are good for this one only. */
function solverHash(): string {
  const native = nativePath();
  const hash = createHash('sha256').update(native ? fs.readFileSync(native) : '');
  return hash.digest('hex').slice(0, 16);
}

export function convexMethods(effort: Effort): Method[] {
  const { gates, folds, betas } = effort;
  const key = { gates, folds, betas, solver: solverHash() };
  const method = (name: string, model: 'relu' | 'gated', likelihood: boolean): Method => ({
    names: [name],
    key: { ...key, model, likelihood },
    async run({ training, test, classes }, seed, threads) {
      const loss = likelihood && (classes > 2 ? ('softmax' as const) : ('logistic' as const));
      const options = { gates, tolerance: 1e-2, seed, model, ...(loss && { loss }) };
      const { result, cpu } = await timed(() =>
        crossValidate(
          new ConvexReLUClassifier(options),
          training.x,
          training.y,
          { folds, betas: { count: betas }, seed },
          { threads },
        ),
      );
      return { [name]: { accuracy: result.estimator!.score(test.x, test.y), cpu } };
    },
  });
  return [
    method('convex', 'relu', false),
    method('convex, cross-entropy', 'relu', true),
    method('convex, gated', 'gated', false),
  ];
}

/** A ReLU network of as many neurons: cross-entropy and weight decay, in TensorFlow.js. */
export function adamMethod(effort: Effort): Method {
  const { gates: width, folds, rates, decays, steps, epochs } = effort;
  return {
    names: ['Adam'],
    key: { width, folds, rates, decays, steps, epochs },
    async run({ training, test, classes }, seed) {
      await startTensorFlow();
      const { result, cpu } = await timed(async () => {
        const scale = standardizer(training.x);
        const [seen, unseen] = [training, test].map((s) => ({ x: scale(s.x), y: s.y }));
        const settings = rates.flatMap((learningRate) =>
          decays.map((weightDecay) => ({ learningRate, weightDecay })),
        );
        const fit = async (samples: Samples, setting: (typeof settings)[number]) => {
          const atLeast = Math.ceil(steps / Math.ceil(samples.y.length / 100));
          const options = { width, classes, epochs: Math.max(epochs, atLeast), seed, ...setting };
          return (await trainAdam(samples, options, () => undefined)).network;
        };
        const parts = dealFolds(seen!.y.length, folds, seed, seen!.y);
        const means: number[] = [];
        for (const setting of settings) {
          let sum = 0;
          for (let fold = 0; fold < folds; fold++) {
            const rows = (inside: boolean) =>
              seen!.y.flatMap((_, row) => ((parts[row] === fold) === inside ? [row] : []));
            const network = await fit(pick(seen!, rows(false)), setting);
            sum += accuracy(network, pick(seen!, rows(true)));
            network.dispose();
          }
          means.push(sum / folds);
        }
        const network = await fit(seen!, settings[means.indexOf(Math.max(...means))]!);
        const score = accuracy(network, unseen!);
        network.dispose();
        return score;
      });
      return { Adam: { accuracy: result, cpu } };
    },
  };
}

/** Columns brought to mean 0 and variance 1, as they are in the training samples. */
function standardizer({ data, rows, cols }: Matrix): (x: Matrix) => Matrix {
  const mean = new Float64Array(cols);
  const squares = new Float64Array(cols);
  data.forEach((value, i) => {
    mean[i % cols] = mean[i % cols]! + value / rows;
  });
  data.forEach((value, i) => {
    squares[i % cols] = squares[i % cols]! + (value - mean[i % cols]!) ** 2 / rows;
  });
  const deviation = squares.map((square) => Math.sqrt(square) || 1);
  return (x) => ({
    ...x,
    data: Float32Array.from(x.data, (value, i) => (value - mean[i % cols]!) / deviation[i % cols]!),
  });
}

/** Debian's packages are seen by its own Python alone. */
const PYTHONS = process.env.PYTHON ? [process.env.PYTHON] : ['python3', '/usr/bin/python3'];
const SCRIPT = path.join(__dirname, 'peers', 'sklearn_accuracy.py');
const run = promisify(execFile);
/** OpenMP's threads wait awake, which on a busy machine costs many times the work. */
const ONE_THREAD = { ...process.env, OMP_NUM_THREADS: '1' };
/** Seconds. */
const TIME_LIMIT = 3600;

async function findSklearn(): Promise<{ python: string; version: string } | undefined> {
  for (const python of PYTHONS) {
    const args = ['-c', 'import sklearn; print(sklearn.__version__)'];
    const version = await run(python, args, { cwd: os.homedir() }).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    );
    if (version !== undefined) return { python, version };
  }
  return undefined;
}

/** scikit-learn's, or why there are none. */
export async function sklearnMethod({ folds, trees }: Effort): Promise<Method | string> {
  const found = await findSklearn();
  if (!found) return `${PYTHONS.join(', ')} cannot import sklearn (Debian: python3-sklearn)`;
  const { python, version } = found;
  const names = ['logistic regression', 'SVM, RBF', 'random forest', 'boosted trees'];
  return {
    names,
    key: { version, folds, trees },
    async run({ training, test }, seed, threads) {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'secondorder-bench-'));
      try {
        for (const [name, { x, y }] of Object.entries({ training, test })) {
          await writeNpy(path.join(folder, `${name}-x.npy`), x);
          await writeNpy(path.join(folder, `${name}-y.npy`), Int32Array.from(y));
        }
        const args = [SCRIPT, folder, ...[folds, trees, seed, threads].map(String)];
        const { stdout } = await run(python, args, { timeout: TIME_LIMIT * 1e3, env: ONE_THREAD });
        const scores = JSON.parse(stdout) as Score[];
        return Object.fromEntries(names.map((name, i) => [name, scores[i]!]));
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    },
  };
}
