import { type DenseMatrixLike, type MatrixLike, toNativeMatrix } from '../matrix';
import { loadNative } from '../native';
import type { ConvexReluTrainResult, ConvexReluTrainSpec, NativeX } from '../native-interface';
import { type RunOptions, runJob, runSync } from '../run';
import type { Step } from '../steps';
import { GatedReLUNetwork } from './gated-network';
import { ReLUNetwork } from './network';
import type { ConvexReLUOptions, Model, TrainingOptions } from './option-types';
import { checkOptions, resolveOptions, settleRefinement, toTrainingOptions } from './options';
import { type ConvexProgress, type ConvexReport, makeReport } from './report';
import { ConvexSolution } from './solution';
import { StoredModel } from './stored-model';
import { readSampleWeights, readTargets, type Targets } from './targets';
import { readWarmStart } from './warm-start';

/** Run options whose `onProgress` is told of every certificate. */
export type ConvexRunOptions = RunOptions<ConvexProgress>;

/** What training gives. */
export interface TrainResult<Network = ReLUNetwork | GatedReLUNetwork> {
  /** Global optimum of the convex program over the gates used, to the gap in the report. */
  network: Network;
  /** For warm starts. */
  solution: ConvexSolution;
  /** How the run ended, and what it proved. */
  report: ConvexReport;
}

/** The class of network that a model gives. */
export type NetworkOf<M extends Model | undefined> = M extends 'gated'
  ? GatedReLUNetwork
  : ReLUNetwork;

/** Options whose `model` decides the class of network. */
export type OptionsOf<M extends Model | undefined> = ConvexReLUOptions & { model?: M };

/**
 * Trains a two-layer ReLU network by convex optimisation: draws gates, refines them (option `refine`),
 * solves the convex program over them by ADMM to a certified duality gap, and maps its solution to a
 * network.
 *
 * The optimum is global over these gates, not proved so over all networks.
 *
 * @param x n × features
 * @param y n targets, or n × outputs
 * @param options see {@link ConvexReLUOptions}
 * @param run threads, time limit, abort signal, progress
 * @returns the network, its solution for warm starts, and the report. A limit reached is told in
 * `report.status`; the network is then the best so far.
 * @throws SecondOrderError ERR_INVALID_ARGUMENT, ERR_DIMENSION_MISMATCH, ERR_OUT_OF_MEMORY,
 * ERR_NUMERICAL, ERR_CUDA_…; ERR_ABORTED with the best result so far as `partial`
 *
 * Source: Bai, Gautam, Sojoudi, arXiv 2201.01965; Pilanci and Ergen, ICML 2020.
 */
export async function trainConvexReLU<M extends Model | undefined = 'relu'>(
  x: MatrixLike,
  y: ArrayLike<number> | DenseMatrixLike,
  options?: OptionsOf<M>,
  run?: ConvexRunOptions,
): Promise<TrainResult<NetworkOf<M>>> {
  const result = await trainPrepared(prepareTraining(x, y, options), run);
  return result as TrainResult<NetworkOf<M>>;
}

/** {@link trainConvexReLU} on the calling thread, for scripts. */
export function trainConvexReLUSync<M extends Model | undefined = 'relu'>(
  x: MatrixLike,
  y: ArrayLike<number> | DenseMatrixLike,
  options?: OptionsOf<M>,
  run?: ConvexRunOptions,
): TrainResult<NetworkOf<M>> {
  return trainPreparedSync(prepareTraining(x, y, options), run) as TrainResult<NetworkOf<M>>;
}

/** A checked problem, ready for the solver. */
export interface Prepared {
  spec: ConvexReluTrainSpec;
  options: TrainingOptions;
}

/** Checks the arguments of a training. */
export function prepareTraining(x: unknown, y: unknown, options: unknown): Prepared {
  const inputs = toNativeMatrix(x, 'x', { minRows: 1 });
  const raw = checkOptions(options);
  const { loss } = resolveOptions(raw, { features: inputs.cols });
  return prepareTargets(inputs, readTargets(y, inputs.rows, loss), raw);
}

/** Joins checked inputs, targets and options into one problem. */
export function prepareTargets(
  x: NativeX,
  targets: Targets,
  raw: Record<string, unknown>,
  defaultModel: Model = 'relu',
): Prepared {
  const settings = settleRefinement(
    resolveOptions(raw, { features: x.cols, defaultModel }),
    { rows: x.rows, cols: x.cols, outputs: targets.outputs },
    raw.refine !== undefined,
  );
  const shape = { kind: settings.model, features: x.cols, outputs: targets.outputs };
  return {
    spec: {
      ...settings,
      ...targets,
      ...readSampleWeights(raw.sampleWeights, x.rows),
      ...readWarmStart(raw.warmStart, shape, settings.method),
      x,
    },
    options: toTrainingOptions(settings),
  };
}

/** The problem with inputs of its own, which nobody changes while one run follows another. */
export function ownInputs({ spec, options }: Prepared): Prepared {
  const { values, columns, rowOffsets, ...shape } = spec.x;
  const x = {
    ...shape,
    values: values.slice(),
    ...(columns && { columns: columns.slice() }),
    ...(rowOffsets && { rowOffsets: rowOffsets.slice() }),
  };
  return { spec: { ...spec, x }, options };
}

/** The solution of a prepared problem, as a step. */
export function trainingStep(prepared: Prepared, run?: ConvexRunOptions): Step<TrainResult> {
  return {
    inBackground: () => trainPrepared(prepared, run),
    here: () => trainPreparedSync(prepared, run),
  };
}

/** Solves a prepared problem on another thread. */
export function trainPrepared(prepared: Prepared, run?: ConvexRunOptions): Promise<TrainResult> {
  const { spec, options } = prepared;
  return runJob(loadNative().convexReluTrain, spec, run, (result) => finish(result, options));
}

/** Solves a prepared problem on this thread. */
export function trainPreparedSync(prepared: Prepared, run?: ConvexRunOptions): TrainResult {
  const { spec, options } = prepared;
  return runSync(loadNative().convexReluTrainSync, spec, run, (result) => finish(result, options));
}

function finish(result: ConvexReluTrainResult, options: TrainingOptions): TrainResult {
  const { model, certificate, solution, report } = result;
  const stored = new StoredModel(model, certificate, options);
  const network = model.kind === 'gated' ? new GatedReLUNetwork(stored) : new ReLUNetwork(stored);
  return {
    network,
    solution: new ConvexSolution(solution, certificate, options, network.shape),
    report: makeReport(report),
  };
}
