// The library of test problems: derivatives agree with differences, sizes and structures fit, known
// solutions are feasible, and a dense Newton method that is not the package's reaches known optima.

import t from 'tap';
import {
  allProblems,
  findProblem,
  heldOutProblems,
  paperProblems,
  type TestProblem,
} from './problems';
import { along, largest, type Rows } from './problems/dense';
import { compile } from './problems/expression';
import { constraintAt, gradientAt, lagrangianGradient } from './problems/kkt';
import { denseHessian, denseJacobian, solveReference } from './problems/reference-solver';

/** The names of the paper's table. */
const PAPER_NAMES =
  'HS6 BT5 BT9 HS28 BT10 HIMMELBA BT12 HS40 BT3 BT6 BT11 HS7 GENHS28 HS51 SINVALNE BOOTH HS52 HS47 ' +
  'WAYSEA1NE HS48 HS50 RSNBRNE CUBENE HS77 MWRIGHT ZANGWIL3 TRIGON1NE BA-L1SP HS78 HS56 HELIXNE ' +
  'HS42 HS79 ORTHREGB HS100LNP GOTTFR HIMMELBE MOREBVNE WAYSEA2NE DENSCHNCNE DENSCHNFNE HIMMELBC ' +
  'PRICE4NE INTEQNE BA-L1 MANCINONE BT2';

/** Problems on which the reference solver ends at a local minimum of the violation. */
const BEYOND_REFERENCE = new Set(['HATFLDF', 'HIMMELBD']);

/** Numbers from -0.5 to 0.5, the same in every run. */
function noise(): () => number {
  let state = 20240607;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647 - 0.5;
  };
}

/** Rows ∂F/∂xⱼ by central differences. */
function differences(x: Float64Array, f: (x: Float64Array) => Float64Array): Rows {
  return Array.from(x, (value, j) => {
    const h = 1e-5 * (1 + Math.abs(value));
    const [above, below] = [x.slice(), x.slice()];
    above[j]! += h;
    below[j]! -= h;
    const [high, low] = [f(above), f(below)];
    return high.map((component, i) => (component - low[i]!) / (above[j]! - below[j]!));
  });
}

/** The largest difference between rows, relative to the largest element. */
function mismatch(actual: Rows, expected: Rows): number {
  const scale = 1 + Math.max(0, ...expected.map(largest));
  return Math.max(0, ...actual.map((row, i) => largest(along(row, expected[i]!, -1)) / scale));
}

const transposed = (rows: Rows, cols: number): Rows =>
  Array.from({ length: cols }, (_, j) => Float64Array.from(rows, (row) => row[j]!));

/** The problem, or a smaller one of its family where differences would take long. */
const small = (entry: TestProblem): TestProblem =>
  entry.name === 'MANCINONE' ? entry.family!.member(10) : entry;

t.test('the library holds the paper’s 47 problems and a held-out set', async (t) => {
  t.same(paperProblems.map(({ name }) => name).sort(), PAPER_NAMES.split(' ').sort());
  t.ok(heldOutProblems.length >= 50);
  const names = allProblems.map(({ name }) => name);
  t.equal(new Set(names).size, names.length, 'every name once');
  t.equal(findProblem('BT2').constraints, 1);
  t.throws(() => findProblem('NOPROBLEM'), { message: /NOPROBLEM/ });
});

t.test('sizes and structures', async (t) => {
  for (const entry of allProblems) {
    const problem = entry.problem();
    const { variables: n, constraints: m } = entry;
    t.match(problem, { variables: n, constraints: m, x0: { length: n } }, entry.name);
    const { jacobian, hessian } = problem;
    const places = (rows: Int32Array, cols: Int32Array): Set<number> =>
      new Set(Array.from(rows, (row, k) => row * n + cols[k]!));
    t.equal(places(jacobian.rows, jacobian.cols).size, jacobian.rows.length, 'no place twice');
    t.equal(places(hessian.rows, hessian.cols).size, hessian.rows.length, 'no place twice');
    t.ok(jacobian.rows.every((row, k) => row >= 0 && row < m && jacobian.cols[k]! < n));
    t.ok(
      hessian.rows.every((row, k) => row < n && row >= hessian.cols[k]!),
      'lower triangle',
    );
  }
});

t.test('derivatives agree with central differences', async (t) => {
  const random = noise();
  for (const entry of allProblems) {
    const problem = small(entry).problem();
    const { x0, variables: n } = problem;
    const lambda = Float64Array.from({ length: problem.constraints }, random);
    for (const spread of [0, 0.2, 0.6]) {
      const x = x0.map((value) => value + spread * random());
      const slopes = differences(x, (at) => Float64Array.of(problem.objective(at)));
      const jacobian = differences(x, (at) => constraintAt(problem, at));
      const hessian = differences(x, (at) => lagrangianGradient(problem, at, 0.7, lambda));
      const name = `${entry.name}, ${spread} from the start`;
      t.ok(mismatch([gradientAt(problem, x)], transposed(slopes, 1)) < 1e-6, `gradient: ${name}`);
      t.ok(
        mismatch(transposed(denseJacobian(problem, x), n), jacobian) < 1e-6,
        `Jacobian: ${name}`,
      );
      t.ok(mismatch(denseHessian(problem, x, 0.7, lambda), hessian) < 1e-6, `Hessian: ${name}`);
    }
  }
});

t.test('known solutions are feasible and have the known objective', async (t) => {
  for (const { name, solution, optimum, problem } of allProblems) {
    if (!solution) continue;
    const made = problem();
    const x = Float64Array.from(solution);
    t.ok(largest(constraintAt(made, x)) < 1e-6, `${name} is feasible`);
    t.ok(Math.abs(made.objective(x) - optimum!) <= 1e-6 * (1 + Math.abs(optimum!)), name);
  }
});

t.test('the reference solver reaches a known optimum', async (t) => {
  for (const { name, optimum, otherOptima = [], problem } of allProblems) {
    const result = solveReference(problem());
    if (BEYOND_REFERENCE.has(name)) {
      t.notOk(result.converged, `${name} is not solved from its starting point`);
      continue;
    }
    t.ok(result.converged, name);
    t.ok(result.infeasibility <= 1e-8, `${name} is feasible`);
    if (optimum === null) continue;
    const near = [optimum, ...otherOptima].some(
      (value) => Math.abs(result.objective - value) <= 1e-6 * (1 + Math.abs(value)),
    );
    t.ok(near, `${name}: ${result.objective} for ${optimum}`);
  }
});

t.test('families grow, and meet the values published for other sizes', async (t) => {
  for (const { name, family } of allProblems) {
    if (!family) continue;
    const { variables, optimum } = findProblem(name);
    const same = family.member(family.standardSize);
    t.ok(same.variables >= variables, `${name} at its standard size`);
    t.equal(family.member(family.standardSize).family?.standardSize, family.standardSize);
    t.ok(optimum === null || Number.isFinite(optimum));
  }
  for (const [name, size] of [
    ['HAGER1', 10],
    ['HAGER2', 10],
    ['HAGER3', 10],
    ['ORTHREGC', 50],
  ] as const) {
    const { optimum, problem } = findProblem(name).family!.member(size);
    const { converged, objective } = solveReference(problem());
    t.ok(converged && Math.abs(objective - optimum!) < 1e-6 * (1 + optimum!), `${name} ${size}`);
  }
  const large = findProblem('LUKVLE1').family!.member(20000).problem();
  t.ok(large.hessian.rows.length < 4e4, 'the Hessian of a chain is sparse');
});

t.test('BA-L1SP is BA-L1 linearized at its starting point', async (t) => {
  const [original, linearized] = ['BA-L1', 'BA-L1SP'].map((name) => findProblem(name).problem());
  const zero = linearized!.x0;
  const expected = denseJacobian(original!, original!.x0);
  const rows = denseJacobian(linearized!, zero);
  rows.forEach((row, i) => {
    t.ok(largest(along(row, expected[i]!, -1)) < 1e-6 * largest(expected[i]!), `row ${i}`);
  });
  const values = constraintAt(original!, original!.x0);
  t.ok(largest(along(constraintAt(linearized!, zero), values, -1)) < 1e-5);
});

t.test('formulas', async (t) => {
  const value = (text: string, ...x: number[]): number =>
    compile(text, ['x', 'y']).value(Float64Array.from(x));
  t.equal(value('2*x**2 - y/4 - (-1)', 3, 8), 17);
  t.equal(value('s = x + y; d = x - y; s*d', 3, 2), 5);
  t.equal(value('pi*0 + sqrt(x) + abs(y)', 9, -2), 5);
  t.equal(value('2**3**1', 0, 0), 8, 'powers bind to the right');
  const slopes = new Float64Array(2);
  for (const text of [
    'sin(x)*cos(y)',
    'tan(x - y)',
    'exp(x*y)/log(x + 3)',
    'atan2(x, y)',
    'sqrt(x**2 + y**2)**(7/3)',
    'abs(x*y)*x',
    'x*x*y - (x - y)/(x + y)',
  ]) {
    const formula = compile(text, ['x', 'y']);
    const x = Float64Array.of(0.7, -0.4);
    const at = (point: Float64Array): Float64Array => {
      formula.gradient(point, slopes);
      return slopes.slice();
    };
    const numeric = differences(x, (point) => Float64Array.of(formula.value(point)));
    t.ok(mismatch([at(x)], transposed(numeric, 1)) < 1e-8, `gradient of ${text}`);
    const entries = new Float64Array(3);
    formula.hessian(x, entries);
    const curvature = differences(x, at);
    formula.interactions.forEach(([i, j], k) => {
      t.ok(Math.abs(entries[k]! - curvature[i]![j]!) < 1e-6, `Hessian ${i}, ${j} of ${text}`);
    });
    t.equal(formula.interactions.length, 3, `${text} is curved in every direction`);
  }
  t.same(
    compile('x**2 + 3*y', ['x', 'y']).interactions,
    [[0, 0]],
    'linear terms have no curvature',
  );
  t.same(compile('a*x', ['x'], ['a']).interactions, [], 'parameters are constants');
  for (const text of ['-x**2', 'x ^ 2', 'z', 'f(x)', 'x**y', '"x"', 'x = ']) {
    t.throws(() => compile(text, ['x', 'y']), text);
  }
});
