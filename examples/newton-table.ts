/** What a run of Newton's method came to, as cells of a table. */
import type { MinimizeResult } from 'secondorder/newton';

/** Heads of the columns that {@link outcome} fills. */
export const OUTCOME = ['status', 'iterations', 'objective', '‖∇L‖∞', '‖c‖∞'];

export function outcome(result: MinimizeResult): string[] {
  return [
    result.status,
    String(result.iterations),
    result.objective.toFixed(8),
    result.stationarity.toExponential(1),
    result.infeasibility.toExponential(1),
  ];
}
