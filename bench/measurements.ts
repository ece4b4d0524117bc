// The measurements by name, in the order in which they run and are shown.
import { type AccuracyResult, measureAccuracy } from './accuracy';
import { type DataSetResult, measureDataSets } from './data-sets';
import { type GlobalBoundResult, measureGlobalBound } from './global-bound';
import { type IterationResult, measureIteration } from './iteration';
import { type LearningCurveResult, measureLearningCurve } from './learning-curve';
import type { Machine } from './machine';
import type { Context, Skipped } from './measurement';
import { type MemoryResult, measureMemory } from './memory';
import { type BlocksResult, measureBlocks } from './mfac-blocks';
import { measureRecursion, type RecursionResult } from './mfac-recursion';
import { measureWindow, type WindowResult } from './mfac-window';
import { type MnistResult, measureMnist } from './mnist';
import { type KktResult, measureKkt } from './newton-kkt';
import { type LargeResult, measureLarge } from './newton-large';
import { measureProblems, type ProblemsResult } from './newton-problems';
import { measurePeers, type PeersResult } from './peers';
import { measureRefinement, type RefinementResult } from './refinement';
import { measureSampled, type SampledResult } from './sampled';
import { measureScaling, type ScalingResult } from './scaling';
import { measureTimeToGap, type TimeToGapResult } from './time-to-gap';

export interface Results {
  iteration: IterationResult[];
  scaling: ScalingResult[];
  'time-to-gap': TimeToGapResult[];
  'data-sets': DataSetResult[] | Skipped;
  memory: MemoryResult[];
  mnist: MnistResult | Skipped;
  'learning-curve': LearningCurveResult | Skipped;
  peers: PeersResult | Skipped;
  refinement: RefinementResult[] | Skipped;
  'global-bound': GlobalBoundResult[] | Skipped;
  sampled: SampledResult[] | Skipped;
  'mfac-window': WindowResult;
  'mfac-blocks': BlocksResult[];
  'mfac-recursion': RecursionResult[] | Skipped;
  'newton-problems': ProblemsResult;
  'newton-large': LargeResult;
  'newton-kkt': KktResult;
  accuracy: AccuracyResult | Skipped;
}

export type Name = keyof Results;

export const MEASUREMENTS: { [K in Name]: (context: Context) => Promise<Results[K]> } = {
  iteration: measureIteration,
  scaling: measureScaling,
  'time-to-gap': measureTimeToGap,
  'data-sets': measureDataSets,
  memory: measureMemory,
  mnist: measureMnist,
  'learning-curve': measureLearningCurve,
  peers: measurePeers,
  refinement: measureRefinement,
  'global-bound': measureGlobalBound,
  sampled: measureSampled,
  'mfac-window': measureWindow,
  'mfac-blocks': measureBlocks,
  'mfac-recursion': measureRecursion,
  'newton-problems': measureProblems,
  'newton-large': measureLarge,
  'newton-kkt': measureKkt,
  accuracy: measureAccuracy,
};

export const NAMES = Object.keys(MEASUREMENTS) as Name[];

/** What a run takes when it is not told: all but the comparison of accuracy, which takes hours. */
export const USUAL = NAMES.filter((name) => name !== 'accuracy');

/** One measurement, and how busy the machine was. */
export interface Measured<Result> {
  /** Load average of the last minute, before and after. */
  load: [before: number, after: number];
  seconds: number;
  result: Result;
}

/** What a run of the benchmarks writes. */
export interface BenchFile {
  date: string;
  command: string;
  quick: boolean;
  threads: number;
  machine: Machine;
  measurements: { [K in Name]?: Measured<Results[K]> };
}
