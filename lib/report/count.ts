/** A count in words of a page: 8,000. */
export function count(value: number): string {
  return value.toLocaleString('en');
}
