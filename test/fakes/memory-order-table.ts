import { RetryLaterError } from '../../sample-apps/retry-later.ts';
import type { NewOrder, Order, OrderStore } from '../../sample-apps/order/ports.ts';
import type { Claim, PayableOrder, Payment, PaymentStore } from '../../sample-apps/paybill/ports.ts';

type PaymentAttribute =
  | { readonly status: 'PAYING'; readonly attemptId: string; readonly expiresAtMs: number }
  | (Payment & { readonly attemptId: string });

interface Row {
  readonly order: NewOrder;
  payment?: PaymentAttribute;
}

/** The table of the orders, in memory: both apps' stores look at the same rows. */
export class MemoryOrderTable {
  readonly #rows = new Map<string, Row>();
  readonly #failing = new Set<string>();

  /** Everything that is stored, for a search. */
  dump(): string {
    return JSON.stringify([...this.#rows.values()]);
  }

  /** Makes one operation answer like a table that is down, until it is repaired. */
  break(operation: string): void {
    this.#failing.add(operation);
  }

  repair(): void {
    this.#failing.clear();
  }

  readonly orders: OrderStore = {
    insert: async (order) => {
      this.#reach('insert');
      const found = this.#rows.get(order.orderId);
      if (found !== undefined) return found.order.token === order.token ? 'stored' : 'taken';
      this.#rows.set(order.orderId, { order: structuredClone(order) });
      return 'stored';
    },
    find: async (orderId) => {
      this.#reach('find');
      const row = this.#rows.get(orderId);
      return row === undefined ? undefined : shownOrder(row);
    },
  };

  readonly payments: PaymentStore = {
    find: async (orderId) => {
      this.#reach('find');
      const row = this.#rows.get(orderId);
      return row === undefined ? undefined : payableOrder(row);
    },
    claim: async (orderId, claim) => {
      this.#reach('claim');
      const row = this.#rows.get(orderId);
      if (row === undefined || !isFree(row.payment, claim)) return 'taken';
      row.payment = {
        status: 'PAYING',
        attemptId: claim.attemptId,
        expiresAtMs: claim.expiresAt.getTime(),
      };
      return 'claimed';
    },
    settle: async (orderId, attemptId, payment) => {
      this.#reach('settle');
      const row = this.#rows.get(orderId);
      if (row?.payment?.attemptId !== attemptId) return 'lost';
      row.payment = { ...payment, attemptId };
      return 'settled';
    },
    release: async (orderId, attemptId) => {
      this.#reach('release');
      const row = this.#rows.get(orderId);
      if (row?.payment?.status === 'PAYING' && row.payment.attemptId === attemptId) delete row.payment;
    },
  };

  #reach(operation: string): void {
    if (!this.#failing.has(operation)) return;
    throw new RetryLaterError({
      code: 'ERR_ORDERS_UNAVAILABLE',
      message: `the order table did not answer: expected an answer to ${operation}, got none`,
      remedy: 'repair the fake',
    });
  }
}

function isFree(payment: PaymentAttribute | undefined, claim: Claim): boolean {
  if (payment === undefined) return true;
  if (payment.status !== 'PAYING') return false;
  return payment.attemptId === claim.attemptId || payment.expiresAtMs <= claim.claimedAt.getTime();
}

function shownOrder({ order, payment }: Row): Order {
  const { token: _token, ...shown } = structuredClone(order);
  return { ...shown, status: payment?.status ?? 'PLACED' };
}

function payableOrder({ order, payment }: Row): PayableOrder {
  const { orderId, token, totalCents, currency } = order;
  return { orderId, token, totalCents, currency, payment: settled(payment) };
}

function settled(payment: PaymentAttribute | undefined): Payment | undefined {
  if (payment === undefined || payment.status === 'PAYING') return undefined;
  const { attemptId: _attemptId, ...result } = payment;
  return result;
}
