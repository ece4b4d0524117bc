// SciPy in a Python process, which asks for evaluations line by line or is given the data.
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { writeNpy } from 'secondorder';
import type { Problem } from '../../test/problems';
import type { Skipped } from '../measurement';
import type { SphereRegression } from '../newton-residuals';

export const METHODS = ['trust-constr', 'SLSQP'] as const;
export type Method = (typeof METHODS)[number];

export interface ScipySolution {
  converged: boolean;
  x: Float64Array;
  lambda: Float64Array;
  iterations: number;
}

const run = promisify(execFile);
const PYTHON = process.env.PYTHON ?? 'python3';
/** Seconds. */
const TIME_LIMIT = 1800;

/** The version of SciPy. */
export async function findScipy(): Promise<string | Skipped> {
  try {
    const { stdout } = await run(PYTHON, ['-c', 'import scipy; print(scipy.__version__)']);
    return stdout.trim();
  } catch {
    return { skipped: `${PYTHON} has no SciPy (Debian: python3-scipy)` };
  }
}

/** Numbers that are not finite are null in JSON. */
type Numbers = (number | null)[];

type Message =
  | { evaluate: 'objective' | 'gradient' | 'constraint' | 'jacobian'; x: Numbers }
  | { evaluate: 'hessian'; x: Numbers; sigma: number; lambda_: Numbers }
  | { result: Outcome | { error: string } };

interface Outcome {
  converged: boolean;
  x: Numbers;
  lambda: Numbers;
  iterations: number;
}

/** Solves problems whose functions are called here, one problem at a time. */
export class ScipyCallbacks {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    const script = path.join(__dirname, 'scipy_callbacks.py');
    this.#process = spawn(PYTHON, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = readline.createInterface({ input: this.#process.stdout });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** Undefined where SciPy gave up with an exception. */
  async solve(
    problem: Problem,
    options: { method: Method; tolerance: number; maxIterations: number },
  ): Promise<ScipySolution | undefined> {
    const { constraints, jacobian, hessian } = problem;
    const positions = ({ rows, cols }: typeof jacobian | typeof hessian) => ({
      rows: [...rows],
      cols: [...cols],
    });
    this.#send({
      ...options,
      constraints,
      x0: [...problem.x0],
      jacobian: positions(jacobian),
      hessian: positions(hessian),
    });
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error('the process of SciPy has ended');
      const message = JSON.parse(value) as Message;
      if (!('result' in message)) {
        this.#send([...evaluate(problem, message)]);
        continue;
      }
      const { result } = message;
      if ('error' in result) return undefined;
      const { converged, iterations } = result;
      return { converged, iterations, x: read(result.x), lambda: read(result.lambda) };
    }
  }

  close(): void {
    this.#process.stdin.end();
  }

  #send(message: unknown): void {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

function evaluate(
  { variables, constraints, ...problem }: Problem,
  message: Exclude<Message, { result: unknown }>,
): Float64Array {
  const x = read(message.x);
  const filled = (length: number, fill: (out: Float64Array) => void) => {
    const out = new Float64Array(length);
    fill(out);
    return out;
  };
  const { jacobian, hessian } = problem;
  switch (message.evaluate) {
    case 'objective':
      return Float64Array.of(problem.objective(x));
    case 'gradient':
      return filled(variables, (out) => problem.gradient(x, out));
    case 'constraint':
      return filled(constraints, (out) => problem.constraint(x, out));
    case 'jacobian':
      return filled(jacobian.rows.length, (out) => jacobian.values(x, out));
    case 'hessian': {
      const lambda = read(message.lambda_);
      return filled(hessian.rows.length, (out) => hessian.values(x, message.sigma, lambda, out));
    }
  }
}

const read = (numbers: Numbers): Float64Array =>
  Float64Array.from(numbers, (value) => value ?? Number.NaN);

export interface ScipyRegression extends ScipySolution {
  /** Of the minimization alone. */
  seconds: number;
  evaluations: Record<'objective' | 'gradient' | 'hessian', number>;
}

/** Logistic regression, evaluated by NumPy and SciPy's sparse matrices. */
export async function scipyRegression(
  { x, y, a, b }: SphereRegression,
  x0: Float64Array,
  method: Method,
  tolerance: number,
): Promise<ScipyRegression> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'secondorder-bench-'));
  try {
    const { values, columns, rowOffsets: offsets } = x;
    for (const [name, content] of Object.entries({ values, columns, offsets, y, a, b, x0 })) {
      await writeNpy(path.join(folder, `${name}.npy`), content);
    }
    const script = path.join(__dirname, 'scipy_logistic.py');
    const args = [script, folder, method, String(tolerance)];
    const { stdout } = await run(PYTHON, args, { timeout: TIME_LIMIT * 1e3 });
    const found = JSON.parse(stdout) as Outcome & Pick<ScipyRegression, 'seconds' | 'evaluations'>;
    return { ...found, x: read(found.x), lambda: read(found.lambda) };
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}
