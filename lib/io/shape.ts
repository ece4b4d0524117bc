/** Shapes of arrays: the size of each axis. */

/** Whether the value is an array of sizes: integers from 0. */
export function isShape(value: unknown): value is number[] {
  // Array.from sees holes, which every leaves out.
  if (!Array.isArray(value)) return false;
  return Array.from(value).every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** The number of entries of an array of this shape; not a safe integer when it is absurd. */
export function sizeOf(shape: readonly number[]): number {
  // Zeros last: a huge size does not become harmless because another one is zero.
  const huge = shape.reduce((product, size) => product * Math.max(size, 1), 1);
  return Number.isSafeInteger(huge) && shape.includes(0) ? 0 : huge;
}
