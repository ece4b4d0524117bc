/**
 * Work in steps, each of which can be done on another thread or on the calling one: what comes
 * between the steps is written once, as a generator, for a function and its `…Sync` twin.
 */

/** One step. */
export interface Step<Result> {
  inBackground(): Promise<Result>;
  here(): Result;
}

/** Steps that end in a result. A step that fails throws where it was yielded. */
export type Steps<Result> = Generator<Step<unknown>, Result, unknown>;

/** Within steps: does one, and gives what it gives. */
export function* perform<Result>(step: Step<Result>): Steps<Result> {
  return (yield step) as Result;
}

/** Does all steps on other threads. */
export async function finishInBackground<Result>(steps: Steps<Result>): Promise<Result> {
  let next = steps.next();
  while (!next.done) {
    let result: unknown;
    try {
      result = await next.value.inBackground();
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(result);
  }
  return next.value;
}

/** Does all steps on the calling thread. */
export function finishHere<Result>(steps: Steps<Result>): Result {
  let next = steps.next();
  while (!next.done) {
    let result: unknown;
    try {
      result = next.value.here();
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(result);
  }
  return next.value;
}
