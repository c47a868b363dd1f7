import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { OrderStore } from '../../sample-apps/order/ports.ts';
import type { Claim, Payment, PaymentStore } from '../../sample-apps/paybill/ports.ts';
import { newOrder } from './order-store.contract.ts';

const T0 = new Date('2026-05-01T10:00:00Z');

function claimAt(seconds: number, attemptId: string = randomUUID()): Claim {
  const claimedAt = new Date(T0.getTime() + seconds * 1000);
  return { attemptId, claimedAt, expiresAt: new Date(claimedAt.getTime() + 30_000) };
}

const PAID: Payment = {
  status: 'PAID',
  chargeId: 'ch_1',
  authorization: 'A1B2C3',
  maskedPan: '************1111',
};
const DECLINED: Payment = { ...PAID, status: 'DECLINED', authorization: null };

/** What every {@link PaymentStore} does. Orders are placed through the order app's store of the same table. */
export function paymentStoreContract(
  name: string,
  open: () => { readonly orders: OrderStore; readonly payments: PaymentStore },
): void {
  const place = async (): Promise<string> => {
    const order = newOrder();
    await open().orders.insert(order);
    return order.orderId;
  };
  const statusOf = async (orderId: string): Promise<string | undefined> =>
    (await open().orders.find(orderId))?.status;

  describe(`payment store contract: ${name}`, () => {
    it('finds what there is to pay, with its token and no payment', async () => {
      const { orderId, token, totalCents, currency, ...rest } = newOrder();
      await open().orders.insert({ orderId, token, totalCents, currency, ...rest });
      expect(await open().payments.find(orderId)).toEqual({
        orderId,
        token,
        totalCents,
        currency,
        payment: undefined,
      });
    });

    it('finds nothing, and claims nothing, under an id that was never used', async () => {
      const orderId = randomUUID();
      expect(await open().payments.find(orderId)).toBeUndefined();
      expect(await open().payments.claim(orderId, claimAt(0))).toBe('taken');
      expect(await open().payments.find(orderId)).toBeUndefined();
    });

    it('gives the claim to one attempt of several at once', async () => {
      const orderId = await place();
      const claims = Array.from({ length: 5 }, () => open().payments.claim(orderId, claimAt(0)));
      expect((await Promise.all(claims)).sort()).toEqual(['claimed', 'taken', 'taken', 'taken', 'taken']);
      expect(await statusOf(orderId)).toBe('PAYING');
    });

    it('gives the claim to the same attempt again', async () => {
      const orderId = await place();
      const claim = claimAt(0);
      await open().payments.claim(orderId, claim);
      expect(await open().payments.claim(orderId, claim)).toBe('claimed');
    });

    it('lets a claim be taken over at its expiry and not before', async () => {
      const orderId = await place();
      await open().payments.claim(orderId, claimAt(0));
      expect(await open().payments.claim(orderId, claimAt(29))).toBe('taken');
      expect(await open().payments.claim(orderId, claimAt(30))).toBe('claimed');
    });

    it.each([PAID, DECLINED])('keeps the result of an attempt: $status', async (payment) => {
      const orderId = await place();
      const claim = claimAt(0);
      await open().payments.claim(orderId, claim);
      expect(await open().payments.settle(orderId, claim.attemptId, payment)).toBe('settled');
      expect((await open().payments.find(orderId))?.payment).toEqual(payment);
      expect(await statusOf(orderId)).toBe(payment.status);
    });

    it('takes the same result again', async () => {
      const orderId = await place();
      const claim = claimAt(0);
      await open().payments.claim(orderId, claim);
      await open().payments.settle(orderId, claim.attemptId, PAID);
      expect(await open().payments.settle(orderId, claim.attemptId, PAID)).toBe('settled');
    });

    it('refuses a claim on a settled order, however late', async () => {
      const orderId = await place();
      const claim = claimAt(0);
      await open().payments.claim(orderId, claim);
      await open().payments.settle(orderId, claim.attemptId, PAID);
      expect(await open().payments.claim(orderId, claimAt(86_400))).toBe('taken');
      expect((await open().payments.find(orderId))?.payment).toEqual(PAID);
    });

    it('refuses the result of an attempt that was taken over', async () => {
      const orderId = await place();
      const [slow, fast] = [claimAt(0), claimAt(31)];
      await open().payments.claim(orderId, slow);
      await open().payments.claim(orderId, fast);
      expect(await open().payments.settle(orderId, slow.attemptId, DECLINED)).toBe('lost');
      expect(await open().payments.settle(orderId, fast.attemptId, PAID)).toBe('settled');
      expect((await open().payments.find(orderId))?.payment).toEqual(PAID);
    });

    it('lets another attempt claim at once after a release', async () => {
      const orderId = await place();
      const claim = claimAt(0);
      await open().payments.claim(orderId, claim);
      await open().payments.release(orderId, claim.attemptId);
      expect(await statusOf(orderId)).toBe('PLACED');
      expect(await open().payments.claim(orderId, claimAt(1))).toBe('claimed');
    });

    it('releases neither the claim of another attempt nor a settled payment', async () => {
      const orderId = await place();
      const claim = claimAt(0);
      await open().payments.claim(orderId, claim);
      await open().payments.release(orderId, randomUUID());
      expect(await statusOf(orderId)).toBe('PAYING');
      await open().payments.settle(orderId, claim.attemptId, PAID);
      await open().payments.release(orderId, claim.attemptId);
      expect(await statusOf(orderId)).toBe('PAID');
    });

    it('leaves the order itself as it was', async () => {
      const orderId = await place();
      const before = await open().orders.find(orderId);
      const claim = claimAt(0);
      await open().payments.claim(orderId, claim);
      await open().payments.settle(orderId, claim.attemptId, PAID);
      expect(await open().orders.find(orderId)).toEqual({ ...before, status: 'PAID' });
    });
  });
}
