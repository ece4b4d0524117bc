// The table of the sampled convex program beside FISTA, for docs/benchmarks.md.
import { table } from './markdown';
import { FISTA_SECONDS, type SampledResult, TOLERANCE } from './sampled';

export function sampledTable(results: readonly SampledResult[]): string {
  const rows = results.map(({ loss, n, d, directions, beta, neurons, cpu, fista }) => {
    const ratio = fista && `${fista.gap > TOLERANCE ? '> ' : ''}${(fista.cpu / cpu).toFixed(1)}`;
    return [
      loss,
      `${n} × ${d}`,
      String(directions),
      String(beta),
      String(neurons),
      cpu.toFixed(2),
      fista ? fista.cpu.toFixed(2) : '',
      fista ? String(fista.iterations) : '',
      ratio ?? '',
    ];
  });
  return [
    `\`method: 'scp'\` to a relative gap of ${TOLERANCE} on Gaussian inputs, one thread, float32: processor ` +
      'seconds of the whole training, and of FISTA with restarts (NumPy) on the same columns, which it ' +
      `is given for nothing; stopped after ${FISTA_SECONDS} s.`,
    table(
      [
        'Loss',
        'Samples',
        'Hidden vectors',
        'beta',
        'Neurons',
        'CPU s',
        'FISTA',
        'iterations',
        'Ratio',
      ],
      rows,
    ),
  ].join('\n\n');
}
