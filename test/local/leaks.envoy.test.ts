import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { searchForLeaks } from '../../local/leaks.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../support/emulated-aws.ts';

const CARD = testCard('visa', 16).number;
const TABLE = 'planted';

let aws: EmulatedAws;
let dynamodb: DynamoDBClient;
let directory = '';

beforeAll(async () => {
  aws = await startEmulatedAws();
  dynamodb = new DynamoDBClient(aws.clientConfig);
  await dynamodb.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  );
}, PREPARE_DEADLINE_MS);
afterAll(async () => await aws.stop());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tokenmesh-leaks-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the search for leaks', () => {
  it.each([
    ['as it is', CARD],
    ['in groups', CARD.replaceAll(/(\d{4})(?=\d)/g, '$1 ')],
    ['with hyphens', CARD.replaceAll(/(\d{4})(?=\d)/g, '$1-')],
  ])('finds a number in a file, %s', async (_how, text) => {
    mkdirSync(join(directory, 'deep'));
    writeFileSync(join(directory, 'deep', 'some.log'), `{"msg":"card ${text} seen"}`);
    const { found, files } = await searchForLeaks(directory, dynamodb, [], [CARD]);
    expect(files).toBe(1);
    expect(found).toEqual([join(directory, 'deep', 'some.log')]);
  });

  it('finds a number in a text and in the bytes of a table', async () => {
    await dynamodb.send(
      new PutItemCommand({ TableName: TABLE, Item: { id: { S: 'text' }, note: { S: `was ${CARD}` } } }),
    );
    await dynamodb.send(
      new PutItemCommand({
        TableName: TABLE,
        Item: { id: { S: 'bytes' }, raw: { B: Buffer.from(`x${CARD}x`) } },
      }),
    );
    const { found, items } = await searchForLeaks(directory, dynamodb, [TABLE], [CARD]);
    expect(items).toBe(2);
    expect(found).toEqual([`table ${TABLE}`, `table ${TABLE}`]);
    expect(found.join(' ')).not.toContain(CARD);
  });

  it('finds nothing where there is nothing', async () => {
    writeFileSync(join(directory, 'some.log'), 'nothing to see');
    expect((await searchForLeaks(directory, dynamodb, [], [CARD])).found).toEqual([]);
  });
});
