import { createHmac, type KeyObject } from 'node:crypto';
import { lettersOf } from './audit/letters.ts';
import type { IdempotencyEntry } from './idempotency-store.ts';

/** The message whose MAC, under the audit's KMS key, is the key of the MACs here: one for all tasks. */
export const IDEMPOTENCY_KEY_MESSAGE = Buffer.from('tokenmesh idempotency: key, version 1');

/** Whose key it is, and for which tenants: the same text from another identity is another key. */
export interface IdempotencyScope {
  readonly identity: string;
  readonly tenants: readonly string[];
  readonly key: string;
}

/** Keyed, since a key may be anything, an order number or a card number too. */
export function idempotencyId(macKey: KeyObject, { identity, tenants, key }: IdempotencyScope): string {
  return macOf(macKey, ['key', identity, [...new Set(tenants)].toSorted(), key]);
}

/**
 * Vouches for what is kept of a call: who may write the table must not be able to have another token
 * handed out in the place of what was kept.
 */
export function keptMac(
  macKey: KeyObject,
  id: string,
  { request, results, expiresAt }: Pick<IdempotencyEntry, 'request' | 'results' | 'expiresAt'>,
): string {
  const kept = results.map((result) =>
    result === null
      ? null
      : [
          result.token,
          result.createdAt.getTime(),
          result.expiresAt?.getTime() ?? null,
          result.format ?? null,
          result.version ?? null,
        ],
  );
  return macOf(macKey, ['kept', id, request, kept, expiresAt.getTime()]);
}

/**
 * Equal for equal requests. Keyed, and never a bare hash: the body holds a card number, which a bare
 * hash would give away to whoever tries them all. Of a security code nothing goes in: the entry lives a
 * day, and nothing of a code may live more than an hour.
 */
export function requestMac(macKey: KeyObject, route: string, body: unknown): string {
  return macOf(macKey, ['request', route, inOrder(body)]);
}

function macOf(macKey: KeyObject, parts: readonly unknown[]): string {
  return lettersOf(createHmac('sha256', macKey).update(JSON.stringify(parts)).digest());
}

/** The same value whatever the order in which its members were written. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const isCode = 'class' in value && value.class === 'cvv';
  const members = Object.entries(value)
    .filter(([name]) => !(isCode && name === 'value'))
    .map(([name, member]) => [name, inOrder(member)] as const);
  return { members: members.toSorted(([one], [other]) => (one < other ? -1 : Number(one > other))) };
}
