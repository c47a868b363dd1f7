import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDynamoDbOrderStore } from '../../sample-apps/order/adapters/dynamodb-order-store.ts';
import { createDynamoDbPaymentStore } from '../../sample-apps/paybill/adapters/dynamodb-payment-store.ts';
import type { OrderTable } from '../../sample-apps/customer-order-table.ts';
import { newOrder, orderStoreContract } from '../contracts/order-store.contract.ts';
import { paymentStoreContract } from '../contracts/payment-store.contract.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../support/emulated-aws.ts';

let aws: EmulatedAws;
let table: OrderTable;

beforeAll(async () => {
  aws = await startEmulatedAws();
  table = { client: new DynamoDBClient(aws.clientConfig), tableName: 'CustomerOrderTable' };
  await createOrderTable(table);
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  table.client.destroy();
  await aws.stop();
});

async function createOrderTable({ client, tableName }: OrderTable): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'orderId', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'orderId', KeyType: 'HASH' }],
    }),
  );
}

const orders = () => createDynamoDbOrderStore(table);
const payments = () => createDynamoDbPaymentStore(table);

orderStoreContract('DynamoDB', orders);
paymentStoreContract('DynamoDB', () => ({ orders: orders(), payments: payments() }));

describe('order table', () => {
  it('holds of an order what is documented, and of the card the token and its last four', async () => {
    const order = newOrder();
    await orders().insert(order);
    const key = { orderId: { S: order.orderId } };
    const { Item } = await table.client.send(new GetItemCommand({ TableName: table.tableName, Key: key }));
    expect(Object.keys(Item ?? {}).sort()).toEqual([
      'card',
      'createdAt',
      'currency',
      'items',
      'orderId',
      'status',
      'token',
      'totalCents',
    ]);
    expect(Item?.['card']).toEqual({ M: { scheme: { S: 'visa' }, lastFour: { S: '1111' } } });
  });

  it('says that it is not available where there is no such table', async () => {
    const missing = createDynamoDbOrderStore({ ...table, tableName: 'NoSuchTable' });
    await expect(missing.find(newOrder().orderId)).rejects.toMatchObject({ code: 'ERR_ORDERS_UNAVAILABLE' });
    await expect(missing.insert(newOrder())).rejects.toMatchObject({ code: 'ERR_ORDERS_UNAVAILABLE' });
  });

  it('says so within its deadline where nothing answers', async () => {
    const client = new DynamoDBClient({ ...aws.clientConfig, endpoint: 'http://127.0.0.1:9' });
    const away = createDynamoDbPaymentStore({ ...table, client });
    const started = performance.now();
    await expect(away.find(newOrder().orderId)).rejects.toMatchObject({ code: 'ERR_ORDERS_UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(4_000);
    client.destroy();
  });
});
