import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { onDatabase, type Session } from '../../order-history/database.ts';
import type { NewOrder, Order, OrderItem, OrderStatus, OrderStore } from '../ports.ts';

/** Needs SELECT and INSERT on both tables. */
export function createMysqlOrderStore(pool: Pool): OrderStore {
  return {
    async insert(order) {
      const outcome = await onDatabase(pool, (session) => insertOrder(session, order));
      if (outcome !== 'duplicate') return 'stored';
      const token = await onDatabase(pool, (session) => tokenUnder(session, order.orderId));
      return token === order.token ? 'stored' : 'taken';
    },
    async find(orderId) {
      const found = await onDatabase(pool, (session) => findOrder(session, orderId));
      return found === 'duplicate' ? undefined : found;
    },
  };
}

async function insertOrder({ run, transaction }: Session, order: NewOrder): Promise<void> {
  const { orderId, items } = order;
  await transaction(async () => {
    await run<ResultSetHeader>(
      'INSERT INTO orders (order_id, token, total_cents, currency, card_scheme, card_last_four, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [
        ...[orderId, order.token, order.totalCents, order.currency],
        ...[order.card.scheme, order.card.lastFour, databaseTime(order.createdAt)],
      ],
    );
    if (items.length === 0) return;
    await run<ResultSetHeader>(
      `INSERT INTO order_items (order_id, line, sku, quantity, unit_price_cents) VALUES ${items.map(() => '(?, ?, ?, ?, ?)').join(', ')}`,
      items.flatMap((item, line) => [orderId, line, item.sku, item.quantity, item.unitPriceCents]),
    );
  });
}

async function tokenUnder({ run }: Session, orderId: string): Promise<unknown> {
  const [row] = await run<RowDataPacket[]>('SELECT token FROM orders WHERE order_id = ?', [orderId]);
  return row?.['token'];
}

async function findOrder({ run }: Session, orderId: string): Promise<Order | undefined> {
  const [row] = await run<RowDataPacket[]>(
    'SELECT order_id, total_cents, currency, card_scheme, card_last_four, created_at, payment_status FROM orders WHERE order_id = ?',
    [orderId],
  );
  if (row === undefined) return undefined;
  const lines = await run<RowDataPacket[]>(
    'SELECT sku, quantity, unit_price_cents FROM order_items WHERE order_id = ? ORDER BY line',
    [orderId],
  );
  return orderOf(row, lines);
}

function orderOf(row: RowDataPacket, lines: readonly RowDataPacket[]): Order {
  return {
    orderId: String(row['order_id']),
    status: (row['payment_status'] ?? 'PLACED') as OrderStatus,
    items: lines.map(orderItemOf),
    totalCents: Number(row['total_cents']),
    currency: String(row['currency']),
    card: { scheme: String(row['card_scheme']), lastFour: String(row['card_last_four']) },
    createdAt: isoTime(String(row['created_at'])),
  };
}

function orderItemOf(line: RowDataPacket): OrderItem {
  return {
    sku: String(line['sku']),
    quantity: Number(line['quantity']),
    unitPriceCents: Number(line['unit_price_cents']),
  };
}

/** `2026-05-01T10:00:00.000Z` as DATETIME(3) has it: UTC, whatever zone the server is in. */
function databaseTime(time: string): string {
  return time.replace('T', ' ').replace('Z', '');
}

function isoTime(time: string): string {
  return new Date(`${time.replace(' ', 'T')}Z`).toISOString();
}
