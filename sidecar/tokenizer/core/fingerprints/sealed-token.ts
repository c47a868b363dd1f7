import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { lettersOf } from '../audit/letters.ts';
import { RecordUnopenableError } from '../errors.ts';
import type { IndexKey } from './ports.ts';
import type { VersionKeys } from './version-keys.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals a token for the index: a token may have the last four digits of a card number, which must not
 * stand beside the fingerprint of that number (PCI DSS 4.0 requirement 3.5.1).
 *
 * `nonce(12) || ciphertext || tag(16)`, AES-256-GCM; the row's place, partition and sort key, is authenticated: what one kind or format has cannot be put where another's is. Random nonces are
 * safe for 2^32 rows of one version (NIST SP 800-38D section 8.3).
 */
export function sealToken(
  keys: VersionKeys,
  place: IndexKey,
  token: string,
  randomBytes: (count: number) => Uint8Array,
): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keys.sealing, nonce).setAAD(boundTo(place));
  return Buffer.concat([nonce, cipher.update(token, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** @throws {RecordUnopenableError} */
export function openToken(keys: VersionKeys, place: IndexKey, sealed: Uint8Array): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', keys.sealing, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(boundTo(place))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    const opened = Buffer.concat([
      decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
    return opened.toString('utf8');
  } catch (error) {
    throw new RecordUnopenableError(error);
  }
}

function boundTo({ partition, sortKey }: IndexKey): Uint8Array {
  return Buffer.from(JSON.stringify([partition, sortKey]));
}

/** Begins the sort key of a row that leads to one of the tokens of a value. */
export const ENTRY_PREFIX = 'token#';

/** Equal for equal tokens, so that a row is put once. */
export function entryKey(keys: VersionKeys, token: string): string {
  return ENTRY_PREFIX + referenceOf(keys, token);
}

/** Stands for a token in the index, where it may not be read. */
export function referenceOf(keys: VersionKeys, token: string): string {
  return lettersOf(createHmac('sha256', keys.reference).update(token, 'utf8').digest());
}

/** Begins the sort key of a row that says where the claim of a one-way token is. */
export const PLACE_PREFIX = 'place#';

export function placeKey(format: string): string {
  return PLACE_PREFIX + format;
}

/** Begins the sort key of the one row that says which token a value has. */
export const CLAIM_PREFIX = 'claim#';

export function claimKey(kind: string, format: string): string {
  return `${CLAIM_PREFIX}${kind}#${format}`;
}
