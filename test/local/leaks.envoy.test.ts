import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { leakFinder, searchForLeaks } from '../../local/leaks.ts';
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

const base64 = (before: string): string => Buffer.from(`${before}${CARD}and more`).toString('base64');

describe('the search for leaks', () => {
  it.each([
    ['as it is', CARD],
    ['in groups', CARD.replaceAll(/(\d{4})(?=\d)/g, '$1 ')],
    ['with hyphens', CARD.replaceAll(/(\d{4})(?=\d)/g, '$1-')],
    ['in hex', Buffer.from(`a ${CARD}`).toString('hex')],
    ['in upper-case hex', Buffer.from(CARD).toString('hex').toUpperCase()],
    ['in base64, at the begin of a group', base64('')],
    ['in base64, a byte later', base64('x')],
    ['in base64, two bytes later', base64('xy')],
    ['in base64 for URLs', Buffer.from(`?>${CARD}?>`).toString('base64url')],
    ['as a part of a URL', CARD.replaceAll(/\d/g, '%3$&')],
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

  it('finds a text of other letters than digits in its forms', () => {
    const name = 'Zoë Nobody';
    const holds = leakFinder([name]);
    const url = `/?q=${encodeURIComponent(name)}`;
    for (const text of [`<${name}>`, url, Buffer.from(name).toString('latin1')])
      expect(holds(text)).toBe(true);
    expect(holds('Zoe Nobody')).toBe(false);
  });

  it('finds nothing where there is nothing', async () => {
    writeFileSync(join(directory, 'some.log'), 'nothing to see');
    expect((await searchForLeaks(directory, dynamodb, [], [CARD])).found).toEqual([]);
  });
});
