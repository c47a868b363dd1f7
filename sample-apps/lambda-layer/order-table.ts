/**
 * The application's own table, `CustomerOrderTable`, keyed by `orderId` (S). Of a card it holds the token
 * and the last four digits.
 *
 * @module
 */

import { DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';

const TableName = 'CustomerOrderTable';

const client = new DynamoDBClient({ maxAttempts: 3 });

export interface StoredOrder {
  readonly orderId: string;
  /** Stands for the card. */
  readonly token: string;
  readonly lastFour: string;
  readonly totalCents: number;
  readonly currency: string;
}

/** IAM: dynamodb:PutItem. */
export async function storeOrder(order: StoredOrder, createdAt: Date): Promise<void> {
  await client.send(
    new PutItemCommand({
      TableName,
      Item: {
        orderId: { S: order.orderId },
        token: { S: order.token },
        card: { M: { lastFour: { S: order.lastFour } } },
        totalCents: { N: String(order.totalCents) },
        currency: { S: order.currency },
        createdAt: { S: createdAt.toISOString() },
        status: { S: 'PLACED' },
      },
      ConditionExpression: 'attribute_not_exists(orderId)',
    }),
  );
}

/** IAM: dynamodb:GetItem. */
export async function findOrder(orderId: string): Promise<StoredOrder | undefined> {
  const key = { orderId: { S: orderId } };
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }));
  if (Item === undefined) return undefined;
  return {
    orderId,
    token: Item['token']?.S ?? '',
    lastFour: Item['card']?.M?.['lastFour']?.S ?? '',
    totalCents: Number(Item['totalCents']?.N),
    currency: Item['currency']?.S ?? '',
  };
}

/** IAM: dynamodb:UpdateItem. */
export async function markPaid(orderId: string): Promise<void> {
  await client.send(
    new UpdateItemCommand({
      TableName,
      Key: { orderId: { S: orderId } },
      UpdateExpression: 'SET #status = :paid',
      ConditionExpression: 'attribute_exists(orderId)',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':paid': { S: 'PAID' } },
    }),
  );
}
