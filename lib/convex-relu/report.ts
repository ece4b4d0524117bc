/** What a training run reports, and its progress. */
import type { NativeConvexReport } from '../native-interface';

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
  /**
   * Lower bound on the objective of every ReLU network of any width, whatever its gates, in the same
   * units; null where it was not computed (option `globalBound`).
   */
  globalBound: number | null;
  /** (objective − globalBound) / objective; null where there is no bound. */
  globalGap: number | null;
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
  /** Most bytes of the machine's memory that the solver held at once. */
  peakBytes: number;
  /** Bytes it held on the GPU; 0 on the CPU. */
  gpuBytes: number;
  /** Where it was computed: `cpu` or such as `cuda:0`. */
  device: string;
  /** Why there: asked for, faster by estimate, too small for a GPU to gain, or what a GPU lacks. */
  deviceReason: string;
  /** How the linear systems were solved. */
  route: string;
  /** Seed of the gates. */
  seed: number;
  /** All certificates on the way. */
  history: ConvexProgress[];
}

/** A native report with its history as one object for each certificate. */
export function makeReport(report: NativeConvexReport): ConvexReport {
  return { ...report, history: makeHistory(report.history) };
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
