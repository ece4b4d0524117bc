import { h } from 'preact';
import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Chart, HistoryColumn, NumberFormat, RunAxis } from '../data';
import { axisOptions, scaleOptions } from './axes';
import { formatNumber } from './format';
import { Plot, type PlotOptions } from './plot';
import { dashes, type Theme } from './theme';

export interface ChartProps {
  chart: Chart;
  history: HistoryColumn[];
  axis: RunAxis;
  /** Horizontal scale. */
  log: boolean;
  theme: Theme;
}

/** One chart of the run's history over the chosen axis. */
export function ChartView({ chart, history, axis, log, theme }: ChartProps) {
  const columns = useMemo(() => pick(history, chart.columns), [history, chart]);
  const over = pick(history, [axis.column])[0];
  const data = useMemo(() => align(over?.values ?? [], columns, chart, log), [columns, over, log]);
  const options = useMemo(
    () => plotOptions(columns, chart, axis, over?.format, log, theme),
    [columns, over, log, theme],
  );
  return h(
    'figure',
    { class: 'chart card' },
    h('figcaption', null, h('h3', null, chart.title), chart.caption && h('p', null, chart.caption)),
    h(Plot, { label: `${chart.title}, ${chart.axis} over ${axis.axis}`, options, data }),
  );
}

function pick(history: HistoryColumn[], keys: string[]): HistoryColumn[] {
  return keys.flatMap((key) => history.filter((column) => column.key === key));
}

/** Columns over the axis; on log scales points that have no logarithm are left out. */
function align(
  over: (number | null)[],
  columns: HistoryColumn[],
  chart: Chart,
  log: boolean,
): uPlot.AlignedData {
  const steps = over.flatMap((x, step) => (x === null || (log && x <= 0) ? [] : [step]));
  const drawn = (value: number | null | undefined) =>
    value === undefined || (chart.scale === 'log' && value !== null && value <= 0) ? null : value;
  const lines = columns.map(({ values }) => steps.map((step) => drawn(values[step])));
  const { reference } = chart;
  if (reference) lines.push(steps.map(() => reference.value));
  return [steps.map((step) => over[step] ?? 0), ...lines];
}

function plotOptions(
  columns: HistoryColumn[],
  chart: Chart,
  axis: RunAxis,
  format: NumberFormat | undefined,
  log: boolean,
  theme: Theme,
): PlotOptions {
  const series: uPlot.Series[] = columns.map((column, index) => ({
    label: column.label,
    stroke: theme.series[index % theme.series.length],
    width: 2,
    dash: dashes[index % dashes.length],
    spanGaps: true,
    value: (_plot, value) => written(value, column.format),
  }));
  if (chart.reference) {
    const { label } = chart.reference;
    series.push({
      label,
      stroke: theme.neutral,
      width: 1,
      dash: [3, 4],
      points: { show: false },
      value: (_plot, value) => written(value, chart.format),
    });
  }
  const [upper, lower] = (chart.band ?? []).map((key) => chart.columns.indexOf(key) + 1);
  return {
    scales: {
      x: { time: false, ...scaleOptions(log) },
      y: scaleOptions(chart.scale === 'log'),
    },
    series: [{ label: axis.name, value: (_plot, value) => written(value, format) }, ...series],
    bands: upper && lower ? [{ series: [upper, lower], fill: theme.band }] : [],
    axes: [
      axisOptions('x', axis.axis, 'number', log, theme),
      axisOptions('y', chart.axis, chart.format, chart.scale === 'log', theme),
    ],
    cursor: { points: { size: 7 }, drag: { x: true, y: false } },
  };
}

function written(value: number | null, format: NumberFormat | undefined): string {
  return value === null ? '–' : formatNumber(value, format);
}
