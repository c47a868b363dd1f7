/** What the order app needs of the outside, in its own words. */

import type { Tokenizer } from '../../sidecar/tokenizer/client/tokenizer.ts';

export interface OrderItem {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPriceCents: number;
}

/** What an order shows of its card. */
export interface ShownCard {
  readonly scheme: string;
  readonly lastFour: string;
}

/** An order as it is written: the card is in the vault, the token stands for it. */
export interface NewOrder {
  readonly orderId: string;
  readonly token: string;
  readonly items: readonly OrderItem[];
  /** In the currency's minor unit: cents, or yen. */
  readonly totalCents: number;
  readonly currency: string;
  readonly card: ShownCard;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

export type OrderStatus = 'PLACED' | 'PAYING' | 'PAID' | 'DECLINED';

/** An order as it is read: nobody who reads an order here needs its token. */
export interface Order extends Omit<NewOrder, 'token'> {
  readonly status: OrderStatus;
}

export interface OrderStore {
  /**
   * Stores `order` under its id, unless the id is taken.
   *
   * The same order once more is `"stored"` again, since an answer may get lost.
   * `"taken"` must change nothing.
   *
   * @throws {RetryLaterError} when no answer came within the deadline. The order may be stored.
   */
  insert(order: NewOrder): Promise<'stored' | 'taken'>;

  /**
   * Reads what was last written, never something older.
   *
   * @throws {RetryLaterError} when no answer came within the deadline.
   */
  find(orderId: string): Promise<Order | undefined>;
}

/** The part of the tokenizer that takes cards in: it cannot bring them back. */
export type CardTokenizer = Pick<Tokenizer, 'tokenize' | 'delete'>;
