import type { KeyObject } from 'node:crypto';
import type { Keyed } from './record.ts';
import { rowDigest } from './row-digest.ts';
import { tokenReference } from './token-reference.ts';

/** @param key - Made of the MAC of `REFERENCE_KEY_MESSAGE`. */
export function keyedBy(key: KeyObject): Keyed {
  return { token: (token) => tokenReference(key, token), row: (record) => rowDigest(key, record) };
}
