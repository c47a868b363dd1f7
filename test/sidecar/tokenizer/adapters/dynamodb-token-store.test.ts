import { describe, expect, it } from '@jest/globals';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { createDynamodbTokenStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { toItem } from '../../../../sidecar/tokenizer/adapters/record-item.ts';
import type { TokenStore } from '../../../../sidecar/tokenizer/core/ports.ts';
import { sampleRecord } from '../../../contracts/token-store.contract.ts';

type Answer = (command: unknown) => Promise<unknown>;

/** A client whose every call is answered here: what DynamoDB does only under load cannot be had from an emulator. */
function storeAnsweredBy(answer: Answer): TokenStore {
  const client = new DynamoDBClient({ region: 'us-east-1' });
  Object.defineProperty(client, 'send', { value: answer });
  return createDynamodbTokenStore({
    client,
    tableName: 'tokens',
    deadlineMs: 20,
    batchDeadlineMs: 200,
    onFault: () => undefined,
  });
}

const records = Array.from({ length: 30 }, () => sampleRecord());

describe('the token store, where DynamoDB is busy', () => {
  it('writes again what was left unprocessed', async () => {
    const written: string[] = [];
    const store = storeAnsweredBy(async (command) => {
      if (!(command instanceof BatchWriteItemCommand)) throw new Error('expected a batch write');
      const requests = command.input.RequestItems?.['tokens'] ?? [];
      const done = requests.slice(0, 10);
      written.push(...done.map((each) => each.PutRequest?.Item?.['pk']?.S ?? ''));
      return { UnprocessedItems: requests.length > 10 ? { tokens: requests.slice(10) } : {} };
    });
    expect(await store.insertMany(records)).toEqual(records.map(() => 'stored'));
    expect(written.toSorted()).toEqual(records.map((record) => `shop#${record.token}`).toSorted());
  });

  it('says of what stays unprocessed that it is unavailable, and of the rest that it is stored', async () => {
    const store = storeAnsweredBy(async (command) => {
      const requests = (command as BatchWriteItemCommand).input.RequestItems?.['tokens'] ?? [];
      const stuck = requests.filter(
        (each) => each.PutRequest?.Item?.['pk']?.S === `shop#${records[3]?.token}`,
      );
      return { UnprocessedItems: { tokens: stuck } };
    });
    const outcomes = await store.insertMany(records);
    expect(outcomes.flatMap((outcome, index) => (outcome === 'unavailable' ? [index] : []))).toEqual([3]);
  });

  it('reads again what was left unprocessed, and tells what stays so from what is missing', async () => {
    const [here, stuck, missing] = [sampleRecord(), sampleRecord(), sampleRecord()];
    const store = storeAnsweredBy(async (command) => {
      if (!(command instanceof BatchGetItemCommand)) throw new Error('expected a batch read');
      expect(command.input.RequestItems?.['tokens']?.ConsistentRead).toBe(true);
      const keys = command.input.RequestItems?.['tokens']?.Keys ?? [];
      const has = (token: string) => keys.some((key) => key['pk']?.S === `shop#${token}`);
      return {
        Responses: { tokens: has(here.token) ? [toItem(here)] : [] },
        UnprocessedKeys: { tokens: { Keys: keys.filter((key) => key['pk']?.S === `shop#${stuck.token}`) } },
      };
    });
    const outcomes = await store.findMany([here, stuck, missing]);
    expect(outcomes.map((each) => (typeof each === 'string' ? each : 'found'))).toEqual([
      'found',
      'unavailable',
      'missing',
    ]);
  });

  it('gives up on one record within its deadline', async () => {
    const store = storeAnsweredBy(() => new Promise(() => undefined));
    await expect(store.insert(sampleRecord())).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    await expect(store.find(sampleRecord())).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  });

  it('takes only a failed condition for a taken token', async () => {
    const refused = (failure: Error): TokenStore =>
      storeAnsweredBy(async () => {
        throw failure;
      });
    const condition = new ConditionalCheckFailedException({ message: 'no', $metadata: {} });
    expect(await refused(condition).insert(sampleRecord())).toBe('taken');
    await expect(refused(new Error('no')).insert(sampleRecord())).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
  });
});
