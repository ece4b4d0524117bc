/**
 * Two problems under equality constraints: a hanging chain, with functions written by hand and their
 * derivatives checked first; and logistic regression under ten linear constraints on the unit sphere.
 *
 *     npm run example:newton                # some seconds on two cores
 *     npm run example:newton -- --quick     # small sizes, to see that it runs
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  checkDerivatives,
  constrainedLogisticRegression,
  type DerivativeReport,
  type LinearSolver,
  type MinimizeResult,
  minimize,
  minimizeSync,
  type SparseHessian,
} from 'secondorder/newton';
import { drawLines, type Line } from './draw';
import { hangingChain } from './newton-chain';
import { drawConstraints, drawLikeA9a, readOrDrawA9a } from './newton-data';
import { OUTCOME, outcome } from './newton-table';
import { printTable, withBar } from './show';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    data: { type: 'string', default: join(__dirname, '../../shared/data/libsvm/a9a.gz') },
    figure: { type: 'string', default: 'newton.svg' },
  },
});
const LINKS = flags.quick ? 8 : 100;
/** Of the ends, as a share of the length of the chain. */
const SPAN = 0.6;
const CONSTRAINTS = 10;
const SOLVERS: LinearSolver[] = [
  'auto',
  'sketch-preconditioner',
  'minres',
  'nystrom-minres',
  'block-kaczmarz',
];

async function main(): Promise<void> {
  const chain = hang();
  const regressions = await regress();
  const path = resolve(flags.figure);
  await drawLines(path, [
    {
      lines: [curve(`chain of ${LINKS} links`, chain, 'iteration')],
      x: { title: 'iteration' },
      y: { title: 'KKT residual', log: true, format: '.0e' },
    },
    {
      lines: regressions.map(({ solver, result }) => curve(solver, result, 'seconds')),
      x: { title: 'seconds, logistic regression' },
      y: { title: 'KKT residual', log: true, format: '.0e' },
    },
  ]);
  console.log(`\nFigure: ${path}`);
}

function hang(): MinimizeResult {
  const chain = hangingChain(LINKS, SPAN * LINKS);
  console.log(
    `A chain of ${LINKS} links: ${chain.variables} variables, ${chain.constraints} constraints`,
  );
  // Between x0 and a solution, where nothing is 0 by symmetry.
  const point = chain.x0.map((value, i) => value + 0.1 * Math.sin(3 * i));
  console.log(`  derivatives: ${inWords(checkDerivatives(chain, point))}`);
  const { hessian } = chain;
  const slip: SparseHessian = {
    ...hessian,
    values(x, sigma, lambda, out) {
      hessian.values(x, sigma, lambda, out);
      out[5]! *= -1;
    },
  };
  const wrong = checkDerivatives({ ...chain, hessian: slip }, point);
  console.log(`  with a sign wrong: ${inWords(wrong)}`);

  const result = minimizeSync(chain);
  show([['chain', result]]);
  // The force along a link is a multiple of its direction: the same sideways in all of them.
  const forces = Array.from(result.lambda, (tension, k) => {
    return tension * (chain.joint(result.x, k + 1)[0] - chain.joint(result.x, k)[0]);
  });
  const spread = Math.max(...forces) - Math.min(...forces);
  const lowest = Math.min(...result.x.filter((_, i) => i % 2 === 1));
  console.log(`  lowest joint: ${(-lowest / LINKS).toFixed(6)} of the length below the ends`);
  console.log(`  sideways forces of the links differ by ${spread.toExponential(1)}\n`);
  return result;
}

function inWords({ wrong, wrongEntries, ...errors }: DerivativeReport): string {
  const { gradientError, jacobianError, hessianError } = errors;
  const largest = Math.max(gradientError, jacobianError, hessianError).toExponential(1);
  if (!wrong[0]) return `right, up to ${largest}`;
  const { derivative, row, column, given, difference } = wrong[0];
  const entry = `${derivative}, row ${row}, column ${column}`;
  return `${wrongEntries} wrong: ${entry} is ${given.toFixed(5)}, should be ${difference.toFixed(5)}`;
}

async function regress(): Promise<{ solver: LinearSolver; result: MinimizeResult }[]> {
  const { name, x, y } = flags.quick ? drawLikeA9a(1000) : await readOrDrawA9a(flags.data);
  const { a, b } = drawConstraints(CONSTRAINTS, x.cols);
  const problem = constrainedLogisticRegression({ x, y, a, b, sphere: true });
  const runs: { solver: LinearSolver; result: MinimizeResult }[] = [];
  const title = `Logistic regression, ${name}: ${x.rows} samples, ${x.cols} weights, ${CONSTRAINTS} linear constraints and the sphere`;
  await withBar(title, async (bar) => {
    await minimize(problem); // so that the first one below doesn't pay for starting up
    for (const linearSolver of SOLVERS) {
      runs.push({ solver: linearSolver, result: await minimize(problem, { linearSolver }) });
      bar(runs.length / SOLVERS.length);
    }
  });
  show(runs.map(({ solver, result }) => [solver, result]));
  return runs;
}

function show(results: readonly (readonly [name: string, result: MinimizeResult])[]): void {
  const head = ['', ...OUTCOME, 'inner steps', 'ms'];
  const rows = results.map(([name, k]) => [
    name,
    ...outcome(k),
    String(k.linear.innerSteps),
    (1e3 * k.seconds).toFixed(1),
  ]);
  printTable([head, ...rows]);
}

/** The scaled KKT residual of the iterates; what is exactly 0 has no place on a logarithmic axis. */
function curve(name: string, { history }: MinimizeResult, over: 'iteration' | 'seconds'): Line {
  const points = history.map((at) => ({ x: at[over], y: at.scaledKkt }));
  return { name, points: points.filter(({ y }) => y > 0) };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
