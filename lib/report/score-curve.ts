/** Scores of the networks along a run, for the curves of a report. */
import type { ConvexReport } from '../convex-relu/report';
import { describe, invalid, isRecord } from '../validate';

/** How well the network of an iteration did: accuracy, or R² of a regression. */
export interface ScorePoint {
  /** Iterations done. */
  iteration: number;
  /** On the training samples. */
  training: number;
  /** On samples kept apart, where there are any. */
  test?: number;
}

/** The scores of a network. */
export type Scores = Omit<ScorePoint, 'iteration'>;

/**
 * Trains again, with `maxIterations` set to the given number, and scores what comes out; undefined
 * leaves the point out.
 */
export type ScoreAt = (iterations: number) => Promise<Scores | undefined>;

const MOST_POINTS = 7;

/**
 * Scores at up to seven iterations of a finished run, which does not keep its networks: for each of
 * them the run is repeated from its seed up to there, which gives the same network again. Iterations
 * double from one to the next, so all of them together take about as many as the run itself; gate
 * refinement is repeated in each.
 *
 * @param report of the finished run
 * @param scoreAt called with ascending iterations, all but the last of the run, one after the other
 * @param last scores of the run's own network, for the end of the curve
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (no report of a run); what `scoreAt` throws
 */
export async function scoreCurve(
  report: Pick<ConvexReport, 'history'>,
  scoreAt: ScoreAt,
  last: Scores,
): Promise<ScorePoint[]> {
  if (!isRecord(report) || !Array.isArray(report.history)) {
    throw invalid('report', 'the report of a run', describe(report));
  }
  const iterations = report.history.map(({ iteration }) => iteration);
  const end = iterations.at(-1);
  if (end === undefined) return [];
  const points: ScorePoint[] = [];
  for (const iteration of checkpoints(iterations)) {
    const scores = await scoreAt(iteration);
    if (scores) points.push({ iteration, ...scores });
  }
  return [...points, { iteration: end, ...last }];
}

/** Iterations of the history nearest below last / 2, last / 4 and so on, ascending. */
function checkpoints(iterations: readonly number[]): number[] {
  const last = iterations.at(-1) ?? 0;
  const chosen = new Set<number>();
  for (let part = last / 2; chosen.size < MOST_POINTS - 1 && part >= 1; part /= 2) {
    const nearest = iterations.findLast((iteration) => iteration <= part);
    if (nearest === undefined || nearest < 1) break;
    chosen.add(nearest);
  }
  return [...chosen].sort((a, b) => a - b);
}
