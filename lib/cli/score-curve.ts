import { AbortError } from '../errors';
import type { ScorePoint } from '../report';
import type { LabelledDataset } from './dataset';
import { fitModel, type Model, score } from './task';

/** What {@link scoreCurve} needs. */
export interface ScoreCurve {
  /** The trained model. */
  model: Model;
  training: LabelledDataset;
  test?: LabelledDataset;
  /** A model like it that stops after so many iterations. */
  create: (maxIterations: number) => Model;
  threads?: number;
  signal: AbortSignal;
  /** Told of each point before it is computed. */
  onPoint: (point: number, points: number) => void;
}

const MOST_POINTS = 7;

/**
 * Scores of the networks at a few iterations of a finished run. The run is repeated from
 * its seed up to each of them, which gives the same networks again: the iterations double from one
 * to the next, so all of them together cost about as many as the run itself.
 */
export async function scoreCurve(curve: ScoreCurve): Promise<ScorePoint[]> {
  const { model, training, signal, threads } = curve;
  const history = model.report?.history ?? [];
  const last = history.at(-1)?.iteration;
  if (last === undefined) return [];
  const stops = checkpoints(history.map(({ iteration }) => iteration));
  const run = { signal, ...(threads !== undefined && { threads }) };
  const points: ScorePoint[] = [];
  try {
    for (const [point, iteration] of stops.entries()) {
      curve.onPoint(point, stops.length);
      const partial = await fitModel(curve.create(iteration), training, run);
      points.push(scoresAt(iteration, partial, curve));
    }
  } catch (error) {
    // Interrupted: the points so far are right.
    if (!(error instanceof AbortError)) throw error;
  }
  return [...points, scoresAt(last, model, curve)];
}

function scoresAt(iteration: number, model: Model, { training, test }: ScoreCurve): ScorePoint {
  return {
    iteration,
    training: score(model, training),
    ...(test && { test: score(model, test) }),
  };
}

/** Iterations of the history nearest below last / 2, last / 4 and so on, ascending. */
export function checkpoints(iterations: readonly number[]): number[] {
  const last = iterations.at(-1) ?? 0;
  const chosen = new Set<number>();
  for (let part = last / 2; chosen.size < MOST_POINTS - 1 && part >= 1; part /= 2) {
    const nearest = iterations.findLast((iteration) => iteration <= part);
    if (nearest === undefined || nearest < 1) break;
    chosen.add(nearest);
  }
  return [...chosen].sort((a, b) => a - b);
}
