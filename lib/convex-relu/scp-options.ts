/** Which method solves the program, and what goes with the sampled one. */
import { requireCpu } from '../devices';
import { describe, invalid, toChoice } from '../validate';

/** Hidden vectors that the sampled convex program draws by itself. */
export const DEFAULT_DIRECTIONS = 1000;

/** The method, where it is not the default, ADMM. */
export function readMethod(raw: Record<string, unknown>): { method?: 'scp' } {
  if (toChoice(raw.method ?? 'admm', 'options.method', ['admm', 'scp']) === 'admm') return {};
  const needs = (key: string, allowed: unknown[], what: string): void => {
    if (raw[key] === undefined || allowed.includes(raw[key])) return;
    throw invalid(`options.${key}`, `${what} for method "scp"`, describe(raw[key]));
  };
  needs('model', ['relu'], '"relu"');
  needs('penalty', ['gate'], '"gate"');
  needs('adversarial', [], 'left out');
  needs('refine', [false], 'false');
  needs('globalBound', [false, 'auto'], 'false');
  needs('rho', [], 'left out');
  needs('route', ['auto'], 'left out');
  requireCpu(raw.device, 'the sampled convex program');
  return { method: 'scp' };
}
