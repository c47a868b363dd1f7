import { describe, expect, it } from '@jest/globals';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamodbCallError } from '../../../../sidecar/tokenizer/adapters/dynamodb-call-error.ts';
import type { Operation } from '../../../../sidecar/tokenizer/adapters/dynamodb-calls.ts';
import { createDynamodbTokenStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { toItem, type Item } from '../../../../sidecar/tokenizer/adapters/record-item.ts';
import type { TokenStore } from '../../../../sidecar/tokenizer/core/ports.ts';
import { sampleRecord } from '../../../contracts/token-store.contract.ts';

/** What is in a batch call for the table. */
interface Asked {
  readonly writes: readonly Item[];
  readonly keys: readonly Item[];
  readonly isConsistent: boolean | undefined;
}

type Answer = (operation: Operation, asked: Asked) => Promise<object>;

interface BatchInput {
  readonly RequestItems?: {
    readonly tokens?: { Keys?: Item[]; ConsistentRead?: boolean } | { PutRequest?: { Item?: Item } }[];
  };
}

/** Calls that are answered here: what DynamoDB does only under load cannot be had from an emulator. */
function storeAnsweredBy(answer: Answer): TokenStore {
  const call = async (operation: Operation, input: object): Promise<object> => {
    const asked = (input as BatchInput).RequestItems?.tokens;
    const writes = Array.isArray(asked) ? asked.map((each) => each.PutRequest?.Item ?? {}) : [];
    const reads = Array.isArray(asked) ? undefined : asked;
    return await answer(operation, { writes, keys: reads?.Keys ?? [], isConsistent: reads?.ConsistentRead });
  };
  return createDynamodbTokenStore({
    client: new DynamoDBClient({ region: 'us-east-1' }),
    calls: { call },
    tableName: 'tokens',
    deadlineMs: 50,
    batchDeadlineMs: 5_000,
    onFault: () => undefined,
  });
}

const records = Array.from({ length: 30 }, () => sampleRecord());
const unwritten = (items: readonly Item[]) => ({
  UnprocessedItems: { tokens: items.map((Item) => ({ PutRequest: { Item } })) },
});
const partitionOf = (item: Item): string => item['pk']?.S ?? '';

describe('the token store, where DynamoDB is busy', () => {
  it('writes again what was left unprocessed', async () => {
    const written: string[] = [];
    const store = storeAnsweredBy(async (operation, { writes }) => {
      expect(operation).toBe('BatchWriteItem');
      written.push(...writes.slice(0, 10).map(partitionOf));
      return unwritten(writes.slice(10));
    });
    expect(await store.insertMany(records)).toEqual(records.map(() => 'stored'));
    expect(written.toSorted()).toEqual(records.map((record) => `shop#${record.token}`).toSorted());
  });

  it('says of what stays unprocessed that it is unavailable, and of the rest that it is stored', async () => {
    const stuck = `shop#${records[3]?.token}`;
    const store = storeAnsweredBy(async (_, { writes }) =>
      unwritten(writes.filter((item) => partitionOf(item) === stuck)),
    );
    const outcomes = await store.insertMany(records);
    expect(outcomes.flatMap((outcome, index) => (outcome === 'unavailable' ? [index] : []))).toEqual([3]);
  });

  it('reads again what was left unprocessed, and tells what stays so from what is missing', async () => {
    const [here, stuck, missing] = [sampleRecord(), sampleRecord(), sampleRecord()];
    const store = storeAnsweredBy(async (operation, { keys, isConsistent }) => {
      expect([operation, isConsistent]).toEqual(['BatchGetItem', true]);
      const has = (token: string) => keys.some((key) => partitionOf(key) === `shop#${token}`);
      return {
        Responses: { tokens: has(here.token) ? [toItem(here)] : [] },
        UnprocessedKeys: {
          tokens: { Keys: keys.filter((key) => partitionOf(key) === `shop#${stuck.token}`) },
        },
      };
    });
    const outcomes = await store.findMany([here, stuck, missing]);
    expect(outcomes.map((each) => (typeof each === 'string' ? each : 'found'))).toEqual([
      'found',
      'unavailable',
      'missing',
    ]);
  });

  it('does not let one item that DynamoDB refuses spoil the others of its call', async () => {
    const bad = `shop#${records[5]?.token}`;
    const store = storeAnsweredBy(async (_, { writes }) => {
      if (writes.some((item) => partitionOf(item) === bad)) {
        throw new DynamodbCallError('ValidationException', 'too large', false);
      }
      return {};
    });
    const outcomes = await store.insertMany(records);
    expect(outcomes.flatMap((outcome, index) => (outcome === 'unavailable' ? [index] : []))).toEqual([5]);
  });

  it('gives up on one record within its deadline', async () => {
    const store = storeAnsweredBy(() => new Promise(() => undefined));
    await expect(store.insert(sampleRecord())).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    await expect(store.find(sampleRecord())).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  });

  it('takes only a failed condition for a taken token', async () => {
    const refused = (name: string): TokenStore =>
      storeAnsweredBy(async () => {
        throw new DynamodbCallError(name, 'no', false);
      });
    expect(await refused('ConditionalCheckFailedException').insert(sampleRecord())).toBe('taken');
    await expect(refused('ValidationException').insert(sampleRecord())).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
  });
});

describe('requests that come together', () => {
  it('share their writes, twenty-five to a call, and their reads, a hundred', async () => {
    const sizes: Record<string, number[]> = { BatchWriteItem: [], BatchGetItem: [] };
    const store = storeAnsweredBy(async (operation, { writes, keys }) => {
      sizes[operation]?.push(writes.length + keys.length);
      return {};
    });
    await Promise.all(records.map((record) => store.insertMany([record])));
    await Promise.all(Array.from({ length: 130 }, () => store.find(sampleRecord())));
    expect(sizes).toEqual({ BatchWriteItem: [25, 5], BatchGetItem: [100, 30] });
  });

  it('are each told what became of their own', async () => {
    const stuck = `shop#${records[3]?.token}`;
    const store = storeAnsweredBy(async (_, { writes }) =>
      unwritten(writes.filter((item) => partitionOf(item) === stuck)),
    );
    const outcomes = await Promise.all(records.map((record) => store.insertMany([record])));
    const expected = records.map((_, index) => [index === 3 ? 'unavailable' : 'stored']);
    expect(outcomes).toEqual(expected);
  });
});
