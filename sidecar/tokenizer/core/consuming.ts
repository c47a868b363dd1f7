import { consumedToken } from './live-record.ts';
import type { TokenRecord } from './ports.ts';
import type { VaultParts } from './vault.ts';

/** How long it is remembered that a one-time token was used; afterwards it is as unknown as any other text. */
const TOMBSTONE_MS = 24 * 60 * 60 * 1000;

/**
 * Uses a one-time token up. Whoever reveals has to come through here first, and last before the answer:
 * a value that could not be opened does not cost the token.
 *
 * A partial or a masked reveal uses it up as well: a token is read once, not once for each field.
 *
 * @returns The tombstone that is left.
 * @throws {TokenmeshError} `ERR_TOKEN_CONSUMED` for all callers but one.
 * @throws {StoreUnavailableError} when no answer came. The token may be used up then, and nobody has seen
 *   the value: at most once, and not exactly once.
 */
export async function consume({ store, now }: VaultParts, record: TokenRecord): Promise<TokenRecord> {
  const consumedAt = now();
  const tombstone = {
    ...record,
    fields: new Map(),
    consumedAt,
    expiresAt: new Date(consumedAt.getTime() + TOMBSTONE_MS),
  };
  if ((await store.consume(tombstone)) === 'gone') throw consumedToken();
  return tombstone;
}
