/** What a training run reports, and its progress. */
import type {
  NativeConvexReport,
  NativeRobustReport,
  NativeSamplingReport,
} from '../native-interface';

/** One certificate on the way; also the event of `onProgress`. */
export interface ConvexProgress {
  /** Iterations done. */
  iteration: number;
  /** Objective of the network that the iterate gives. */
  objective: number;
  /** Best lower bound so far. */
  dualBound: number;
  /** |objective − dualBound| / objective. */
  gap: number;
  /** Relative violation of the cone constraints; 0 for gated models. */
  infeasibility: number;
  /** Step parameter of ADMM; 0 for the sampled convex program. */
  rho: number;
  /** Seconds from the start. */
  seconds: number;
  /**
   * During gate refinement, which comes before the iterations: the round, with the objective of its
   * network, iteration 0, and a bound of 0.
   */
  round?: number;
  /** Beside `round`: the greatest price found at its start, over beta; NaN in round 0. */
  pricingRatio?: number;
}

/** How a training run ended, what it proved and what it cost. */
export interface ConvexReport {
  /**
   * `converged` only when gap and infeasibility, recomputed in float64, are within the tolerance. After
   * refinement, where the convex program over the network's own patterns was solved to it but the
   * network's gap is wider: `refined` when the network is better than that program's solution, as it may be
   * over several outputs; `width_limit` when the solution is better, but has more neurons than
   * `refine.maxGates` allows.
   */
  status: 'converged' | 'iteration_limit' | 'time_limit' | 'aborted' | 'refined' | 'width_limit';
  /** F of the network returned, in the units the solver saw. */
  objective: number;
  /** Lower bound on the optimum of the convex program over the gates used, in the same units. */
  dualBound: number;
  /** |objective − dualBound| / objective: a network outside its cones can be below the bound. */
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
  /**
   * The greatest price that a search from many starts found for a neuron the network does not have,
   * over beta: above 1, that neuron would lower the objective. A lower bound of the true maximum, so
   * that 1 is a sign of a good network and no proof. NaN without refinement, and where that did not
   * come to its end.
   */
  pricingRatio: number;
  /** Iterations of ADMM; working sets of the sampled convex program. */
  iterations: number;
  /**
   * Steps of conjugate gradients within the iterations, 0 where the linear systems were factored;
   * passes of coordinate descent of the sampled convex program, or for the hinge steps of its interior
   * point method.
   */
  innerIterations: number;
  /** Rounds of gate refinement. */
  rounds: number;
  /** Distinct gates in the program, or its hidden vectors. */
  gates: number;
  /** Neurons of the network; gates in use for a gated one. */
  neurons: number;
  /** Seconds that the solver took. */
  seconds: number;
  /** Most bytes of the machine's memory that the solver held at once. */
  peakBytes: number;
  /** Bytes it held on the GPU, of several on the one that held most; 0 on the CPU. */
  gpuBytes: number;
  /** Where it was computed: `cpu` or such as `cuda:0`; several GPUs are joined by commas. */
  device: string;
  /** Why there: asked for, faster by estimate, too small for a GPU to gain, or what a GPU lacks. */
  deviceReason: string;
  /** How the linear systems were solved. */
  route: string;
  /** Seed of the gates. */
  seed: number;
  /** What adversarial training says of the network on the training samples; otherwise null. */
  robust: RobustReport | null;
  /** What the hidden vectors of a sampled convex program assure (method `'scp'`); otherwise null. */
  sampling: SamplingReport | null;
  /** All certificates on the way. */
  history: ConvexProgress[];
  /** Rounds of gate refinement, none without it; round 0 is the descent from the first neurons. */
  refinement: RefinementRound[];
}

/** One round of gate refinement. */
export interface RefinementRound {
  round: number;
  /** Objective of the best network so far: it never rises. */
  objective: number;
  /** Greatest price found at the start of the round, over beta; NaN in round 0. */
  pricingRatio: number;
  /** Neurons of that network. */
  neurons: number;
  /** Seconds from the start. */
  seconds: number;
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

/**
 * The hidden vectors of a sampled convex program (arXiv 2201.01965): how likely it is that a further
 * one, drawn uniformly from the unit sphere, violates the constraint ‖aᵀν‖ ≤ beta of the dual
 * solution ν, without which it could not improve the program. What is said holds with probability at
 * least 1 − xi.
 */
export interface SamplingReport {
  /** Hidden vectors in the program. */
  directions: number;
  /** Those of them that were drawn uniformly; the others were given. */
  drawn: number;
  /** 0.05 */
  xi: number;
  /**
   * Beforehand, by the paper's theorem: so many drawn ones keep the probability of a violation at or
   * below this; null where they assure nothing.
   */
  psi: number | null;
  /** Hidden vectors that the theorem asks for at ψ = ξ = 0.05; see {@link scpSampleCount}. */
  asked: number;
  /** Afterwards: further ones drawn to test the solution, 0 after a stop. */
  tested: number;
  /** Those of them that violate it. */
  violating: number;
  /**
   * An upper bound on the probability of a violation by that test (Clopper and Pearson); null where
   * there was none.
   */
  limit: number | null;
}

function makeSampling(sampling: NativeSamplingReport | null): SamplingReport | null {
  return sampling && { ...sampling, psi: known(sampling.psi), limit: known(sampling.limit) };
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function makeRobust(robust: NativeRobustReport | null): RobustReport | null {
  if (!robust) return null;
  return {
    ...robust,
    accuracy: known(robust.accuracy),
    pgdAccuracy: known(robust.pgdAccuracy),
    certifiedAccuracy: known(robust.certifiedAccuracy),
  };
}

/** A native report with its history as one object for each certificate. */
export function makeReport(report: NativeConvexReport): ConvexReport {
  const { history, refinement, robust, sampling } = report;
  return {
    ...report,
    robust: makeRobust(robust),
    sampling: makeSampling(sampling),
    history: toRows(history, CERTIFICATE),
    refinement: toRows(refinement, ROUND),
  };
}

const CERTIFICATE = [
  'iteration',
  'objective',
  'dualBound',
  'gap',
  'infeasibility',
  'rho',
  'seconds',
] as const;
const ROUND = ['round', 'objective', 'pricingRatio', 'neurons', 'seconds'] as const;

/** One object for each entry of the columns, which the native side records side by side. */
function toRows<Name extends string>(
  columns: Record<string, ArrayLike<number>>,
  names: readonly Name[],
): Record<Name, number>[] {
  const length = columns[names[0] ?? '']?.length ?? 0;
  return Array.from({ length }, (_, i) => {
    const entries = names.map((name) => [name, columns[name]?.[i] ?? Number.NaN]);
    return Object.fromEntries(entries) as Record<Name, number>;
  });
}
