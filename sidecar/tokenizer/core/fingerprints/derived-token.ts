import { createHmac } from 'node:crypto';
import type { Kept, TokenFormat } from '../formats/format.ts';
import { canonicalValue, type Fingerprinted } from './fingerprint.ts';
import type { VersionKeys } from './version-keys.ts';

/**
 * The token of a value: made of bytes that follow from the value and the key, so that whoever holds the
 * key makes the same one, in another region too.
 *
 * The bytes are HMAC-SHA-256 in counter mode (NIST SP 800-108r1 section 4.1): nothing of the value can
 * be told from them without the key.
 *
 * @param attempt - Another one for the same value, where the first is the token of another value already.
 */
export function derivedToken(
  keys: VersionKeys,
  { kind, format, kept }: { readonly kind: string; readonly format: TokenFormat; readonly kept: Kept },
  { tenant, class: fieldClass, value }: Fingerprinted,
  attempt: number,
): string {
  const label = JSON.stringify([
    kind,
    format.name,
    kept,
    tenant,
    fieldClass,
    canonicalValue(fieldClass, value),
    attempt,
  ]);
  let block = 0;
  let left = Buffer.alloc(0);
  const randomBytes = (count: number): Uint8Array => {
    while (left.length < count) {
      const next = createHmac('sha256', keys.derivation).update(`${block} ${label}`, 'utf8').digest();
      left = Buffer.concat([left, next]);
      block += 1;
    }
    const taken = left.subarray(0, count);
    left = left.subarray(count);
    return taken;
  };
  return format.mint(kept, { randomBytes });
}
