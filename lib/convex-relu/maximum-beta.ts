/**
 * The beta from which on a network of zeros is optimal.
 *
 * Zero minimises (1/W) Σ wℓ + beta Σ‖·‖ over the weights of gates Dᵢ just when ‖ZᵀDᵢ g‖ ≤ W·beta for
 * every gate, g being the slopes of Σ wℓ at outputs of 0 and W = Σ w.
 */
import type { DenseMatrixLike, MatrixLike } from '../matrix';
import { loadNative } from '../native';
import type {
  ConvexReluTrainSpec,
  ConvexReluVerifySpec,
  NativeVerification,
} from '../native-interface';
import { type RunOptions, runJob, runSync } from '../run';
import { finishHere, finishInBackground, perform, type Steps } from '../steps';
import type { ConvexReLUOptions, Loss } from './option-types';
import { type Prepared, prepareTraining, type TrainResult, trainingStep } from './train';

/** Far below every beta of use. */
const SMALL_BETA = 1e-100;

/** How a search for the largest useful beta is run. */
export type MaximumBetaRun = Pick<RunOptions, 'signal' | 'threads'>;

/**
 * The smallest beta at which a network of zeros is optimal over the gates drawn, where a
 * regularization path begins. Exact for gated models up to rounding. For ReLU models an upper bound:
 * their cones, which are left out of it, can only lower it.
 *
 * @param x n × features
 * @param y n targets, or n × outputs
 * @param options as for {@link trainConvexReLU}; `beta` has no part in it
 * @throws SecondOrderError as {@link trainConvexReLU}
 */
export async function maximumBeta(
  x: MatrixLike,
  y: ArrayLike<number> | DenseMatrixLike,
  options?: ConvexReLUOptions,
  run?: MaximumBetaRun,
): Promise<number> {
  return finishInBackground(maximumBetaOf(prepareTraining(x, y, options), run));
}

/** {@link maximumBeta} on the calling thread. */
export function maximumBetaSync(
  x: MatrixLike,
  y: ArrayLike<number> | DenseMatrixLike,
  options?: ConvexReLUOptions,
  run?: MaximumBetaRun,
): number {
  return finishHere(maximumBetaOf(prepareTraining(x, y, options), run));
}

function* maximumBetaOf(problem: Prepared, run: MaximumBetaRun | undefined): Steps<number> {
  return yield* maximumBetaOver(problem, yield* drawGates(problem, run), run);
}

/** A result whose gates are drawn, and that is good for nothing else. */
export function* drawGates(
  { spec, options }: Prepared,
  run: MaximumBetaRun | undefined,
): Steps<TrainResult> {
  const { refine: _, ...unrefined } = spec;
  const drawn = { spec: { ...unrefined, maxIterations: 1 }, options };
  return yield* perform(trainingStep(drawn, run));
}

/** The largest useful beta over the gates of a result on the same data. */
export function* maximumBetaOver(
  { spec }: Prepared,
  drawn: TrainResult,
  run: MaximumBetaRun | undefined,
): Steps<number> {
  const slopes = slopesAtZero(spec);
  const proof = proofOf(spec, drawn, slopes);
  const { convexReluVerify, convexReluVerifySync } = loadNative();
  const bounds = yield* perform<NativeVerification>({
    inBackground: () => runJob(convexReluVerify, proof, run, (found) => found),
    here: () => runSync(convexReluVerifySync, proof, run, (found) => found),
  });
  return betaFrom(bounds, slopes, spec);
}

/** g: the gradient of Σ wℓ with respect to the outputs, where all are 0. */
function slopesAtZero({ loss, y, outputs, sampleWeights }: ConvexReluTrainSpec): Float64Array {
  return y.map((target, i) => {
    const weight = sampleWeights?.[Math.floor(i / outputs)] ?? 1;
    return weight * slopeAtZero(loss, target, outputs);
  });
}

function slopeAtZero(loss: Loss, target: number, outputs: number): number {
  if (loss === 'logistic') return -target / 2;
  return loss === 'softmax' ? 1 / outputs - target : -target;
}

/**
 * What `verify` is to look at: targets −g with the squared loss and the dual point g. The bound that
 * it proves is (τ − ½τ²)·‖g‖²/n with τ = n·SMALL_BETA / maxᵢ ‖ZᵀDᵢ g‖, from which the norm follows.
 */
function proofOf(
  { x }: ConvexReluTrainSpec,
  { network }: TrainResult,
  slopes: Float64Array,
): ConvexReluVerifySpec {
  const { model, certificate } = network.stored;
  return {
    model,
    certificate: {
      loss: 'squared',
      beta: SMALL_BETA,
      gates: certificate?.gates ?? new Float64Array(0),
      nu: slopes,
      muRows: null,
      mu: null,
      sampleWeights: null,
      ...(certificate?.drawn && { drawn: certificate.drawn }),
    },
    x,
    y: slopes.map((slope) => -slope),
  };
}

function betaFrom(
  { dualBound }: NativeVerification,
  slopes: Float64Array,
  { x, sampleWeights }: ConvexReluTrainSpec,
): number {
  const squares = slopes.reduce((sum, slope) => sum + slope * slope, 0);
  if (squares === 0) return 0;
  const share = (dualBound * x.rows) / squares;
  const tau = (2 * share) / (1 + Math.sqrt(Math.max(0, 1 - 2 * share)));
  // τ is cut off at 1 where all the norms are 0.
  if (tau >= 1) return 0;
  const total = sampleWeights?.reduce((sum, weight) => sum + weight, 0) ?? x.rows;
  return (SMALL_BETA * x.rows) / tau / total;
}
