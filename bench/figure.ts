// The figure of docs/benchmarks.md: time of an iteration over n, d, P and c, as SVG.
import type { TopLevelSpec } from 'vega-lite' with { 'resolution-mode': 'import' };
import { AXES, type Axis, type ScalingResult } from './scaling';

const TITLES: Record<Axis, string> = {
  n: 'samples n',
  d: 'features d',
  P: 'gates P',
  c: 'outputs c',
};
const PANEL = { width: 200, height: 200 };
const MEASURED = '#2563eb';
const BOUND = '#9ca3af';

export async function drawScaling(results: readonly ScalingResult[]): Promise<string> {
  // Both are ES modules only.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const ordered = AXES.flatMap((axis) => results.filter((result) => result.axis === axis));
  const milliseconds = ordered.flatMap(({ points }) => points.map((p) => p.cpuSeconds * 1e3));
  const range: [number, number] = [
    Math.min(...milliseconds) / 1.5,
    Math.max(...milliseconds) * 1.5,
  ];
  const spec: TopLevelSpec = {
    background: 'white',
    padding: 8,
    bounds: 'flush',
    spacing: 50,
    hconcat: ordered.map((result) => panel(result, range)),
    config: {
      view: { stroke: '#d1d5db' },
      axis: { gridColor: '#f3f4f6', titleFontWeight: 'normal' },
    },
  };
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
  return `${await view.toSVG()}\n`;
}

function panel(result: ScalingResult, domain: [number, number]) {
  const { axis, points, slope, bound } = result;
  const values = points.map((p) => ({ size: p.size, milliseconds: p.cpuSeconds * 1e3 }));
  const last = values.at(-1)!;
  const scale = { type: 'log' as const, nice: false };
  const x = {
    field: 'size',
    type: 'quantitative' as const,
    scale: { ...scale, base: 2, padding: 12 },
    axis: {
      title: `${TITLES[axis]}; slope ${slope.toFixed(2)}`,
      values: values.map(({ size }) => size),
      labelFlush: false,
    },
  };
  const y = {
    field: 'milliseconds',
    type: 'quantitative' as const,
    scale: { ...scale, domain },
    axis: { title: axis === AXES[0] ? 'processor ms per iteration' : null },
  };
  return {
    ...PANEL,
    layer: [
      {
        data: {
          values: values.map(({ size }) => ({
            size,
            milliseconds: last.milliseconds * (size / last.size) ** bound,
          })),
        },
        mark: { type: 'line' as const, color: BOUND, strokeDash: [4, 4], clip: true },
        encoding: { x, y },
      },
      {
        data: { values },
        mark: { type: 'line' as const, color: MEASURED, point: { color: MEASURED } },
        encoding: { x, y },
      },
    ],
  };
}
