import Table from 'cli-table3';
import type { FoundRecord } from '../sidecar/tokenizer/core/audit/find-records.ts';
import type { AuditRecord } from '../sidecar/tokenizer/core/audit/record.ts';
import type { AuditVerification } from '../sidecar/tokenizer/core/audit/verify-audit.ts';
import type { AuditProblem } from '../sidecar/tokenizer/core/audit/verify-chain.ts';
import type { RowProblem } from '../sidecar/tokenizer/core/audit/verify-rows.ts';
import { printable } from './printable.ts';

const PLAIN = { head: [], border: [] };
const SHORT = 12;

/** What there is, how fresh its seal is, and each problem with its writer and place. */
export function auditReport(verification: AuditVerification, now: Date): string {
  const { writers, segments, records, unsealedSegments, problems } = verification;
  const rowProblems = verification.rows?.problems ?? [];
  const verdict = verification.ok
    ? verification.rows === undefined
      ? 'every chain is whole; the rows of the vault were not looked at'
      : 'every chain is whole, and every row is what the audit says'
    : writers.length === 0
      ? 'FAILED  there is no audit: expected at least one writer; see that the tokenizer is up, and restore the table'
      : `${problems.length + rowProblems.length} problems: something was changed or removed; keep the tables as they are, and compare them with a backup`;
  return [
    ...problems.map(problemLine),
    ...rowProblems.map(rowProblemLine),
    `writers ${writers.length}, segments ${segments}, records ${records}, not yet sealed ${unsealedSegments}, last seal ${sealAge(verification, now)}`,
    ...rowsLine(verification),
    verdict,
  ].join('\n');
}

export function recordsReport(found: readonly FoundRecord[]): string {
  const table = new Table({
    head: ['at', 'identity', 'operation', 'outcome', 'tenant', 'purpose', 'fields', 'token', 'request'],
    style: PLAIN,
  });
  for (const { record } of found) {
    const cells = [
      record.at,
      record.identity,
      record.operation,
      record.honey === true ? `${record.outcome}, HONEY TOKEN` : record.outcome,
      record.tenant ?? '',
      record.purpose ?? '',
      fieldsOf(record),
      record.token?.slice(0, SHORT) ?? '',
      record.requestId ?? '',
    ];
    table.push(cells.map((cell) => printable(cell)));
  }
  return `${table.toString()}\nrecords: ${found.length}`;
}

function problemLine({ kind, writer, sequence, seal, found }: AuditProblem): string {
  const segment = sequence === undefined ? '' : ` segment ${sequence}`;
  const place = seal === undefined ? segment : ` seal ${seal}`;
  return `FAILED  ${kind}  writer ${printable(writer)}${place}: found ${found}`;
}

function rowProblemLine({ kind, reference, found }: RowProblem): string {
  return `FAILED  ${kind}  token ${printable(reference)}: found ${found}`;
}

function rowsLine({ rows }: AuditVerification): string[] {
  if (rows === undefined) return [];
  const { checked, unrecorded, unsettled } = rows;
  return [`rows ${checked}, of which the audit says nothing ${unrecorded}, not settled ${unsettled}`];
}

function sealAge({ lastSealedAt }: AuditVerification, now: Date): string {
  if (lastSealedAt === undefined) return 'never';
  return `${Math.round((now.getTime() - new Date(lastSealedAt).getTime()) / 1000)} s ago`;
}

function fieldsOf({ fields, withheld }: AuditRecord): string {
  if (withheld !== undefined) {
    const segment = withheld.segment === undefined ? '' : `answers of segment ${withheld.segment} withheld, `;
    return `${segment}${withheld.unwritten} records not written`;
  }
  return (fields ?? [])
    .map((field) => [field.class, field.form].filter((part) => part !== undefined).join(' '))
    .join(', ');
}
