import { describe, expect, it } from '@jest/globals';
import { readSegmentBody } from '../../../../../sidecar/tokenizer/core/audit/segment.ts';
import { segmentKey } from '../../../../../sidecar/tokenizer/core/audit/row-keys.ts';
import { SEAL_INTERVAL_MS, SEAL_SEGMENTS } from '../../../../../sidecar/tokenizer/core/audit/trail.ts';
import { AUDIT_START, EVENT, startAuditUnderTest } from '../../../../support/audit-under-test.ts';

const UNAVAILABLE = { code: 'ERR_AUDIT_UNAVAILABLE' };
const someEvents = (count: number) => Array.from({ length: count }, () => EVENT);
const settled = async (promises: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(promises)).map(({ status }) => status);

describe('the audit', () => {
  it('has a record in the log before it says so', async () => {
    const { audit, log } = startAuditUnderTest();
    let isDone = false;
    log.appendMs = 20;
    const recorded = audit.record([EVENT]).then(() => (isDone = true));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(log.sent).toHaveLength(1);
    expect(isDone).toBe(false);
    await recorded;
    expect(await startedWith(log.sent)).toEqual([1]);
  });

  it('writes who comes alone at once, and everybody who comes meanwhile together', async () => {
    const { audit, log, verify } = startAuditUnderTest();
    await audit.checkReady();
    log.appendMs = 20;
    await Promise.all(Array.from({ length: 50 }, () => audit.record([EVENT])));
    expect(await startedWith(log.sent)).toEqual([1, 49]);
    expect(await verify()).toMatchObject({ ok: true, segments: 2, records: 50 });
  });

  it('writes a batch of 1,000 as one segment, and one of ten times that as several', async () => {
    const { audit, log, verify } = startAuditUnderTest();
    await audit.record(someEvents(1_000));
    expect(log.sent).toHaveLength(1);
    await audit.record(someEvents(10_000));
    expect(log.sent.length).toBeGreaterThan(2);
    for (const { body } of log.sent) expect(Buffer.byteLength(body)).toBeLessThan(351_000);
    expect(await verify()).toMatchObject({ ok: true, records: 11_000 });
  });

  it('does nothing for nothing', async () => {
    const { audit, log } = startAuditUnderTest();
    await audit.record([]);
    expect(log.rows.size).toBe(0);
  });
});

describe('an audit that cannot be written', () => {
  it('refuses everybody who waits, at once', async () => {
    const { audit, log, faults } = startAuditUnderTest();
    await audit.checkReady();
    log.isDown = true;
    expect(await settled([audit.record([EVENT]), audit.record([EVENT]), audit.record([EVENT])])).toEqual([
      'rejected',
      'rejected',
      'rejected',
    ]);
    await expect(audit.record([EVENT])).rejects.toMatchObject(UNAVAILABLE);
    expect(faults.length).toBeGreaterThan(0);
  });

  it('refuses before the first segment where nothing can be sealed or kept outside', async () => {
    const { audit, mac, log } = startAuditUnderTest();
    mac.isDown = true;
    await expect(audit.record([EVENT])).rejects.toMatchObject(UNAVAILABLE);
    await expect(audit.checkReady()).rejects.toMatchObject(UNAVAILABLE);
    expect(log.sent).toEqual([]);
  });

  it('tells in the next segment how many records were lost meanwhile', async () => {
    const { audit, log, verify, records } = startAuditUnderTest();
    await audit.record([EVENT]);
    log.isDown = true;
    await expect(audit.record(someEvents(2))).rejects.toMatchObject(UNAVAILABLE);
    await expect(audit.record(someEvents(3))).rejects.toMatchObject(UNAVAILABLE);
    log.isDown = false;
    await audit.record([EVENT]);
    await audit.record([EVENT]);
    // Of the two that were sent, nobody knows: the segment is written now, its answers were withheld.
    expect((await records()).map(({ operation, withheld }) => withheld ?? operation)).toEqual([
      'tokenize',
      'tokenize',
      'tokenize',
      { segment: 2, unwritten: 3 },
      'tokenize',
      'tokenize',
    ]);
    expect(await verify()).toMatchObject({ ok: true, segments: 4 });
  });

  it('sends a segment again whose answer was lost, and makes neither a gap nor a fork', async () => {
    const { audit, log, verify, records } = startAuditUnderTest();
    await audit.record([EVENT]);
    log.isMute = true;
    await expect(audit.record([EVENT])).rejects.toMatchObject(UNAVAILABLE);
    await expect(audit.record([EVENT])).rejects.toMatchObject(UNAVAILABLE);
    log.isMute = false;
    await audit.record([EVENT]);
    expect(log.sent.map(({ sequence }) => sequence)).toEqual([1, 2, 2, 2, 3]);
    expect((await records()).filter(({ withheld }) => withheld !== undefined)).toEqual([
      expect.objectContaining({ operation: 'audit', withheld: { segment: 2, unwritten: 1 } }),
    ]);
    expect(await verify()).toMatchObject({ ok: true, segments: 3 });
  });

  it('begins another chain where somebody else wrote in its place, and leaves that to be found', async () => {
    const { audit, log, verify, records } = startAuditUnderTest();
    await audit.record([EVENT]);
    const [writer = ''] = await log.writers();
    log.rows.get(writer)?.set(segmentKey(2), { body: 'planted', hash: 'planted' });
    await expect(audit.record([EVENT, EVENT])).rejects.toMatchObject(UNAVAILABLE);
    await audit.record([EVENT]);
    expect((await verify()).writers).toHaveLength(2);
    expect((await verify()).problems).toEqual([
      expect.objectContaining({ kind: 'segment-changed', writer, sequence: 2 }),
    ]);
    expect(await records()).toContainEqual(expect.objectContaining({ withheld: { unwritten: 2 } }));
  });

  it('does not wait for a seal that cannot be made', async () => {
    const { audit, mac, clock, faults, verify } = startAuditUnderTest();
    await audit.record([EVENT]);
    mac.isDown = true;
    clock.now = new Date(AUDIT_START.getTime() + SEAL_INTERVAL_MS);
    await audit.record([EVENT]);
    await audit.sealIfDue();
    expect(faults).toHaveLength(1);
    mac.isDown = false;
    expect(await verify()).toMatchObject({ ok: true, unsealedSegments: 1 });
  });
});

describe('the seal of the audit', () => {
  it('comes with the first segment, then once its time is over', async () => {
    const { audit, clock, verify, mac } = startAuditUnderTest();
    await audit.record([EVENT]);
    await audit.sealIfDue();
    expect(await verify()).toMatchObject({ unsealedSegments: 0 });
    await audit.record([EVENT]);
    await audit.sealIfDue();
    expect(await verify()).toMatchObject({ unsealedSegments: 1 });
    clock.now = new Date(AUDIT_START.getTime() + SEAL_INTERVAL_MS);
    await audit.sealIfDue();
    expect(await verify()).toMatchObject({
      ok: true,
      unsealedSegments: 0,
      lastSealedAt: clock.now.toISOString(),
    });
    const { made } = mac;
    clock.now = new Date(AUDIT_START.getTime() + 10 * SEAL_INTERVAL_MS);
    await audit.sealIfDue();
    expect(mac.made).toBe(made);
  });

  it('comes after so many segments, however fast they are', async () => {
    const { audit, verify } = startAuditUnderTest();
    for (let count = 0; count < SEAL_SEGMENTS + 2; count += 1) await audit.record([EVENT]);
    await audit.sealIfDue();
    expect((await verify()).unsealedSegments).toBeLessThan(SEAL_SEGMENTS);
  });

  it('comes at the end, after what is on its way', async () => {
    const { audit, log, verify } = startAuditUnderTest();
    await audit.record([EVENT]);
    log.appendMs = 10;
    const last = audit.record([EVENT]);
    while (log.sent.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await audit.close();
    await last;
    expect(await verify()).toMatchObject({ ok: true, segments: 2, unsealedSegments: 0 });
  });

  it('is asked of KMS for the key and for seals, never for a record', async () => {
    const { audit, mac } = startAuditUnderTest();
    for (let count = 0; count < 20; count += 1) await audit.record([EVENT]);
    // The key of references, the key of segments, the beginning, the first segment.
    expect(mac.made).toBe(4);
  });
});

async function startedWith(sent: readonly { body: string }[]): Promise<(number | undefined)[]> {
  return sent.map(({ body }) => readSegmentBody(body)?.records.length);
}
