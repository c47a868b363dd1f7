import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  BatchExecuteStatementCommand,
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateTimeToLiveCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import {
  CreateSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';

const TABLE = 'things';

let aws: EmulatedAws;
let dynamo: DynamoDBClient;
let secrets: SecretsManagerClient;

beforeAll(async () => {
  aws = await startEmulatedAws();
  dynamo = new DynamoDBClient({ ...aws.clientConfig, maxAttempts: 1 });
  secrets = new SecretsManagerClient({ ...aws.clientConfig, maxAttempts: 1 });
  await dynamo.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    }),
  );
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  dynamo?.destroy();
  secrets?.destroy();
  await aws?.stop();
});

const keyOf = (pk: string): Record<string, AttributeValue> => ({ pk: { S: pk }, sk: { S: 'item' } });

async function itemOf(pk: string): Promise<Record<string, AttributeValue> | undefined> {
  return (await dynamo.send(new GetItemCommand({ TableName: TABLE, Key: keyOf(pk), ConsistentRead: true })))
    .Item;
}

function putIfAbsent(pk: string, value: string): PutItemCommand {
  return new PutItemCommand({
    TableName: TABLE,
    Item: { ...keyOf(pk), value: { S: value } },
    ConditionExpression: 'attribute_not_exists(pk)',
  });
}

async function outcomeOf(writer: string): Promise<string> {
  return dynamo.send(putIfAbsent('contended', writer)).then(
    () => 'stored',
    (error: Error) => error.name,
  );
}

describe('DynamoDB', () => {
  it('keeps binary attributes byte for byte', async () => {
    const bytes = randomBytes(700);
    await dynamo.send(
      new PutItemCommand({ TableName: TABLE, Item: { ...keyOf('bytes'), sealed: { B: bytes } } }),
    );
    expect(Buffer.from((await itemOf('bytes'))?.['sealed']?.B ?? [])).toEqual(bytes);
  });

  it('refuses a conditional put where the item is there, and changes nothing', async () => {
    await dynamo.send(putIfAbsent('once', 'first'));
    await expect(dynamo.send(putIfAbsent('once', 'second'))).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
    });
    expect((await itemOf('once'))?.['value']).toEqual({ S: 'first' });
  });

  it('answers a batch of inserts each by itself: the taken one is a duplicate, the others are stored', async () => {
    await dynamo.send(
      new PutItemCommand({ TableName: TABLE, Item: { ...keyOf('taken'), value: { S: 'kept' } } }),
    );
    const insert = (pk: string): { Statement: string; Parameters: AttributeValue[] } => ({
      Statement: `INSERT INTO "${TABLE}" VALUE {'pk': ?, 'sk': ?, 'sealed': ?}`,
      Parameters: [{ S: pk }, { S: 'item' }, { B: Buffer.from(pk) }],
    });
    const { Responses = [] } = await dynamo.send(
      new BatchExecuteStatementCommand({ Statements: ['new-1', 'taken', 'new-2'].map(insert) }),
    );
    expect(Responses.map(({ Error: error }) => error?.Code)).toEqual([undefined, 'DuplicateItem', undefined]);
    expect((await itemOf('taken'))?.['value']).toEqual({ S: 'kept' });
    expect(Buffer.from((await itemOf('new-2'))?.['sealed']?.B ?? []).toString()).toBe('new-2');
  });

  it('lets one of many conditional puts at once win', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, async (_, writer) => outcomeOf(`${writer}`)),
    );
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['stored', 'ConditionalCheckFailedException']));
  });

  it('refuses a single insert of what is there, and a batch of more than 25', async () => {
    const insert = {
      Statement: `INSERT INTO "${TABLE}" VALUE {'pk': ?, 'sk': ?}`,
      Parameters: [{ S: 'single' }, { S: 'item' }],
    };
    await dynamo.send(new ExecuteStatementCommand(insert));
    await expect(dynamo.send(new ExecuteStatementCommand(insert))).rejects.toMatchObject({
      name: 'DuplicateItemException',
    });
    const tooMany = Array.from({ length: 26 }, () => insert);
    await expect(
      dynamo.send(new BatchExecuteStatementCommand({ Statements: tooMany })),
    ).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  it('remembers which attribute tells the time to live', async () => {
    await dynamo.send(
      new UpdateTimeToLiveCommand({
        TableName: TABLE,
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      }),
    );
    const { TimeToLiveDescription } = await dynamo.send(new DescribeTimeToLiveCommand({ TableName: TABLE }));
    expect(TimeToLiveDescription).toEqual({ AttributeName: 'expiresAt', TimeToLiveStatus: 'ENABLED' });
  });
});

describe('Secrets Manager', () => {
  it('gives each version by its id, and the newest without one', async () => {
    const name = `mesh/${randomUUID()}`;
    const first = await secrets.send(new CreateSecretCommand({ Name: name, SecretString: 'one' }));
    const second = await secrets.send(
      new PutSecretValueCommand({ SecretId: name, SecretString: 'two', ClientRequestToken: randomUUID() }),
    );
    const valueOf = async (versionId?: string): Promise<string | undefined> =>
      (await secrets.send(new GetSecretValueCommand({ SecretId: name, VersionId: versionId }))).SecretString;
    expect(await valueOf(first.VersionId)).toBe('one');
    expect(await valueOf(second.VersionId)).toBe('two');
    expect(await valueOf()).toBe('two');
  });

  it('names a version after the token of its request', async () => {
    const name = `mesh/${randomUUID()}`;
    await secrets.send(new CreateSecretCommand({ Name: name, SecretString: 'one' }));
    const ClientRequestToken = randomUUID();
    const put = new PutSecretValueCommand({ SecretId: name, SecretString: 'two', ClientRequestToken });
    expect((await secrets.send(put)).VersionId).toBe(ClientRequestToken);
  });

  it('makes passwords without the characters that ACM refuses', async () => {
    const { RandomPassword } = await secrets.send(
      new GetRandomPasswordCommand({ PasswordLength: 64, ExcludeCharacters: '#$%' }),
    );
    expect(RandomPassword).toHaveLength(64);
    expect(RandomPassword).not.toMatch(/[#$%]/);
  });
});

describe('a call that the emulator does not know', () => {
  it('is refused with an AWS error that says so', async () => {
    const answer = await fetch(aws.endpointUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'TrentService.NoSuchCall',
        authorization:
          'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: '{}',
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ __type: 'UnknownOperationException' });
  });
});
