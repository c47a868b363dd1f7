import { createSecretKey } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Charges, isExpired, type ChargeRequest } from '../../../local/processor/charges.ts';
import { TEST_CARDS, testCard } from '../../../sample-apps/test-cards.ts';

const NOW = new Date('2026-05-01T10:00:00Z');
const PAN = testCard('visa', 16).number;

function request(changes: Partial<ChargeRequest> = {}, number: string = PAN): ChargeRequest {
  const card = { number, expiry: '12/39', holder: 'Ada Example' };
  return { card, amountCents: 2599, currency: 'EUR', ...changes };
}

let charges: Charges;

beforeEach(() => {
  let made = 0;
  charges = new Charges({
    fingerprintKey: createSecretKey(Buffer.alloc(32, 7)),
    newId: () => `ch_${++made}`,
    newAuthorization: () => 'A1B2C3',
    keptCharges: 3,
  });
});

describe('charges', () => {
  it('are approved, and show the card masked', () => {
    expect(charges.make('key', request(), NOW)).toEqual({
      outcome: 'made',
      charge: {
        id: 'ch_1',
        status: 'approved',
        authorization: 'A1B2C3',
        card: { scheme: 'visa', masked: `************${PAN.slice(-4)}` },
        amountCents: 2599,
        currency: 'EUR',
        createdAt: '2026-05-01T10:00:00.000Z',
      },
    });
  });

  it.each([
    ['the amount ends in 13', request({ amountCents: 2513 })],
    ['the card has expired', request({ card: { number: PAN, expiry: '04/26', holder: 'A' } })],
  ])('are declined where %s', (_why, declined) => {
    expect(charges.make('key', declined, NOW)).toMatchObject({
      charge: { status: 'declined', authorization: null },
    });
  });

  it('are found again under their key', () => {
    const first = charges.make('key', request(), NOW);
    const again = charges.make('key', request(), new Date(NOW.getTime() + 1000));
    expect(first).toMatchObject({ outcome: 'made' });
    expect(again).toEqual({ ...Object(first), outcome: 'replayed' });
    expect(charges.list()).toHaveLength(1);
  });

  it.each([
    ['amount', request({ amountCents: 2600 })],
    ['currency', request({ currency: 'USD' })],
    ['card', request({}, testCard('visa', 19).number)],
  ])('refuse another %s under the same key', (_what, other) => {
    charges.make('key', request(), NOW);
    expect(charges.make('key', other, NOW)).toBe('conflict');
    expect(charges.list()).toHaveLength(1);
  });

  it('are listed in the order in which they were made', () => {
    charges.make('b', request(), NOW);
    charges.make('a', request(), NOW);
    expect(charges.list().map(({ id }) => id)).toEqual(['ch_1', 'ch_2']);
  });

  it.each(TEST_CARDS)('show no more of a card than its last four: $scheme', ({ number }) => {
    charges.make('key', request({}, number), NOW);
    const shown = JSON.stringify(charges.list());
    expect(shown).toContain(`*${number.slice(-4)}`);
    expect(shown).not.toContain(number.slice(0, 6));
    expect(shown).not.toContain(number.slice(-5));
  });

  it('forget the oldest beyond what is kept', () => {
    for (const key of ['a', 'b', 'c', 'd']) charges.make(key, request(), NOW);
    expect(charges.list().map(({ id }) => id)).toEqual(['ch_2', 'ch_3', 'ch_4']);
  });
});

describe('a card', () => {
  it.each([
    ['05/26', '2026-05-31T23:59:59.999Z', false],
    ['05/26', '2026-06-01T00:00:00.000Z', true],
    ['12/26', '2026-12-31T23:59:59.999Z', false],
    ['12/26', '2027-01-01T00:00:00.000Z', true],
  ])('of %s at %s is expired: %s', (expiry, now, expected) => {
    expect(isExpired(expiry, new Date(now))).toBe(expected);
  });
});
