import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createAwsClients } from '../../../../sidecar/tokenizer/adapters/aws-clients.ts';
import {
  createDynamodbTokenStore,
  type DynamodbTokenStoreOptions,
} from '../../../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import type { TokenRecord, TokenStore } from '../../../../sidecar/tokenizer/core/ports.ts';
import { sampleRecord } from '../../../contracts/token-store.contract.ts';
import {
  refusalOf,
  startStubDynamodb,
  type Fault,
  type StubDynamodb,
} from '../../../support/stub-dynamodb.ts';

let stub: StubDynamodb;
let clients: ReturnType<typeof createAwsClients>;

beforeAll(async () => {
  stub = await startStubDynamodb();
  clients = createAwsClients({
    endpoint: stub.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
});

afterAll(async () => {
  await stub.close();
});

function storeOf(change: Partial<DynamodbTokenStoreOptions> = {}): TokenStore {
  const faults: unknown[] = [];
  return createDynamodbTokenStore({
    client: clients.dynamodb,
    tableName: 'tokens',
    onFault: (error) => faults.push(error),
    ...change,
  });
}

const FAULTS: readonly (Fault | undefined)[] = [
  undefined,
  undefined,
  'half',
  refusalOf('ProvisionedThroughputExceededException'),
  refusalOf('InternalServerError', 500),
  { status: 500, body: '<!doctype html>' },
  { isServed: false, ending: 'reset' },
  { isServed: true, ending: 'reset' },
  { isServed: true, ending: 'hang' },
  { isServed: false, ending: 'hang' },
];

/** What a request of the vault stores: one record or several, with a condition or without. */
const requests = fc.array(
  fc.record({ records: fc.integer({ min: 1, max: 40 }), isConditional: fc.boolean() }),
  { minLength: 1, maxLength: 30 },
);

async function storeAll(
  store: TokenStore,
  asked: { records: number; isConditional: boolean },
): Promise<TokenRecord[]> {
  const records = Array.from({ length: asked.isConditional ? 1 : asked.records }, () => sampleRecord());
  if (asked.isConditional) {
    const outcomes = await Promise.all(
      records.map((record) => store.insert(record).catch(() => 'unavailable')),
    );
    return records.filter((_, index) => outcomes[index] === 'stored');
  }
  const outcomes = await store.insertMany(records);
  return records.filter((_, index) => outcomes[index] === 'stored');
}

/** Not shrunk: each run takes a deadline, and the next test has the same stub. */
const RUNS = { numRuns: 25, endOnFailure: true };

describe('a store that fails now and then', () => {
  it('has every record that it said it stored, whatever goes wrong', async () => {
    let stored = 0;
    const property = fc.asyncProperty(
      requests,
      fc.infiniteStream(fc.constantFrom(...FAULTS)),
      async (asked, faults) => {
        const store = storeOf({ deadlineMs: 300, batchDeadlineMs: 400 });
        stub.fault = () => faults.next().value ?? undefined;
        const answered = (await Promise.all(asked.map((each) => storeAll(store, each)))).flat();
        stub.fault = () => undefined;
        stored += answered.length;
        const found = await storeOf().findMany(answered);
        expect(found.map((each) => (typeof each === 'string' ? each : each.token))).toEqual(
          answered.map(({ token }) => token),
        );
      },
    );
    await fc.assert(property, RUNS);
    expect(stored).toBeGreaterThan(100);
  }, 60_000);

  it('never tells a record that it has for missing', async () => {
    const records = Array.from({ length: 60 }, () => sampleRecord());
    stub.fault = () => undefined;
    await storeOf().insertMany(records);
    const property = fc.asyncProperty(fc.infiniteStream(fc.constantFrom(...FAULTS)), async (faults) => {
      const store = storeOf({ deadlineMs: 300, batchDeadlineMs: 400 });
      stub.fault = () => faults.next().value ?? undefined;
      const alone = Promise.all(
        records.slice(0, 20).map((record) => store.find(record).catch(() => 'unavailable')),
      );
      const outcomes = [await store.findMany(records), await alone].flat();
      expect(outcomes).not.toContain('missing');
      expect(outcomes).not.toContain(undefined);
    });
    await fc.assert(property, RUNS);
  }, 60_000);

  it('fails nobody for an item that DynamoDB does not take, but for who sent it', async () => {
    const records = Array.from({ length: 25 }, () => sampleRecord());
    const large = records[7]?.token ?? '';
    stub.fault = ({ body }) => (body.includes(large) ? refusalOf('ValidationException') : undefined);
    const store = storeOf();
    const outcomes = (await Promise.all(records.map((record) => store.insertMany([record])))).flat();
    expect(outcomes.flatMap((each, index) => (each === 'stored' ? [] : [index]))).toEqual([7]);
  });

  it('keeps what many callers ask for at once to a few calls', async () => {
    stub.fault = () => undefined;
    const records = Array.from({ length: 500 }, () => sampleRecord());
    const store = storeOf();
    stub.calls.length = 0;
    await Promise.all(records.map((record) => store.insertMany([record])));
    await Promise.all(records.map((record) => store.find(record)));
    expect(stub.calls.map(({ operation, entries }) => `${operation} ${entries}`)).toEqual([
      ...Array.from({ length: 20 }, () => 'BatchWriteItem 25'),
      ...Array.from({ length: 5 }, () => 'BatchGetItem 100'),
    ]);
  });
});
