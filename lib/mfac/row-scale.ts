/**
 * The squared norms of the gradients in the window, for damping in proportion to them: λ is a multiple
 * of σ²/k, where σ² is their mean and k their number; σ²/k is the mean of the k eigenvalues that
 * (1/k) Σ gᵢ gᵢᵀ has. λ follows only when that has changed by a factor of 2, since factoring anew is
 * O(m³).
 */
export class RowScale {
  /** Newest last, `count` of them in use. */
  readonly squares: Float64Array;
  count = 0;
  /** σ²/k that λ was last chosen for; 0 before. */
  reference = 0;

  constructor(capacity: number) {
    this.squares = new Float64Array(capacity);
  }

  /** λ / relative for a window to which a gradient of this squared norm is added next. */
  next(square: number): number {
    const capacity = this.squares.length;
    const rows = Math.min(this.count + 1, capacity);
    let sum = square;
    for (let i = this.count - (rows - 1); i < this.count; i++) sum += this.squares[i]!;
    const scale = sum / rows / rows;
    const ratio = scale / this.reference;
    const moved = this.reference === 0 || ratio > 2 || ratio < 0.5;
    return moved ? Math.max(scale, SMALLEST) : this.reference;
  }

  /** Notes the squared norm of a gradient that was added. */
  add(square: number): void {
    if (this.count === this.squares.length) this.squares.copyWithin(0, 1);
    else this.count++;
    this.squares[this.count - 1] = square;
  }
}

/** Keeps λ above 0 when all gradients are 0. */
const SMALLEST = 1e-30;
