import { h } from 'preact';
import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Scatter } from '../data';
import { axisOptions } from './axes';
import { formatNumber } from './format';
import { Plot, type PlotOptions } from './plot';
import type { Theme } from './theme';

/** Predicted over true values, with the line on which they agree. */
export function ScatterView({ scatter, theme }: { scatter: Scatter; theme: Theme }) {
  const data = useMemo(() => sorted(scatter), [scatter]);
  const options = useMemo(() => plotOptions(scatter, theme), [scatter, theme]);
  return h(
    'figure',
    { class: 'chart card' },
    h('figcaption', null, scatter.caption && h('p', null, scatter.caption)),
    h(Plot, { label: `${scatter.yAxis} over ${scatter.xAxis}`, options, data }),
  );
}

/** uPlot wants ascending x. */
function sorted({ x, y }: Scatter): uPlot.AlignedData {
  const order = x.map((_value, index) => index).sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0));
  const across = order.map((index) => x[index] ?? 0);
  return [across, order.map((index) => y[index] ?? null), across];
}

function plotOptions(scatter: Scatter, theme: Theme): PlotOptions {
  const value = (_plot: uPlot, number: number | null) =>
    number === null ? '–' : formatNumber(number);
  const color = theme.series[0];
  return {
    scales: { x: { time: false } },
    series: [
      { label: scatter.xAxis, value },
      {
        label: scatter.yAxis,
        stroke: color,
        paths: () => null,
        points: { show: true, size: 5, fill: color },
        value,
      },
      { label: 'agreement', stroke: theme.neutral, dash: [3, 4], points: { show: false }, value },
    ],
    axes: [
      axisOptions('x', scatter.xAxis, 'number', false, theme),
      axisOptions('y', scatter.yAxis, 'number', false, theme),
    ],
  };
}
