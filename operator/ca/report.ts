import type { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import Table from 'cli-table3';
import type { Hierarchy, Mesh } from '../../mesh/definition.ts';
import { HIERARCHIES } from '../../mesh/identity.ts';
import { generationOf, hierarchyTags } from '../../pki/authority-tags.ts';
import { daysLeft } from '../../pki/certificate.ts';
import type { Rollover, RolloverRecords, RolloverStep } from './ports.ts';
import { findTagged } from './private-ca.ts';
import type { RolloverResult } from './rollover.ts';

export interface AuthorityRow {
  readonly hierarchy: Hierarchy;
  readonly generation: number;
  readonly type: 'ROOT' | 'SUBORDINATE';
  readonly arn: string;
  readonly status: string;
  readonly daysLeft: number | null;
}

export interface AuthorityStatus {
  readonly authorities: readonly AuthorityRow[];
  /** The last rollover of each hierarchy that had one, under way or done. */
  readonly rollovers: readonly Rollover[];
}

export async function authorityStatus(parts: {
  readonly acmPca: ACMPCAClient;
  readonly records: RolloverRecords;
  readonly mesh: Mesh;
}): Promise<AuthorityStatus> {
  const { acmPca, records, mesh } = parts;
  const now = new Date();
  const rows = HIERARCHIES.map(async (hierarchy): Promise<AuthorityRow[]> => {
    const found = await findTagged(acmPca, hierarchyTags({ mesh: mesh.name, hierarchy }));
    return found.map(({ arn, type, status, notAfter, tags }) => ({
      hierarchy,
      generation: generationOf(tags),
      type,
      arn,
      status,
      daysLeft: notAfter === undefined ? null : Math.floor(daysLeft({ notAfter }, now)),
    }));
  });
  const rollovers = await Promise.all(HIERARCHIES.map(async (each) => await records.read(each)));
  return {
    authorities: (await Promise.all(rows)).flat().toSorted(inOrder),
    rollovers: rollovers.filter((each) => each !== undefined),
  };
}

function inOrder(a: AuthorityRow, b: AuthorityRow): number {
  return (
    a.hierarchy.localeCompare(b.hierarchy) || a.generation - b.generation || a.type.localeCompare(b.type)
  );
}

export function authorityStatusReport({ authorities, rollovers }: AuthorityStatus): string {
  const table = new Table({
    head: ['hierarchy', 'generation', 'CA', 'status', 'days left', 'id'],
    style: { head: [], border: [] },
  });
  for (const row of authorities) {
    const id = row.arn.split('/').at(-1) ?? row.arn;
    const { hierarchy, generation, type, status } = row;
    table.push([hierarchy, generation, type.toLowerCase(), status, row.daysLeft ?? '-', id]);
  }
  const lines = rollovers.map(({ hierarchy, step, from, updatedAt }) =>
    step === 'done'
      ? `${hierarchy}: rolled over to generation ${from.generation + 1} at ${updatedAt}`
      : `${hierarchy}: a rollover to generation ${from.generation + 1} is under way, next is "${step}"; go on: npm run mesh -- ca rollover ${hierarchy}`,
  );
  return [table.toString(), ...(lines.length === 0 ? ['no rollover yet'] : lines)].join('\n');
}

/** What each step has brought about. */
const BROUGHT_ABOUT: Readonly<Record<RolloverStep, string>> = {
  create: 'the new root and subordinate are there',
  trust: 'every Envoy trusts both roots',
  issue: 'every node shows a certificate of the new CA',
  retire: 'every Envoy trusts the new root alone; the old CA is disabled',
  done: '',
};

export function rolloverReport({ rollover, steps }: RolloverResult): string {
  const { hierarchy, step, from } = rollover;
  const lines = steps.map((each) => `${each.step.padEnd(7)} ${BROUGHT_ABOUT[each.step]} (${each.ms} ms)`);
  const end =
    step === 'done'
      ? `${hierarchy}: generation ${from.generation + 1} has taken the place of ${from.generation}`
      : `${hierarchy}: next is "${step}"; go on: npm run mesh -- ca rollover ${hierarchy}`;
  const waits = step === 'issue' && hierarchy === 'servers' ? [GIVE_NEW_ROOT] : [];
  return [...lines, end, ...waits].join('\n');
}

const GIVE_NEW_ROOT =
  'before you go on, give the new root to every caller outside the mesh that trusts the gateway by the old one';
