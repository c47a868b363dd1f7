import { h, type JSX } from 'preact';
import type { CheckResult } from '../../checks/check.ts';
import type { ShownChecks } from '../snapshot.ts';
import { ago } from './format.ts';
import { Badge } from './parts.ts';

/** Each group in one line, what failed in full, and all the rest on demand. */
export function Checks({ checks, now }: { checks: ShownChecks | undefined; now: number }): JSX.Element {
  if (checks === undefined) return h('p', { class: 'empty' }, 'The checks are being made ...');
  const failed = checks.checks.filter(({ ok }) => !ok);
  const groups = [...new Set(checks.checks.map(({ group }) => group))];
  return h(
    'div',
    null,
    h(
      'p',
      { class: 'total' },
      h('strong', null, `${checks.checks.length - failed.length} of ${checks.checks.length}`),
      ` hold, looked at ${ago(checks.at, now)} in ${(checks.tookMs / 1000).toFixed(1)} s`,
    ),
    failed.length === 0
      ? null
      : h(
          'ul',
          { class: 'failed' },
          failed.map((each) => h(FailedCheck, { key: keyOf(each), check: each })),
        ),
    groups.map((group) =>
      h(Group, { key: group, group, checks: checks.checks.filter((each) => each.group === group) }),
    ),
  );
}

function FailedCheck({ check }: { check: CheckResult }): JSX.Element {
  return h(
    'li',
    null,
    h(Badge, { tone: 'bad' }, 'failed'),
    ' ',
    h('code', null, check.id),
    ` ${check.subject}: expected that ${check.sentence}; found ${check.found}`,
    h('br', null),
    h('span', { class: 'hint' }, check.hint),
  );
}

function Group({ group, checks }: { group: string; checks: readonly CheckResult[] }): JSX.Element {
  const held = checks.filter(({ ok }) => ok).length;
  const isWhole = held === checks.length;
  return h(
    'details',
    { class: 'group' },
    h(
      'summary',
      null,
      h('span', { class: 'group-name' }, group),
      h(Badge, { tone: isWhole ? 'ok' : 'bad' }, `${held} of ${checks.length}`),
    ),
    h(
      'ul',
      null,
      checks.map((each) =>
        h(
          'li',
          { key: keyOf(each) },
          h('span', { class: each.ok ? 'ok' : 'bad' }, each.ok ? 'holds' : 'failed'),
          ` ${each.subject}: ${each.sentence}`,
          h('span', { class: 'found' }, ` (${each.found})`),
        ),
      ),
    ),
  );
}

function keyOf({ id, subject }: CheckResult): string {
  return `${id} ${subject}`;
}
