// Formulas as text, in the notation of JavaScript: '100*(x2 - x1**2)**2 + (1 - x1)**2'.
// Names may be given to parts: 't = x1 - x2; t**2 + exp(t)'.

import { type AnyNode, parse } from 'acorn';
import { type Operation, type Step, Tape } from './tape';

const add: Operation = {
  value: (a, b) => a + b,
  partials(_a, _b, out, p) {
    out[p] = 1;
    out[p + 1] = 1;
  },
  curved: {},
};
const subtract: Operation = {
  value: (a, b) => a - b,
  partials(_a, _b, out, p) {
    out[p] = 1;
    out[p + 1] = -1;
  },
  curved: {},
};
const multiply: Operation = {
  value: (a, b) => a * b,
  partials(a, b, out, p) {
    out[p] = b;
    out[p + 1] = a;
    out[p + 3] = 1;
  },
  curved: { ab: true },
};
const divide: Operation = {
  value: (a, b) => a / b,
  partials(a, b, out, p) {
    out[p] = 1 / b;
    out[p + 1] = -a / b ** 2;
    out[p + 3] = -1 / b ** 2;
    out[p + 4] = (2 * a) / b ** 3;
  },
  curved: { ab: true, bb: true },
};
/** The angle of the point (b, a). */
const arcTangentOfTwo: Operation = {
  value: (a, b) => Math.atan2(a, b),
  partials(a, b, out, p) {
    const r2 = a ** 2 + b ** 2;
    out[p] = b / r2;
    out[p + 1] = -a / r2;
    out[p + 2] = (-2 * a * b) / r2 ** 2;
    out[p + 3] = (a ** 2 - b ** 2) / r2 ** 2;
    out[p + 4] = (2 * a * b) / r2 ** 2;
  },
  curved: { aa: true, ab: true, bb: true },
};

/** An operation on one argument: on the tape the other one is the same place, without weight. */
function unary(
  value: (a: number) => number,
  first: (a: number) => number,
  second: (a: number) => number,
): Operation {
  return {
    value,
    partials(a, _b, out, p) {
      out[p] = first(a);
      out[p + 2] = second(a);
    },
    curved: { aa: true },
  };
}

/** A power with a constant exponent; a factor that is 0 stays 0 where the power is infinite. */
function power(exponent: number): Operation {
  const times = (factor: number, a: number, to: number): number =>
    factor === 0 ? 0 : factor * a ** to;
  return unary(
    (a) => a ** exponent,
    (a) => times(exponent, a, exponent - 1),
    (a) => times(exponent * (exponent - 1), a, exponent - 2),
  );
}

const unaryFunctions: Record<string, Operation> = {
  sin: unary(Math.sin, Math.cos, (a) => -Math.sin(a)),
  cos: unary(
    Math.cos,
    (a) => -Math.sin(a),
    (a) => -Math.cos(a),
  ),
  tan: unary(
    Math.tan,
    (a) => 1 / Math.cos(a) ** 2,
    (a) => (2 * Math.tan(a)) / Math.cos(a) ** 2,
  ),
  exp: unary(Math.exp, Math.exp, Math.exp),
  log: unary(
    Math.log,
    (a) => 1 / a,
    (a) => -1 / a ** 2,
  ),
  abs: unary(Math.abs, Math.sign, () => 0),
  sqrt: power(0.5),
};
const binaryFunctions: Record<string, Operation> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  atan2: arcTangentOfTwo,
};

/** Builds the tape of one formula; equal parts are computed once, constants are folded. */
class Compiler {
  readonly steps: Step[] = [];
  readonly #names = new Map<string, number>();
  readonly #known = new Map<string, number>();

  constructor(inputs: readonly string[]) {
    for (const name of inputs) this.#names.set(name, this.steps.push({ kind: 'input' }) - 1);
    this.#names.set('pi', this.#constant(Math.PI));
  }

  compile(node: AnyNode): number {
    switch (node.type) {
      case 'Program': {
        const places = node.body.map((statement) => this.compile(statement));
        return places.at(-1)!;
      }
      case 'ExpressionStatement':
        return this.compile(node.expression);
      case 'AssignmentExpression': {
        if (node.left.type !== 'Identifier') break;
        const place = this.compile(node.right);
        this.#names.set(node.left.name, place);
        return place;
      }
      case 'Literal':
        if (typeof node.value === 'number') return this.#constant(node.value);
        break;
      case 'Identifier': {
        const place = this.#names.get(node.name);
        if (place === undefined) throw new Error(`unknown name ${node.name}`);
        return place;
      }
      case 'UnaryExpression':
        if (node.operator === '-') return this.#apply('-', this.#constant(0), node.argument);
        break;
      case 'BinaryExpression':
        if (node.operator === '**') return this.#power(this.compile(node.left), node.right);
        if (node.left.type === 'PrivateIdentifier') break;
        return this.#apply(node.operator, this.compile(node.left), node.right);
      case 'CallExpression': {
        if (node.callee.type !== 'Identifier') break;
        const { name } = node.callee;
        const [a, b] = node.arguments;
        if (b) return this.#apply(name, this.compile(a!), b);
        const operation = unaryFunctions[name];
        if (!operation) throw new Error(`unknown function ${name}`);
        const place = this.compile(a!);
        return this.#operation(name, operation, place, place);
      }
    }
    throw new Error(`a formula can't hold ${node.type}`);
  }

  #apply(name: string, a: number, right: AnyNode): number {
    const operation = binaryFunctions[name];
    if (!operation) throw new Error(`unknown operation ${name}`);
    return this.#operation(name, operation, a, this.compile(right));
  }

  #power(base: number, exponent: AnyNode): number {
    const step = this.steps[this.compile(exponent)]!;
    if (step.kind !== 'constant') throw new Error('an exponent must be constant');
    return this.#operation(`**${step.value}`, power(step.value), base, base);
  }

  #operation(name: string, operation: Operation, a: number, b: number): number {
    const [left, right] = [this.steps[a]!, this.steps[b]!];
    if (left.kind === 'constant' && right.kind === 'constant') {
      return this.#constant(operation.value(left.value, right.value));
    }
    return this.#once(`${name} ${a} ${b}`, { kind: 'operation', operation, a, b });
  }

  #constant(value: number): number {
    return this.#once(`constant ${value}`, { kind: 'constant', value });
  }

  #once(key: string, step: Step): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const place = this.steps.push(step) - 1;
    this.#known.set(key, place);
    return place;
  }
}

/** Compiles a formula in `variables`, which are differentiated, and `parameters`, which are not. */
export function compile(
  text: string,
  variables: readonly string[],
  parameters: readonly string[] = [],
): Tape {
  const inputs = [...variables, ...parameters];
  const compiler = new Compiler(inputs);
  const result = compiler.compile(parse(text, { ecmaVersion: 2022 }));
  return new Tape(compiler.steps, variables.length, inputs.length, result);
}
