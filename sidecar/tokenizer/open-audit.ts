/**
 * The audit of a vault, for whoever proves it and reads it: another role than the vault's own.
 *
 * IAM: dynamodb:Scan and Query on the audit's table, Scan, Query and GetItem on the tokens table;
 * kms:GenerateMac and VerifyMac on the audit's key.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { createAwsClients } from './adapters/aws-clients.ts';
import { createDynamodbAuditReader } from './adapters/dynamodb-audit-reader.ts';
import { createDynamodbRowReader } from './adapters/dynamodb-row-reader.ts';
import { createKmsAuditMac } from './adapters/kms-audit-mac.ts';
import { latestRecords } from './core/audit/find-records.ts';
import type { AuditRecord } from './core/audit/record.ts';
import { verifyAudit, type AuditVerification } from './core/audit/verify-audit.ts';
import { checkAuditOptions, type AuditOptions } from './vault-options.ts';

export interface OpenAudit {
  /**
   * Walks the chain of every writer, and holds the rows of the vault against it: docs/audit.md. Where a row
   * differs it waits four seconds for what is under way, and looks again.
   *
   * @throws {TokenmeshError} `ERR_AUDIT_UNAVAILABLE` where KMS or the tables cannot be asked: nothing is known then.
   */
  verify(): Promise<AuditVerification>;
  /** The newest records of all writers, the newest last. Whether they are whole is for {@link OpenAudit.verify} to say. */
  latest(count: number): Promise<readonly AuditRecord[]>;
  close(): void;
}

/** Longer than an answer of the vault waits for its record. */
const SETTLE_MS = 4_000;

/** @throws {TokenmeshError} `ERR_VAULT_OPTIONS` */
export function openAudit(options: AuditOptions = {}): OpenAudit {
  const { auditKeyId, auditTableName, tokensTableName, clients: given } = checkAuditOptions(options);
  const clients = given ?? createAwsClients();
  const { dynamodb: client } = clients;
  const reader = createDynamodbAuditReader({ client, auditTableName, tokensTableName });
  const rows = createDynamodbRowReader({ client, tableName: tokensTableName });
  const mac = createKmsAuditMac({ ...clients, auditKeyId });
  const vault = { rows, now: () => new Date(), settle: async () => await sleep(SETTLE_MS) };
  return {
    verify: async () => await verifyAudit({ reader, mac, vault }),
    latest: async (count) => (await latestRecords(reader, count)).map(({ record }) => record),
    close() {
      if (given !== undefined) return;
      clients.dynamodb.destroy();
      clients.kms.destroy();
    },
  };
}
