/**
 * Counts messages by the version of the branch key that sealed them: from the rows alone, with no key.
 *
 * @module
 */

import { branchKeyIdOf } from '../crypto/branch-key-id.ts';
import { branchKeyVersionOf } from '../crypto/branch-key-version.ts';
import type { TokenRecord } from '../ports.ts';
import type { SealedRow } from './ports.ts';

/** Messages under each version, by the name of the branch key: a tenant's, or `tenant/subject`. */
export type VersionCounts = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface Census {
  readonly messages: VersionCounts;
  /** Rows that are no record, and messages that do not say their version. */
  readonly unreadable: number;
  /** Messages of rows that have expired and are not swept yet: nobody can read them any more. */
  readonly expired: number;
}

/**
 * A code does not say whose it is: its record does.
 *
 * @param rows - Of one tenant, records and codes in any order.
 * @param now - What has expired by then is not counted under a version.
 */
export async function takeCensus(rows: AsyncIterable<SealedRow>, now: Date): Promise<Census> {
  const counts = new Map<string, Map<string, number>>();
  const subjects = new Map<string, string>();
  const codes: { readonly token: string; readonly tenant: string; readonly message: Uint8Array }[] = [];
  const total = { unreadable: 0, expired: 0 };
  const count = (id: string, message: Uint8Array): void => {
    const version = branchKeyVersionOf(message);
    if (version === undefined) {
      total.unreadable += 1;
      return;
    }
    const ofKey = counts.get(id) ?? new Map<string, number>();
    counts.set(id, ofKey.set(version, (ofKey.get(version) ?? 0) + 1));
  };
  for await (const row of rows) {
    if (row.kind === 'unreadable') total.unreadable += 1;
    else if (row.kind === 'code') {
      if (row.code.expiresAt <= now) total.expired += 1;
      else codes.push(row.code);
    } else {
      const { record } = row;
      if (record.code !== undefined && record.subject !== undefined)
        subjects.set(record.token, record.subject);
      if (hasExpired(record, now)) total.expired += record.fields.size;
      else for (const { message } of record.fields.values()) count(branchKeyIdOf(ownerOf(record)), message);
    }
  }
  for (const { tenant, token, message } of codes) {
    const subject = subjects.get(token);
    count(branchKeyIdOf({ tenant, ...(subject === undefined ? {} : { subject }) }), message);
  }
  return { messages: counts, ...total };
}

function hasExpired({ expiresAt }: TokenRecord, now: Date): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

function ownerOf({ tenant, subject }: TokenRecord): Readonly<Record<string, string>> {
  return subject === undefined ? { tenant } : { tenant, subject };
}

/** Messages of one key under one version. */
export function countOf({ messages }: Census, id: string, version: string): number {
  return messages.get(id)?.get(version) ?? 0;
}
