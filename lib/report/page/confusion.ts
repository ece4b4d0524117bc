import { h } from 'preact';
import type { ConfusionMatrix } from '../data';
import { formatNumber } from './format';

/** Rows are true classes, columns what the model read; a cell's colour is its share of the row. */
export function ConfusionView({ matrix }: { matrix: ConfusionMatrix }) {
  const { classes, counts } = matrix;
  return h(
    'div',
    { class: 'card scroll' },
    h(
      'table',
      { class: 'confusion' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('td', { class: 'corner' }, 'true ↓  read as →'),
          classes.map((name) => h('th', { scope: 'col' }, name)),
          h('th', { scope: 'col', class: 'recall' }, 'right'),
        ),
      ),
      h(
        'tbody',
        null,
        classes.map((name, row) => h(Row, { name, row, classes, counts: counts[row] ?? [] })),
      ),
    ),
    h('p', { class: 'key' }, ...key()),
  );
}

function Row(props: { name: string; row: number; classes: string[]; counts: number[] }) {
  const { name, row, classes, counts } = props;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return h(
    'tr',
    null,
    h('th', { scope: 'row' }, name),
    classes.map((read, column) => {
      const count = counts[column] ?? 0;
      const share = total > 0 ? count / total : 0;
      const kind = count === 0 ? 'none' : column === row ? 'hit' : 'miss';
      return h(
        'td',
        {
          class: kind,
          style: `--share: ${Math.sqrt(share).toFixed(3)}`,
          title: `${count} of ${total} '${name}' read as '${read}'`,
        },
        formatNumber(count, 'integer'),
      );
    }),
    h(
      'td',
      { class: 'recall' },
      total > 0 ? formatNumber((counts[row] ?? 0) / total, 'percent') : '–',
    ),
  );
}

function key() {
  return [
    h('span', { class: 'swatch hit' }),
    'right ',
    h('span', { class: 'swatch miss' }),
    'wrong; a stronger colour is a larger share of the row',
  ];
}
