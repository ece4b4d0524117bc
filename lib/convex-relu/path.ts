import { AbortError } from '../errors';
import type { DenseMatrixLike, MatrixLike } from '../matrix';
import type { RunOptions } from '../run';
import { RunSequence } from '../run-sequence';
import { finishHere, finishInBackground, perform, type Steps } from '../steps';
import { type Betas, readBetas, spacedBetas } from './betas';
import { drawGates, maximumBetaOver } from './maximum-beta';
import type { Model } from './option-types';
import type { ConvexProgress, ConvexReport } from './report';
import {
  type NetworkOf,
  type OptionsOf,
  ownInputs,
  type Prepared,
  prepareTraining,
  type TrainResult,
  trainingStep,
} from './train';

/** Where a path stands. */
interface Place {
  /** The beta that is trained with. */
  beta: number;
  /** Its place on the path, from 0. */
  point: number;
  /** How many there are. */
  points: number;
}

/** A certificate on the way along a path. */
export interface PathProgress extends ConvexProgress, Place {}

/** Options of a run along a path; its time limit is for the whole path. */
export type PathRunOptions = RunOptions<PathProgress>;

/** The network for one beta. */
export interface PathPoint<Network = TrainResult['network']> extends TrainResult<Network> {
  /** Weight of the penalty. */
  beta: number;
}

/** Networks from the largest beta to the smallest. */
export interface RegularizationPath<Network = TrainResult['network']> {
  /**
   * `converged` when every point did; `time_limit` and `aborted` when the path ended early, with the
   * points that it came to.
   */
  status: ConvexReport['status'];
  /** From the largest beta to the smallest. */
  points: PathPoint<Network>[];
}

/**
 * Trains for a sequence of betas from the largest to the smallest, each from the solution of the one
 * before, and over the same gates unless they are refined (option `refine`): the regularization path.
 * Choose between its networks on samples kept apart, or let {@link crossValidate} do so.
 *
 * @param x n × features
 * @param y n targets, or n × outputs
 * @param betas values in any order, or `{ count, ratio }` for a grid that begins at
 * {@link maximumBeta}; default: 10 values down to a thousandth of it
 * @param options as for {@link trainConvexReLU}; `beta` is taken from the path
 * @param run as for {@link trainConvexReLU}; the time limit is for the whole path, which then ends
 * early, with at least one point
 * @throws SecondOrderError as {@link trainConvexReLU}; the `partial` of ERR_ABORTED is the path so far
 */
export async function regularizationPath<M extends Model | undefined = 'relu'>(
  x: MatrixLike,
  y: ArrayLike<number> | DenseMatrixLike,
  betas?: Betas,
  options?: OptionsOf<M>,
  run?: PathRunOptions,
): Promise<RegularizationPath<NetworkOf<M>>> {
  const problem = ownInputs(prepareTraining(x, y, options));
  const path = await finishInBackground(follow(problem, readBetas(betas), run));
  return path as RegularizationPath<NetworkOf<M>>;
}

/** {@link regularizationPath} on the calling thread. */
export function regularizationPathSync<M extends Model | undefined = 'relu'>(
  x: MatrixLike,
  y: ArrayLike<number> | DenseMatrixLike,
  betas?: Betas,
  options?: OptionsOf<M>,
  run?: PathRunOptions,
): RegularizationPath<NetworkOf<M>> {
  const path = finishHere(follow(prepareTraining(x, y, options), readBetas(betas), run));
  return path as RegularizationPath<NetworkOf<M>>;
}

function* follow(
  problem: Prepared,
  betas: ReturnType<typeof readBetas>,
  run: PathRunOptions | undefined,
): Steps<RegularizationPath> {
  const sequence = new RunSequence<ConvexProgress, Place>(run);
  const points: PathPoint[] = [];
  let next = problem;
  let values = betas;
  let current: number | undefined;
  try {
    if (!Array.isArray(values)) {
      const drawn = yield* drawGates(problem, sequence.withoutEvents());
      const largest = yield* maximumBetaOver(problem, drawn, sequence.withoutEvents());
      values = spacedBetas(values, largest);
      next = startingFrom(problem, drawn);
    }
    for (const [point, beta] of values.entries()) {
      if (point > 0 && sequence.outOfTime) return { status: 'time_limit', points };
      current = beta;
      const place = { beta, point, points: values.length };
      const step = trainingStep(withBeta(next, beta), sequence.next(place));
      const result = yield* perform(step);
      points.push({ beta, ...result });
      next = startingFrom(problem, result);
    }
    return { status: statusOf(points), points };
  } catch (error) {
    throw withPath(error, points, current);
  }
}

function withBeta({ spec, options }: Prepared, beta: number): Prepared {
  return { spec: { ...spec, beta }, options: { ...options, beta } };
}

function startingFrom({ spec, options }: Prepared, { solution }: TrainResult): Prepared {
  return { spec: { ...spec, warmStart: solution.toWarmStart() }, options };
}

/** `converged`, or what kept a point from it; a time limit before others. */
function statusOf(points: PathPoint[]): ConvexReport['status'] {
  const found = points.map(({ report }) => report.status);
  if (found.includes('time_limit')) return 'time_limit';
  return found.find((status) => status !== 'converged') ?? 'converged';
}

/** An AbortError with the path so far, and on it what was reached for the beta it was at. */
function withPath(error: unknown, points: PathPoint[], beta: number | undefined): unknown {
  if (!(error instanceof AbortError)) return error;
  if (beta !== undefined && error.partial !== undefined) {
    points.push({ beta, ...(error.partial as TrainResult) });
  }
  const path: RegularizationPath = { status: 'aborted', points };
  return new AbortError(error.cause, points.length > 0 ? path : undefined);
}
