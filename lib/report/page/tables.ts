import { h } from 'preact';
import type { Fact, FactTable, HistoryColumn } from '../data';
import { formatFact, formatNumber } from './format';

export function Highlights({ facts }: { facts: Fact[] }) {
  return h(
    'dl',
    { class: 'highlights' },
    facts.map((fact) =>
      h(
        'div',
        { class: 'card', title: fact.note },
        h('dt', null, fact.label),
        h('dd', null, formatFact(fact)),
      ),
    ),
  );
}

export function FactTableView({ table }: { table: FactTable }) {
  return h(
    'div',
    { class: 'card' },
    h('h3', null, table.title),
    h(
      'table',
      { class: 'facts' },
      h(
        'tbody',
        null,
        table.rows.map((fact) =>
          h(
            'tr',
            null,
            h('th', { scope: 'row' }, fact.label, fact.note && h('small', null, fact.note)),
            h('td', { class: typeof fact.value, title: String(fact.value) }, formatFact(fact)),
          ),
        ),
      ),
    ),
  );
}

/** The numbers behind the charts, for readers who cannot or would rather not look at them. */
export function HistoryTable({ history }: { history: HistoryColumn[] }) {
  const steps = history[0]?.values ?? [];
  return h(
    'details',
    { class: 'card' },
    h('summary', null, `The numbers behind the charts (${steps.length} steps)`),
    h(
      'div',
      { class: 'scroll tall' },
      h(
        'table',
        { class: 'history' },
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            history.map(({ label }) => h('th', { scope: 'col' }, label)),
          ),
        ),
        h(
          'tbody',
          null,
          steps.map((_step, index) =>
            h(
              'tr',
              null,
              history.map(({ values, format }) => {
                const value = values[index] ?? null;
                return h('td', null, value === null ? '' : formatNumber(value, format));
              }),
            ),
          ),
        ),
      ),
    ),
  );
}
