import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { openToken, sealToken } from '../../../../../sidecar/tokenizer/core/fingerprints/sealed-token.ts';
import { versionKeys } from '../../../../../sidecar/tokenizer/core/fingerprints/version-keys.ts';

const keys = versionKeys(1, Buffer.alloc(32, 7));
const PLACE = { partition: 'shop#1#abc', sortKey: 'claim#deterministic#pan' };

describe('a token that is sealed for the index', () => {
  const sealed = sealToken(keys, PLACE, 'tkn_any', randomBytes);

  it('opens in its place', () => {
    expect(openToken(keys, PLACE, sealed)).toBe('tkn_any');
  });

  it.each([
    ['another partition', { ...PLACE, partition: 'bank#1#abc' }, keys],
    ['another kind and format', { ...PLACE, sortKey: 'claim#one-way#default' }, keys],
    ['another key', PLACE, versionKeys(1, Buffer.alloc(32, 8))],
  ])('refuses to open under %s', (_what, place, others) => {
    expect(() => openToken(others, place, sealed)).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD_UNOPENABLE' }),
    );
  });

  it.each([0, 5, 28])('refuses to open where it was cut to %s bytes', (bytes) => {
    expect(() => openToken(keys, PLACE, sealed.subarray(0, bytes))).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD_UNOPENABLE' }),
    );
  });
});
