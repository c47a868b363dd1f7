import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { NewOrder, OrderStore } from '../../sample-apps/order/ports.ts';

/** An order of its own for each test, so that real tables need no cleaning. */
export function newOrder(changes: Partial<NewOrder> = {}): NewOrder {
  return {
    orderId: randomUUID(),
    token: `tkn_${randomUUID()}`,
    items: [
      { sku: 'lamp-oil', quantity: 2, unitPriceCents: 1250 },
      { sku: 'wick', quantity: 1, unitPriceCents: 99 },
    ],
    totalCents: 2599,
    currency: 'EUR',
    card: { scheme: 'visa', lastFour: '1111' },
    createdAt: '2026-05-01T10:00:00.000Z',
    ...changes,
  };
}

/** What every {@link OrderStore} does, the fake like the real one. */
export function orderStoreContract(name: string, open: () => OrderStore): void {
  describe(`order store contract: ${name}`, () => {
    it('finds an order as it was inserted, placed and without its token', async () => {
      const order = newOrder();
      expect(await open().insert(order)).toBe('stored');
      const { token: _token, ...shown } = order;
      expect(await open().find(order.orderId)).toEqual({ ...shown, status: 'PLACED' });
    });

    it('finds nothing under an id that was never used', async () => {
      expect(await open().find(randomUUID())).toBeUndefined();
    });

    it('takes the same order again', async () => {
      const order = newOrder();
      await open().insert(order);
      expect(await open().insert(order)).toBe('stored');
    });

    it('refuses another order under a taken id, and keeps the first', async () => {
      const first = newOrder();
      await open().insert(first);
      expect(await open().insert(newOrder({ orderId: first.orderId, totalCents: 1 }))).toBe('taken');
      expect((await open().find(first.orderId))?.totalCents).toBe(first.totalCents);
    });

    it('stores one of two different orders that come at once under one id', async () => {
      const first = newOrder();
      const second = newOrder({ orderId: first.orderId });
      const outcomes = await Promise.all([open().insert(first), open().insert(second)]);
      expect(outcomes.sort()).toEqual(['stored', 'taken']);
    });
  });
}
