// The problems of the paper's table: each is solved, and what is said of the solution is true.

import { readdirSync } from 'node:fs';
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

/** The article's RK and GV, and sketches of the default size, 1/8 of the order, but for what takes long. */
const articles: { name: string; options: MinimizeOptions; long: string[] }[] = [
  { name: 'RK', options: { linearSolver: 'kaczmarz' }, long: [] },
  { name: 'GV', options: { linearSolver: 'gaussian', sketchSize: 1 }, long: ['ORTHREGB'] },
  { name: 'blocks', options: { linearSolver: 'gaussian' }, long: ['BA-L1', 'BA-L1SP'] },
];

t.test(
  'the article’s algorithm solves 45 of 47, and stops where a Jacobian is singular',
  async (t) => {
    for (const { name: sketch, options, long } of articles) {
      for (const entry of paperProblems.filter(({ name }) => !long.includes(name))) {
        const problem = entry.problem();
        const result = minimizeSync(problem, { preset: 'paper', ...options });
        const singular = ['GOTTFR', 'PRICE4NE'].includes(entry.name);
        const name = `${entry.name} by ${sketch}`;
        t.equal(result.status, singular ? 'singular' : 'converged', name);
        t.equal(result.linear.solver, options.linearSolver);
        checkResiduals(t, problem, result);
        const { euclidean } = residuals(problem, result.x, result.lambda);
        t.ok(agree(result.scaledKkt, euclidean, 1 + Math.abs(result.objective)), name);
        t.equal(result.scaledKkt <= 1e-4, !singular, name);
      }
    }
  },
);

t.test('the size of a sketch', async (t) => {
  // Of order 33: 5 rows unless another number is asked for.
  const problem = findProblem('ORTHREGB').problem();
  const solve = (sketchSize?: number) =>
    figures(
      minimizeSync(problem, {
        linearSolver: 'gaussian',
        maxIterations: 2,
        ...(sketchSize && { sketchSize }),
      }),
    );
  t.strictSame(solve(), solve(5), 'an eighth of the order, rounded up');
  t.notSame(solve().x, solve(1).x);
});

t.test('products with the Hessian become entries up to 1,000 variables', async (t) => {
  for (const [n, solver] of [
    [1000, 'dense-ldl'],
    [1001, 'minres'],
  ] as const) {
    // The point of the plane Σ xᵢ = 1 where Σ (1 + i/n)·xᵢ² is least.
    const weight = (i: number) => 2 * (1 + i / n);
    const result = minimizeSync({
      variables: n,
      constraints: 1,
      x0: new Float64Array(n),
      objective: (x) => x.reduce((sum, value, i) => sum + (weight(i) / 2) * value ** 2, 0),
      gradient: (x, out) => out.set(x.map((value, i) => weight(i) * value)),
      constraint: (x, out) => out.set([x.reduce((sum, value) => sum + value, -1)]),
      jacobian: { values: (_x, out) => void out.fill(1) },
      hessian: {
        product: (_x, sigma, _lambda, v, out) =>
          out.set(v.map((value, i) => sigma * weight(i) * value)),
      },
    });
    t.match(result, { status: 'converged', linear: { solver } }, `${n} variables`);
  }
});

t.test('ways out are taken where they are needed, and counted', async (t) => {
  const solve = (name: string, options?: MinimizeOptions) => {
    const result = minimizeSync(findProblem(name).problem(), options);
    t.equal(result.status, 'converged', name);
    const { restorations, meritFallbacks, linear } = result;
    return { restorations, meritFallbacks, tightenings: linear.tightenings };
  };
  const none = { restorations: 0, meritFallbacks: 0, tightenings: 0 };
  t.same(solve('HS79'), none);
  for (const name of ['BT4', 'BYRDSPHR', 'HATFLDF', 'HS27']) {
    const { restorations } = solve(name);
    t.ok(restorations > 0, `${name}: ${restorations} restorations`);
  }
  const { meritFallbacks } = solve('ORTHRDS2');
  t.ok(meritFallbacks > 0, `ORTHRDS2: ${meritFallbacks} steps by the merit function`);
  for (const [name, options] of [
    ['BT5', { linearSolver: 'minres' }],
    ['COOLHANS', { linearSolver: 'minres' }],
    ['RSNBRNE', { linearSolver: 'kaczmarz++' }],
    ['HS42', { preset: 'paper', linearSolver: 'gaussian', sketchSize: 1 }],
  ] satisfies [string, MinimizeOptions][]) {
    const { tightenings } = solve(name, options);
    t.ok(tightenings > 0, `${name}: ${tightenings} solves repeated`);
  }
});

t.test('the same seed gives the same iterates, for any number of threads', async (t) => {
  // Up to order 256 there is but one thread: here it is 398.
  const problem = findProblem('LUKVLE1').family!.member(200).problem();
  let team = 0;
  const watched: Problem = {
    ...problem,
    gradient(x, out) {
      team = Math.max(team, readdirSync('/proc/self/task').length);
      problem.gradient(x, out);
    },
  };
  const solve = (options: MinimizeOptions, threads: number) => {
    team = 0;
    const result = figures(minimizeSync(watched, options, { threads }));
    return { team, result };
  };
  for (const linearSolver of ['ldl', 'nystrom-minres', 'kaczmarz', 'gaussian', 'srht'] as const) {
    for (const preset of ['default', 'paper'] as const) {
      const options = { linearSolver, preset, seed: 5, maxIterations: 5, maxInnerSteps: 100 };
      const [one, three] = [solve(options, 1), solve(options, 3)];
      t.strictSame(one.result, three.result, `${linearSolver}, ${preset}`);
      t.equal(three.team, one.team + 2, 'with threads');
      t.ok(one.result.iterations > 0, `${one.result.iterations} steps`);
    }
  }
  const small = findProblem('HS79').problem();
  const [one, other] = [1, 2].map((seed) =>
    minimizeSync(small, { linearSolver: 'kaczmarz', seed }),
  );
  t.notSame(one!.x, other!.x, 'another seed, other iterates');
});
