import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionContext } from '../../sidecar/tokenizer/core/encryption-context.ts';
import { KeyUnavailableError, RecordUnopenableError } from '../../sidecar/tokenizer/core/errors.ts';
import type { FieldSealer } from '../../sidecar/tokenizer/core/ports.ts';

/** A sealer with one key for each tenant it is made for, which can be told that keys are not to be had. */
export class MemoryFieldSealer implements FieldSealer {
  readonly #keys: ReadonlyMap<string, Buffer>;
  isDown = false;
  /** Messages opened so far. */
  opened = 0;

  constructor(tenants: readonly string[]) {
    this.#keys = new Map(tenants.map((tenant) => [tenant, randomBytes(32)]));
  }

  async seal(plaintext: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(context), nonce).setAAD(boundTo(context));
    return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  async open(message: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    const key = this.#keyOf(context);
    this.opened += 1;
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, message.subarray(0, 12))
        .setAAD(boundTo(context))
        .setAuthTag(message.subarray(-16));
      return Buffer.concat([decipher.update(message.subarray(12, -16)), decipher.final()]);
    } catch (error) {
      throw new RecordUnopenableError(error);
    }
  }

  #keyOf({ tenant }: EncryptionContext): Buffer {
    const key = this.#keys.get(tenant);
    if (this.isDown || key === undefined) throw new KeyUnavailableError();
    return key;
  }
}

function boundTo(context: EncryptionContext): Buffer {
  const entries = Object.entries(context).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.from(JSON.stringify(entries));
}
