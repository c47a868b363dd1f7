import { GetItemCommand, PutItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { mapOf, numberOf, onTable, textOf, type Item, type OrderTable } from '../../customer-order-table.ts';
import type { NewOrder, Order, OrderItem, OrderStatus, OrderStore } from '../ports.ts';

/** IAM: `dynamodb:PutItem` and `dynamodb:GetItem` on the table. */
export function createDynamoDbOrderStore(table: OrderTable): OrderStore {
  return {
    insert: (order) => insertOrder(table, order),
    find: (orderId) => findOrder(table, orderId),
  };
}

async function insertOrder({ client, tableName }: OrderTable, order: NewOrder): Promise<'stored' | 'taken'> {
  const put = new PutItemCommand({
    TableName: tableName,
    Item: itemOf(order),
    ConditionExpression: 'attribute_not_exists(orderId)',
  });
  const outcome = await onTable((options) => client.send(put, options));
  if (outcome !== 'condition failed') return 'stored';
  return (await tokenUnder({ client, tableName }, order.orderId)) === order.token ? 'stored' : 'taken';
}

async function tokenUnder({ client, tableName }: OrderTable, orderId: string): Promise<string | undefined> {
  const get = new GetItemCommand({
    TableName: tableName,
    Key: { orderId: { S: orderId } },
    ConsistentRead: true,
    ProjectionExpression: '#token',
    ExpressionAttributeNames: { '#token': 'token' },
  });
  const found = await onTable((options) => client.send(get, options));
  return found === 'condition failed' ? undefined : found.Item?.['token']?.S;
}

async function findOrder({ client, tableName }: OrderTable, orderId: string): Promise<Order | undefined> {
  const get = new GetItemCommand({
    TableName: tableName,
    Key: { orderId: { S: orderId } },
    ConsistentRead: true,
    ProjectionExpression: 'orderId, #items, totalCents, currency, card, createdAt, payment.#status',
    ExpressionAttributeNames: { '#items': 'items', '#status': 'status' },
  });
  const found = await onTable((options) => client.send(get, options));
  if (found === 'condition failed' || found.Item === undefined) return undefined;
  return orderOf(found.Item);
}

function itemOf(order: NewOrder): Item {
  return {
    orderId: { S: order.orderId },
    token: { S: order.token },
    items: { L: order.items.map(lineOf) },
    totalCents: { N: String(order.totalCents) },
    currency: { S: order.currency },
    card: { M: { scheme: { S: order.card.scheme }, lastFour: { S: order.card.lastFour } } },
    createdAt: { S: order.createdAt },
    status: { S: 'PLACED' },
  };
}

function lineOf(line: OrderItem): AttributeValue {
  return {
    M: {
      sku: { S: line.sku },
      quantity: { N: String(line.quantity) },
      unitPriceCents: { N: String(line.unitPriceCents) },
    },
  };
}

/** The payment speaks for the status as soon as there is one. */
function orderOf(item: Item): Order {
  const card = mapOf(item, 'card');
  return {
    orderId: textOf(item, 'orderId'),
    status: (item['payment']?.M?.['status']?.S ?? 'PLACED') as OrderStatus,
    items: (item['items']?.L ?? []).map((line) => orderItemOf(line.M ?? {})),
    totalCents: numberOf(item, 'totalCents'),
    currency: textOf(item, 'currency'),
    card: { scheme: textOf(card, 'scheme'), lastFour: textOf(card, 'lastFour') },
    createdAt: textOf(item, 'createdAt'),
  };
}

function orderItemOf(line: Item): OrderItem {
  return {
    sku: textOf(line, 'sku'),
    quantity: numberOf(line, 'quantity'),
    unitPriceCents: numberOf(line, 'unitPriceCents'),
  };
}
