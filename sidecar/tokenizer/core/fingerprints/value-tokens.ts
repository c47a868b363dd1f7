/**
 * Tokens that follow from their value: `deterministic`, which lead back to it, and `one-way`, which do not.
 *
 * Each step is safe to repeat: a call that was cut off anywhere is finished by the next for the same value.
 *
 * @module
 */

import { TokenmeshError } from '../../../../errors/error.ts';
import { StoreUnavailableError } from '../errors.ts';
import { requireUnarchived } from '../live-record.ts';
import { recordUnder, tokenizedOf, type Accepted } from '../minting.ts';
import type { TokenRecord } from '../ports.ts';
import { openField } from '../record-fields.ts';
import type { NamedField } from '../seal-fields.ts';
import type { Tokenized, VaultParts } from '../vault.ts';
import { claimToken, dropOldClaims, findClaim, moveClaim, type ClaimParts } from './claims.ts';
import { derivedToken } from './derived-token.ts';
import { canonicalValue, partitionOf } from './fingerprint.ts';
import { requireFingerprints } from './searchable.ts';

/** A first token, and others where it is another value's: that happens in small formats alone. */
const ATTEMPTS = 8;

/** @throws {TokenmeshError} `ERR_FORMAT_UNFIT`, `ERR_TOKEN_ARCHIVED`, `ERR_FORMAT_EXHAUSTED` */
export async function tokenizeByValue(parts: VaultParts, accepted: Accepted): Promise<Tokenized> {
  const field = onlyField(accepted);
  const claims = await claimsFor(parts, accepted, field);
  const found = await findClaim(claims);
  const isCurrent = claims.ring.write.every(({ version }) => found?.versions.has(version) === true);
  let token = found?.token ?? derive(claims, accepted, 0);
  if (!isCurrent) token = await claimToken(claims, token);
  if (found !== undefined) await dropOldClaims(claims, token);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const tokenized = await storeOnce(parts, accepted, claims, token, field);
    if (tokenized !== undefined) {
      await claimSince(parts, claims, token);
      return tokenized;
    }
    parts.observer?.tokenTaken(accepted.choice.format.name);
    token = derive(claims, accepted, attempt);
    await moveClaim(claims, token);
  }
  parts.observer?.formatExhausted(accepted.choice.format.name);
  throw exhausted(accepted);
}

/**
 * Claims the token under versions that are written since the claims were made.
 *
 * A call that is slower than a rotation waits stores its record where the indexing has looked already,
 * claimed under the old version alone: once that goes, the value would have a second token.
 *
 * @throws {StoreUnavailableError} where the value has another token by now, which the next call answers.
 */
async function claimSince(parts: VaultParts, claims: ClaimParts, token: string): Promise<void> {
  const ring = await requireFingerprints(parts).keys.ringOf(claims.fingerprinted.tenant);
  const claimed = new Set(claims.ring.write.map(({ version }) => version));
  if (ring.write.every(({ version }) => claimed.has(version))) return;
  if ((await claimToken({ ...claims, ring }, token)) !== token) throw new StoreUnavailableError();
}

async function claimsFor(parts: VaultParts, accepted: Accepted, field: NamedField): Promise<ClaimParts> {
  const { keys, index } = requireFingerprints(parts);
  const { tenant, choice } = accepted;
  return {
    index,
    ring: await keys.ringOf(tenant),
    randomBytes: parts.randomBytes,
    fingerprinted: { tenant, class: field.class, value: field.value },
    kind: choice.kind,
    format: choice.format.name,
  };
}

function derive({ ring, fingerprinted }: ClaimParts, { choice }: Accepted, attempt: number): string {
  const newest = ring.write.at(-1);
  if (newest === undefined) throw new Error('expected a version that is written');
  return derivedToken(newest, choice, fingerprinted, attempt);
}

/** @returns Undefined where the token is another value's. */
async function storeOnce(
  parts: VaultParts,
  accepted: Accepted,
  claims: ClaimParts,
  token: string,
  field: NamedField,
): Promise<Tokenized | undefined> {
  const key = { tenant: accepted.tenant, token };
  const found = await parts.store.find(key);
  const isExpired = found?.expiresAt !== undefined && parts.now() >= found.expiresAt;
  if (found !== undefined && !isExpired) {
    if (!(await isOfValue(parts, found, accepted, field))) return undefined;
    requireUnarchived(found);
    const { policyIds, ...tokenized } = tokenizedOf(found, accepted);
    const { stored: _, ...same } = tokenized;
    return { ...same, policyIds: policyIds ?? [] };
  }
  const record = await recordUnder(
    parts,
    { ...accepted, fields: [sealedField(accepted, claims, field)] },
    token,
  );
  if ((await parts.store.insert(record, parts.now())) === 'stored') return tokenizedOf(record, accepted);
  // Somebody was faster, for this value or for another.
  return await storeOnce(parts, accepted, claims, token, field);
}

/** A one-way record keeps the place of its row in the index, so that the row can go with it, and no value. */
function sealedField(
  { choice }: Accepted,
  { ring, fingerprinted }: ClaimParts,
  field: NamedField,
): NamedField {
  const newest = ring.write.at(-1);
  if (choice.kind !== 'one-way' || newest === undefined) return field;
  return { ...field, written: partitionOf(newest, fingerprinted) };
}

/** A one-way token has so many random bits that no other value has it. */
async function isOfValue(
  { sealer }: VaultParts,
  record: TokenRecord,
  { choice }: Accepted,
  field: NamedField,
): Promise<boolean> {
  if (record.kind !== choice.kind) return false;
  if (choice.kind === 'one-way') return true;
  const [[name, sealed] = []] = record.fields;
  if (name === undefined || sealed === undefined || sealed.class !== field.class) return false;
  const opened = await openField(sealer, record, name, sealed);
  return canonicalValue(field.class, opened) === canonicalValue(field.class, field.value);
}

function onlyField({ fields, choice, subject }: Accepted): NamedField {
  if (subject !== undefined) throw ofOneSubject(choice.kind);
  const [field, ...others] = fields;
  if (field !== undefined && others.length === 0) return field;
  throw new TokenmeshError({
    code: 'ERR_FORMAT_UNFIT',
    message: `the record does not fit the token kind "${choice.kind}": expected exactly one field, got ${fields.length}`,
    remedy: 'send one field, since the token follows from its value; or ask for the kind "random"',
  });
}

/**
 * The token of a value is everybody's who has that value: sealed under the key of the subject who came
 * first, it would be lost to all others with that one's key, and outlive their own.
 */
function ofOneSubject(kind: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_FORMAT_UNFIT',
    message: `the record does not fit the token kind "${kind}": expected no subject, got one`,
    remedy: 'leave the subject out, since others may have the same value; or ask for the kind "random"',
  });
}

function exhausted({ choice }: Accepted): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_FORMAT_EXHAUSTED',
    message: `no token of the format "${choice.format.name}" was free for the value: expected one of ${ATTEMPTS}, got none`,
    remedy: 'ask for a format with more possibilities',
  });
}
