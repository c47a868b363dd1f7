import { describe, expect, it } from '@jest/globals';
import { fromItem, itemKey, toItem, type Item } from '../../../../sidecar/tokenizer/adapters/record-item.ts';
import { sampleRecord } from '../../../contracts/token-store.contract.ts';

const record = sampleRecord({ expiresAt: new Date('2030-01-01T00:00:00.001Z') });

function without(item: Item, name: string): Item {
  return Object.fromEntries(Object.entries(item).filter(([key]) => key !== name));
}

describe('a record as an item', () => {
  it('reads back as it was', () => {
    expect(fromItem(record, toItem(record))).toEqual(record);
  });

  it('has no expiry where the record has none', () => {
    const { expiresAt: _, ...lasting } = record;
    const item = toItem(lasting);
    expect([item['expiresAt'], item['expiresAtMs']]).toEqual([undefined, undefined]);
    expect(fromItem(lasting, item)).toEqual(lasting);
  });

  it.each(['version', 'createdAt', 'fields', 'expiresAtMs'])('refuses one without its %s', (name) => {
    expect(() => fromItem(record, without(toItem(record), name))).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD_UNOPENABLE' }),
    );
  });

  it.each<[string, Item]>([
    ['of another version', { version: { N: '2' } }],
    ['without fields', { fields: { M: {} } }],
    ['with a field of no class', { fields: { M: { card: { M: { message: { B: Uint8Array.of(1) } } } } } }],
    [
      'with a field of an unknown class',
      { fields: { M: { card: { M: { class: { S: 'cvc' }, message: { B: Uint8Array.of(1) } } } } } },
    ],
    ['with a field of no message', { fields: { M: { card: { M: { class: { S: 'pan' } } } } } }],
    ['with an expiry that is no number', { expiresAtMs: { N: 'soon' } }],
    ['of an unknown kind', { kind: { S: 'eternal' } }],
    ['of a kind that is no text', { kind: { N: '1' } }],
    ['of an unknown format', { format: { S: 'iban' } }],
    ['of a pointer without a revision', { kind: { S: 'pointer' } }],
    ['with a revision that is no number', { kind: { S: 'pointer' }, revision: { N: 'x' } }],
    ['with a time of archiving that is no number', { archivedAtMs: { N: 'x' } }],
    ['with a security code that has no expiry', { code: { M: { field: { S: 'code' } } } }],
    ['of a subject that is no name of a key', { subject: { S: 'a/b' } }],
    ['with a revision and no pointer', { revision: { N: '1' } }],
    ['that was consumed, with its fields', { kind: { S: 'one-time' }, consumedAtMs: { N: '1' } }],
  ])('refuses one %s', (_, change) => {
    expect(() => fromItem(record, { ...toItem(record), ...change })).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD_UNOPENABLE' }),
    );
  });

  it('reads back as a tombstone, which has no fields', () => {
    const { expiresAt } = record;
    const tombstone = { ...record, kind: 'one-time', consumedAt: expiresAt, fields: new Map() } as const;
    expect(fromItem(record, toItem(tombstone))).toEqual(tombstone);
  });

  it('has no attribute for the kind, the format or the revision that go without saying', () => {
    expect(Object.keys(toItem(record))).toEqual([
      'pk',
      'sk',
      'version',
      'createdAt',
      'expiresAt',
      'expiresAtMs',
      'sweepBucket',
      'fields',
    ]);
  });

  it('is under a key that no other tenant has', () => {
    expect(itemKey({ tenant: 'shop', token: 'tkn_x' })).toEqual({
      pk: { S: 'shop#tkn_x' },
      sk: { S: 'record' },
    });
  });
});
