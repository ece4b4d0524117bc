// Straight-line programs with exact first and second derivatives: forward for values, backward for
// gradients, forward over backward for Hessians.

/** One elementary operation of at most two arguments. */
export interface Operation {
  value(a: number, b: number): number;
  /** Writes ∂a, ∂b, ∂aa, ∂ab and ∂bb to `out` from `p` on; what is left alone is 0. */
  partials(a: number, b: number, out: Float64Array, p: number): void;
  /** Which second derivatives can be other than 0. */
  curved: { aa?: boolean; ab?: boolean; bb?: boolean };
}

/** What a place of the tape holds: an input, a constant, or an operation on earlier places. */
export type Step =
  | { kind: 'input' }
  | { kind: 'constant'; value: number }
  | { kind: 'operation'; operation: Operation; a: number; b: number };

/** Places per partial derivative of a step: ∂a, ∂b, ∂aa, ∂ab, ∂bb. */
const PARTIALS = 5;

export class Tape {
  /** Pairs of inputs, the greater first, whose second derivative can be other than 0. */
  readonly interactions: readonly (readonly [number, number])[];
  readonly #values: Float64Array;
  readonly #partials: Float64Array;
  readonly #adjoints: Float64Array;
  readonly #tangents: Float64Array;
  readonly #tangentAdjoints: Float64Array;

  /** The first steps are the inputs, of which the first `variables` are differentiated. */
  constructor(
    readonly steps: readonly Step[],
    readonly variables: number,
    readonly inputs: number,
    readonly result: number,
  ) {
    this.interactions = findInteractions(steps, variables, result);
    this.#values = new Float64Array(steps.length);
    this.#partials = new Float64Array(steps.length * PARTIALS);
    this.#adjoints = new Float64Array(steps.length);
    this.#tangents = new Float64Array(steps.length);
    this.#tangentAdjoints = new Float64Array(steps.length);
    steps.forEach((step, i) => {
      if (step.kind === 'constant') this.#values[i] = step.value;
    });
  }

  /** The value at `x`: the variables, then the parameters. */
  value(x: Float64Array): number {
    const values = this.#values;
    for (let i = 0; i < this.inputs; i++) values[i] = x[i]!;
    for (let i = this.inputs; i <= this.result; i++) {
      const step = this.steps[i]!;
      if (step.kind !== 'operation') continue;
      values[i] = step.operation.value(values[step.a]!, values[step.b]!);
    }
    return values[this.result]!;
  }

  /** Writes the derivatives by the variables to `out`. */
  gradient(x: Float64Array, out: Float64Array): void {
    this.#sweepBack(x);
    for (let i = 0; i < this.variables; i++) out[i] = this.#adjoints[i]!;
  }

  /** Writes the second derivatives of `interactions`, in their order, to `out`. */
  hessian(x: Float64Array, out: Float64Array): void {
    this.#sweepBack(x);
    let direction = -1;
    this.interactions.forEach(([row, column], k) => {
      if (column !== direction) {
        direction = column;
        this.#sweepTangent(direction);
      }
      out[k] = this.#tangentAdjoints[row]!;
    });
  }

  /** Values, partial derivatives and adjoints of every step. */
  #sweepBack(x: Float64Array): void {
    this.value(x);
    const [values, partials] = [this.#values, this.#partials];
    const adjoints = this.#adjoints.fill(0);
    adjoints[this.result] = 1;
    for (let i = this.result; i >= this.inputs; i--) {
      const step = this.steps[i]!;
      if (step.kind !== 'operation') continue;
      const p = i * PARTIALS;
      step.operation.partials(values[step.a]!, values[step.b]!, partials, p);
      adjoints[step.a]! += adjoints[i]! * partials[p]!;
      adjoints[step.b]! += adjoints[i]! * partials[p + 1]!;
    }
  }

  /** Derivatives of the adjoints along one variable; needs `#sweepBack` at the same point. */
  #sweepTangent(direction: number): void {
    const partials = this.#partials;
    const tangents = this.#tangents.fill(0);
    const dots = this.#tangentAdjoints.fill(0);
    tangents[direction] = 1;
    for (let i = this.inputs; i <= this.result; i++) {
      const step = this.steps[i]!;
      if (step.kind !== 'operation') continue;
      const p = i * PARTIALS;
      tangents[i] = partials[p]! * tangents[step.a]! + partials[p + 1]! * tangents[step.b]!;
    }
    for (let i = this.result; i >= this.inputs; i--) {
      const step = this.steps[i]!;
      if (step.kind !== 'operation') continue;
      const p = i * PARTIALS;
      const ab = partials[p + 3]!;
      const [ta, tb] = [tangents[step.a]!, tangents[step.b]!];
      const adjoint = this.#adjoints[i]!;
      dots[step.a]! += dots[i]! * partials[p]! + adjoint * (partials[p + 2]! * ta + ab * tb);
      dots[step.b]! += dots[i]! * partials[p + 1]! + adjoint * (ab * ta + partials[p + 4]! * tb);
    }
  }
}

/** Pairs of variables that meet in a curved operation, ordered by the smaller one. */
function findInteractions(
  steps: readonly Step[],
  variables: number,
  result: number,
): [number, number][] {
  const reached = new Set([result]);
  const found = new Map<number, [number, number]>();
  const dependence: ReadonlySet<number>[] = steps.map((_, i) => new Set(i < variables ? [i] : []));
  const meet = (left: ReadonlySet<number>, right: ReadonlySet<number>): void => {
    for (const i of left) {
      for (const j of right) {
        const [row, column] = i > j ? [i, j] : [j, i];
        found.set(column * variables + row, [row, column]);
      }
    }
  };
  for (let i = result; i >= 0; i--) {
    const step = steps[i]!;
    if (step.kind === 'operation' && reached.has(i)) reached.add(step.a).add(step.b);
  }
  steps.forEach((step, i) => {
    if (step.kind !== 'operation' || !reached.has(i)) return;
    const [a, b] = [dependence[step.a]!, dependence[step.b]!];
    if (step.operation.curved.aa) meet(a, a);
    if (step.operation.curved.ab) meet(a, b);
    if (step.operation.curved.bb) meet(b, b);
    dependence[i] = new Set([...a, ...b]);
  });
  return [...found].sort(([left], [right]) => left - right).map(([, pair]) => pair);
}
