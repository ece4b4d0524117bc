// Test problems that count and time the calls of their functions.
import type { Problem } from '../test/problems';

export interface Calls {
  objective: number;
  /** Of gradient and Jacobian. */
  derivatives: number;
  hessian: number;
  /** Spent in all of the functions. */
  seconds: number;
}

/** The problem, with its calls added to `calls`. */
export function counted(problem: Problem, calls: Calls): Problem {
  const timed = <Result>(call: () => Result): Result => {
    const start = performance.now();
    const result = call();
    calls.seconds += (performance.now() - start) / 1e3;
    return result;
  };
  const { jacobian, hessian } = problem;
  return {
    ...problem,
    objective(x) {
      calls.objective++;
      return timed(() => problem.objective(x));
    },
    gradient(x, out) {
      calls.derivatives++;
      timed(() => problem.gradient(x, out));
    },
    constraint: (x, out) => timed(() => problem.constraint(x, out)),
    jacobian: {
      ...jacobian,
      values(x, out) {
        calls.derivatives++;
        timed(() => jacobian.values(x, out));
      },
    },
    hessian: {
      ...hessian,
      values(x, sigma, lambda, out) {
        calls.hessian++;
        timed(() => hessian.values(x, sigma, lambda, out));
      },
    },
  };
}

export const noCalls = (): Calls => ({ objective: 0, derivatives: 0, hessian: 0, seconds: 0 });
