import { h, type JSX } from 'preact';
import type { ShownChecks, Snapshot } from '../snapshot.ts';
import { AuditTail } from './audit.ts';
import { Certificates } from './certificates.ts';
import { LoadCharts } from './charts.ts';
import { Checks } from './checks.ts';
import { EdgesTable } from './edges.ts';
import { ago, left, milliseconds, rate } from './format.ts';
import { Panel, type Tone } from './parts.ts';
import { Refusals } from './refusals.ts';
import { Topology } from './topology.ts';

export interface Seen {
  readonly snapshot?: Snapshot;
  readonly checks?: ShownChecks;
  /** What keeps the page from being up to date. */
  readonly trouble?: string;
  /** Told to who cannot see it happen. */
  readonly announced: string;
  readonly now: number;
}

export function App({ snapshot, checks, trouble, announced, now }: Seen): JSX.Element {
  return h(
    'div',
    null,
    h(Header, { snapshot, checks, trouble, now }),
    h('p', { class: 'unseen', role: 'status' }, announced),
    snapshot === undefined
      ? h('main', { id: 'content' }, h('p', { class: 'waiting' }, 'Looking at the mesh ...'))
      : h(
          'main',
          { id: 'content' },
          h(
            Panel,
            { id: 'topology', title: 'Who talks to whom', wide: true },
            h(Topology, { nodes: snapshot.nodes, edges: snapshot.edges }),
            h(EdgesTable, { edges: snapshot.edges }),
          ),
          h(
            Panel,
            {
              id: 'load',
              title: 'Load',
              note: 'As the tokenizer counts it. Latency is estimated over the last 10 s.',
              wide: true,
            },
            h(LoadCharts, { load: snapshot.load }),
          ),
          h(Panel, { id: 'certificates', title: 'Certificates' }, h(Certificates, { snapshot })),
          h(Panel, { id: 'checks', title: 'Checks' }, h(Checks, { checks, now })),
          h(
            Panel,
            { id: 'refusals', title: 'Refusals', note: REFUSALS_NOTE, wide: true },
            h(Refusals, { refusals: snapshot.refusals }),
          ),
          h(
            Panel,
            { id: 'audit', title: 'Audit', note: AUDIT_NOTE, wide: true },
            h(AuditTail, { records: snapshot.audit }),
          ),
        ),
  );
}

const REFUSALS_NOTE = 'The checks try what must be refused, and so add to it.';
const AUDIT_NOTE = 'The last records, without tokens and values.';

type HeaderProps = Pick<Seen, 'snapshot' | 'checks' | 'trouble' | 'now'>;

function Header({ snapshot, checks, trouble, now }: HeaderProps): JSX.Element {
  const isLive = trouble === undefined && snapshot !== undefined;
  return h(
    'header',
    null,
    h(
      'div',
      { class: 'title' },
      h('h1', null, snapshot?.mesh ?? 'tokenmesh'),
      h(
        'p',
        { class: `state ${isLive ? 'ok' : 'bad'}` },
        h('span', { class: 'dot', 'aria-hidden': 'true' }),
        isLive ? 'live' : 'not live',
      ),
    ),
    h(
      'p',
      { class: 'trouble', role: 'alert' },
      [trouble, ...(snapshot?.problems ?? [])].filter((each) => each !== undefined).join('; '),
    ),
    snapshot === undefined
      ? null
      : h(
          'dl',
          { class: 'tiles' },
          tilesOf(snapshot, checks, now).map((tile) => h(Tile, { key: tile.name, ...tile })),
        ),
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly more: string;
  readonly tone: Tone;
}

function Tile({ name, value, more, tone }: TileProps): JSX.Element {
  return h(
    'div',
    { class: `tile ${tone}` },
    h('dt', null, name),
    h('dd', { class: 'value' }, value),
    h('dd', { class: 'more' }, more),
  );
}

function tilesOf(snapshot: Snapshot, checks: ShownChecks | undefined, now: number): TileProps[] {
  const nodes = snapshot.nodes.filter(({ isReady }) => isReady !== undefined);
  const ready = nodes.filter(({ isReady }) => isReady === true);
  const [soonest] = snapshot.certificates.toSorted(
    (one, other) => (one.daysLeft ?? 0) - (other.daysLeft ?? 0),
  );
  const held = checks?.checks.filter(({ ok }) => ok).length ?? 0;
  const last = snapshot.load.at(-1);
  const swaps = snapshot.rotations.filter(({ isFirst }) => !isFirst);
  const newest = swaps.at(-1);
  return [
    {
      name: 'Nodes ready',
      value: `${ready.length} of ${nodes.length}`,
      more:
        ready.length === nodes.length
          ? 'each with its certificates'
          : `not ready: ${nodes
              .filter((each) => !ready.includes(each))
              .map(({ name }) => name)
              .join(', ')}`,
      tone: ready.length === nodes.length ? 'ok' : 'bad',
    },
    {
      name: 'Checks that hold',
      value: checks === undefined ? '–' : `${held} of ${checks.checks.length}`,
      more: checks === undefined ? 'being made' : ago(checks.at, now),
      tone: checks === undefined ? 'calm' : held === checks.checks.length ? 'ok' : 'bad',
    },
    {
      name: 'Next certificate ends',
      value: soonest?.daysLeft === undefined ? '–' : `in ${left(soonest.daysLeft)}`,
      more: soonest === undefined ? '' : `${soonest.node} ${soonest.role}`,
      tone: soonest?.daysLeft === undefined || soonest.daysLeft < 30 ? 'bad' : 'ok',
    },
    {
      name: 'Rotations',
      value: String(swaps.length),
      more:
        newest === undefined
          ? 'none since the start'
          : `${newest.node} ${newest.role}, ${ago(newest.at, now)}`,
      tone: 'calm',
    },
    {
      name: 'Tokens a second',
      value: rate((last?.tokenizedPerSecond ?? 0) + (last?.detokenizedPerSecond ?? 0)),
      more: `p99 ${milliseconds(last?.p99Ms)}`,
      tone: 'calm',
    },
  ];
}
