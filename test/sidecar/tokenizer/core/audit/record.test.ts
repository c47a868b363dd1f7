import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { lettersOf } from '../../../../../sidecar/tokenizer/core/audit/letters.ts';
import { recordOf } from '../../../../../sidecar/tokenizer/core/audit/record.ts';
import { tokenReference } from '../../../../../sidecar/tokenizer/core/audit/token-reference.ts';
import type { TokenRecord } from '../../../../../sidecar/tokenizer/core/ports.ts';
import { EVENT } from '../../../../support/audit-under-test.ts';

const PAN = '4111111111111111';
const keyed = {
  token: (token: string): string => `reference of ${token.length}`,
  row: ({ token }: TokenRecord): string => `row of ${token.length}`,
};

describe('an audit record', () => {
  it('holds what happened in a fixed order, with a reference in place of the token', () => {
    const record = recordOf(
      {
        policies: ['paybill-plain'],
        fields: [{ form: 'plain', class: 'pan' }],
        token: 'tkn_abc',
        outcome: 'ok',
        purpose: 'payment',
        operation: 'detokenize',
        tenant: 'shop',
        identity: 'paybill.tokenmesh.internal',
        requestId: 'b0a9',
        at: EVENT.at,
      },
      keyed,
    );
    expect(JSON.stringify(record)).toBe(
      '{"at":"2026-03-04T05:06:07.008Z","requestId":"b0a9","identity":"paybill.tokenmesh.internal","tenant":"shop",' +
        '"operation":"detokenize","purpose":"payment","outcome":"ok","token":"reference of 7",' +
        '"fields":[{"class":"pan","form":"plain"}],"policies":["paybill-plain"]}',
    );
  });

  it('tells what the row is from now on, or that there is none', () => {
    const stored = {
      tenant: 'shop',
      token: 'tkn_abc',
      createdAt: EVENT.at,
      expiresAt: new Date('2027-01-01T00:00:00.001Z'),
      revision: 3,
      fields: new Map(),
    };
    expect(recordOf({ ...EVENT, stored }, keyed)).toMatchObject({
      row: 'row of 7',
      version: 3,
      until: '2027-01-01T00:00:00.001Z',
    });
    expect(recordOf({ ...EVENT, stored: 'removed' }, keyed)).toMatchObject({ row: 'none' });
  });

  it('leaves out what is not known', () => {
    expect(Object.keys(recordOf(EVENT, keyed))).toEqual(['at', 'identity', 'tenant', 'operation', 'outcome']);
  });

  it.each([PAN, '4111 1111 1111 1111', '4111-1111-1111-1111', 'order 123456', '٤١١١١١'])(
    'keeps no digit of a purpose or tenant that may hold a card number: %s',
    (text) => {
      const record = recordOf({ ...EVENT, purpose: text, tenant: text }, keyed);
      expect(record.purpose).not.toMatch(/\p{Nd}/u);
      expect(record.tenant).toBe(record.purpose);
    },
  );

  it('keeps a purpose of few digits as it is', () => {
    expect(recordOf({ ...EVENT, purpose: 'chargeback-2026' }, keyed).purpose).toBe('chargeback-2026');
  });
});

describe('a reference to a token', () => {
  const key = createSecretKey(Buffer.alloc(32, 1));

  it('is the same for a token and a key, and another for another of either', () => {
    const own = tokenReference(key, 'tkn_one');
    expect(tokenReference(key, 'tkn_one')).toBe(own);
    expect(tokenReference(key, 'tkn_two')).not.toBe(own);
    expect(tokenReference(createSecretKey(Buffer.alloc(32, 2)), 'tkn_one')).not.toBe(own);
  });

  it('has 256 bits and no digit, so that a search for card numbers never hits it', () => {
    expect(tokenReference(key, PAN)).toMatch(/^[a-p]{64}$/);
    expect(lettersOf(Uint8Array.of(0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef))).toBe('ghijklmnopabcdef');
  });
});
