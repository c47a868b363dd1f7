import { TokenmeshError } from '../../../errors/error.ts';
import { StoreUnavailableError } from './errors.ts';
import { isConditional, type FormatName } from './formats/format.ts';
import { TOKEN_FORMATS } from './formats/registry.ts';
import type { TokenRecord } from './ports.ts';
import { putEntries } from './fingerprints/put-entries.ts';
import { tokenizeByValue } from './fingerprints/value-tokens.ts';
import { sealCode, storeCode, type AcceptedCode } from './security-code.ts';
import { sealFields, type NamedField } from './seal-fields.ts';
import type { TokenChoice } from './token-choice.ts';
import { DEFAULT_FORMAT, followsFromValue, RANDOM_KIND } from './token-kind.ts';
import type { Tokenized, VaultParts } from './vault.ts';

/** A first token, and five more where it is taken. */
const MINT_ATTEMPTS = 6;

/** A request that was found permitted and valid, with nothing done yet. */
export interface Accepted {
  readonly tenant: string;
  readonly fields: readonly NamedField[];
  readonly choice: TokenChoice;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly subject?: string;
  readonly reference?: string;
  readonly code?: AcceptedCode;
  /** The policies that permitted it. */
  readonly policyIds: readonly string[];
}

/** Mints the token first: every message is bound to it. */
export async function seal(parts: VaultParts, accepted: Accepted): Promise<TokenRecord> {
  const { format, kept } = accepted.choice;
  return await recordUnder(parts, accepted, format.mint(kept, parts));
}

export async function recordUnder(
  parts: VaultParts,
  accepted: Accepted,
  token: string,
): Promise<TokenRecord> {
  const { tenant, createdAt, expiresAt, subject, choice } = accepted;
  const bound = {
    tenant,
    token,
    ...(choice.kind === 'pointer' ? { revision: 1 } : {}),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(choice.kind === RANDOM_KIND ? {} : { kind: choice.kind }),
    ...(choice.format.name === DEFAULT_FORMAT ? {} : { format: choice.format.name }),
    ...(subject === undefined ? {} : { subject }),
    ...(accepted.reference === undefined ? {} : { reference: accepted.reference }),
  };
  const { code } = accepted;
  return {
    ...bound,
    createdAt,
    fields: await sealFields(parts.sealer, bound, accepted.fields),
    ...(code === undefined ? {} : { code: { field: code.field, expiresAt: code.expiresAt } }),
  };
}

/**
 * Stores a record under the first of a few tokens that is free.
 *
 * @throws {TokenmeshError} `ERR_FORMAT_EXHAUSTED` where none is and the request does not take another format.
 * @throws {StoreUnavailableError}
 */
export async function storeUnderFreeToken(parts: VaultParts, accepted: Accepted): Promise<Tokenized> {
  if (followsFromValue(accepted.choice.kind)) return await tokenizeByValue(parts, accepted);
  const { format, widens } = accepted.choice;
  for (let attempt = 0; attempt < MINT_ATTEMPTS; attempt += 1) {
    const record = await seal(parts, accepted);
    const code = await sealCode(parts, record, accepted.code);
    if ((await stored(parts, accepted, record)) === 'stored') {
      await storeCode(parts, code);
      await putEntries(parts, [{ record, accepted }]);
      return tokenizedOf(record, accepted);
    }
    parts.observer?.tokenTaken(format.name);
  }
  parts.observer?.formatExhausted(format.name);
  if (!widens) throw exhausted(format.name);
  return await storeWidened(parts, accepted);
}

/** A token that no other record can have needs no condition, and its write travels with others. */
async function stored(
  { store }: VaultParts,
  { choice: { format, kept } }: Accepted,
  record: TokenRecord,
): Promise<'stored' | 'taken'> {
  if (isConditional(format, kept)) return await store.insert(record);
  const [outcome] = await store.insertMany([record]);
  if (outcome !== 'stored') throw new StoreUnavailableError();
  return outcome;
}

async function storeWidened(parts: VaultParts, accepted: Accepted): Promise<Tokenized> {
  const choice = { ...accepted.choice, format: TOKEN_FORMATS[DEFAULT_FORMAT], kept: {} };
  const tokenized = await storeUnderFreeToken(parts, { ...accepted, choice });
  return { ...tokenized, format: DEFAULT_FORMAT };
}

function exhausted(format: FormatName): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_FORMAT_EXHAUSTED',
    message: `no token of the format "${format}" was free: expected one in ${MINT_ATTEMPTS} draws, got none`,
    remedy:
      'try again; send "onExhaustion": "widen" to take a token of the format "default" instead, or ask for a format with more possibilities',
  });
}

/** The format is told where another than the default was asked for. */
export function tokenizedOf(record: TokenRecord, { choice, policyIds }: Accepted): Tokenized {
  const { token, createdAt, expiresAt, revision } = record;
  return {
    token,
    createdAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(choice.format.name === DEFAULT_FORMAT ? {} : { format: choice.format.name }),
    ...(revision === undefined ? {} : { version: revision }),
    policyIds,
    stored: record,
  };
}
