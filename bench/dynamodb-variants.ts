/**
 * One write of a record, and of twenty-five together, the ways that there are to send it: what
 * bench/dynamodb-transport.ts compares.
 *
 * @module
 */

import {
  BatchWriteItemCommand,
  DynamoDBClient,
  type BatchWriteItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { randomBytes } from 'node:crypto';
import { Pool } from 'undici';
import { dynamodbCallsOf } from '../sidecar/tokenizer/adapters/dynamodb-calls.ts';
import { toWire } from '../sidecar/tokenizer/adapters/dynamodb-wire.ts';

export interface Variant {
  readonly name: string;
  readonly call: () => Promise<unknown>;
  readonly close: () => Promise<void> | void;
}

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const REGION = 'us-east-1';

/** Records of one field, as the vault stores them. */
function inputOf(records: number): BatchWriteItemCommandInput {
  const puts = Array.from({ length: records }, (_, at) => ({
    PutRequest: {
      Item: {
        pk: { S: `shop#tkn_bcdfghjklmnpqrstbcdfghjklmnpqrst${at}` },
        sk: { S: 'record' },
        version: { N: '1' },
        createdAt: { S: '2026-01-02T03:04:05.678Z' },
        fields: { M: { card: { M: { class: { S: 'pan' }, message: { B: randomBytes(347) } } } } },
      },
    },
  }));
  return { RequestItems: { 'tokenmesh-tokens': puts } };
}

/** The SDK's is the first, the vault's the last. */
export function variantsAt(endpoint: string, records: number): Variant[] {
  const input = inputOf(records);
  return [viaSdk(endpoint, input), viaUndici(endpoint, input), viaOurs(endpoint, input)];
}

function viaSdk(endpoint: string, input: BatchWriteItemCommandInput): Variant {
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  return {
    name: "the SDK's `DynamoDBClient`",
    call: () => client.send(new BatchWriteItemCommand(input)),
    close: () => client.destroy(),
  };
}

/** What any client costs that neither signs nor tries again. */
function viaUndici(endpoint: string, input: BatchWriteItemCommandInput): Variant {
  const pool = new Pool(endpoint, { connections: 64 });
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  return {
    name: 'undici, not signed',
    async call() {
      const body = JSON.stringify(toWire(input));
      const answer = await pool.request({ path: '/', method: 'POST', headers, body });
      JSON.parse(await answer.body.text());
    },
    close: () => pool.destroy(),
  };
}

function viaOurs(endpoint: string, input: BatchWriteItemCommandInput): Variant {
  const calls = dynamodbCallsOf(new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS }));
  return {
    name: "the vault's: undici, the SDK's signer",
    call: () => calls.call('BatchWriteItem', input),
    close: () => undefined,
  };
}
