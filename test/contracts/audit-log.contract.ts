import { describe, expect, it } from '@jest/globals';
import { createSecretKey, randomBytes } from 'node:crypto';
import { lettersOf } from '../../sidecar/tokenizer/core/audit/letters.ts';
import type {
  AuditLog,
  AuditMac,
  AuditReader,
  StoredSegment,
} from '../../sidecar/tokenizer/core/audit/ports.ts';
import type { Seal } from '../../sidecar/tokenizer/core/audit/seal.ts';
import { beginningOf, nextSegment, type Segment } from '../../sidecar/tokenizer/core/audit/segment.ts';

/** A writer of its own for each test, so that a real table needs no cleaning. */
export function newWriter(): string {
  return lettersOf(randomBytes(16));
}

const KEY = createSecretKey(Buffer.alloc(32, 7));

export function sampleSegments(writer: string, count: number): Segment[] {
  const segments: Segment[] = [];
  for (let index = 0; index < count; index += 1) {
    segments.push(nextSegment(writer, KEY, segments.at(-1) ?? beginningOf(writer), [`{"index":${index}}`]));
  }
  return segments;
}

function sampleSeal(writer: string, number: number, body = `{"number":${number}}`): Seal {
  return { writer, number, sequence: number, body, mac: randomBytes(32) };
}

/** What every {@link AuditLog} does, with its {@link AuditReader}. */
export function describeAuditLog(name: string, makeLog: () => { log: AuditLog; reader: AuditReader }): void {
  describe(`${name} keeps the contract of an audit log`, () => {
    it('gives segments back as they were written, in either order', async () => {
      const { log, reader } = makeLog();
      const writer = newWriter();
      const segments = sampleSegments(writer, 12);
      for (const segment of segments) expect(await log.append(segment)).toBe('written');
      const stored = segments.map(({ sequence, body, hash, mac }) => ({
        sortKey: String(sequence).padStart(12, '0'),
        body,
        hash,
        mac,
      }));
      expect(await all(reader.segments(writer))).toEqual(stored);
      expect(await all(reader.latestSegments(writer))).toEqual(stored.toReversed());
    });

    it('takes the same segment again, and no other in its place', async () => {
      const { log, reader } = makeLog();
      const writer = newWriter();
      const [segment] = sampleSegments(writer, 1);
      if (segment === undefined) throw new Error('expected a segment');
      const other = nextSegment(writer, KEY, beginningOf(writer), ['{"index":"other"}']);
      expect(await log.append(segment)).toBe('written');
      expect(await log.append(segment)).toBe('written');
      expect(await log.append(other)).toBe('taken');
      expect(await all(reader.segments(writer))).toEqual([expect.objectContaining({ body: segment.body })]);
    });

    it('keeps seals apart from segments, in the order of their numbers', async () => {
      const { log, reader } = makeLog();
      const writer = newWriter();
      const seals = Array.from({ length: 11 }, (_, number) => sampleSeal(writer, number));
      for (const seal of seals) expect(await log.appendSeal(seal)).toBe('written');
      for (const segment of sampleSegments(writer, 2)) await log.append(segment);
      const found = await reader.seals(writer);
      expect(found.map(({ body }) => body)).toEqual(seals.map(({ body }) => body));
      expect(found.map(({ mac }) => [...mac])).toEqual(seals.map(({ mac }) => [...mac]));
      expect(await all(reader.segments(writer))).toHaveLength(2);
      expect(await all(reader.latestSegments(writer))).toHaveLength(2);
    });

    it('takes the same seal again, and no other in its place', async () => {
      const { log } = makeLog();
      const seal = sampleSeal(newWriter(), 0);
      expect(await log.appendSeal(seal)).toBe('written');
      expect(await log.appendSeal(seal)).toBe('written');
      expect(await log.appendSeal({ ...seal, body: '{}', mac: randomBytes(32) })).toBe('taken');
    });

    it('keeps the newest seal outside, and never an older one after it', async () => {
      const { log, reader } = makeLog();
      const writer = newWriter();
      expect(await reader.keptOutside(writer)).toBeUndefined();
      for (const number of [0, 1, 2]) await log.keepOutside(sampleSeal(writer, number));
      await expect(log.keepOutside(sampleSeal(writer, 1))).rejects.toMatchObject({
        code: 'ERR_AUDIT_UNAVAILABLE',
      });
      expect(await reader.keptOutside(writer)).toMatchObject({ body: '{"number":2}' });
    });

    it('knows every writer, also one that is only in the log or only outside', async () => {
      const { log, reader } = makeLog();
      const [inside, outside, both] = [newWriter(), newWriter(), newWriter()];
      await log.appendSeal(sampleSeal(inside, 0));
      await log.keepOutside(sampleSeal(outside, 0));
      await log.appendSeal(sampleSeal(both, 0));
      await log.keepOutside(sampleSeal(both, 0));
      const writers = await reader.writers();
      for (const writer of [inside, outside, both]) {
        expect(writers.filter((each) => each === writer)).toEqual([writer]);
      }
    });

    it('is reachable', async () => {
      await expect(makeLog().log.checkReachable()).resolves.toBeUndefined();
    });
  });
}

/** What every {@link AuditLog} does that is down. */
export function describeAuditLogDown(name: string, makeLog: () => AuditLog): void {
  describe(`${name} that is down keeps the contract of an audit log`, () => {
    it('refuses everything as unavailable', async () => {
      const log = makeLog();
      const writer = newWriter();
      const unavailable = { code: 'ERR_AUDIT_UNAVAILABLE' };
      for (const segment of sampleSegments(writer, 1)) {
        await expect(log.append(segment)).rejects.toMatchObject(unavailable);
      }
      await expect(log.appendSeal(sampleSeal(writer, 0))).rejects.toMatchObject(unavailable);
      await expect(log.keepOutside(sampleSeal(writer, 0))).rejects.toMatchObject(unavailable);
      await expect(log.checkReachable()).rejects.toMatchObject(unavailable);
    });
  });
}

/** What every {@link AuditMac} does. */
export function describeAuditMac(name: string, makeMac: () => AuditMac): void {
  describe(`${name} keeps the contract of an audit MAC`, () => {
    it('knows its own, and no other', async () => {
      const mac = makeMac();
      const made = await mac.macOf(Buffer.from('message'));
      expect(made).toHaveLength(32);
      expect(await mac.isMacOf(Buffer.from('message'), made)).toBe(true);
      expect(await mac.isMacOf(Buffer.from('another'), made)).toBe(false);
      expect(await mac.isMacOf(Buffer.from('message'), randomBytes(32))).toBe(false);
      expect(await mac.isMacOf(Buffer.from('message'), new Uint8Array())).toBe(false);
      expect(await mac.isMacOf(Buffer.alloc(5_000), made)).toBe(false);
    });

    it('makes the same of the same message', async () => {
      const mac = makeMac();
      const message = Buffer.from('message');
      expect([...(await mac.macOf(message))]).toEqual([...(await mac.macOf(message))]);
    });
  });
}

async function all(rows: AsyncIterable<StoredSegment>): Promise<StoredSegment[]> {
  const found: StoredSegment[] = [];
  for await (const row of rows) found.push(row);
  return found;
}
