import { loadNative } from '../native';
import { runDirect } from '../run';
import { checkObject, LARGEST_COUNT, toInteger, toNumber } from '../validate';

/** What is asked of the hidden vectors of a sampled convex program. */
export interface SampleCountOptions {
  /** Training samples n; those of weight 0 take no part. */
  samples: number;
  /** Outputs c; default 1. */
  outputs?: number;
  /** Probability ψ that a further hidden vector may violate the dual solution, between 0 and 1. */
  psi: number;
  /** Probability ξ that this is not so after all, between 0 and 1. */
  xi: number;
}

/**
 * How many hidden vectors the theory asks for, so that with probability at least 1 − ξ a further one,
 * drawn uniformly from the unit sphere, could improve the program with probability at most ψ:
 *
 *     N ≥ min{ (nc + 1)/(ψξ) − 1, (2/ψ)(nc + 1 − log ξ) }
 *
 * (arXiv 2201.01965; Calafiore and Campi, Math. Program. 102, 2005). It grows with n: to judge the
 * hidden vectors of a run afterwards, `report.sampling` tests further ones, which needs far fewer.
 *
 * @returns a whole number, for `gates` with `method: 'scp'`
 * @throws SecondOrderError ERR_INVALID_ARGUMENT
 */
export function scpSampleCount(options: SampleCountOptions): number {
  const raw = checkObject(options, 'options', ['samples', 'outputs', 'psi', 'xi']);
  const whole = { min: 1, max: LARGEST_COUNT };
  const share = { above: 0, below: 1 };
  const samples = toInteger(raw.samples, 'options.samples', whole);
  const outputs = toInteger(raw.outputs ?? 1, 'options.outputs', whole);
  const psi = toNumber(raw.psi, 'options.psi', share);
  const xi = toNumber(raw.xi, 'options.xi', share);
  return runDirect(() =>
    loadNative().convexReluSampleCount({ decisions: samples * outputs + 1, psi, xi }),
  );
}
