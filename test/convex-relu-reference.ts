// The convex program in plain JavaScript, slow and independent of the solver: its objective, its dual
// bound, and for gated models its optimum by FISTA (Beck and Teboulle 2009) with restarts.

import type { GatedReLUNetwork, Loss, Matrix, ReLUNetwork } from 'secondorder';
import { toRows } from './convex-relu-data';

export interface Program {
  /** n × f, what weights apply to: the inputs and a constant 1. */
  z: number[][];
  /** n × gates. */
  open: boolean[][];
  /** n × outputs. */
  y: number[][];
  /** n */
  weights: number[];
  loss: Loss;
  beta: number;
  penalty: 'gate' | 'neuron';
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
export const norm = (values: ArrayLike<number>) => Math.sqrt(dot(values, values));

/** The program over gates of a certificate (rows of d + 1, bias last) on inputs used as they are. */
export function makeProgram(
  x: Matrix,
  y: number[][],
  gates: ArrayLike<number>,
  settings: Partial<Program> = {},
): Program {
  const z = toRows(x).map((row) => [...row, 1]);
  const width = x.cols + 1;
  const rows = Array.from({ length: gates.length / width }, (_, i) =>
    Array.from({ length: width }, (_, j) => gates[i * width + j]!),
  );
  const open = z.map((row) => rows.map((gate) => dot(row, gate) >= 0));
  const weights = z.map(() => 1);
  return { z, open, y, weights, loss: 'squared', beta: 1e-3, penalty: 'gate', ...settings };
}

/** Loss of one sample. */
export function lossOf(loss: Loss, out: number[], y: number[]): number {
  if (loss === 'softmax') {
    const largest = Math.max(...out);
    return largest + Math.log(total(out.map((v) => Math.exp(v - largest)))) - dot(y, out);
  }
  return total(
    out.map((v, k) => {
      if (loss === 'squared') return 0.5 * (v - y[k]!) ** 2;
      if (loss === 'hinge') return Math.max(0, 1 - v * y[k]!);
      const margin = v * y[k]!;
      return Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin)));
    }),
  );
}

/** Its gradient; not for hinge. */
function slopeOf(loss: Loss, out: number[], y: number[]): number[] {
  if (loss === 'squared') return out.map((v, k) => v - y[k]!);
  if (loss === 'logistic') return out.map((v, k) => -y[k]! / (1 + Math.exp(v * y[k]!)));
  const largest = Math.max(...out);
  const shares = out.map((v) => Math.exp(v - largest));
  return shares.map((share, k) => share / total(shares) - y[k]!);
}

/** The conjugate ℓ*(ν), with ν moved into its domain. */
function conjugate(loss: Loss, nu: number[], y: number[]): number {
  const entropy = (p: number) => (p > 0 ? p * Math.log(p) : 0);
  if (loss === 'squared') return total(nu.map((v, k) => 0.5 * v * v + v * y[k]!));
  if (loss === 'softmax') return total(nu.map((v, k) => entropy(Math.max(0, v + y[k]!))));
  return total(
    nu.map((v, k) => {
      const share = Math.min(1, Math.max(0, -v * y[k]!));
      return loss === 'hinge' ? -share : entropy(share) + entropy(1 - share);
    }),
  );
}

const scale = (program: Program) => total(program.weights);

/** Mean loss of outputs. */
export function meanLoss(program: Program, outputs: number[][]): number {
  const { loss, y, weights } = program;
  return total(outputs.map((out, i) => weights[i]! * lossOf(loss, out, y[i]!))) / scale(program);
}

/** Zᵀ(D∘ν), as rows (gate · outputs + output) of f. */
export function adjoint({ z, open, y }: Program, nu: number[][]): Float64Array[] {
  const c = y[0]!.length;
  const rows = Array.from({ length: open[0]!.length * c }, () => new Float64Array(z[0]!.length));
  z.forEach((inputs, i) => {
    open[i]!.forEach((on, gate) => {
      if (!on) return;
      for (let k = 0; k < c; k++) {
        const row = rows[gate * c + k]!;
        inputs.forEach((value, j) => {
          row[j] = row[j]! + nu[i]![k]! * value;
        });
      }
    });
  });
  return rows;
}

/** Norms of the penalty's groups of rows (set · gates + gate) · outputs + output. */
export function groupNorms({ penalty, y }: Program, rows: ArrayLike<number>[]): number[] {
  const size = penalty === 'gate' ? y[0]!.length : 1;
  return Array.from({ length: rows.length / size }, (_, group) =>
    norm(rows.slice(group * size, (group + 1) * size).map(norm)),
  );
}

interface Multipliers {
  muRows: Int32Array | null;
  mu: ArrayLike<number> | null;
}

/** The lower bound that (ν, μ) prove, by weak duality; without cones for gated models. */
export function dualBound(program: Program, nu: number[][], cones?: Multipliers): number {
  const { z, open, y, weights, loss, beta } = program;
  const positive = adjoint(program, nu);
  const rows = cones ? [...positive, ...positive.map((row) => row.map((v) => -v))] : positive;
  const [gates, c, n] = [open[0]!.length, y[0]!.length, z.length];
  cones?.muRows?.forEach((at, j) => {
    const gate = Math.floor(at / c) % gates;
    for (let i = 0; i < n; i++) {
      const mu = Math.max(0, cones.mu![j * n + i]!) * (open[i]![gate] ? 1 : -1);
      z[i]!.forEach((value, l) => {
        rows[at]![l] = rows[at]![l]! - mu * value;
      });
    }
  });
  const most = (beta * scale(program)) / Math.max(...groupNorms(program, rows));
  let tau = Math.min(1, most);
  if (loss === 'squared') {
    const squares = total(nu.map((row, i) => (weights[i] ? dot(row, row) / weights[i]! : 0)));
    tau = Math.min(most, Math.max(0, -total(nu.map((row, i) => dot(row, y[i]!))) / squares));
  }
  const sum = total(
    nu.map((row, i) => {
      const weight = weights[i]!;
      if (weight === 0) return 0;
      const scaled = row.map((v) => (tau * v) / weight);
      return weight * conjugate(loss, scaled, y[i]!);
    }),
  );
  return -sum / scale(program);
}

/** Rows of n entries from a certificate's flat ν. */
export function reshape(values: ArrayLike<number>, cols: number): number[][] {
  return Array.from({ length: values.length / cols }, (_, i) =>
    Array.from({ length: cols }, (_, k) => values[i * cols + k]!),
  );
}

/** ŷ of gated weights u, rows (gate · outputs + output) of f. */
export function gatedOutputs({ z, open, y }: Program, u: ArrayLike<number>[]): number[][] {
  const c = y[0]!.length;
  return z.map((inputs, i) =>
    y[0]!.map((_, k) =>
      total(open[i]!.map((on, gate) => (on ? dot(inputs, u[gate * c + k]!) : 0))),
    ),
  );
}

/** Objective of gated weights. */
export function gatedObjective(program: Program, u: ArrayLike<number>[]): number {
  const outputs = gatedOutputs(program, u);
  return meanLoss(program, outputs) + program.beta * total(groupNorms(program, u));
}

/** The largest eigenvalue of FᵀWF / Σw, by power iteration. */
function curvature(program: Program): number {
  let u = adjoint(
    program,
    program.y.map((row, i) => row.map((_, k) => 1 + ((i + k) % 3))),
  );
  let value = 0;
  for (let k = 0; k < 200; k++) {
    const size = norm(u.map(norm));
    const unit = u.map((row) => row.map((v) => v / size));
    const image = gatedOutputs(program, unit);
    const weighted = image.map((row, i) =>
      row.map((v) => (v * program.weights[i]!) / scale(program)),
    );
    u = adjoint(program, weighted);
    value = norm(u.map(norm));
  }
  return value;
}

/** The optimum of a gated program to about `accuracy`, relative; fails when it cannot get there. */
export function gatedOptimum(program: Program, accuracy = 1e-9): number {
  const { loss, y, weights, beta, penalty, open, z } = program;
  const c = y[0]!.length;
  const size = penalty === 'gate' ? c : 1;
  const step = 1 / (curvature(program) * 1.01 * (loss === 'logistic' ? 0.25 : 1));
  let u = Array.from({ length: open[0]!.length * c }, () => new Float64Array(z[0]!.length));
  let [point, momentum] = [u, 1];
  for (let iteration = 1; iteration <= 200_000; iteration++) {
    const slopes = gatedOutputs(program, point).map((out, i) =>
      slopeOf(loss, out, y[i]!).map((v) => v * weights[i]!),
    );
    const gradient = adjoint(program, slopes);
    if (iteration % 200 === 0) {
      const objective = gatedObjective(program, point);
      if (objective - dualBound(program, slopes) <= accuracy * objective) return objective;
    }
    const moved = point.map((row, r) =>
      row.map((v, l) => v - (step * gradient[r]![l]!) / scale(program)),
    );
    const norms = groupNorms(program, moved);
    const next = moved.map((row, r) => {
      const length = norms[Math.floor(r / size)]!;
      const shrink = length > step * beta ? 1 - (step * beta) / length : 0;
      return row.map((v) => v * shrink);
    });
    // Momentum that points uphill is dropped.
    const uphill = total(
      next.map((row, r) =>
        dot(
          row.map((v, l) => point[r]![l]! - v),
          row.map((v, l) => v - u[r]![l]!),
        ),
      ),
    );
    const following = uphill > 0 ? 1 : (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    const ahead = uphill > 0 ? 0 : (momentum - 1) / following;
    point = next.map((row, r) => row.map((v, l) => v + ahead * (v - u[r]![l]!)));
    [u, momentum] = [next, following];
  }
  throw new Error('FISTA did not converge');
}

/** The weights of a gated network over raw inputs, as rows of `gatedObjective`; closed gates are absent. */
export function gatedRows(network: GatedReLUNetwork): Float64Array[] {
  const rows = toRows(network.weights).map((row) => Float64Array.from(row));
  const [count, c] = [network.gates.rows, network.outputs];
  return Array.from({ length: count * c }, (_, r) => rows[(r % c) * count + Math.floor(r / c)]!);
}

/** F of a ReLU network on inputs that were scaled by (x − mean) / deviation; from its public arrays. */
export function reluObjective(
  network: ReLUNetwork,
  x: Matrix,
  program: Pick<Program, 'y' | 'weights' | 'loss' | 'beta' | 'penalty'>,
  scaling = { mean: Array(x.cols).fill(0), deviation: Array(x.cols).fill(1) },
): number {
  const { hidden, hiddenBias, output, outputBias } = network;
  const [weights, out] = [toRows(hidden), toRows(output)];
  const outputs = toRows(x).map((row) => {
    const active = weights.map((w, i) => Math.max(0, dot(w, row) + hiddenBias[i]!));
    return out.map((w, k) => dot(w, active) + outputBias[k]!);
  });
  const groups = network.toJSON().tensors.groups!.data;
  const squares = new Map<number, number>();
  weights.forEach((w, i) => {
    const inner = [
      ...w.map((v, j) => v * scaling.deviation[j]!),
      hiddenBias[i]! + dot(w, scaling.mean),
    ];
    const square = dot(inner, inner) * total(out.map((row) => row[i]! ** 2));
    squares.set(groups[i]!, (squares.get(groups[i]!) ?? 0) + square);
  });
  const penalty = total([...squares.values()].map(Math.sqrt));
  return meanLoss({ ...program, z: [], open: [] }, outputs) + program.beta * penalty;
}
