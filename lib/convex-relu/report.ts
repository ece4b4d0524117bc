/** What a training run reports, and its progress. */
import type { NativeConvexReport, NativeRobustReport } from '../native-interface';

/** One certificate on the way; also the event of `onProgress`. */
export interface ConvexProgress {
  /** Iterations done. */
  iteration: number;
  /** Objective of the network that the iterate gives. */
  objective: number;
  /** Best lower bound so far. */
  dualBound: number;
  /** (objective − dualBound) / objective. */
  gap: number;
  /** Relative violation of the cone constraints; 0 for gated models. */
  infeasibility: number;
  /** Step parameter of ADMM. */
  rho: number;
  /** Seconds from the start. */
  seconds: number;
}

/** How a training run ended, what it proved and what it cost. */
export interface ConvexReport {
  /** `converged` only when gap and infeasibility, recomputed in float64, are within the tolerance. */
  status: 'converged' | 'iteration_limit' | 'time_limit' | 'aborted';
  /** F of the network returned, in the units the solver saw. */
  objective: number;
  /** Lower bound on the optimum of the convex program over the gates used, in the same units. */
  dualBound: number;
  /** Relative gap between the two. */
  gap: number;
  /** Relative violation of the cone constraints; 0 for gated models. */
  infeasibility: number;
  /** Largest price of a gate outside the program, relative to beta; NaN where it was not measured. */
  pricingRatio: number;
  /** Iterations of ADMM. */
  iterations: number;
  /** Steps of conjugate gradients within the iterations; 0 where the linear systems were factored. */
  innerIterations: number;
  /** Rounds of gate refinement. */
  rounds: number;
  /** Distinct gates in the program. */
  gates: number;
  /** Neurons of the network; gates in use for a gated one. */
  neurons: number;
  /** Seconds that the solver took. */
  seconds: number;
  /** Most bytes the solver held at once. */
  peakBytes: number;
  /** Where it was computed: `cpu`. */
  device: string;
  /** How the linear systems were solved. */
  route: string;
  /** Seed of the gates. */
  seed: number;
  /** What adversarial training says of the network on the training samples; otherwise null. */
  robust: RobustReport | null;
  /** All certificates on the way. */
  history: ConvexProgress[];
}

/** The network of an adversarial training on its training samples. */
export interface RobustReport {
  /** The epsilon trained for. */
  epsilon: number;
  /** Worst-case F of the convex program's network: an upper bound, as `report.objective`. */
  programObjective: number;
  /** F of the network returned: under attack where `descended`, otherwise `programObjective`. */
  objective: number;
  /** Iterations of the descent after the convex program. */
  descentIterations: number;
  /** Whether the network returned is the descent's. */
  descended: boolean;
  /** Share of samples of the right class; null, as the next two, where targets are not all ±1. */
  accuracy: number | null;
  /** Share that stays right under PGD of 20 steps and 5 restarts: measured, an upper bound. */
  pgdAccuracy: number | null;
  /** Share that provably stays right for every input within epsilon: a lower bound. */
  certifiedAccuracy: number | null;
}

function makeRobust(robust: NativeRobustReport | null): RobustReport | null {
  if (!robust) return null;
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return {
    ...robust,
    accuracy: known(robust.accuracy),
    pgdAccuracy: known(robust.pgdAccuracy),
    certifiedAccuracy: known(robust.certifiedAccuracy),
  };
}

/** A native report with its history as one object for each certificate. */
export function makeReport(report: NativeConvexReport): ConvexReport {
  const { history, robust } = report;
  return { ...report, robust: makeRobust(robust), history: makeHistory(history) };
}

function makeHistory(columns: NativeConvexReport['history']): ConvexProgress[] {
  const length = columns.iteration?.length ?? 0;
  return Array.from({ length }, (_, i) => {
    const at = (name: keyof ConvexProgress): number => columns[name]?.[i] ?? Number.NaN;
    return {
      iteration: at('iteration'),
      objective: at('objective'),
      dualBound: at('dualBound'),
      gap: at('gap'),
      infeasibility: at('infeasibility'),
      rho: at('rho'),
      seconds: at('seconds'),
    };
  });
}
