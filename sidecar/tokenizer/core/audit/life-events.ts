/**
 * What becomes of tokens, for others to follow: told from the audit's records, which hold no value and no
 * token, once they are durable.
 *
 * Format: docs/events.md.
 *
 * @module
 */

import type { AuditedField, AuditedOperation, AuditRecord } from './record.ts';

export type LifeEventType =
  | 'Token Created'
  | 'Token Revealed'
  | 'Token Replaced'
  | 'Token Archived'
  | 'Token Restored'
  | 'Token Deleted'
  | 'Token Expired';

export interface LifeEvent {
  readonly type: LifeEventType;
  readonly at: string;
  /** What audit and events say in place of the token. */
  readonly reference: string;
  readonly tenant?: string;
  /** Who did it: a node of the mesh, or the tokenizer itself. */
  readonly identity: string;
  readonly requestId?: string;
  readonly purpose?: string;
  /** The fields that were touched: their classes, and for a reveal the form in which each was shown. */
  readonly fields?: readonly AuditedField[];
  /** Of a pointer: the revision that its record has from now on. */
  readonly version?: number;
  /** When the record expires. */
  readonly expiresAt?: string;
}

/** Receives events. Must neither throw nor wait: nobody's answer depends on it. */
export type LifeEventSink = (events: readonly LifeEvent[]) => void;

const FIRST_VERSION = 1;

/** What there is to tell of an operation that succeeded on a row that is there, or was. */
const TYPES: Readonly<
  Partial<Record<AuditedOperation | 'audit', (record: AuditRecord) => readonly LifeEventType[]>>
> = {
  // A value that had its token already is stored no second time.
  tokenize: ({ row }) => (row === undefined ? [] : ['Token Created']),
  upsert: ({ row, version = FIRST_VERSION }) =>
    row === undefined ? [] : [version === FIRST_VERSION ? 'Token Created' : 'Token Replaced'],
  detokenize: () => ['Token Revealed'],
  replace: () => ['Token Replaced'],
  archive: () => ['Token Archived'],
  restore: () => ['Token Restored'],
  delete: () => ['Token Deleted'],
  sweep: () => ['Token Expired'],
};

/** @returns None for what was refused, is only begun, or changed and showed nothing. */
export function lifeEventsOf(record: AuditRecord): readonly LifeEvent[] {
  const { at, token, tenant, identity, requestId, purpose, fields, version, until, outcome } = record;
  if (outcome !== 'ok' || token === undefined) return [];
  const types = TYPES[record.operation]?.(record) ?? [];
  return types.map((type) => ({
    type,
    at,
    reference: token,
    ...(tenant === undefined ? {} : { tenant }),
    identity,
    ...(requestId === undefined ? {} : { requestId }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(fields === undefined ? {} : { fields }),
    ...(version === undefined ? {} : { version }),
    ...(until === undefined ? {} : { expiresAt: until }),
  }));
}
