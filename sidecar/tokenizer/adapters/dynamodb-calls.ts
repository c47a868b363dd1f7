/**
 * The few calls of DynamoDB that every request makes, without the SDK's client: signed by the SDK's signer,
 * sent by undici, a fifth of the work (docs/decisions/0013-dynamodb-transport.md).
 *
 * Region, credentials and endpoint are those of an SDK client, found as the SDK finds them.
 *
 * @module
 */

import type {
  BatchGetItemCommandInput,
  BatchGetItemCommandOutput,
  BatchWriteItemCommandInput,
  BatchWriteItemCommandOutput,
  DeleteItemCommandInput,
  DeleteItemCommandOutput,
  DynamoDBClient,
  PutItemCommandInput,
  PutItemCommandOutput,
  UpdateItemCommandInput,
  UpdateItemCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import { Pool } from 'undici';
import { correctClock, signingDate } from '../../../runtime/clock-offset.ts';
import { onceHad } from '../core/audit/once-had.ts';
import { endpointOf } from './dynamodb-endpoint.ts';
import { fromWire, toWire } from './dynamodb-wire.ts';
import { DynamodbCallError, failureOf } from './dynamodb-call-error.ts';
import { retrying } from './retrying.ts';

interface Calls {
  PutItem: { input: PutItemCommandInput; output: Pick<PutItemCommandOutput, 'Attributes'> };
  UpdateItem: { input: UpdateItemCommandInput; output: Pick<UpdateItemCommandOutput, 'Attributes'> };
  DeleteItem: { input: DeleteItemCommandInput; output: Pick<DeleteItemCommandOutput, 'Attributes'> };
  BatchWriteItem: {
    input: BatchWriteItemCommandInput;
    output: Pick<BatchWriteItemCommandOutput, 'UnprocessedItems'>;
  };
  BatchGetItem: {
    input: BatchGetItemCommandInput;
    output: Pick<BatchGetItemCommandOutput, 'Responses' | 'UnprocessedKeys'>;
  };
}

export type Operation = keyof Calls;

export interface DynamodbCalls {
  /**
   * Makes one call, and makes it again a few times where that may help.
   *
   * @throws {DynamodbCallError} whose name is that of DynamoDB's error, where it answered with one.
   */
  call<Name extends Operation>(
    operation: Name,
    input: Calls[Name]['input'],
    signal?: AbortSignal,
  ): Promise<Calls[Name]['output']>;
}

/** Sockets to one endpoint: HTTP/1.1 has one call under way on each. */
const CONNECTIONS = 64;
/**
 * Every other write has a condition, so that one which comes late changes nothing. This one would put a
 * record in the place of what came of it meanwhile: a one-time token that was used could be used again.
 */
const WITHOUT_CONDITION: Operation = 'BatchWriteItem';

const CONNECT_MS = 500;
/** One attempt is given up soon enough that another fits into the deadline of the request. */
const ANSWER_MS = 1_500;

const known = new WeakMap<DynamoDBClient, DynamodbCalls>();

/** Those of one client share their sockets. */
export function dynamodbCallsOf(client: DynamoDBClient): DynamodbCalls {
  const calls = known.get(client) ?? createDynamodbCalls(client);
  known.set(client, calls);
  return calls;
}

function createDynamodbCalls(client: DynamoDBClient): DynamodbCalls {
  const connected = onceHad(() => connect(client));
  return {
    async call<Name extends Operation>(operation: Name, input: Calls[Name]['input'], signal?: AbortSignal) {
      const { pool, host, path, signer } = await connected();
      const body = JSON.stringify(toWire(input));
      return await retrying({ signal, mayComeLate: operation !== WITHOUT_CONDITION }, async () => {
        const request = {
          method: 'POST',
          protocol: 'https:',
          hostname: host,
          path,
          query: {},
          headers: {
            host,
            'content-type': 'application/x-amz-json-1.0',
            'x-amz-target': `DynamoDB_20120810.${operation}`,
          },
          body,
        };
        const date = signingDate(client.config);
        const { headers } = await signer.sign(request, { signingDate: date });
        const answer = await pool.request({ method: 'POST', path, headers, body, signal: signal ?? null });
        const text = await answer.body.text();
        if (answer.statusCode !== 200) {
          const isDatedAnew = correctClock(client.config, date, answer.headers['date']);
          throw failureOf(operation, answer.statusCode, text, isDatedAnew);
        }
        return fromWire(parsed(operation, text)) as Calls[Name]['output'];
      });
    },
  };
}

interface Connection {
  readonly pool: Pool;
  readonly host: string;
  readonly path: string;
  readonly signer: SignatureV4;
}

async function connect(client: DynamoDBClient): Promise<Connection> {
  const endpoint = await endpointOf(client);
  return {
    pool: new Pool(endpoint.origin, {
      connections: CONNECTIONS,
      connect: { timeout: CONNECT_MS },
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
    }),
    host: endpoint.host,
    path: endpoint.pathname,
    signer: new SignatureV4({
      credentials: client.config.credentials,
      region: client.config.region,
      service: 'dynamodb',
      sha256: client.config.sha256,
    }),
  };
}

function parsed(operation: Operation, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new DynamodbCallError(
      'UnreadableAnswer',
      `${operation} was answered with something else than JSON`,
      true,
    );
  }
}
