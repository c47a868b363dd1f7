import { decide, idsOf, requireClasses, requireOperation, tenantOf, traitsOf } from '../access.ts';
import { RecordUnopenableError, SubjectShreddedError } from '../errors.ts';
import { checkValues, parseFieldClass } from '../field-class.ts';
import { inParallel } from '../in-parallel.ts';
import { foundOrThrow } from '../items.ts';
import type { TokenRecord } from '../ports.ts';
import { classesOf } from '../record-fields.ts';
import { isToken } from '../token.ts';
import { DEFAULT_FORMAT } from '../token-kind.ts';
import type {
  Caller,
  TokenQuery,
  TokenValidity,
  ValueQuery,
  ValueTokens,
  Vault,
  VaultParts,
} from '../vault.ts';
import { canonicalValue, partitionOf, type Fingerprinted } from './fingerprint.ts';
import { openIndexed, requireFingerprints } from './searchable.ts';
import { CLAIM_PREFIX, ENTRY_PREFIX, openToken } from './sealed-token.ts';

/** Tokens of one value that an answer may have. */
export const MAX_FOUND = 1_000;

const OPEN_WIDTH = 8;

/** What is asked about values and tokens without revealing any, each with a right of its own. */
export function createSearching(parts: VaultParts): Pick<Vault, 'search' | 'isTokenized' | 'isValid'> {
  return {
    async search(caller, query) {
      const { fingerprinted, policyIds } = accept(parts, caller, query, 'search');
      return { ...(await tokensOf(parts, fingerprinted, MAX_FOUND)), policyIds };
    },
    async isTokenized(caller, query) {
      const { fingerprinted, policyIds } = accept(parts, caller, query, 'check-value');
      return { isTokenized: (await tokensOf(parts, fingerprinted, 1)).tokens.length > 0, policyIds };
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
 * @returns `limit` at most; not whole where there are more, or may be, since not all rows were looked at.
 */
async function tokensOf(
  parts: VaultParts,
  fingerprinted: Fingerprinted,
  limit: number,
): Promise<Pick<ValueTokens, 'tokens' | 'isWhole'>> {
  const { keys, index } = requireFingerprints(parts);
  const { read } = await keys.ringOf(fingerprinted.tenant);
  const named = new Set<string>();
  let isCut = false;
  for (const version of read) {
    const partition = partitionOf(version, fingerprinted);
    for (const prefix of [CLAIM_PREFIX, ENTRY_PREFIX]) {
      const rows = await index.list(partition, prefix, MAX_FOUND + 1);
      isCut ||= rows.length > MAX_FOUND;
      for (const row of rows) named.add(openToken(version, row, row.sealedToken));
    }
  }
  const { tenant } = fingerprinted;
  const outcomes = await parts.store.findMany([...named].map((token) => ({ tenant, token })));
  const inUse = outcomes.map(foundOrThrow).filter((record) => isInUse(parts, record));
  const own = await inParallel(inUse, OPEN_WIDTH, async (record) =>
    record !== undefined && (await isOfValue(parts, record, fingerprinted)) ? [record.token] : [],
  );
  const tokens = own.flat();
  return { tokens: tokens.slice(0, limit), isWhole: !isCut && tokens.length <= limit };
}

/** These have so many random bits that no token of them is ever that of another value. */
const NEVER_TAKEN_AGAIN: readonly string[] = ['default', 'uuid', 'region'];

/**
 * A token of a small format may be another value's by the time that the rows of the first are removed:
 * what expires goes from the index within days, and its token is free at once.
 */
async function isOfValue(
  parts: VaultParts,
  record: TokenRecord,
  { class: fieldClass, value }: Fingerprinted,
): Promise<boolean> {
  if (record.kind === 'one-way' || NEVER_TAKEN_AGAIN.includes(record.format ?? DEFAULT_FORMAT)) return true;
  const canonical = canonicalValue(fieldClass, value);
  try {
    const opened = await openIndexed(parts, record);
    return opened.some(
      (field) => field.class === fieldClass && canonicalValue(fieldClass, field.value) === canonical,
    );
  } catch (error) {
    if (error instanceof RecordUnopenableError || error instanceof SubjectShreddedError) return false;
    throw error;
  }
}

function isInUse({ now }: VaultParts, record: TokenRecord | undefined): boolean {
  if (record === undefined || record.consumedAt !== undefined || record.archivedAt !== undefined)
    return false;
  return record.expiresAt === undefined || now() < record.expiresAt;
}

/**
 * Everything but a token that is in use, of classes that the caller may ask for, is one answer: what it
 * was, or whose it is, is not told.
 */
async function isValid(parts: VaultParts, caller: Caller, query: TokenQuery): Promise<TokenValidity> {
  const tenant = tenantOf(caller, query.tenant);
  requireOperation(parts.policy, caller, 'check-token', tenant);
  if (isToken(query.token) === undefined) return { isValid: false };
  const record = await parts.store.find({ tenant, token: query.token });
  if (record === undefined || !isInUse(parts, record)) return { isValid: false };
  const decisions = classesOf(record).map((fieldClass) =>
    decide(parts.policy, caller, {
      ...traitsOf(record),
      operation: 'check-token',
      tenant,
      class: fieldClass,
    }),
  );
  return { isValid: decisions.every(({ permitted }) => permitted), policyIds: idsOf(decisions) };
}
