/** A command line that does not make sense: exit code 2, with the code of a bad argument. */
export class UsageError extends Error {
  override name = 'UsageError';
  readonly code = 'ERR_INVALID_ARGUMENT';
}
