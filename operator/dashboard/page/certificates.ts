import { h, type JSX } from 'preact';
import type { ShownCertificate, ShownRotation, Snapshot } from '../snapshot.ts';
import { clock, day, left } from './format.ts';
import { Badge, DataTable } from './parts.ts';

const DAYS_ARE_FEW = 30;
/** A year and a bit, as ACM issues. */
const FULL_LIFE_DAYS = 395;
const ROTATIONS_TOLD = 6;

interface Props {
  readonly snapshot: Snapshot;
}

export function Certificates({ snapshot }: Props): JSX.Element {
  const { certificates, rotations } = snapshot;
  return h(
    'div',
    null,
    h('p', { class: 'note' }, `The time line goes from ${clock(snapshot.startedAt)} until now.`),
    h(DataTable<ShownCertificate>, {
      label: 'Certificates in use',
      rows: certificates,
      keyOf: ({ node, role }) => `${node} ${role}`,
      empty: 'No sidecar answers.',
      columns: [
        { head: 'Certificate', cell: ({ node, role }) => `${node} ${role}` },
        { head: 'Serial', cell: ({ serial }) => h('code', null, serial === '' ? '–' : serial) },
        { head: 'Left', cell: daysLeft },
        { head: 'Served', cell: served },
        {
          head: 'Rotations',
          cell: (each) => h(Timeline, { certificate: each, snapshot }),
        },
      ],
    }),
    h('h3', null, 'Last rotations'),
    h(LastRotations, { rotations }),
  );
}

function daysLeft({ daysLeft: days, endsAt }: ShownCertificate): JSX.Element | string {
  if (days === undefined || endsAt === undefined) return '–';
  const tone = days < DAYS_ARE_FEW ? 'bad' : 'ok';
  return h(
    'span',
    { class: 'left', title: `until ${day(endsAt)}` },
    h('span', { class: days < DAYS_ARE_FEW ? 'bad' : '' }, left(days)),
    h(
      'svg',
      { class: `bar ${tone}`, viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      h('rect', { class: 'track', width: 100, height: 6, rx: 3 }),
      h('rect', {
        class: 'fill',
        width: Math.max(2, Math.min(100, (days / FULL_LIFE_DAYS) * 100)),
        height: 6,
        rx: 3,
      }),
    ),
  );
}

function served({ isServed, problems }: ShownCertificate): JSX.Element {
  const [problem] = problems;
  if (problem !== undefined) return h('span', null, h(Badge, { tone: 'bad' }, 'problem'), ` ${problem}`);
  return isServed ? h(Badge, { tone: 'ok' }, 'yes') : h(Badge, { tone: 'warn' }, 'not yet');
}

/** From the start of the run until now: a dot for each certificate that Envoy took. */
function Timeline({ certificate, snapshot }: Props & { certificate: ShownCertificate }): JSX.Element {
  const own = snapshot.rotations.filter(
    ({ node, role }) => node === certificate.node && role === certificate.role,
  );
  const start = Math.min(Date.parse(snapshot.startedAt), ...own.map(({ at }) => Date.parse(at)));
  const span = Math.max(Date.parse(snapshot.at) - start, 1);
  const x = ({ at }: ShownRotation): number => 6 + ((Date.parse(at) - start) / span) * 118;
  const swaps = own.filter(({ isFirst }) => !isFirst);
  const says = swaps.length === 0 ? 'none' : swaps.map(({ at }) => clock(at)).join(', ');
  return h(
    'span',
    { class: 'timeline' },
    h(
      'svg',
      { viewBox: '0 0 130 16', role: 'img', 'aria-label': `Rotated: ${says}` },
      h('line', { class: 'axis', x1: 6, x2: 124, y1: 8, y2: 8 }),
      own.map((each) =>
        h(
          'circle',
          {
            key: each.serial,
            class: each.isFirst ? 'first' : 'swap',
            cx: x(each),
            cy: 8,
            r: each.isFirst ? 3 : 4.5,
          },
          h('title', null, `${clock(each.at)}: ${each.serial}`),
        ),
      ),
    ),
    h('span', { class: 'count' }, swaps.length),
  );
}

function LastRotations({ rotations }: { rotations: readonly ShownRotation[] }): JSX.Element {
  const swaps = rotations
    .filter(({ isFirst }) => !isFirst)
    .slice(-ROTATIONS_TOLD)
    .toReversed();
  if (swaps.length === 0)
    return h('p', { class: 'empty' }, 'None yet. Try: npm run mesh -- rotate tokenizer');
  return h(
    'ul',
    { class: 'rotations' },
    swaps.map((each) =>
      h(
        'li',
        { key: `${each.node} ${each.role} ${each.serial}` },
        h('time', { dateTime: each.at }, clock(each.at)),
        ` ${each.node} ${each.role} → `,
        h('code', null, each.serial),
        each.servedAfterMs === undefined
          ? ', not served yet'
          : `, served ${each.servedAfterMs} ms after the swap`,
      ),
    ),
  );
}
