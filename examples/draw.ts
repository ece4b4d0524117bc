/** Curves as an SVG file. */
import { writeFile } from 'node:fs/promises';
import type { TopLevelSpec } from 'vega-lite' with { 'resolution-mode': 'import' };

/** One curve. */
export interface Line {
  name: string;
  points: { x: number; y: number }[];
}

interface Axis {
  title: string;
  /** As d3 writes it, such as `.0%`. */
  format?: string;
  log?: boolean;
  /** From large to small. */
  falling?: boolean;
  /** Where ticks are to be. */
  ticks?: number[];
}

/** Curves over the same axes. */
export interface Panel {
  lines: Line[];
  x: Axis;
  y: Axis;
}

/** Draws panels side by side; a name has the same colour in all. */
export async function drawLines(path: string, panels: readonly Panel[]): Promise<void> {
  // Both are ES modules only.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const spec: TopLevelSpec = {
    background: 'white',
    padding: 8,
    spacing: 40,
    hconcat: panels.map((panel) => toSpec(panel, names)),
    config: {
      view: { stroke: '#d1d5db' },
      axis: { gridColor: '#f3f4f6', titleFontWeight: 'normal' },
      legend: { orient: 'right', title: null, labelLimit: 320, symbolStrokeWidth: 2.5 },
    },
  };
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
  await writeFile(path, `${await view.toSVG()}\n`);
}

function toSpec({ lines, x, y }: Panel, names: string[]) {
  const values = lines.flatMap(({ name, points }) => points.map((point) => ({ name, ...point })));
  const channel = (field: 'x' | 'y', { title, format, log, falling, ticks }: Axis) => ({
    field,
    type: 'quantitative' as const,
    scale: {
      ...(log ? { type: 'log' as const } : { zero: false }),
      nice: false,
      reverse: falling ?? false,
    },
    axis: { title, ...(format && { format }), ...(ticks && { values: ticks, labelFlush: false }) },
  });
  return {
    width: 360,
    height: 300,
    data: { values },
    mark: { type: 'line' as const, strokeWidth: 1.5, point: values.length < 100 },
    encoding: {
      x: channel('x', x),
      y: channel('y', y),
      color: {
        field: 'name',
        type: 'nominal' as const,
        scale: { domain: names, scheme: 'tableau10' as const },
      },
    },
  };
}
