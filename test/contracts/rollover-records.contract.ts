import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Hierarchy } from '../../mesh/definition.ts';
import type { Rollover, RolloverRecords } from '../../operator/ca/ports.ts';

/** What every keeper of rollover records must do. Each test begins with none. */
export function rolloverRecordsContract(create: () => Promise<RolloverRecords>): void {
  describe('the contract of a keeper of rollover records', () => {
    let records: RolloverRecords;

    beforeEach(async () => {
      records = await create();
    });

    const recordOf = (hierarchy: Hierarchy, facts: Partial<Rollover> = {}): Rollover => ({
      hierarchy,
      step: 'create',
      from: { generation: 1, rootArn: 'root', subordinateArn: 'subordinate', rootCertificate: 'pem' },
      startedAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
      revision: 1,
      writtenBy: 'one',
      ...facts,
    });

    it('has none before one was written, and then the one that was written last', async () => {
      expect(await records.read('clients')).toBeUndefined();
      await records.write(recordOf('clients'));
      const second = recordOf('clients', { step: 'trust', revision: 2 });
      await records.write(second);
      expect(await records.read('clients')).toEqual(second);
      expect(await records.read('servers')).toBeUndefined();
    });

    it('lets one of two write a revision, and leaves what that one wrote', async () => {
      for (const revision of [1, 2]) {
        const writers = ['one', 'two'].map((writtenBy) => recordOf('clients', { revision, writtenBy }));
        const outcomes = await Promise.allSettled(writers.map(async (each) => await records.write(each)));
        const winner = writers.find((_, index) => outcomes[index]?.status === 'fulfilled');
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
          reason: { code: 'ERR_ROLLOVER_ELSEWHERE' },
        });
        expect(await records.read('clients')).toEqual(winner);
      }
    });
  });
}
