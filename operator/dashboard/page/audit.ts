import { h, type JSX } from 'preact';
import type { ShownRecord } from '../snapshot.ts';
import { clock } from './format.ts';
import { Badge, DataTable } from './parts.ts';

export function AuditTail({ records }: { records: readonly ShownRecord[] }): JSX.Element {
  return h(DataTable<ShownRecord & { place: number }>, {
    label: 'Last records of the audit',
    rows: records.map((record, place) => ({ ...record, place })),
    keyOf: ({ at, operation, place }) => `${at} ${operation} ${place}`,
    empty: 'Nothing has been recorded yet.',
    columns: [
      { head: 'At', cell: ({ at }) => h('time', { dateTime: at }, clock(at)) },
      { head: 'Who', cell: ({ identity }) => identity.split('.')[0] },
      { head: 'Operation', cell: ({ operation }) => operation },
      { head: 'Outcome', cell: ({ outcome }) => h(Badge, { tone: toneOf(outcome) }, outcome) },
      { head: 'Fields', cell: ({ fields }) => fields },
      { head: 'Purpose', cell: ({ purpose }) => purpose },
      { head: 'Decided by', cell: ({ policies }) => policies.join(', ') },
      { head: 'Tenant', cell: ({ tenant }) => tenant },
    ],
  });
}

function toneOf(outcome: string): 'ok' | 'calm' | 'bad' {
  if (outcome === 'ok') return 'ok';
  return outcome === 'begun' ? 'calm' : 'bad';
}
