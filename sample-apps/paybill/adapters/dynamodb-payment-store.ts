import { GetItemCommand, UpdateItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { mapOf, numberOf, onTable, textOf, type Item, type OrderTable } from '../../customer-order-table.ts';
import type { Claim, PayableOrder, Payment, PaymentStore } from '../ports.ts';

/** IAM: `dynamodb:GetItem`, and `dynamodb:UpdateItem` for the attribute `payment` alone. */
export function createDynamoDbPaymentStore(table: OrderTable): PaymentStore {
  return {
    find: (orderId) => findOrder(table, orderId),
    async claim(orderId, claim) {
      return (await update(table, orderId, claiming(claim))) ? 'claimed' : 'taken';
    },
    async settle(orderId, attemptId, payment) {
      return (await update(table, orderId, settling(attemptId, payment))) ? 'settled' : 'lost';
    },
    async release(orderId, attemptId) {
      await update(table, orderId, releasing(attemptId));
    },
  };
}

/** One conditional write of the `payment` attribute; in its expressions `#p` is the payment, `#s` its status. */
interface PaymentUpdate {
  readonly update: string;
  readonly condition: string;
  readonly values: Item;
}

function claiming(claim: Claim): PaymentUpdate {
  return {
    update: 'SET #p = :claim',
    condition:
      'attribute_exists(orderId) AND (attribute_not_exists(#p) OR ' +
      '(#p.#s = :paying AND (#p.expiresAtMs <= :now OR #p.attemptId = :attempt)))',
    values: {
      ':claim': {
        M: {
          status: { S: 'PAYING' },
          attemptId: { S: claim.attemptId },
          expiresAtMs: { N: String(claim.expiresAt.getTime()) },
        },
      },
      ':paying': { S: 'PAYING' },
      ':now': { N: String(claim.claimedAt.getTime()) },
      ':attempt': { S: claim.attemptId },
    },
  };
}

/** Asks for the attempt and not for the status: a write whose answer got lost is written again, and is the same. */
function settling(attemptId: string, payment: Payment): PaymentUpdate {
  return {
    update: 'SET #p = :payment',
    condition: '#p.attemptId = :attempt',
    values: { ':payment': { M: attributesOf(attemptId, payment) }, ':attempt': { S: attemptId } },
  };
}

function releasing(attemptId: string): PaymentUpdate {
  return {
    update: 'REMOVE #p',
    condition: '#p.attemptId = :attempt AND #p.#s = :paying',
    values: { ':attempt': { S: attemptId }, ':paying': { S: 'PAYING' } },
  };
}

/** Whether the condition held. */
async function update(table: OrderTable, orderId: string, change: PaymentUpdate): Promise<boolean> {
  const usesStatus = `${change.update} ${change.condition}`.includes('#s');
  const command = new UpdateItemCommand({
    TableName: table.tableName,
    Key: { orderId: { S: orderId } },
    UpdateExpression: change.update,
    ConditionExpression: change.condition,
    ExpressionAttributeNames: { '#p': 'payment', ...(usesStatus ? { '#s': 'status' } : {}) },
    ExpressionAttributeValues: change.values,
  });
  return (await onTable((options) => table.client.send(command, options))) !== 'condition failed';
}

async function findOrder(
  { client, tableName }: OrderTable,
  orderId: string,
): Promise<PayableOrder | undefined> {
  const get = new GetItemCommand({
    TableName: tableName,
    Key: { orderId: { S: orderId } },
    ConsistentRead: true,
    ProjectionExpression: 'orderId, #token, totalCents, currency, payment',
    ExpressionAttributeNames: { '#token': 'token' },
  });
  const found = await onTable((options) => client.send(get, options));
  if (found === 'condition failed' || found.Item === undefined) return undefined;
  return {
    orderId: textOf(found.Item, 'orderId'),
    token: textOf(found.Item, 'token'),
    totalCents: numberOf(found.Item, 'totalCents'),
    currency: textOf(found.Item, 'currency'),
    payment: found.Item['payment'] === undefined ? undefined : settledPayment(mapOf(found.Item, 'payment')),
  };
}

function attributesOf(attemptId: string, payment: Payment): Record<string, AttributeValue> {
  return {
    status: { S: payment.status },
    attemptId: { S: attemptId },
    chargeId: { S: payment.chargeId },
    authorization: payment.authorization === null ? { NULL: true } : { S: payment.authorization },
    maskedPan: { S: payment.maskedPan },
  };
}

/** Undefined for a claim. */
function settledPayment(payment: Item): Payment | undefined {
  const status = textOf(payment, 'status');
  if (status !== 'PAID' && status !== 'DECLINED') return undefined;
  return {
    status,
    chargeId: textOf(payment, 'chargeId'),
    authorization: payment['authorization']?.S ?? null,
    maskedPan: textOf(payment, 'maskedPan'),
  };
}
