import { describe, expect, it } from '@jest/globals';
import { latestRecords, recordsAbout } from '../../../../../sidecar/tokenizer/core/audit/find-records.ts';
import { segmentKey } from '../../../../../sidecar/tokenizer/core/audit/row-keys.ts';
import { EVENT, startAuditUnderTest } from '../../../../support/audit-under-test.ts';

const at = (second: number) => ({ ...EVENT, at: new Date(second * 1_000), purpose: `p${second}` });

/** Two writers with one log, whose records interleave. */
async function startTwoWriters() {
  const one = startAuditUnderTest();
  const other = startAuditUnderTest();
  for (const second of [1, 4, 5]) await one.audit.record([at(second)]);
  for (const second of [2, 3, 6]) await other.audit.record([at(second)]);
  for (const [writer, rows] of other.log.rows) one.log.rows.set(writer, rows);
  return one.log;
}

describe('the records of the audit', () => {
  it('are shown the newest last, over all writers', async () => {
    const log = await startTwoWriters();
    const purposes = async (count: number) =>
      (await latestRecords(log, count)).map(({ record }) => record.purpose);
    expect(await purposes(4)).toEqual(['p3', 'p4', 'p5', 'p6']);
    expect(await purposes(100)).toEqual(['p1', 'p2', 'p3', 'p4', 'p5', 'p6']);
  });

  it('are found by the reference of a token, with the segment that they are in', async () => {
    const { audit, log, records } = startAuditUnderTest();
    await audit.record([EVENT, { ...EVENT, token: 'tkn_one' }]);
    await audit.record([{ ...EVENT, token: 'tkn_two' }]);
    await audit.record([{ ...EVENT, token: 'tkn_one', operation: 'delete' }]);
    const reference = (await records())[1]?.token ?? '';
    expect(
      (await recordsAbout(log, reference)).map(({ sequence, record }) => [sequence, record.operation]),
    ).toEqual([
      [1, 'tokenize'],
      [3, 'delete'],
    ]);
  });

  it('are shown without those that somebody made unreadable', async () => {
    const log = await startTwoWriters();
    for (const rows of log.rows.values()) {
      rows.set(segmentKey(1), { body: 'nothing' });
      rows.set(segmentKey(2), {
        body: JSON.stringify({
          version: 1,
          writer: 'x',
          sequence: 2,
          previousHash: 'x',
          records: [null, 5, { at: 7 }, { at: 'now', identity: 5 }, { at: 'now', fields: 'all' }],
        }),
      });
    }
    expect((await latestRecords(log, 10)).map(({ record }) => record.purpose)).toEqual(['p5', 'p6']);
  });
});
