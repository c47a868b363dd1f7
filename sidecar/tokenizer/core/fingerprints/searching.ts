import { requireClasses, requireOperation, tenantOf } from '../access.ts';
import { checkValues, parseFieldClass } from '../field-class.ts';
import { foundOrThrow } from '../items.ts';
import type { TokenRecord } from '../ports.ts';
import { isToken } from '../token.ts';
import type { Caller, TokenQuery, TokenValidity, ValueQuery, Vault, VaultParts } from '../vault.ts';
import { partitionOf, type Fingerprinted } from './fingerprint.ts';
import { requireFingerprints } from './searchable.ts';
import { CLAIM_PREFIX, ENTRY_PREFIX, openToken } from './sealed-token.ts';

/** Tokens of one value that an answer may have. */
export const MAX_FOUND = 1_000;

/** What is asked about values and tokens without revealing any, each with a right of its own. */
export function createSearching(parts: VaultParts): Pick<Vault, 'search' | 'isTokenized' | 'isValid'> {
  return {
    async search(caller, query) {
      const { fingerprinted, policyIds } = accept(parts, caller, query, 'search');
      const tokens = await tokensOf(parts, fingerprinted, MAX_FOUND);
      return { tokens: tokens.slice(0, MAX_FOUND), isWhole: tokens.length <= MAX_FOUND, policyIds };
    },
    async isTokenized(caller, query) {
      const { fingerprinted, policyIds } = accept(parts, caller, query, 'check-value');
      return { isTokenized: (await tokensOf(parts, fingerprinted, 1)).length > 0, policyIds };
    },
    isValid: (caller, query) => isValid(parts, caller, query),
  };
}

function accept(
  parts: VaultParts,
  caller: Caller,
  { class: name, value, tenant: wanted }: ValueQuery,
  operation: 'search' | 'check-value',
): { readonly fingerprinted: Fingerprinted; readonly policyIds: readonly string[] } {
  const tenant = tenantOf(caller, wanted);
  requireOperation(parts.policy, caller, operation, tenant);
  const fieldClass = parseFieldClass('value', name);
  const policyIds = requireClasses(parts.policy, caller, operation, tenant, [fieldClass]);
  checkValues([{ field: 'value', class: fieldClass, value }]);
  return { fingerprinted: { tenant, class: fieldClass, value }, policyIds };
}

/**
 * The tokens in use that a value has, under every version of the key that is read.
 *
 * A row counts for nothing without a record that is in use: it is put after its record and removed
 * after it, and what expires goes from the two tables at different times.
 *
 * @returns One more than `limit` at most.
 */
async function tokensOf(parts: VaultParts, fingerprinted: Fingerprinted, limit: number): Promise<string[]> {
  const { keys, index } = requireFingerprints(parts);
  const { read } = await keys.ringOf(fingerprinted.tenant);
  const named = new Set<string>();
  for (const version of read) {
    const partition = partitionOf(version, fingerprinted);
    for (const prefix of [CLAIM_PREFIX, ENTRY_PREFIX]) {
      const rows = await index.list(partition, prefix, MAX_FOUND + 1);
      for (const row of rows) named.add(openToken(version, partition, row.sealedToken));
    }
  }
  const { tenant } = fingerprinted;
  const outcomes = await parts.store.findMany([...named].map((token) => ({ tenant, token })));
  const inUse = outcomes.map(foundOrThrow).filter((record) => isInUse(parts, record));
  return inUse.slice(0, limit + 1).flatMap((record) => record?.token ?? []);
}

function isInUse({ now }: VaultParts, record: TokenRecord | undefined): boolean {
  if (record === undefined || record.consumedAt !== undefined || record.archivedAt !== undefined)
    return false;
  return record.expiresAt === undefined || now() < record.expiresAt;
}

/** Everything but a token that is in use is one answer: what it was, or whose it is, is not told. */
async function isValid(parts: VaultParts, caller: Caller, query: TokenQuery): Promise<TokenValidity> {
  const tenant = tenantOf(caller, query.tenant);
  requireOperation(parts.policy, caller, 'check-token', tenant);
  if (isToken(query.token) === undefined) return { isValid: false };
  const record = await parts.store.find({ tenant, token: query.token });
  return { isValid: isInUse(parts, record) };
}
