import type { Device, DeviceOptions } from '../devices';
import type { DenseMatrixLike } from '../matrix';
import type { ReLUNetwork } from './network';
import type { ConvexSolution } from './solution';

/** Loss ℓ of one sample; see {@link ConvexReLUOptions}. */
export type Loss = 'squared' | 'logistic' | 'hinge' | 'softmax';
/** Model family; see {@link ConvexReLUOptions}. */
export type Model = 'relu' | 'gated';
/** Which weights share one norm when there are several outputs. */
export type Penalty = 'gate' | 'neuron';
/** How inputs are scaled before training. */
export type Preprocess = 'standardize' | 'unit-columns' | 'none';
/** How the linear system of an iteration is solved. */
export type Route = 'auto' | 'woodbury' | 'gram' | 'cg';

/**
 * Adversarial training (arXiv 2201.01965, section 5): F's loss of a sample is its largest over all
 * inputs within `epsilon` of it, and gates are drawn so that neurons can keep that distance.
 */
export interface AdversarialOptions {
  /**
   * The most that each input may be moved, above 0, in the units the solver sees: after `preprocess`.
   * With `'standardize'`, input j itself may be moved by epsilon times its standard deviation. The
   * bias is never moved.
   */
  epsilon: number;
  /**
   * After the convex program, descend on the network's own worst-case loss, with neurons added up to
   * the number of gates, and keep the result if that loss under attack is lower; default true. The
   * report's objective, bound and gap are of the convex program's network either way.
   */
  descent?: boolean;
}

/** How gates are drawn. */
export interface GateDrawing {
  /** How many; 128 when left out. */
  count?: number;
  /**
   * - `'gaussian'`: random directions (the paper's; arXiv 2201.01965, section 2).
   * - `'data'`: differences of two samples, with a threshold inside the data. Better for many samples.
   * - `'patches'`: as `'data'`, on a random window of an image; needs `image`.
   */
  from: 'gaussian' | 'data' | 'patches';
  /** `[height, width]` in pixels of a sample read as an image, row by row; for `'patches'` only. */
  image?: [height: number, width: number];
}

/** How far a bound over all networks is taken; any limit leaves a valid bound. */
export interface GlobalBoundOptions {
  /** Time for it, each time it is computed; no limit by default but that of the run. */
  seconds?: number;
  /**
   * Cones that the branch and bound may look at; default 5,000,000 where the inputs, the bias among
   * them, span up to four dimensions (about a minute for 1,000 samples), 200,000 above.
   */
  nodes?: number;
  /** Accuracy to which the bound is taken, relative; default 2e-3. */
  tolerance?: number;
  /**
   * Train again with the gates that the search found, so many times at most and until `globalGap`
   * is within the option `tolerance` of training; default 0.
   */
  rounds?: number;
}

/** How far gates are refined; see {@link ConvexReLUOptions}. */
export interface RefineOptions {
  /** Rounds at most; default 16. It ends earlier after four that gain less than 1e-5 of the objective. */
  rounds?: number;
  /**
   * Most gates, and most neurons of the network. When left out, gates stay at the count of `gates`,
   * and the network has up to two neurons for each, where the convex program finds both of use.
   */
  maxGates?: number;
  /** Ends when no search finds a neuron of price above (1 + tolerance)·beta; default 2e-3. */
  tolerance?: number;
}

/**
 * Options of convex ReLU training. The program solved is
 *
 *     minimise  F = (1/n) Σ ℓ(ŷᵢ, yᵢ) + beta Σ (‖vⱼ‖₂ + ‖wⱼ‖₂)
 *
 * over the weights of all gates (Pilanci and Ergen, ICML 2020; solved as in arXiv 2201.01965).
 * Unknown entries are refused with ERR_INVALID_ARGUMENT.
 */
export interface ConvexReLUOptions extends Omit<DeviceOptions, 'device'> {
  /**
   * Default `'auto'`, which takes one GPU at most. Several, such as `['cuda:0', 'cuda:1']`, share the
   * gates, and the work and memory of the iterations with them; samples are on each of them, and gate
   * refinement is done by the first.
   */
  device?: Device | readonly Device[];
  /**
   * Loss ℓ; default `'squared'`, ½(ŷ − y)². `'logistic'` and `'hinge'` take targets of ±1 in every
   * output, `'softmax'` takes rows of class probabilities over at least two outputs.
   */
  loss?: Loss;
  /** Weight of the penalty, above 0; default 1e-3. Larger gives fewer neurons. */
  beta?: number;
  /**
   * Gates: how many to draw (default 128), how to draw them, or the gates themselves, one per row,
   * over the inputs as the solver sees them (after `preprocess`, before `components`): `features`
   * columns, or one more for a bias. Default drawing: `'gaussian'` for `model: 'relu'`, `'data'` for
   * `'gated'`.
   */
  gates?: number | DenseMatrixLike | GateDrawing;
  /**
   * `'relu'`: a ReLU network with cone constraints; `'gated'`: gates stay fixed, no cones, much faster
   * for many samples. Default `'relu'`; classifiers of more than two classes default to `'gated'`.
   */
  model?: Model;
  /**
   * With several outputs, which weights share one norm in the penalty: `'gate'` (default), all outputs
   * of a gate together; `'neuron'`, each output's on its own. The same for one output.
   */
  penalty?: Penalty;
  /**
   * Gate refinement: the first gates are only a start, and rounds of descent, pricing and convex
   * solves find better ones (guide, "Gate refinement"). On by default for `model: 'relu'` where
   * samples × features × gates ≤ 5·10⁷ (it takes up to half a minute then), unless `gates` is
   * a matrix, or several outputs have `penalty: 'neuron'`, which it cannot keep; `{}` asks for it at any
   * size, `false` solves the program over the first gates alone.
   */
  refine?: false | RefineOptions;
  /**
   * Train for the worst case: every input, as the solver sees it, may be moved by up to `epsilon`;
   * see {@link AdversarialOptions}. For `model: 'relu'`, one output, and the losses `'hinge'`,
   * `'logistic'` and `'squared'`; without `components` and `warmStart`.
   */
  adversarial?: AdversarialOptions;
  /**
   * `'admm'` (default) solves the program over gates and their cones. `'scp'`, the sampled convex
   * program of arXiv 2201.01965, draws the hidden vectors themselves and solves for the output
   * weights alone: `gates` says how many (default 1,000, uniform on the unit sphere of the inputs as
   * the solver sees them) or gives them as rows, whose lengths don't matter. For `model: 'relu'` on
   * the CPU, without `refine`, `adversarial`, `globalBound`, `rho` and `route`; `checkEvery` and
   * `relaxation` have no part in it. See {@link scpSampleCount} and `report.sampling`.
   */
  method?: 'admm' | 'scp';
  /**
   * Scaling of the inputs, kept in the network and applied by it: `'standardize'` to mean 0 and
   * variance 1, `'unit-columns'` to columns of norm 1, `'none'`. Default `'standardize'`, or `'none'`
   * when `components` is given.
   */
  preprocess?: Preprocess;
  /** Project centred inputs on this many principal components; at most the number of features. */
  components?: number;
  /** Add a constant input; default true. */
  bias?: boolean;
  /** Stop at this relative duality gap and relative infeasibility; default 1e-3. */
  tolerance?: number;
  /** Default 10,000. */
  maxIterations?: number;
  /**
   * Iterations between certificates; default 10, and 4 for gated models, whose iterations are few
   * and dear. A certificate is about four matrix products (two for a gated model).
   */
  checkEvery?: number;
  /** Penalty parameter ρ of ADMM, kept when given; chosen from the data and adapted when left out. */
  rho?: number;
  /** Over-relaxation of ADMM, from 1 to below 2; default 1.7. */
  relaxation?: number;
  /**
   * How each iteration's linear system is solved; default `'auto'`, the one that fits and costs least.
   * `'gram'` is not for several GPUs.
   */
  route?: Route;
  /**
   * A lower bound on the nonconvex problem itself, the objective of every ReLU network of any width
   * and with any gates: `report.globalBound`. By branch and bound where the inputs, the bias
   * included, span at most 8 dimensions, otherwise (and where that ends early) by a semidefinite
   * relaxation, which is much weaker. Not for `model: 'gated'`.
   *
   * `true` computes it, `false` does not; `'auto'` (default) does for at most five features, the
   * bias included, and ends after about half a second, where it may be far below the objective.
   * Limits are given as an object. Not computed with `adversarial`.
   */
  globalBound?: boolean | 'auto' | GlobalBoundOptions;
  /**
   * How a GPU multiplies matrices of float32: `'float32'` (default), or faster with factors rounded to
   * the 10 bits of mantissa that its tensor cores take, `'tf32'`. The certificate is float64 either
   * way: a run that loses too much does not reach its tolerance, and its report says so.
   */
  products?: 'float32' | 'tf32';
  /**
   * One weight ≥ 0 for each sample, all 1 when left out: the loss is then (1/Σ weights) Σ weight · ℓ.
   * Samples of weight 0 take no part.
   */
  sampleWeights?: ArrayLike<number>;
  /** Start from an earlier result: its gates, or with refinement its network. */
  warmStart?: ConvexSolution | ReLUNetwork;
}

/**
 * The options a network was trained with, all defaults filled in; kept in its file. Gates given as a
 * matrix are marked `'given'`: they are in the certificate.
 */
export interface TrainingOptions {
  loss: Loss;
  beta: number;
  gates: { count: number; from: GateDrawing['from'] | 'given'; image?: [number, number] };
  model: Model;
  /** Left out for ADMM. */
  method?: 'scp';
  penalty: Penalty;
  refine: false | { rounds: number; maxGates?: number; tolerance: number };
  preprocess: Preprocess;
  components?: number;
  bias: boolean;
  tolerance: number;
  maxIterations: number;
  checkEvery: number;
  rho?: number;
  relaxation: number;
  route: Route;
  adversarial?: { epsilon: number; descent: boolean };
  precision: 'float32' | 'float64';
  seed: number;
}
