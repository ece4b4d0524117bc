import { isFloatArray } from '../floats';
import type { DenseMatrixLike, MatrixLike } from '../matrix';
import { loadNative } from '../native';
import type { ConvexReluVerifySpec, NativeModel } from '../native-interface';
import { type RunOptions, runJob, runSync } from '../run';
import { checkObject, describe, invalid, mismatch, toChoice, toNumber } from '../validate';
import type { ConvexReLUClassifier } from './classifier';
import { readDrawn } from './document';
import { Estimator } from './estimator';
import type { Label } from './estimator-state';
import { LOSSES } from './options';
import type { ConvexReLURegressor } from './regressor';
import type { DualCertificate } from './solution';
import { certificateProblem } from './stored-model';
import { TrainedNetwork } from './trained-network';

/** What a certificate proves of a network. */
export interface Certificate {
  /** F of the network on the data. */
  objective: number;
  /** No choice of weights for the certificate's gates has a lower F than this. */
  dualBound: number;
  /** Relative gap between the two. */
  gap: number;
  /** Relative violation of the cone constraints; 0 for gated models. */
  infeasibility: number;
}

/** What can be verified: a network, or a fitted estimator with its own labels or targets. */
export type Verifiable = TrainedNetwork | ConvexReLUClassifier | ConvexReLURegressor;

/**
 * Recomputes a network's objective, and the lower bound on the optimum of its convex program, from
 * the saved dual certificate and the training data alone; nothing of the training run is trusted.
 *
 * Objectives are in the units of training: a regressor's target is standardised as it was there.
 *
 * @param model a network, or a fitted estimator
 * @param x the training inputs, n × features
 * @param y the training targets or labels, in the same order
 * @param certificate default: the one saved with the network
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (also: no certificate), ERR_DIMENSION_MISMATCH,
 * ERR_NOT_FITTED
 */
export function verify(
  model: Verifiable,
  x: MatrixLike,
  y: ArrayLike<number> | ArrayLike<Label> | DenseMatrixLike,
  certificate?: DualCertificate,
): Certificate {
  const spec = makeSpec(model, x, y, certificate);
  return runSync(loadNative().convexReluVerifySync, spec, undefined, (bounds) => bounds);
}

/** {@link verify} on another thread. */
export async function verifyAsync(
  model: Verifiable,
  x: MatrixLike,
  y: ArrayLike<number> | ArrayLike<Label> | DenseMatrixLike,
  certificate?: DualCertificate,
  run?: RunOptions,
): Promise<Certificate> {
  const spec = makeSpec(model, x, y, certificate);
  return runJob(loadNative().convexReluVerify, spec, run, (bounds) => bounds);
}

function makeSpec(model: unknown, x: unknown, y: unknown, given: unknown): ConvexReluVerifySpec {
  if (!(model instanceof TrainedNetwork) && !(model instanceof Estimator)) {
    throw invalid('model', 'a network or an estimator of this package', describe(model));
  }
  const network: TrainedNetwork = model instanceof Estimator ? model.network : model;
  const certificate =
    given === undefined ? network.certificate : readCertificate(given, network.stored.model);
  if (!certificate) {
    throw invalid('certificate', 'given for a network without one', 'none', 'certificate');
  }
  const inputs = network.readInputs(x, 1);
  const samples = certificate.nu.length / network.outputs;
  if (inputs.rows !== samples) {
    throw mismatch('x', `x has ${inputs.rows} rows; the certificate is for ${samples} samples`);
  }
  const targets = model instanceof Estimator ? model.toTargets(y, inputs.rows) : y;
  return {
    ...network.inTrainingUnits(targets, inputs.rows, certificate.loss),
    certificate,
    x: inputs,
  };
}

const CERTIFICATE_KEYS = [
  'loss',
  'beta',
  'gates',
  'nu',
  'muRows',
  'mu',
  'sampleWeights',
  'epsilon',
  'shifts',
  'drawn',
];

function readCertificate(value: unknown, model: NativeModel): DualCertificate {
  const raw = checkObject(value, 'certificate', CERTIFICATE_KEYS);
  const { mu, muRows, sampleWeights } = raw;
  if (mu !== null && !isFloatArray(mu)) {
    throw invalid('certificate.mu', 'a Float32Array, a Float64Array or null', describe(mu));
  }
  if (muRows !== null && !(muRows instanceof Int32Array)) {
    throw invalid('certificate.muRows', 'an Int32Array or null', describe(muRows));
  }
  const robust =
    raw.epsilon === undefined
      ? {}
      : {
          epsilon: toNumber(raw.epsilon, 'certificate.epsilon', { above: 0 }),
          shifts: readDoubles(raw.shifts, 'certificate.shifts'),
        };
  const certificate = {
    ...robust,
    ...readDrawn(raw.drawn),
    loss: toChoice(raw.loss, 'certificate.loss', LOSSES),
    beta: toNumber(raw.beta, 'certificate.beta', { above: 0 }),
    gates: readDoubles(raw.gates, 'certificate.gates'),
    nu: readDoubles(raw.nu, 'certificate.nu'),
    muRows,
    mu,
    sampleWeights:
      sampleWeights === null ? null : readDoubles(sampleWeights, 'certificate.sampleWeights'),
  };
  const problem = certificateProblem(certificate, model);
  if (problem !== undefined) throw invalid('certificate', 'one of this network', problem);
  return certificate;
}

function readDoubles(value: unknown, argument: string): Float64Array {
  if (!(value instanceof Float64Array)) throw invalid(argument, 'a Float64Array', describe(value));
  return value;
}
