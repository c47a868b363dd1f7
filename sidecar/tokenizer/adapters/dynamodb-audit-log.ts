/**
 * The audit's log on DynamoDB: rows that are put once, and the newest seal in another table.
 *
 * IAM: dynamodb:PutItem and DescribeTable on the audit's table, and nothing else there; dynamodb:PutItem
 * on the tokens table.
 *
 * @module
 */

import {
  DescribeTableCommand,
  type DynamoDBClient,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { AuditLog } from '../core/audit/ports.ts';
import { AuditUnavailableError } from '../core/errors.ts';
import { outsideItem, sealItem, segmentItem } from './audit-item.ts';
import { answeredWithin } from './deadline.ts';
import { isConditionFailed } from './dynamodb-call-error.ts';
import { dynamodbCallsOf } from './dynamodb-calls.ts';

const DEADLINE_MS = 2_500;

export interface DynamodbAuditLogOptions {
  readonly client: DynamoDBClient;
  readonly auditTableName: string;
  readonly tokensTableName: string;
  /** For one row, retries and all. @default 2500 */
  readonly deadlineMs?: number;
}

export function createDynamodbAuditLog(options: DynamodbAuditLogOptions): AuditLog {
  const { client, auditTableName, tokensTableName } = options;
  const putOnce = async (input: Omit<PutItemCommandInput, 'TableName'>): Promise<'written' | 'taken'> =>
    await put(options, { TableName: auditTableName, ...input });
  return {
    append: async (segment) =>
      await putOnce({
        Item: segmentItem(segment),
        ConditionExpression: 'attribute_not_exists(pk) OR #hash = :hash',
        ExpressionAttributeNames: { '#hash': 'hash' },
        ExpressionAttributeValues: { ':hash': { S: segment.hash } },
      }),
    appendSeal: async (seal) =>
      await putOnce({
        Item: sealItem(seal),
        ConditionExpression: 'attribute_not_exists(pk) OR #mac = :mac',
        ExpressionAttributeNames: { '#mac': 'mac' },
        ExpressionAttributeValues: { ':mac': { B: seal.mac } },
      }),
    async keepOutside(seal) {
      const kept = await put(options, {
        TableName: tokensTableName,
        Item: outsideItem(await client.config.region(), seal),
        ConditionExpression: 'attribute_not_exists(pk) OR sealNumber <= :number',
        ExpressionAttributeValues: { ':number': { N: String(seal.number) } },
      });
      if (kept === 'taken') throw new AuditUnavailableError();
    },
    async checkReachable() {
      const { Table } = await answeredWithin(
        options.deadlineMs ?? DEADLINE_MS,
        AuditUnavailableError,
        (abortSignal) =>
          client.send(new DescribeTableCommand({ TableName: auditTableName }), { abortSignal }),
      );
      if (Table?.TableStatus !== 'ACTIVE' && Table?.TableStatus !== 'UPDATING') {
        throw new AuditUnavailableError();
      }
    },
  };
}

async function put(
  options: DynamodbAuditLogOptions,
  input: PutItemCommandInput,
): Promise<'written' | 'taken'> {
  return await answeredWithin(options.deadlineMs ?? DEADLINE_MS, AuditUnavailableError, async (signal) => {
    try {
      await dynamodbCallsOf(options.client).call('PutItem', input, signal);
      return 'written';
    } catch (error) {
      if (isConditionFailed(error)) return 'taken';
      throw error;
    }
  });
}
