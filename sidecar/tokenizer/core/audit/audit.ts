/**
 * The audit: a record for each item that was tokenized, revealed, described, refused or deleted,
 * durable before the answer goes out, and chained so that a change of it is found.
 *
 * @module
 */

import { createSecretKey } from 'node:crypto';
import { keyedBy } from './keyed.ts';
import { lettersOf } from './letters.ts';
import { onceHad } from './once-had.ts';
import type { AuditLog, AuditMac } from './ports.ts';
import type { HoneyTokens } from './honey.ts';
import { lifeEventsOf, type LifeEventSink } from './life-events.ts';
import { recordOf, type AuditEvent, type AuditRecord } from './record.ts';
import { REFERENCE_KEY_MESSAGE, tokenReference } from './token-reference.ts';
import { AuditTrail } from './trail.ts';

export interface Audit {
  /**
   * Resolves once the events are durable.
   *
   * @throws {AuditUnavailableError} where that is not known. Whoever asked must then be given nothing.
   */
  record(events: readonly AuditEvent[]): Promise<void>;
  /**
   * What records say in place of a token.
   *
   * @throws {AuditUnavailableError} where the key of references is not to be had.
   */
  referenceOf(token: string): Promise<string>;
  /** @throws {AuditUnavailableError} unless an event could be recorded, as far as can be told without one. */
  checkReady(): Promise<void>;
  /** To be called once a second. Never rejects. */
  sealIfDue(): Promise<void>;
  /** Seals the end. Nothing may be recorded afterwards. Never rejects. */
  close(): Promise<void>;
}

export interface AuditParts {
  readonly log: AuditLog;
  readonly mac: AuditMac;
  readonly now: () => Date;
  /** From a cryptographic source. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Of the service that writes. */
  readonly identity: string;
  readonly onFault: (error: unknown) => void;
  /** @default there are none */
  readonly honey?: HoneyTokens;
  /** Told what became of tokens, once that is durable. @default nobody is */
  readonly lifeEvents?: LifeEventSink;
}

const WRITER_BYTES = 16;

export function createAudit(parts: AuditParts): Audit {
  const { log, mac, onFault, randomBytes, honey } = parts;
  const markHoney = (event: AuditEvent, record: AuditRecord): AuditRecord => {
    if (record.token === undefined || honey?.has(record.token) !== true) return record;
    honey.onUse(event, record.token);
    return { ...record, honey: true };
  };
  const trail = new AuditTrail({ ...parts, newWriter: () => lettersOf(randomBytes(WRITER_BYTES)) });
  const referenceKey = onceHad(async () => createSecretKey(await mac.macOf(REFERENCE_KEY_MESSAGE)));
  return {
    async record(events) {
      const key = await referenceKey().catch((error: unknown) => {
        trail.countUnwritten(events.length);
        onFault(error);
        throw error;
      });
      const keyed = keyedBy(key);
      const records = events.map((event) => markHoney(event, recordOf(event, keyed)));
      await trail.append(records.map((record) => JSON.stringify(record)));
      parts.lifeEvents?.(records.flatMap(lifeEventsOf));
    },
    referenceOf: async (token) => tokenReference(await referenceKey(), token),
    async checkReady() {
      await Promise.all([referenceKey(), trail.open(), log.checkReachable()]);
    },
    sealIfDue: async () => await trail.sealIfDue(),
    close: async () => await trail.close(),
  };
}
