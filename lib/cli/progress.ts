import type { ConvexProgress, ConvexRunOptions } from '../convex-relu';
import type { Bar, Terminal } from './terminal';

/** A run as it is shown: a bar on a terminal, a line for each event with `--json`. */
export interface ShownRun {
  onProgress: NonNullable<ConvexRunOptions['onProgress']>;
  stop(): void;
}

/**
 * Shows a training run. The bar fills with the logarithm of gap and infeasibility, whichever is
 * further from the tolerance: it is full when both are there, and empty during gate refinement.
 */
export function showRun(terminal: Terminal, tolerance: number): ShownRun {
  const format = '{bar} {stage}  gap {gap}  infeasibility {infeasibility}  {seconds} s';
  const bar: Bar = terminal.bar(format, {
    stage: 'iteration 0',
    gap: '–',
    infeasibility: '–',
    seconds: '0',
  });
  let first: number | undefined;
  let done = 0;
  return {
    onProgress(event: ConvexProgress) {
      terminal.event('progress', { ...event });
      const refining = event.round !== undefined;
      if (!refining) {
        const distance = Math.max(event.gap, event.infeasibility);
        first ??= distance;
        done = Math.max(done, logarithmicShare(first, distance, tolerance));
      }
      bar.update(done, {
        stage: refining ? `refinement ${event.round}` : `iteration ${event.iteration}`,
        gap: refining ? '–' : event.gap.toExponential(1),
        infeasibility: refining ? '–' : event.infeasibility.toExponential(1),
        seconds: event.seconds.toFixed(1),
      });
    },
    stop: () => bar.stop(),
  };
}

/** How much of the way from `first` down to `target` lies behind `now`, in powers of ten; 0 to 1. */
export function logarithmicShare(first: number, now: number, target: number): number {
  if (!(now > target)) return now <= target ? 1 : 0;
  const share = Math.log(first / now) / Math.log(first / target);
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
}
