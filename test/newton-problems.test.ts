// The problems of the paper's table: each is solved, and what is said of the solution is true.

import {
  type MinimizeOptions,
  type MinimizeResult,
  minimize,
  minimizeSync,
} from 'secondorder/newton';
import t, { type Test } from 'tap';
import { isOptimum, residuals } from './fixtures/kkt';
import { findProblem, type Problem, paperProblems } from './problems';

/** Whether two figures differ by rounding at most. */
const agree = (left: number, right: number, size: number): boolean =>
  Math.abs(left - right) <= 1e-12 * size + 1e-6 * Math.min(Math.abs(left), Math.abs(right));

/** Compares what a result says of its point with what the functions say. */
function checkResiduals(t: Test, problem: Problem, result: MinimizeResult): void {
  const { x, lambda, objective, stationarity, infeasibility } = result;
  const actual = residuals(problem, x, lambda);
  const size = 1 + Math.max(...lambda.map(Math.abs), Math.abs(objective));
  t.equal(objective, actual.objective, 'objective');
  t.ok(agree(stationarity, actual.stationarity, size), 'stationarity');
  t.ok(agree(infeasibility, actual.infeasibility, size), 'infeasibility');
}

/** What two runs must have in common, bit by bit: all but the time that they took. */
function figures({ seconds, history, ...others }: MinimizeResult) {
  return { ...others, history: history.map(({ seconds, ...record }) => record) };
}

t.test('all are solved to 1e-6, on this thread and on others', async (t) => {
  for (const entry of paperProblems) {
    await t.test(entry.name, async (t) => {
      const problem = entry.problem();
      const result = minimizeSync(problem);
      t.equal(result.status, 'converged', result.message);
      t.ok(isOptimum(entry, result.objective), `${result.objective} is a known minimum`);
      t.ok(result.scaledKkt <= 1e-6 && result.infeasibility <= 1e-6);
      checkResiduals(t, problem, result);
      t.strictSame(figures(await minimize(problem)), figures(result));
    });
  }
});

t.test('the history leads from x0 to the solution', async (t) => {
  for (const name of ['HS7', 'BT11', 'ORTHREGB']) {
    const problem = findProblem(name).problem();
    const { history, iterations, ...result } = minimizeSync(problem);
    const [first, last] = [history.at(0)!, history.at(-1)!];
    t.equal(history.length, iterations + 1);
    t.strictSame(
      history.map(({ iteration }) => iteration),
      Array.from(history, (_, i) => i),
    );
    t.ok(agree(first.objective, problem.objective(problem.x0), 1));
    const start = residuals(problem, problem.x0, new Float64Array(problem.constraints));
    t.ok(agree(first.infeasibility, start.infeasibility, 1));
    t.ok(agree(last.objective, result.objective, 1));
    t.ok(agree(last.stationarity, result.stationarity, 1));
    t.ok(
      history.every(({ seconds }, i) => i === 0 || seconds >= history[i - 1]!.seconds),
      'time goes on',
    );
  }
});

t.test(
  'the article’s algorithm solves 45 of 47, and stops where a Jacobian is singular',
  async (t) => {
    // Gaussian sketches take half a minute for each of these.
    const long = ['BA-L1', 'BA-L1SP'];
    for (const linearSolver of ['kaczmarz', 'gaussian'] as const) {
      for (const entry of paperProblems) {
        if (linearSolver === 'gaussian' && long.includes(entry.name)) continue;
        const problem = entry.problem();
        const result = minimizeSync(problem, { preset: 'paper', linearSolver });
        const singular = ['GOTTFR', 'PRICE4NE'].includes(entry.name);
        const name = `${entry.name} by ${linearSolver}`;
        t.equal(result.status, singular ? 'singular' : 'converged', name);
        t.equal(result.linear.solver, linearSolver);
        checkResiduals(t, problem, result);
        const { euclidean } = residuals(problem, result.x, result.lambda);
        t.ok(agree(result.scaledKkt, euclidean, 1 + Math.abs(result.objective)), name);
        t.equal(result.scaledKkt <= 1e-4, !singular, name);
      }
    }
  },
);

t.test('the same seed gives the same iterates, for any number of threads', async (t) => {
  const problem = findProblem('HS79').problem();
  const solve = (options: MinimizeOptions, threads: number) =>
    figures(minimizeSync(problem, options, { threads }));
  for (const linearSolver of ['ldl', 'nystrom-minres', 'kaczmarz', 'gaussian', 'srht'] as const) {
    for (const preset of ['default', 'paper'] as const) {
      const options = { linearSolver, preset, seed: 5 };
      t.strictSame(solve(options, 1), solve(options, 2), `${linearSolver}, ${preset}`);
    }
  }
  const [one, other] = [1, 2].map((seed) => solve({ linearSolver: 'kaczmarz', seed }, 1).x);
  t.notSame(one, other, 'another seed, other iterates');
});
