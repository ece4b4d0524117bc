import { h } from 'preact';
import { useState } from 'preact/hooks';
import type { ReportData } from '../data';
import type { PackedGallery } from '../pictures';
import { ChartView } from './chart';
import { ConfusionView } from './confusion';
import { GalleryView } from './gallery';
import { ScatterView } from './scatter';
import { FactTableView, Highlights, HistoryTable } from './tables';
import { type Theme, useTheme } from './theme';

export type PageData = Omit<ReportData, 'galleries'> & { galleries: PackedGallery[] };

export function Page({ data }: { data: PageData }) {
  const theme = useTheme();
  return h(
    'main',
    null,
    h(Heading, { data }),
    h(Highlights, { facts: data.highlights }),
    data.charts.length > 0 && h(Charts, { data, theme }),
    data.confusion &&
      h(
        'section',
        null,
        h('h2', null, data.confusion.title),
        h(ConfusionView, { matrix: data.confusion }),
      ),
    data.scatter &&
      h(
        'section',
        null,
        h('h2', null, data.scatter.title),
        h(ScatterView, { scatter: data.scatter, theme }),
      ),
    data.galleries.map((gallery) => h(GalleryView, { gallery, theme })),
    h('h2', null, 'Facts'),
    h(
      'div',
      { class: 'tables' },
      data.tables.map((table) => h(FactTableView, { table })),
    ),
    data.history.length > 0 && h(HistoryTable, { history: data.history }),
    h(
      'footer',
      null,
      `Made by ${data.generator}. This page is complete in itself: it loads nothing.`,
    ),
  );
}

function Heading({ data }: { data: PageData }) {
  const { title, subtitle, status, summary } = data;
  return h(
    'header',
    null,
    h('span', { class: `status ${status.good ? 'good' : 'other'}` }, status.text),
    h('h1', null, title),
    subtitle && h('p', { class: 'subtitle' }, subtitle),
    h('p', null, summary),
  );
}

function Charts({ data, theme }: { data: PageData; theme: Theme }) {
  const [chosen, choose] = useState(0);
  const [log, setLog] = useState(true);
  const axis = data.runAxes[chosen];
  if (!axis) return null;
  return h(
    'section',
    null,
    h('h2', null, 'How it got there'),
    h(
      'div',
      { class: 'switches' },
      h(Switch, {
        name: 'over',
        choices: data.runAxes.map(({ name }) => name),
        chosen,
        choose,
      }),
      h(Switch, {
        name: 'scale across',
        choices: ['logarithmic', 'linear'],
        chosen: log ? 0 : 1,
        choose: (index: number) => setLog(index === 0),
      }),
      h('span', { class: 'key' }, 'Drag across a chart to zoom, double-click to reset.'),
    ),
    h(
      'div',
      { class: 'charts' },
      data.charts.map((chart) =>
        h(ChartView, { key: chart.title, chart, history: data.history, axis, log, theme }),
      ),
    ),
  );
}

interface SwitchProps {
  name: string;
  choices: string[];
  chosen: number;
  choose: (index: number) => void;
}

function Switch({ name, choices, chosen, choose }: SwitchProps) {
  return h(
    'fieldset',
    { class: 'switch' },
    h('legend', null, name),
    choices.map((choice, index) =>
      h(
        'label',
        null,
        h('input', {
          type: 'radio',
          name,
          checked: index === chosen,
          onChange: () => choose(index),
        }),
        h('span', null, choice),
      ),
    ),
  );
}
