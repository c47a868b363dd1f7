import type { ExecuteValues, Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { onDatabase, type Session } from '../../order-history/database.ts';
import type { Claim, PayableOrder, Payment, PaymentStore } from '../ports.ts';

/** Needs SELECT on `orders`, and UPDATE on its columns `payment_*` alone. */
export function createMysqlPaymentStore(pool: Pool): PaymentStore {
  return {
    async find(orderId) {
      const found = await onDatabase(pool, (session) => findOrder(session, orderId));
      return found === 'duplicate' ? undefined : found;
    },
    async claim(orderId, claim) {
      return (await update(pool, CLAIM, claimValues(orderId, claim))) ? 'claimed' : 'taken';
    },
    async settle(orderId, attemptId, payment) {
      const { status, chargeId, authorization, maskedPan } = payment;
      const values = [status, chargeId, authorization, maskedPan, orderId, attemptId];
      return (await update(pool, SETTLE, values)) ? 'settled' : 'lost';
    },
    async release(orderId, attemptId) {
      await update(pool, RELEASE, [orderId, attemptId]);
    },
  };
}

/** One statement each, so that the row's lock makes it atomic. */
const CLAIM = `UPDATE orders SET payment_status = 'PAYING', payment_attempt_id = ?, payment_expires_at_ms = ?
  WHERE order_id = ? AND (payment_status IS NULL
    OR (payment_status = 'PAYING' AND (payment_expires_at_ms <= ? OR payment_attempt_id = ?)))`;

/** Asks for the attempt and not for the status: a write whose answer got lost is written again, and is the same. */
const SETTLE = `UPDATE orders SET payment_status = ?, payment_expires_at_ms = NULL,
    payment_charge_id = ?, payment_authorization = ?, payment_masked_pan = ?
  WHERE order_id = ? AND payment_attempt_id = ?`;

const RELEASE = `UPDATE orders SET payment_status = NULL, payment_attempt_id = NULL, payment_expires_at_ms = NULL
  WHERE order_id = ? AND payment_attempt_id = ? AND payment_status = 'PAYING'`;

function claimValues(orderId: string, { attemptId, claimedAt, expiresAt }: Claim): ExecuteValues[] {
  return [attemptId, expiresAt.getTime(), orderId, claimedAt.getTime(), attemptId];
}

/** Whether there was such a row: the driver has the server count those that were found, changed or not. */
async function update(pool: Pool, sql: string, values: ExecuteValues[]): Promise<boolean> {
  const outcome = await onDatabase(pool, ({ run }) => run<ResultSetHeader>(sql, values));
  return outcome !== 'duplicate' && outcome.affectedRows === 1;
}

async function findOrder({ run }: Session, orderId: string): Promise<PayableOrder | undefined> {
  const [row] = await run<RowDataPacket[]>(
    'SELECT order_id, token, total_cents, currency, payment_status, payment_charge_id, payment_authorization, payment_masked_pan FROM orders WHERE order_id = ?',
    [orderId],
  );
  if (row === undefined) return undefined;
  return {
    orderId: String(row['order_id']),
    token: String(row['token']),
    totalCents: Number(row['total_cents']),
    currency: String(row['currency']),
    payment: paymentOf(row),
  };
}

/** Undefined for a claim. */
function paymentOf(row: RowDataPacket): Payment | undefined {
  const status: unknown = row['payment_status'];
  if (status !== 'PAID' && status !== 'DECLINED') return undefined;
  return {
    status,
    chargeId: String(row['payment_charge_id']),
    authorization: (row['payment_authorization'] ?? null) as string | null,
    maskedPan: String(row['payment_masked_pan']),
  };
}
