import { h, type JSX } from 'preact';
import type { RefusalCount, ShownRefusal, ShownRefusals } from '../snapshot.ts';
import { clock, count } from './format.ts';
import { DataTable } from './parts.ts';

const ROWS_SHOWN = 8;

export function Refusals({ refusals }: { refusals: ShownRefusals }): JSX.Element {
  const total = refusals.counts.reduce((sum, each) => sum + each.count, 0);
  return h(
    'div',
    null,
    h('p', { class: 'total' }, h('strong', null, count(total)), ' since the run began'),
    h(
      'div',
      { class: 'pair' },
      h('div', null, h('h3', null, 'Most often'), h(MostOften, { counts: refusals.counts })),
      h('div', null, h('h3', null, 'Last'), h(Last, { recent: refusals.recent })),
    ),
  );
}

function MostOften({ counts }: Pick<ShownRefusals, 'counts'>): JSX.Element {
  return h(DataTable<RefusalCount>, {
    label: 'Refusals by who and what',
    rows: counts.toSorted((one, other) => other.count - one.count).slice(0, ROWS_SHOWN),
    keyOf: (each) => [each.by, each.node, each.operation, each.reason].join(' '),
    empty: 'Nobody has been refused anything.',
    columns: [
      { head: 'Who', cell: ({ node }) => node },
      { head: 'What', cell: ({ operation }) => operation },
      { head: 'Times', isFigure: true, cell: (each) => count(each.count) },
      { head: 'Why', cell: ({ reason }) => reason },
      { head: 'Refused by', cell: ({ by }) => by },
    ],
  });
}

function Last({ recent }: Pick<ShownRefusals, 'recent'>): JSX.Element {
  return h(DataTable<ShownRefusal>, {
    label: 'Last refusals',
    rows: recent.slice(0, ROWS_SHOWN),
    keyOf: (each) => [each.at, each.node, each.peer, each.operation].join(' '),
    empty: 'None.',
    columns: [
      { head: 'At', cell: ({ at }) => h('time', { dateTime: at }, clock(at)) },
      { head: 'Edge', cell: ({ peer, node }) => `${peer} → ${node}` },
      { head: 'What', cell: ({ operation }) => operation },
      { head: 'Status', isFigure: true, cell: ({ status }) => String(status) },
      { head: 'Why', cell: ({ reason }) => reason },
    ],
  });
}
