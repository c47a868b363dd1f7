/**
 * `mesh audit`: verifies the chains of the audit, shows its last records, finds those about a token.
 *
 * @module
 */

import { createSecretKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { createDynamodbAuditReader } from '../sidecar/tokenizer/adapters/dynamodb-audit-reader.ts';
import { createDynamodbRowReader } from '../sidecar/tokenizer/adapters/dynamodb-row-reader.ts';
import { createKmsAuditMac } from '../sidecar/tokenizer/adapters/kms-audit-mac.ts';
import type { AuditMac, AuditReader, RowReader } from '../sidecar/tokenizer/core/audit/ports.ts';
import {
  latestRecords,
  recordsAbout,
  type FoundRecord,
} from '../sidecar/tokenizer/core/audit/find-records.ts';
import { REFERENCE_KEY_MESSAGE, tokenReference } from '../sidecar/tokenizer/core/audit/token-reference.ts';
import { verifyAudit } from '../sidecar/tokenizer/core/audit/verify-audit.ts';
import { auditReport, recordsReport } from './audit-report.ts';
import { emulatorClients } from './aws-clients.ts';
import type { RunState } from './run-state.ts';
import { readStandardInput } from './vault-call.ts';
import { EXIT_NOT_HELD } from './exit-codes.ts';

const DEFAULT_TAIL = 20;
const SETTLE_MS = 4_000;

export interface AuditCommandParts {
  readonly runningMesh: () => RunState;
  readonly print: (text: string) => void;
  /** Refuses what is not `-`. */
  readonly onlyStandardInput: (argument: string) => void;
}

interface JsonOption {
  readonly json?: boolean;
}

export function addAuditCommand(program: Command, parts: AuditCommandParts): void {
  const audit = program
    .command('audit')
    .description('what the vault did, and the proof that nobody changed it');
  addVerify(audit, parts);
  addTail(audit, parts);
  addFind(audit, parts);
}

function addVerify(audit: Command, { runningMesh, print }: AuditCommandParts): void {
  audit
    .command('verify')
    .description(
      'walk the chain of every writer, and hold the rows of the vault against it; the exit code is 1 where anything was changed or is missing',
    )
    .option('--json', 'print one JSON document')
    .option('--chains-only', 'leave the rows of the vault alone')
    .action(async (options: JsonOption & { chainsOnly?: boolean }) => {
      const { reader, mac, rows } = auditOf(runningMesh());
      const vault = { rows, now: () => new Date(), settle };
      const verification = await verifyAudit({
        reader,
        mac,
        ...(options.chainsOnly === true ? {} : { vault }),
      });
      print(
        options.json === true ? JSON.stringify(verification, null, 2) : auditReport(verification, new Date()),
      );
      if (!verification.ok) process.exitCode = EXIT_NOT_HELD;
    });
}

/** An answer waits at most 2.5 s for its record, and so has one by then or was not given. */
async function settle(): Promise<void> {
  process.stderr.write('rows differ from the audit: waiting for what is under way, then looking again ...\n');
  await sleep(SETTLE_MS);
}

function addTail(audit: Command, { runningMesh, print }: AuditCommandParts): void {
  audit
    .command('tail')
    .description('the last records')
    .option('-n, --number <count>', 'how many', countOf, DEFAULT_TAIL)
    .option('--json', 'print one JSON document')
    .action(async (options: JsonOption & { number: number }) => {
      const { reader } = auditOf(runningMesh());
      show(print, await latestRecords(reader, options.number), options);
    });
}

function addFind(audit: Command, { runningMesh, print, onlyStandardInput }: AuditCommandParts): void {
  audit
    .command('find')
    .description('every record about the token on standard input')
    .argument('<input>', '- for standard input: a token is not taken as an argument')
    .option('--json', 'print one JSON document')
    .action(async (input: string, options: JsonOption) => {
      onlyStandardInput(input);
      const { reader, mac } = auditOf(runningMesh());
      const token = await readStandardInput();
      const key = createSecretKey(await mac.macOf(REFERENCE_KEY_MESSAGE));
      show(print, await recordsAbout(reader, tokenReference(key, token)), options);
    });
}

function show(print: (text: string) => void, found: readonly FoundRecord[], options: JsonOption): void {
  print(options.json === true ? JSON.stringify(found, null, 2) : recordsReport(found));
}

function auditOf(state: RunState): { reader: AuditReader; mac: AuditMac; rows: RowReader } {
  const { dynamodb, kms } = emulatorClients(state.aws.endpointUrl, state.aws.region);
  return {
    reader: createDynamodbAuditReader({
      client: dynamodb,
      auditTableName: state.tables.audit,
      tokensTableName: state.tables.tokens,
    }),
    rows: createDynamodbRowReader({ client: dynamodb, tableName: state.tables.tokens }),
    mac: createKmsAuditMac({ kms, auditKeyId: state.auditKeyArn }),
  };
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 1 to 99999');
}
