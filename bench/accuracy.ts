// Test accuracy on real sets beside other methods, each with its settings chosen by cross-validation.
import fs from 'node:fs';
import path from 'node:path';
import {
  adamMethod,
  convexMethods,
  FULL,
  type Method,
  QUICK,
  type Score,
  sklearnMethod,
} from './accuracy-methods';
import { fileOf, MOST, readSet, SET_NAMES, splitSet } from './accuracy-sets';
import type { Context, Skipped } from './measurement';

export interface SetAccuracy {
  name: string;
  training: number;
  test: number;
  features: number;
  classes: number;
  /** A score for each seed, by method. */
  methods: Record<string, Score[]>;
}

export interface AccuracyResult {
  /** In the order of the columns. */
  methods: string[];
  /** Why others are not among them. */
  missing: string[];
  gates: number;
  folds: number;
  seeds: number;
  sets: SetAccuracy[];
}

const QUICK_SETS = ['heart_cleveland', 'sonar', 'wine'];

export async function measureAccuracy(context: Context): Promise<AccuracyResult | Skipped> {
  const { data, quick, threads, log } = context;
  if (data === undefined) return { skipped: 'no folder of public data sets' };
  const effort = quick ? QUICK : FULL;
  const peers = await sklearnMethod(effort);
  const found = typeof peers === 'string' ? [] : [peers];
  const methods = [...convexMethods(effort), adamMethod(effort), ...found];
  const seeds = quick ? 2 : 3;
  const cache = new Cache();
  const sets: SetAccuracy[] = [];
  for (const name of quick ? QUICK_SETS : SET_NAMES) {
    const file = fileOf(name, data);
    if (file === undefined) {
      log(`${name} is not in the folder of data sets`);
      continue;
    }
    sets.push(await measureSet(name, file));
  }
  return {
    methods: methods.flatMap(({ names }) => names),
    missing: typeof peers === 'string' ? [peers] : [],
    ...{ gates: effort.gates, folds: effort.folds, seeds, sets },
  };

  async function measureSet(name: string, file: string): Promise<SetAccuracy> {
    const all = await readSet(name, file);
    const scores: Record<string, Score[]> = {};
    let shape = { training: 0, test: 0, classes: 0 };
    for (let seed = 0; seed < seeds; seed++) {
      const split = splitSet(all, seed);
      const { training, test, classes } = split;
      shape = { training: training.y.length, test: test.y.length, classes };
      for (const method of methods) {
        const key = JSON.stringify([name, MOST, seed, method.names, method.key]);
        const score = await cache.get(key, () => {
          log(`${name}, split ${seed + 1} of ${seeds}: ${method.names.join(', ')}`);
          return method.run(split, seed, threads);
        });
        for (const [column, value] of Object.entries(score)) {
          scores[column] = [...(scores[column] ?? []), value];
        }
      }
    }
    return { name, ...shape, features: all.x.cols, methods: scores };
  }
}

type Scores = Awaited<ReturnType<Method['run']>>;

/** Scores of earlier runs: one that was stopped goes on where it was. */
class Cache {
  readonly #file = path.join(__dirname, '..', '.bench-cache', 'accuracy.json');
  readonly #scores: Record<string, Scores>;

  constructor() {
    const text = fs.existsSync(this.#file) ? fs.readFileSync(this.#file, 'utf8') : '{}';
    this.#scores = JSON.parse(text) as Record<string, Scores>;
  }

  async get(key: string, measure: () => Promise<Scores>): Promise<Scores> {
    const known = this.#scores[key];
    if (known) return known;
    const measured = await measure();
    this.#scores[key] = measured;
    fs.mkdirSync(path.dirname(this.#file), { recursive: true });
    fs.writeFileSync(`${this.#file}.new`, JSON.stringify(this.#scores, undefined, 1));
    fs.renameSync(`${this.#file}.new`, this.#file);
    return measured;
  }
}
