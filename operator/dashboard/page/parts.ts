import { h, type ComponentChildren, type JSX } from 'preact';

interface PanelProps {
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly wide?: boolean;
  readonly children?: ComponentChildren;
}

/** One part of the page, under a heading that a screen reader can jump to. */
export function Panel({ id, title, note, wide, children }: PanelProps): JSX.Element {
  return h(
    'section',
    { class: wide === true ? 'panel wide' : 'panel', id, 'aria-labelledby': `${id}-title` },
    h('h2', { id: `${id}-title` }, title),
    note === undefined ? null : h('p', { class: 'note' }, note),
    children,
  );
}

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Figures stand to the right. */
  readonly isFigure?: boolean;
}

interface TableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly empty: string;
  readonly classOf?: (row: Row) => string;
}

/** A table that scrolls by itself where the screen is narrow, by keyboard too. */
export function DataTable<Row>({
  label,
  rows,
  columns,
  keyOf,
  empty,
  classOf,
}: TableProps<Row>): JSX.Element {
  if (rows.length === 0) return h('p', { class: 'empty' }, empty);
  return h(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': label, tabIndex: 0 },
    h(
      'table',
      null,
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          columns.map(({ head, isFigure }) =>
            h('th', { key: head, scope: 'col', class: isFigure === true ? 'figure' : '' }, head),
          ),
        ),
      ),
      h(
        'tbody',
        null,
        rows.map((row) =>
          h(
            'tr',
            { key: keyOf(row), class: classOf?.(row) ?? '' },
            columns.map(({ head, cell, isFigure }, index) =>
              index === 0
                ? h('th', { key: head, scope: 'row' }, cell(row))
                : h('td', { key: head, class: isFigure === true ? 'figure' : '' }, cell(row)),
            ),
          ),
        ),
      ),
    ),
  );
}

export type Tone = 'ok' | 'bad' | 'warn' | 'calm';

/** A word in a colour; never a colour alone. */
export function Badge({ tone, children }: { tone: Tone; children?: ComponentChildren }): JSX.Element {
  return h('span', { class: `badge ${tone}` }, children);
}
