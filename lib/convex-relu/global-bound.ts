/** Reads the option `globalBound`. */
import type { NativeGlobalBound } from '../native-interface';
import { checkObject, describe, invalid, isRecord, toInteger, toNumber } from '../validate';
import type { Model } from './option-types';

const ARGUMENT = 'options.globalBound';
const DEFAULT_TOLERANCE = 2e-3;

/** What {@link ConvexReLUOptions.globalBound} asks the solver for. */
export function readGlobalBound(value: unknown, model: Model): NativeGlobalBound {
  const settings = { tolerance: DEFAULT_TOLERANCE, rounds: 0 };
  if (value === undefined || value === 'auto') return { when: 'auto', ...settings };
  if (value === false) return { when: 'never', ...settings };
  if (value !== true && !isRecord(value)) {
    throw invalid(ARGUMENT, 'true, false, "auto" or an object', describe(value));
  }
  if (model === 'gated') {
    throw invalid(ARGUMENT, 'left out or false with model: "gated"', describe(value));
  }
  if (value === true) return { when: 'always', ...settings };
  const raw = checkObject(value, ARGUMENT, ['seconds', 'nodes', 'tolerance', 'rounds']);
  const { seconds, nodes, tolerance, rounds } = raw;
  return {
    when: 'always',
    ...(seconds !== undefined && {
      seconds: toNumber(seconds, `${ARGUMENT}.seconds`, { above: 0 }),
    }),
    ...(nodes !== undefined && { nodes: toInteger(nodes, `${ARGUMENT}.nodes`, { min: 1 }) }),
    tolerance: toNumber(tolerance ?? settings.tolerance, `${ARGUMENT}.tolerance`, {
      above: 0,
      below: 1,
    }),
    rounds: toInteger(rounds ?? settings.rounds, `${ARGUMENT}.rounds`, { min: 0, max: 1000 }),
  };
}
