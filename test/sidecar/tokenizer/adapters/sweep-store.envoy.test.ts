import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDynamodbJobStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-job-store.ts';
import { createDynamodbSweepStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import { createDynamodbTokenStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { minuteOf, shardOf, sweepBucketOf } from '../../../../sidecar/tokenizer/core/sweep-bucket.ts';
import { sweep } from '../../../../sidecar/tokenizer/core/sweeping.ts';
import { sampleRecord } from '../../../contracts/token-store.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';

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
  const { Items } = await vault.dynamodb.send(new ScanCommand({ TableName: vault.tokensTableName }));
  return (Items ?? [])
    .flatMap((item) => (item['expiresAtMs'] === undefined ? [] : [Number(item['expiresAtMs'].N)]))
    .toSorted((one, other) => one - other);
}

describe('the sweeper on DynamoDB', () => {
  it('removes exactly what has expired, over many minutes and two tasks', async () => {
    const seconds = Array.from({ length: 600 }, (_, index) => index - 300);
    const records = seconds.map((each) => sampleRecord({ expiresAt: after(each) }));
    await storeOf().insertMany([...records, sampleRecord()]);
    const clock = { now: START };
    const recorded: string[] = [];
    const sweepAs = (holder: string) =>
      sweep({
        store: createDynamodbSweepStore(tableOf()),
        jobs: createDynamodbJobStore(tableOf()),
        audit: { record: async (events) => void recorded.push(...events.map(({ token = '' }) => token)) },
        holder,
        identity: 'tokenizer.tokenmesh.internal',
        now: () => clock.now,
      });
    expect(await sweepAs('one')).toEqual({ items: 301, lagSeconds: 300 });
    expect(await expiriesLeft()).toEqual(
      seconds.filter((each) => each > 0).map((each) => after(each).getTime()),
    );
    expect(recorded.toSorted()).toEqual(
      records
        .filter((_, index) => seconds[index]! <= 0)
        .map(({ token }) => token)
        .toSorted(),
    );
    clock.now = after(299);
    expect(await sweepAs('two')).toMatchObject({ items: 299 });
    expect(await expiriesLeft()).toEqual([]);
  }, 60_000);

  it('leaves an item alone whose expiry is another by now', async () => {
    const store = createDynamodbSweepStore(tableOf());
    const record = sampleRecord({ expiresAt: after(0) });
    await storeOf().insert(record);
    const bucket = sweepBucketOf(minuteOf(START), shardOf(`shop#${record.token}`));
    const [item] = await store.expiredIn(bucket, START);
    if (item === undefined) throw new Error('expected an item');
    expect(item.key).toEqual({ tenant: 'shop', token: record.token });
    expect(await store.removeExpired({ ...item, expiresAt: after(1) })).toBe('kept');
    expect(await store.removeExpired(item)).toBe('removed');
    expect(await store.removeExpired(item)).toBe('kept');
  });
});
