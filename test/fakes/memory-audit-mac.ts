import { createHmac, randomBytes } from 'node:crypto';
import type { AuditMac } from '../../sidecar/tokenizer/core/audit/ports.ts';
import { AuditUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';

/** MACs under a key in memory, which can be told that it is not to be had. */
export class MemoryAuditMac implements AuditMac {
  readonly #key = randomBytes(32);
  isDown = false;
  /** MACs made so far. */
  made = 0;

  async macOf(message: Uint8Array): Promise<Uint8Array> {
    if (this.isDown) throw new AuditUnavailableError();
    this.made += 1;
    return this.#macOf(message);
  }

  async isMacOf(message: Uint8Array, mac: Uint8Array): Promise<boolean> {
    if (this.isDown) throw new AuditUnavailableError();
    return this.#macOf(message).equals(mac);
  }

  #macOf(message: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(message).digest();
  }
}
