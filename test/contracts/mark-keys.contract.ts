import { constants, publicEncrypt, type KeyObject } from 'node:crypto';
import { expect, it } from '@jest/globals';
import type { MarkKeys } from '../../sidecar/tokenizer/core/marks/opening.ts';

export interface MarkKeysUnderTest {
  readonly keys: MarkKeys;
  /** Two keys that are in use at once. */
  readonly known: readonly [PublicKey, PublicKey];
  /** One that the service was not given. */
  readonly other: PublicKey;
  /** Runs with no answer to be had. */
  readonly down: <Result>(run: () => Promise<Result>) => Promise<Result>;
}

export interface PublicKey {
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

function wrap({ publicKey: key }: PublicKey, text: string, oaepHash = 'sha256'): Buffer {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, Buffer.from(text));
}

/** What every {@link MarkKeys} promises. */
export function markKeysContract(of: () => MarkKeysUnderTest): void {
  it('unwraps under each of the keys that it was given', async () => {
    for (const key of of().known) {
      const bytes = await of().keys.unwrap(key.keyId, wrap(key, 'a value'));
      expect(Buffer.from(bytes ?? []).toString()).toBe('a value');
    }
  });

  it('unwraps nothing under another key, under another hash, or that is no wrapping at all', async () => {
    const { keys, known, other } = of();
    const [first, second] = known;
    expect(await keys.unwrap(other.keyId, wrap(other, 'a value'))).toBeUndefined();
    expect(await keys.unwrap(first.keyId, wrap(second, 'a value'))).toBeUndefined();
    expect(await keys.unwrap(first.keyId, wrap(first, 'a value', 'sha1'))).toBeUndefined();
    expect(await keys.unwrap(first.keyId, Buffer.alloc(256, 1))).toBeUndefined();
    expect(await keys.unwrap(first.keyId, Buffer.alloc(4_000))).toBeUndefined();
    expect(await keys.unwrap(first.keyId, Buffer.alloc(0))).toBeUndefined();
  });

  it('says so when no answer is to be had', async () => {
    const { keys, known, down } = of();
    const wrapped = wrap(known[0], 'a value');
    await expect(down(async () => await keys.unwrap(known[0].keyId, wrapped))).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
    });
  });
}
