/** Numbers that may change with the steps taken. */
import { SecondOrderError } from '../errors';
import { describe, type NumberRange, toNumber } from '../validate';
import { evaluationError } from './gradient-stream';

/** A number for each step, counted from 0. */
export type Schedule = (step: number) => number;

/** Checks a number in a range, or a function that gives such numbers. */
export function readSchedule(
  value: unknown,
  argument: string,
  range: NumberRange,
): number | Schedule {
  if (typeof value === 'function') return value as Schedule;
  return toNumber(value, argument, range);
}

/**
 * The number for a step.
 *
 * @throws SecondOrderError ERR_EVALUATION when the function throws or gives no number in the range
 */
export function valueAt(
  schedule: number | Schedule,
  step: number,
  argument: string,
  range: NumberRange,
): number {
  if (typeof schedule === 'number') return schedule;
  let value: unknown;
  try {
    value = schedule(step);
  } catch (cause) {
    throw evaluationError(argument, cause);
  }
  try {
    return toNumber(value, argument, range);
  } catch (cause) {
    const message = `${argument} gave ${describe(value)} for step ${step}, which it must not`;
    throw new SecondOrderError('ERR_EVALUATION', message, { argument, cause });
  }
}
