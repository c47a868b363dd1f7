/**
 * The calls that go without the SDK's client, against a server of the test that answers as DynamoDB does on a
 * bad day, and their signature against the SDK's own.
 *
 * @module
 */

import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { dynamodbCallsOf } from '../../../../sidecar/tokenizer/adapters/dynamodb-calls.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (response: ServerResponse) => void;

let received: Received[] = [];
/** The next answers, in order; after them, all is well. */
let answers: Answer[] = [];
let endpoint: string;
const sockets = new Set<Socket>();

const server = createServer((request, response) => {
  void text(request).then((body) => {
    received.push({ headers: request.headers, body });
    (answers.shift() ?? ok())(response);
  });
});

beforeAll(async () => {
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  received = [];
  answers = [];
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
});

function ok(body: object = {}): Answer {
  return (response) =>
    response.setHeader('content-type', 'application/x-amz-json-1.0').end(JSON.stringify(body));
}

function refusal(status: number, name: string): Answer {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'no' });
  return (response) => response.writeHead(status).end(body);
}

const hang: Answer = () => undefined;
const reset: Answer = (response) => response.socket?.destroy();
const html: Answer = (response) =>
  response.writeHead(500, { 'content-type': 'text/html' }).end('<html>Oops</html>');

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' };

function client(): DynamoDBClient {
  return new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials: CREDENTIALS });
}

const ITEM = {
  pk: { S: 'shop#tkn' },
  version: { N: '1' },
  fields: { M: { card: { M: { message: { B: Uint8Array.of(0, 1, 250) }, class: { S: 'pan' } } } } },
};
const INPUT = { TableName: 'tokens', Item: ITEM };

describe('a call', () => {
  it('is what the SDK sends, signature and all', async () => {
    const sdk = client();
    await sdk.send(new PutItemCommand(INPUT));
    await dynamodbCallsOf(client()).call('PutItem', INPUT);
    const [theirs, ours] = received as [Received, Received];
    expect(JSON.parse(ours.body)).toEqual(JSON.parse(theirs.body));
    for (const name of ['host', 'content-type', 'x-amz-target', 'x-amz-security-token']) {
      expect(ours.headers[name]).toBe(theirs.headers[name]);
    }
    expect(ours.headers['x-amz-content-sha256']).toBe(theirs.headers['x-amz-content-sha256']);
    const scope =
      /Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/dynamodb\/aws4_request, SignedHeaders=[^,]*, Signature=[\da-f]{64}$/;
    expect(ours.headers.authorization).toMatch(scope);
  });

  it('brings bytes back as bytes', async () => {
    answers = [
      ok({ Attributes: { message: { B: Buffer.from([0, 1, 250]).toString('base64') }, fields: { M: {} } } }),
    ];
    const { Attributes } = await dynamodbCallsOf(client()).call('UpdateItem', {
      TableName: 'tokens',
      Key: {},
    });
    expect(Attributes).toEqual({ message: { B: Buffer.from([0, 1, 250]) }, fields: { M: {} } });
  });

  it.each([
    ['throttled', refusal(400, 'ThrottlingException')],
    ['over its capacity', refusal(400, 'ProvisionedThroughputExceededException')],
    ['failed inside', refusal(500, 'InternalServerError')],
    ['cut off', reset],
    ['answered with a page of something else', html],
  ])('is made again where it was %s', async (_, answer) => {
    answers = [answer, answer];
    await dynamodbCallsOf(client()).call('PutItem', INPUT);
    expect(received).toHaveLength(3);
  });

  it('is given up after the third attempt, and tells why without telling what', async () => {
    answers = Array.from({ length: 3 }, () => refusal(400, 'ThrottlingException'));
    const refused = dynamodbCallsOf(client()).call('PutItem', INPUT);
    await expect(refused).rejects.toMatchObject({
      name: 'ThrottlingException',
      message: 'PutItem was refused with 400: expected DynamoDB to take it, got ThrottlingException',
    });
    expect(received).toHaveLength(3);
  });

  it.each([
    'ConditionalCheckFailedException',
    'ValidationException',
    'ResourceNotFoundException',
    'AccessDeniedException',
  ])('is not made again where the answer is %s', async (name) => {
    answers = [refusal(400, name)];
    await expect(dynamodbCallsOf(client()).call('PutItem', INPUT)).rejects.toMatchObject({ name });
    expect(received).toHaveLength(1);
  });

  it.each([
    ['cut off', reset],
    ['not answered in time', hang],
  ])('is not made again where it has no condition and was %s: it may come late', async (_, answer) => {
    answers = [answer];
    const writes = { RequestItems: { tokens: [{ PutRequest: { Item: ITEM } }] } };
    await expect(dynamodbCallsOf(client()).call('BatchWriteItem', writes)).rejects.toThrow();
    expect(received).toHaveLength(1);
  });

  it('ends when its time is up, though nothing is answered', async () => {
    answers = [hang];
    const refused = dynamodbCallsOf(client()).call('PutItem', INPUT, AbortSignal.timeout(100));
    await expect(refused).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(received).toHaveLength(1);
  });

  it('is made again where no answer came in time', async () => {
    answers = [hang];
    await dynamodbCallsOf(client()).call('PutItem', INPUT);
    expect(received).toHaveLength(2);
  }, 10_000);

  describe.each([
    ['ahead of', 1],
    ['behind', -1],
  ])('on a host whose clock is 45 minutes %s that of AWS', (_, sign) => {
    const theirs = (): number => Date.now() - sign * 45 * 60_000;
    const refusedByClock: Answer = (response) =>
      refusal(400, 'InvalidSignatureException')(response.setHeader('date', new Date(theirs()).toUTCString()));
    const dateOf = ({ headers }: Received): number =>
      Date.parse(
        String(headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'),
      );

    it('is signed again by the time of AWS, and so is each that follows', async () => {
      answers = [refusedByClock];
      const calls = dynamodbCallsOf(client());
      await calls.call('PutItem', INPUT);
      await calls.call('PutItem', INPUT);
      const away = received.map((each) => Math.abs(dateOf(each) - theirs()));
      expect(away.map((ms) => ms < 60_000)).toEqual([false, true, true]);
    });

    it('is made again where another call has found out meanwhile', async () => {
      answers = [refusedByClock, refusedByClock];
      const calls = dynamodbCallsOf(client());
      await Promise.all([calls.call('PutItem', INPUT), calls.call('PutItem', INPUT)]);
      expect(received).toHaveLength(4);
    });

    it('is made again without a condition too: what is refused comes to nothing', async () => {
      answers = [refusedByClock];
      const writes = { RequestItems: { tokens: [{ PutRequest: { Item: ITEM } }] } };
      await dynamodbCallsOf(client()).call('BatchWriteItem', writes);
      expect(received).toHaveLength(2);
    });
  });

  it('is not made again where the signature is wrong for another reason than its date', async () => {
    const name = 'InvalidSignatureException';
    answers = [refusal(400, name)];
    await expect(dynamodbCallsOf(client()).call('PutItem', INPUT)).rejects.toMatchObject({ name });
    expect(received).toHaveLength(1);
  });

  it('goes where the environment says, as the SDK would', async () => {
    const before = process.env['AWS_ENDPOINT_URL_DYNAMODB'];
    process.env['AWS_ENDPOINT_URL_DYNAMODB'] = endpoint;
    try {
      await dynamodbCallsOf(new DynamoDBClient({ region: 'us-east-1', credentials: CREDENTIALS })).call(
        'PutItem',
        INPUT,
      );
    } finally {
      if (before === undefined) delete process.env['AWS_ENDPOINT_URL_DYNAMODB'];
      else process.env['AWS_ENDPOINT_URL_DYNAMODB'] = before;
    }
    expect(received).toHaveLength(1);
  });
});
