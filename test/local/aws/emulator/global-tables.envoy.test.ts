/**
 * Two regions of the emulated AWS whose tables hold the same rows, later.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { changeRegions, readRegions } from '../../../../operator/regions/emulated-regions.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';
import { tableOf } from '../../../support/emulated-vault.ts';

const REGIONS = ['us-east-1', 'eu-west-1'] as const;

let aws: EmulatedAws;
let here: DynamoDBClient;
let there: DynamoDBClient;

beforeAll(async () => {
  aws = await startEmulatedAws();
  [here, there] = REGIONS.map(
    (region) => new DynamoDBClient({ ...aws.clientConfig, region, maxAttempts: 1 }),
  ) as [DynamoDBClient, DynamoDBClient];
  await here.send(tableOf('rows', 'pk', 'sk'));
  await here.send(tableOf('others', 'pk', 'sk'));
  await changeRegions(aws.endpointUrl, { tables: ['rows'], regions: REGIONS });
  // Before the other region has the table.
  await put(here, 'early', '1');
  await there.send(tableOf('rows', 'pk', 'sk'));
  await there.send(tableOf('others', 'pk', 'sk'));
}, PREPARE_DEADLINE_MS);

beforeEach(async () => {
  await changeRegions(aws.endpointUrl, { delaySeconds: 0, isPartitioned: false, lost: [] });
});

afterAll(async () => {
  here?.destroy();
  there?.destroy();
  await aws?.stop();
});

const key = (name: string) => ({ pk: { S: name }, sk: { S: 'row' } });

async function put(client: DynamoDBClient, name: string, value: string, TableName = 'rows'): Promise<void> {
  await client.send(new PutItemCommand({ TableName, Item: { ...key(name), v: { S: value } } }));
}

async function valueIn(
  client: DynamoDBClient,
  name: string,
  TableName = 'rows',
): Promise<string | undefined> {
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: key(name) }));
  return Item?.['v']?.S;
}

async function arrives(client: DynamoDBClient, name: string, value: string | undefined): Promise<void> {
  const end = Date.now() + 5_000;
  while ((await valueIn(client, name)) !== value && Date.now() < end) await sleep(10);
  expect(await valueIn(client, name)).toBe(value);
}

describe('a row of a global table', () => {
  it('arrives in the other region, from before that had the table too, both ways', async () => {
    await arrives(there, 'early', '1');
    await put(there, 'back', '2');
    await arrives(here, 'back', '2');
  });

  it('arrives as it is after each change, and is gone where it was deleted', async () => {
    await put(here, 'changed', '1');
    await arrives(there, 'changed', '1');
    const change = { UpdateExpression: 'SET v = :v', ExpressionAttributeValues: { ':v': { S: '2' } } };
    await here.send(new UpdateItemCommand({ TableName: 'rows', Key: key('changed'), ...change }));
    await arrives(there, 'changed', '2');
    await there.send(new DeleteItemCommand({ TableName: 'rows', Key: key('changed') }));
    await arrives(here, 'changed', undefined);
  });

  it('is not there before the delay is over', async () => {
    await changeRegions(aws.endpointUrl, { delaySeconds: 3 });
    const started = Date.now();
    await put(here, 'late', '1');
    await sleep(300);
    expect(await valueIn(there, 'late')).toBeUndefined();
    await arrives(there, 'late', '1');
    expect(Date.now() - started).toBeGreaterThanOrEqual(3_000);
  });

  it('is in both the one that was written last, where both wrote while they were parted', async () => {
    await changeRegions(aws.endpointUrl, { isPartitioned: true });
    await put(here, 'both', 'first');
    await put(there, 'both', 'last');
    await put(there, 'other', 'first');
    await put(here, 'other', 'last');
    await sleep(200);
    expect([await valueIn(here, 'both'), await valueIn(there, 'both')]).toEqual(['first', 'last']);
    expect(await readRegions(aws.endpointUrl)).toMatchObject({
      waiting: { 'us-east-1': 2, 'eu-west-1': 2 },
    });
    await changeRegions(aws.endpointUrl, { isPartitioned: false });
    await arrives(here, 'both', 'last');
    await arrives(there, 'other', 'last');
    await sleep(200);
    expect([await valueIn(there, 'both'), await valueIn(here, 'other')]).toEqual(['last', 'last']);
  });

  it('may be claimed in both regions: a condition sees the rows of its own', async () => {
    await changeRegions(aws.endpointUrl, { isPartitioned: true });
    const claim = new PutItemCommand({
      TableName: 'rows',
      Item: { ...key('claimed'), v: { S: 'x' } },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await here.send(claim);
    await there.send(claim);
    await expect(here.send(claim)).rejects.toThrow(ConditionalCheckFailedException);
  });

  it('does not travel where its transaction did not hold', async () => {
    const TransactItems = [
      { Put: { TableName: 'rows', Item: { ...key('undone'), v: { S: '1' } } } },
      {
        ConditionCheck: {
          TableName: 'rows',
          Key: key('nowhere'),
          ConditionExpression: 'attribute_exists(pk)',
        },
      },
    ];
    const undone = here.send(new TransactWriteItemsCommand({ TransactItems }));
    await expect(undone).rejects.toThrow(TransactionCanceledException);
    await here.send(
      new TransactWriteItemsCommand({
        TransactItems: [{ Put: { TableName: 'rows', Item: { ...key('done'), v: { S: '1' } } } }],
      }),
    );
    await arrives(there, 'done', '1');
    expect(await valueIn(there, 'undone')).toBeUndefined();
  });

  it('stays in its region where the table is not replicated', async () => {
    await put(here, 'own', '1', 'others');
    await put(here, 'marker', '1');
    await arrives(there, 'marker', '1');
    expect(await valueIn(there, 'own', 'others')).toBeUndefined();
  });
});

describe('a region that is lost', () => {
  it('answers nobody, and gets what it missed once it is back, as the others do', async () => {
    await changeRegions(aws.endpointUrl, { isPartitioned: true });
    await put(here, 'unsent', '1');
    await changeRegions(aws.endpointUrl, { isPartitioned: false, lost: ['us-east-1'] });
    await expect(valueIn(here, 'unsent')).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    await put(there, 'meanwhile', '1');
    await sleep(200);
    expect(await valueIn(there, 'unsent')).toBeUndefined();
    await changeRegions(aws.endpointUrl, { lost: [] });
    await arrives(there, 'unsent', '1');
    await arrives(here, 'meanwhile', '1');
  });

  it('is no reason to take settings that are none', async () => {
    await expect(changeRegions(aws.endpointUrl, { delaySeconds: -1 })).rejects.toMatchObject({
      code: 'ERR_REGIONS_UNSUPPORTED',
    });
  });
});
