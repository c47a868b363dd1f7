/**
 * An example of who follows life events: a Lambda function behind a rule of EventBridge that keeps, for each
 * token, when somebody last had its value shown. What nobody has looked at for a year can go.
 *
 * It holds references and times: no token, no value. An event may come twice, late, and out of order.
 *
 * IAM: dynamodb:UpdateItem and DeleteItem on its table.
 *
 * @module
 */

import { DynamoDBClient, DeleteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';

/** What of an event is used; docs/events.md has all of it. */
export interface LifeEventDelivery {
  readonly 'detail-type': string;
  readonly detail: { readonly reference: string; readonly at: string };
}

export interface LastUseParts {
  readonly dynamodb: DynamoDBClient;
  /** Its key is the string `reference`. */
  readonly tableName: string;
}

const SHOWN = 'Token Revealed';
const GONE: ReadonlySet<string> = new Set(['Token Deleted', 'Token Expired']);

export function createHandler(parts: LastUseParts): (delivery: LifeEventDelivery) => Promise<void> {
  const { dynamodb, tableName: TableName } = parts;
  return async ({ 'detail-type': type, detail }) => {
    const Key = { reference: { S: detail.reference } };
    if (GONE.has(type)) await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
    else if (type === SHOWN) await remember(parts, detail);
  };
}

/** The later of two stays, whichever comes first. */
async function remember(
  { dynamodb, tableName }: LastUseParts,
  { reference, at }: LifeEventDelivery['detail'],
): Promise<void> {
  try {
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { reference: { S: reference } },
        UpdateExpression: 'SET lastShownAt = :at',
        ConditionExpression: 'attribute_not_exists(lastShownAt) OR lastShownAt < :at',
        ExpressionAttributeValues: { ':at': { S: at } },
      }),
    );
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error;
  }
}

let started: ReturnType<typeof createHandler> | undefined;

/** What Lambda calls; `LAST_USE_TABLE` names the table. */
export const handler = async (delivery: LifeEventDelivery): Promise<void> => {
  started ??= createHandler({
    dynamodb: new DynamoDBClient({}),
    tableName: process.env['LAST_USE_TABLE'] ?? 'tokenmesh-last-use',
  });
  await started(delivery);
};
