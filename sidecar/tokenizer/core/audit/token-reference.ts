import { createHmac, type KeyObject } from 'node:crypto';
import { lettersOf } from './letters.ts';

/** The message whose MAC, under the audit's KMS key, is the key of references: one for all writers. */
export const REFERENCE_KEY_MESSAGE = Buffer.from('tokenmesh audit: key of token references, version 1');

/**
 * What the audit says in place of a token: equal for equal tokens, and of no use without the key.
 *
 * Keyed, although a random token has 128 bits that nobody can guess: a token of a short format could
 * be found from a bare hash by trying them all, and so could a card number that was sent as a token.
 */
export function tokenReference(key: KeyObject, token: string): string {
  return lettersOf(createHmac('sha256', key).update(token, 'utf8').digest());
}
