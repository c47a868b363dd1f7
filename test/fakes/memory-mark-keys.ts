import { constants, generateKeyPairSync, privateDecrypt, randomUUID, type KeyObject } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { KeyUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';
import type { MarkKeys } from '../../sidecar/tokenizer/core/marks/opening.ts';

/** Private keys of marks in memory, of the size that is the least. */
export class MemoryMarkKeys implements MarkKeys {
  readonly #keys = new Map<string, KeyObject>();
  isDown = false;
  unwrapped = 0;
  /** The most calls that were under way together. */
  mostAtOnce = 0;
  #underWay = 0;

  /** Makes another key, as a rotation does. */
  create(): { keyId: string; publicKey: KeyObject } {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keyId = randomUUID();
    this.#keys.set(keyId, privateKey);
    return { keyId, publicKey };
  }

  async unwrap(keyId: string, wrapped: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.isDown) throw new KeyUnavailableError();
    this.unwrapped += 1;
    this.#underWay += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay);
    await setImmediate();
    this.#underWay -= 1;
    const key = this.#keys.get(keyId);
    if (key === undefined) return undefined;
    try {
      return privateDecrypt(
        { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
        Buffer.from(wrapped),
      );
    } catch {
      return undefined;
    }
  }
}
