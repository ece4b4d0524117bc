import { AbortError } from '../errors';
import { type ScorePoint, type Scores, scoreCurve } from '../report';
import type { LabelledDataset } from './dataset';
import { fitModel, type Model, score } from './task';
import type { Terminal } from './terminal';

/** What {@link showScoreCurve} needs. */
export interface ScoreCurve {
  /** The trained model. */
  model: Model;
  training: LabelledDataset;
  test: LabelledDataset | undefined;
  /** A model like it that stops after so many iterations. */
  create: (maxIterations: number) => Model;
  threads: number | undefined;
  signal: AbortSignal;
  terminal: Terminal;
}

/** Scores along the way of a finished run, with a bar. Once interrupted, the rest is left out. */
export async function showScoreCurve(curve: ScoreCurve): Promise<ScorePoint[]> {
  const { model, create, training, threads, signal, terminal } = curve;
  const { report } = model;
  if (!report) return [];
  const run = { signal, ...(threads !== undefined && { threads }) };
  const bar = terminal.bar('{bar} accuracy along the way, for the report', {});
  try {
    const scoreAt = async (iterations: number) => {
      bar.update(iterations / report.iterations, {});
      return scoresOf(await fitModel(create(iterations), training, run), curve);
    };
    const unlessStopped = (error: unknown) => {
      if (error instanceof AbortError) return undefined;
      throw error;
    };
    return await scoreCurve(
      report,
      (iterations) => scoreAt(iterations).catch(unlessStopped),
      scoresOf(model, curve),
    );
  } finally {
    bar.stop();
  }
}

function scoresOf(model: Model, { training, test }: ScoreCurve): Scores {
  return { training: score(model, training), ...(test && { test: score(model, test) }) };
}
