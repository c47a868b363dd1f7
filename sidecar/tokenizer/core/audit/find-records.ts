import { inParallel } from '../in-parallel.ts';
import type { AuditReader, StoredSegment } from './ports.ts';
import type { AuditRecord } from './record.ts';
import { sequenceOf } from './row-keys.ts';
import { readSegmentBody } from './segment.ts';

/** A record, and the segment that it is in. Whether that is whole is for the verification to say. */
export interface FoundRecord {
  readonly writer: string;
  readonly sequence: number;
  readonly record: AuditRecord;
}

/** Writers that are read at a time. */
const WIDTH = 8;

/** @returns The newest `count` records of all writers, the newest last. */
export async function latestRecords(reader: AuditReader, count: number): Promise<FoundRecord[]> {
  const perWriter = await inParallel(await reader.writers(), WIDTH, async (writer) => {
    const found: FoundRecord[] = [];
    for await (const row of reader.latestSegments(writer)) {
      found.unshift(...recordsIn(writer, row));
      if (found.length >= count) break;
    }
    return found.slice(-count);
  });
  return inTime(perWriter.flat()).slice(-count);
}

/** @returns Every record about a token, given by its reference, the newest last. */
export async function recordsAbout(reader: AuditReader, reference: string): Promise<FoundRecord[]> {
  const perWriter = await inParallel(await reader.writers(), WIDTH, async (writer) => {
    const found: FoundRecord[] = [];
    for await (const row of reader.segments(writer)) {
      if (!row.body.includes(reference)) continue;
      found.push(...recordsIn(writer, row).filter(({ record }) => record.token === reference));
    }
    return found;
  });
  return inTime(perWriter.flat());
}

export function recordsIn(writer: string, row: StoredSegment): FoundRecord[] {
  const sequence = sequenceOf(row.sortKey) ?? 0;
  const records = readSegmentBody(row.body)?.records ?? [];
  return records.filter(isRecord).map((record) => ({ writer, sequence, record }));
}

/** Somebody may have written anything into the row. */
function isRecord(record: unknown): boolean {
  if (typeof record !== 'object' || record === null) return false;
  const { fields, withheld, policies, version, count, honey, ...texts }: Partial<AuditRecord> = record;
  return (
    typeof texts.at === 'string' &&
    Object.values(texts).every((text) => typeof text === 'string') &&
    (fields === undefined || (Array.isArray(fields) && fields.every((field) => typeof field === 'object'))) &&
    (withheld === undefined || typeof withheld === 'object') &&
    (policies === undefined || Array.isArray(policies)) &&
    (version === undefined || typeof version === 'number') &&
    (count === undefined || typeof count === 'number') &&
    (honey === undefined || honey)
  );
}

/** Records of one instant stay in the order of their segment. */
function inTime(found: readonly FoundRecord[]): FoundRecord[] {
  return found.toSorted((one, other) =>
    one.record.at < other.record.at ? -1 : Number(one.record.at > other.record.at),
  );
}
