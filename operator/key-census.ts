/**
 * `mesh keys census`: how many messages there are under each version of a tenant's branch keys.
 *
 * IAM: dynamodb:Scan on the tokens table; Query and Scan on the key store's. No right to any key.
 *
 * @module
 */

import Table from 'cli-table3';
import {
  branchKeysOfSubjects,
  findBranchKey,
  type BranchKeyVersions,
} from '../sidecar/tokenizer/adapters/branch-key-versions.ts';
import type { KeyLocation } from '../sidecar/tokenizer/adapters/branch-keys.ts';
import { sealedRowsOf } from '../sidecar/tokenizer/adapters/dynamodb-sealed-rows.ts';
import type { Table as TableLocation } from '../sidecar/tokenizer/adapters/dynamodb-batches.ts';
import { takeCensus, type Census } from '../sidecar/tokenizer/core/rewrapping/census.ts';
import { requireKey } from './key-problems.ts';

export interface CensusOfVersion {
  readonly version: string;
  readonly isActive: boolean;
  readonly createdAt: string;
  readonly messages: number;
}

/** As `--json` prints it: docs/keys.md. */
export interface KeyCensus {
  readonly tenant: string;
  readonly at: string;
  /** The newest first. */
  readonly versions: readonly CensusOfVersion[];
  readonly subjects: {
    readonly keys: number;
    /** Messages of all subjects: under the active version of their keys, and under older ones. */
    readonly active: number;
    readonly older: number;
  };
  /** Messages that open for nobody, since the key or the version that sealed them was destroyed. */
  readonly destroyed: number;
  /** Rows that are no record, and messages that do not say their version. */
  readonly unreadable: number;
  /** Messages of rows that have expired and are not swept yet, whatever sealed them. */
  readonly expired: number;
}

export interface CensusParts {
  readonly keys: KeyLocation;
  readonly tokens: TableLocation;
}

/** @throws {TokenmeshError} `ERR_TENANT_UNKNOWN`, `ERR_TENANT_SHREDDED` */
export async function censusOf({ keys, tokens }: CensusParts, tenant: string, now: Date): Promise<KeyCensus> {
  // The keys last: a version that is made meanwhile must not look destroyed.
  const census = await takeCensus(sealedRowsOf(tokens, tenant), now);
  const key = requireKey(await findBranchKey(keys, { tenant }), { tenant });
  const subjects = await branchKeysOfSubjects(keys, tenant);
  const sums = [key, ...subjects].map((each) => sumsOf(census, each));
  const [, ...ofSubjects] = sums;
  const known = sum(sums.map(({ active, older }) => active + older));
  return {
    tenant,
    at: now.toISOString(),
    versions: key.versions.map(({ version, isActive, createdAt }) => ({
      version,
      isActive,
      createdAt: createdAt.toISOString(),
      messages: census.messages.get(tenant)?.get(version) ?? 0,
    })),
    subjects: {
      keys: subjects.filter(({ isDestroyed }) => !isDestroyed).length,
      active: sum(ofSubjects.map(({ active }) => active)),
      older: sum(ofSubjects.map(({ older }) => older)),
    },
    destroyed: messagesIn(census) - known,
    unreadable: census.unreadable,
    expired: census.expired,
  };
}

/** Messages that a rewrap has to do with. */
export function olderIn({ versions, subjects }: KeyCensus): number {
  const ofTenant = versions.filter(({ isActive }) => !isActive).map(({ messages }) => messages);
  return sum(ofTenant) + subjects.older;
}

export function censusReport(census: KeyCensus): string {
  const { tenant, versions, subjects, destroyed, unreadable, expired } = census;
  const table = new Table({
    head: ['key', 'version', 'state', 'made', 'messages'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'left', 'left', 'right'],
  });
  for (const { version, isActive, createdAt, messages } of versions) {
    table.push([`tenant ${tenant}`, version, isActive ? 'active' : 'older', createdAt, messages]);
  }
  const keys = `subjects: ${subjects.keys}`;
  table.push([keys, 'of each', 'active', '', subjects.active]);
  table.push([keys, 'of each', 'older', '', subjects.older]);
  return [
    table.toString(),
    `under older versions ${olderIn(census)}, under destroyed keys ${destroyed}, unreadable ${unreadable}, expired and not yet swept ${expired}`,
  ].join('\n');
}

function sumsOf(census: Census, { id, versions }: BranchKeyVersions): { active: number; older: number } {
  const counted = (isActive: boolean): number =>
    sum(
      versions
        .filter((each) => each.isActive === isActive)
        .map(({ version }) => census.messages.get(id)?.get(version) ?? 0),
    );
  return { active: counted(true), older: counted(false) };
}

function messagesIn({ messages }: Census): number {
  return sum([...messages.values()].flatMap((ofKey) => [...ofKey.values()]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
