import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDynamodbJobStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-job-store.ts';
import { createDynamodbSweepStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import { createDynamodbTokenStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { sweep } from '../../../../sidecar/tokenizer/core/sweeping.ts';
import { describeSweepStore } from '../../../contracts/sweep-store.contract.ts';
import { sampleRecord } from '../../../contracts/token-store.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { rowsOf, startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';

const START = new Date('2026-03-04T05:06:07.008Z');
const after = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);

let vault: EmulatedVault;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop']);
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

const tableOf = () => ({ client: vault.dynamodb, tableName: vault.tokensTableName });
const storeOf = () => createDynamodbTokenStore({ ...tableOf(), onFault: () => undefined });

async function expiriesLeft(): Promise<number[]> {
  const rows = await rowsOf(vault.dynamodb, vault.tokensTableName);
  const found = rows.flatMap(({ expiresAtMs }) => (expiresAtMs === undefined ? [] : [Number(expiresAtMs.N)]));
  return found.toSorted((one, other) => one - other);
}

describeSweepStore('DynamoDB', {
  makeStore: () => createDynamodbSweepStore({ ...tableOf(), pageItems: 3 }),
  add: async (token, expiresAt) => {
    await storeOf().insert(sampleRecord({ token, expiresAt }));
  },
});

describe('the sweeper on DynamoDB', () => {
  it('removes exactly what has expired of 2,000 records over ten minutes, though one task breaks off and another goes on', async () => {
    const seconds = Array.from({ length: 2_000 }, (_, index) => (index - 1_000) * 0.3);
    const records = seconds.map((each) => sampleRecord({ expiresAt: after(each) }));
    await storeOf().insertMany([...records, sampleRecord()]);
    const clock = { now: START };
    const recorded: string[] = [];
    let recordsUntilFailure = 400;
    const sweepAs = (holder: string) =>
      sweep({
        store: createDynamodbSweepStore({ ...tableOf(), pageItems: 5 }),
        jobs: createDynamodbJobStore(tableOf()),
        audit: {
          record: async (events) => {
            recorded.push(...events.map(({ token = '' }) => token));
            if (recorded.length >= recordsUntilFailure) throw new Error('the first task is killed');
          },
        },
        holder,
        identity: 'tokenizer.tokenmesh.internal',
        now: () => clock.now,
      });
    await expect(sweepAs('one')).rejects.toThrow('killed');
    expect((await expiriesLeft()).length).toBeGreaterThan(1_000);
    recordsUntilFailure = Infinity;
    expect(await sweepAs('two')).toBe('busy');
    clock.now = after(120);
    await sweepAs('two');
    expect(await expiriesLeft()).toEqual(
      seconds.filter((each) => each > 120).map((each) => after(each).getTime()),
    );
    expect(recorded.toSorted()).toEqual(
      records
        .filter((_, index) => (seconds[index] ?? 0) <= 120)
        .map(({ token }) => token)
        .toSorted(),
    );
    clock.now = after(300);
    await sweepAs('two');
    expect(await expiriesLeft()).toEqual([]);
  }, 120_000);
});
