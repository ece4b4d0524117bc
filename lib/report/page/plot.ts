import { h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

/** Options of a plot but for its size, which follows the element it stands in. */
export type PlotOptions = Omit<uPlot.Options, 'width' | 'height'>;

/** A uPlot chart as wide as its place, with its legend reading the last step until the cursor picks one. */
export function Plot(props: { label: string; options: PlotOptions; data: uPlot.AlignedData }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const readLast = (plot: uPlot) => {
      if (plot.cursor.idx == null) plot.setLegend({ idx: lastIndex(props.data) });
    };
    const hooks = { ready: [readLast], setCursor: [readLast] };
    const plot = new uPlot({ ...props.options, ...size(element), hooks }, props.data, element);
    const observer = new ResizeObserver(() => plot.setSize(size(element)));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [props.options, props.data]);
  return h('div', { class: 'plot', role: 'img', 'aria-label': props.label, ref: place });
}

function size(element: HTMLElement): { width: number; height: number } {
  const width = Math.max(240, element.clientWidth);
  return { width, height: Math.round(Math.min(320, Math.max(230, width * 0.55))) };
}

function lastIndex(data: uPlot.AlignedData): number {
  return Math.max(0, data[0].length - 1);
}
