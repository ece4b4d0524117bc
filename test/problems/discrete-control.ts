// Coleman and Liao's discrete-time optimal control problems. The initial states, which CUTEst fixes by
// bounds, are put into the equations.

import { assemble, linear, range, type Term, template } from './build';
import { times, type Value } from './hager';
import type { TestProblem } from './types';
import { repeat } from './written';

const optimumSource = 'the reference solver; CUTEst gives it to four to eight digits';
const liao = (number: number): string =>
  `problem ${number} of Coleman and Liao, Technical Report ctc93tr144, Cornell University, 1992`;
const squared = template('a*x**2', ['x'], ['a']);

/** What a discrete-time problem is made of; time t and the parts of states count from 0. */
interface Control {
  name: string;
  source: string;
  controls: number;
  initial: readonly number[];
  optima: Record<number, number>;
  standardSize: number;
  /** Objective terms; `state(t)` holds variables but for t = 0, where it holds numbers. */
  objective(places: Places): Term[];
  /** The dynamics of part j of the state from t to t + 1, without −y(t + 1)ⱼ. */
  dynamics(places: Places, t: number, j: number): Term[];
}
interface Places {
  periods: number;
  control(t: number, i: number): number;
  state(t: number, j: number): Value;
}

function controlProblem(control: Control): (periods: number) => TestProblem {
  const states = control.initial.length;
  const member = (periods: number): TestProblem => {
    const steps = periods - 1;
    const places: Places = {
      periods,
      control: (t, i) => t * control.controls + i,
      state: (t, j) =>
        t === 0
          ? { number: control.initial[j]! }
          : { variable: steps * control.controls + (t - 1) * states + j },
    };
    const transitions = range(steps).flatMap((t) => range(states).map((j) => [t, j] as const));
    return {
      name: control.name,
      source: control.source,
      variables: steps * (control.controls + states),
      constraints: steps * states,
      optimum: control.optima[periods] ?? null,
      optimumSource,
      problem: () =>
        assemble({
          x0: repeat(steps * (control.controls + states), 0),
          objective: control.objective(places),
          constraints: transitions.map(([t, j]) => [
            ...times(-1, places.state(t + 1, j)),
            ...control.dynamics(places, t, j),
          ]),
        }),
      family: { standardSize: control.standardSize, member },
    };
  };
  return member;
}

/** weight · value², for a variable or a number. */
const square = (weight: number, value: Value): Term[] =>
  'variable' in value
    ? [squared.at([value.variable], [weight])]
    : linear([], weight * value.number ** 2);

const fourth = template('(x + a)**4', ['x'], ['a']);

/** Four states and two controls with linear dynamics and quartic costs. */
export const dtoc1l = controlProblem({
  name: 'DTOC1L',
  source: liao(1),
  controls: 2,
  initial: [0, 0, 0, 0],
  optima: { 10: 0.0735945389381 },
  standardSize: 1000,
  objective: ({ periods, control, state }) => [
    ...range(periods - 1).flatMap((t) => [0, 1].map((i) => fourth.at([control(t, i)], [0.5]))),
    ...range(periods).flatMap((t) =>
      range(4).flatMap((j) => {
        const value = state(t, j);
        return 'variable' in value
          ? [fourth.at([value.variable], [0.25])]
          : linear([], (value.number + 0.25) ** 4);
      }),
    ),
  ],
  dynamics: ({ control, state }, t, j) => [
    ...times(0.5, state(t, j)),
    ...(j > 0 ? times(-0.25, state(t, j - 1)) : []),
    ...(j < 3 ? times(0.25, state(t, j + 1)) : []),
    ...linear([0, 1].map((i) => [control(t, i), (j - i) / 6] as const)),
  ],
});

/** A rotation that one control pushes. */
export const dtoc3 = controlProblem({
  name: 'DTOC3',
  source: liao(3),
  controls: 1,
  initial: [15, 5],
  optima: { 10: 224.590381885, 50: 233.278713071 },
  standardSize: 1500,
  objective: ({ periods, control, state }) =>
    range(periods - 1).flatMap((t) => [
      ...square(1 / periods, state(t + 1, 0)),
      ...square(0.5 / periods, state(t + 1, 1)),
      ...square(3 / periods, { variable: control(t, 0) }),
    ]),
  dynamics: ({ periods, control, state }, t, j) => [
    ...times(1, state(t, j)),
    ...times((j === 0 ? 1 : -1) / periods, state(t, 1 - j)),
    ...linear(j === 1 ? [[control(t, 0), 1 / periods]] : []),
  ],
});

const vanDerPol = template('a*y**2*x', ['x', 'y'], ['a']);

/** Van der Pol's oscillator with one control. */
export const dtoc4 = controlProblem({
  name: 'DTOC4',
  source: liao(4),
  controls: 1,
  initial: [0, 1],
  optima: { 10: 3.75082353066, 50: 3.02996386588 },
  standardSize: 1500,
  objective: ({ periods, control, state }) =>
    range(periods).flatMap((t) => {
      const weight = (t === 0 || t === periods - 1 ? 2.5 : 5) / periods;
      return [
        ...square(weight, state(t, 0)),
        ...square(weight, state(t, 1)),
        ...(t < periods - 1 ? square(5 / periods, { variable: control(t, 0) }) : []),
      ];
    }),
  dynamics({ periods, control, state }, t, j) {
    const h = 5 / periods;
    const [x, y] = [state(t, 0), state(t, 1)];
    if (j === 1) return [...times(1, y), ...times(h, x)];
    const cubic =
      'variable' in x && 'variable' in y ? [vanDerPol.at([x.variable, y.variable], [-h])] : [];
    return [...times(1 + h, x), ...times(-h, y), ...linear([[control(t, 0), h]]), ...cubic];
  },
});

/** One state that falls by its control and rises by its square. */
export const dtoc5 = controlProblem({
  name: 'DTOC5',
  source: liao(5),
  controls: 1,
  initial: [1],
  optima: { 10: 1.45190056692, 50: 1.52885909563 },
  standardSize: 5000,
  objective: ({ periods, control, state }) =>
    range(periods - 1).flatMap((t) => [
      ...square(1 / periods, state(t, 0)),
      ...square(1 / periods, { variable: control(t, 0) }),
    ]),
  dynamics: ({ periods, control, state }, t) => [
    ...times(1, state(t, 0)),
    ...square(1 / periods, state(t, 0)),
    ...linear([[control(t, 0), -1 / periods]]),
  ],
});

const grown = template('0.5*(y + exp(x))**2', ['x', 'y']);
const grownFromNumber = template('0.5*(b + exp(x))**2', ['x'], ['b']);
const exponential = template('exp(x)', ['x']);

/** One state that grows by the exponential of its control. */
export const dtoc6 = controlProblem({
  name: 'DTOC6',
  source: liao(6),
  controls: 1,
  initial: [0],
  optima: { 11: 19.8041446219, 31: 119.033007584 },
  standardSize: 5001,
  objective: ({ periods, control, state }) =>
    range(periods - 1).flatMap((t) => {
      const y = state(t, 0);
      return [
        'variable' in y
          ? grown.at([control(t, 0), y.variable])
          : grownFromNumber.at([control(t, 0)], [y.number]),
        ...square(0.5, { variable: control(t, 0) }),
      ];
    }),
  dynamics: ({ control, state }, t) => [...times(1, state(t, 0)), exponential.at([control(t, 0)])],
});
