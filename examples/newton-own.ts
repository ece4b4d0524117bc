/**
 * The two native problems written by hand, in newton-own-problems.ts, beside the native ones: they have
 * the same solutions; what differs is the time that functions in JavaScript take.
 *
 *     npm run example:newton-own                # a second or two
 *     npm run example:newton-own -- --quick     # small sizes, to see that it runs
 */
import { parseArgs } from 'node:util';
import {
  checkDerivatives,
  constrainedLogisticRegression,
  minimizeSync,
  type NativeProblem,
  type Problem,
  pdeControl,
} from 'secondorder/newton';
import { drawConstraints, drawLikeA9a } from './newton-data';
import { ownControl, ownLogistic } from './newton-own-problems';
import { OUTCOME, outcome } from './newton-table';
import { printTable } from './show';

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const [SAMPLES, GRID] = flags.quick ? [500, 6] : [32_561, 64];
const ALPHA = 0.1;

function main(): void {
  const head = ['', ...OUTCOME, 'apart by', 'seconds'];
  const rows = [head, ...logistic(), ...control()];
  console.log('Each problem by its native form and by functions in JavaScript:');
  printTable(rows);
}

function logistic(): string[][] {
  const { x, y } = drawLikeA9a(SAMPLES);
  const data = { x, y, ...drawConstraints(10, x.cols) };
  const native = constrainedLogisticRegression({ ...data, sphere: true });
  const small = drawLikeA9a(20);
  check('logistic regression', ownLogistic({ ...data, ...small }, native.x0));
  return beside('logistic regression', native, ownLogistic(data, native.x0));
}

function control(): string[][] {
  const target = (grid: number) =>
    Float64Array.from(
      { length: grid ** 2 },
      (_, p) => Math.sin((4 * Math.floor(p / grid)) / grid) * Math.cos((3 * (p % grid)) / grid),
    );
  check('optimal control', ownControl(3, ALPHA, target(3)));
  const data = { grid: GRID, alpha: ALPHA, target: target(GRID) };
  return beside('optimal control', pdeControl(data), ownControl(GRID, ALPHA, data.target));
}

/** Says whether the derivatives are right, at a small size and a point without zeros. */
function check(name: string, problem: Problem): void {
  const point = Float64Array.from({ length: problem.variables }, (_, i) => 0.3 * Math.cos(1 + i));
  const { wrongEntries } = checkDerivatives(problem, point);
  console.log(`${name}: derivatives ${wrongEntries === 0 ? 'right' : `wrong: ${wrongEntries}`}`);
}

function beside(name: string, native: NativeProblem, own: Problem): string[][] {
  const options = { tolerance: 1e-8 };
  minimizeSync(native, options); // so that the first one below doesn't pay for starting up
  const first = minimizeSync(native, options);
  const second = minimizeSync(own, options);
  const apart = second.x.reduce(
    (most, value, j) => Math.max(most, Math.abs(value - first.x[j]!)),
    0,
  );
  return [
    [`${name}, native`, ...outcome(first), '', first.seconds.toFixed(4)],
    [`${name}, by hand`, ...outcome(second), apart.toExponential(0), second.seconds.toFixed(4)],
  ];
}

main();
