import { h, type JSX } from 'preact';
import type { ShownEdge } from '../snapshot.ts';
import { count, rate } from './format.ts';
import { Badge, DataTable, type Tone } from './parts.ts';

const MODES = { mtls: 'mTLS', 'one-way': 'one-way', none: 'no TLS' } as const;

export function EdgesTable({ edges }: { edges: readonly ShownEdge[] }): JSX.Element {
  return h(DataTable<ShownEdge>, {
    label: 'Edges of the mesh',
    rows: edges,
    keyOf: ({ from, to }) => `${from} ${to}`,
    empty: 'The definition has no edges.',
    columns: [
      { head: 'Edge', cell: ({ from, to }) => `${from} → ${to}` },
      {
        head: 'Mode',
        cell: (edge) =>
          h(Badge, { tone: toneOf(edge) }, MODES[edge.mode], edge.tls === '' ? '' : ` ${edge.tls}`),
      },
      { head: 'Requests/s', isFigure: true, cell: ({ requestsPerSecond }) => rate(requestsPerSecond) },
      { head: 'Requests', isFigure: true, cell: ({ requests }) => count(requests) },
      { head: 'Denied', isFigure: true, cell: ({ denied }) => alarming(denied, 'warn') },
      { head: 'Failed', isFigure: true, cell: ({ failed }) => alarming(failed, 'bad') },
      { head: 'Handshakes', isFigure: true, cell: ({ handshakes }) => count(handshakes) },
      {
        head: 'Handshakes failed',
        isFigure: true,
        cell: ({ handshakesFailed }) => alarming(handshakesFailed, 'warn'),
      },
      { head: 'At its listener', cell: listener },
    ],
  });
}

function toneOf({ mode }: ShownEdge): Tone {
  return mode === 'mtls' ? 'ok' : mode === 'one-way' ? 'calm' : 'bad';
}

function alarming(value: number, tone: 'warn' | 'bad'): JSX.Element | string {
  return value === 0 ? '0' : h('span', { class: tone }, count(value));
}

/** Over all callers: no counter of Envoy's parts them. */
function listener({ listenerHandshakes, noCertificate, listenerRefused }: ShownEdge): string {
  if (listenerHandshakes === undefined) return 'not of the mesh';
  return `${count(listenerHandshakes)} handshakes, ${count(noCertificate)} without a certificate, ${count(listenerRefused)} refused`;
}
