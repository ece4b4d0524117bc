// Dense linear algebra for the reference solver: plain loops, rows as arrays.

export type Rows = Float64Array[];

export const zeros = (rows: number, cols: number): Rows =>
  Array.from({ length: rows }, () => new Float64Array(cols));

export const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

export const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

export const largest = (a: Float64Array): number =>
  a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** x + α d. */
export const along = (x: Float64Array, d: Float64Array, alpha: number): Float64Array =>
  x.map((value, i) => value + alpha * d[i]!);

/** Aᵀy. */
export function transposeTimes(a: Rows, y: Float64Array, cols: number): Float64Array {
  const out = new Float64Array(cols);
  a.forEach((row, i) => {
    for (let j = 0; j < cols; j++) out[j]! += row[j]! * y[i]!;
  });
  return out;
}

/** B + weight AᵀA + shift I. */
export function gram(a: Rows, weight: number, b: Rows, shift: number): Rows {
  const out = b.map((row) => row.slice());
  for (const row of a) {
    for (let i = 0; i < row.length; i++) {
      if (row[i] === 0) continue;
      for (let j = 0; j < row.length; j++) out[i]![j]! += weight * row[i]! * row[j]!;
    }
  }
  for (let i = 0; i < out.length; i++) out[i]![i]! += shift;
  return out;
}

/** Whether a symmetric matrix has a Cholesky factor with pivots above rounding; overwrites it. */
export function isPositiveDefinite(a: Rows): boolean {
  const scale = Math.max(...a.map((row, i) => Math.abs(row[i]!)), 1e-300);
  for (let j = 0; j < a.length; j++) {
    const pivot = a[j]![j]! - dot(a[j]!.subarray(0, j), a[j]!.subarray(0, j));
    if (!(pivot > 1e-15 * scale)) return false;
    const root = Math.sqrt(pivot);
    a[j]![j] = root;
    const head = a[j]!.subarray(0, j);
    for (let i = j + 1; i < a.length; i++) {
      a[i]![j] = (a[i]![j]! - dot(a[i]!.subarray(0, j), head)) / root;
    }
  }
  return true;
}

/** LU factors with partial pivoting. */
export class Factors {
  readonly #rows: Rows;
  readonly #order: number[];

  constructor(a: Rows) {
    const rows = a.map((row) => row.slice());
    const order = rows.map((_, i) => i);
    for (let k = 0; k < rows.length; k++) {
      let best = k;
      for (let i = k + 1; i < rows.length; i++) {
        if (Math.abs(rows[i]![k]!) > Math.abs(rows[best]![k]!)) best = i;
      }
      [rows[k], rows[best]] = [rows[best]!, rows[k]!];
      [order[k], order[best]] = [order[best]!, order[k]!];
      const top = rows[k]!;
      if (top[k] === 0) top[k] = Number.MIN_VALUE;
      for (let i = k + 1; i < rows.length; i++) {
        const row = rows[i]!;
        if (row[k] === 0) continue;
        const factor = row[k]! / top[k]!;
        row[k] = factor;
        for (let j = k + 1; j < row.length; j++) row[j]! -= factor * top[j]!;
      }
    }
    this.#rows = rows;
    this.#order = order;
  }

  solve(b: Float64Array): Float64Array {
    const x = Float64Array.from(this.#order, (i) => b[i]!);
    const n = x.length;
    for (let i = 0; i < n; i++) x[i]! -= dot(this.#rows[i]!.subarray(0, i), x.subarray(0, i));
    for (let i = n - 1; i >= 0; i--) {
      const rest = dot(this.#rows[i]!.subarray(i + 1), x.subarray(i + 1));
      x[i] = (x[i]! - rest) / this.#rows[i]![i]!;
    }
    return x;
  }
}
