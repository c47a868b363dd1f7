/**
 * A vault whose every answer waits for its audit record.
 *
 * The vault decides and opens; then the record is made durable; then the caller is answered. Where
 * that fails the caller gets `ERR_AUDIT_UNAVAILABLE`, and neither value nor token.
 *
 * @module
 */

import { TokenmeshError } from '../../../../errors/error.ts';
import { isOutage, PolicyDeniedError } from '../errors.ts';
import { FIELD_CLASS_NAMES, type FieldClass } from '../field-class.ts';
import { isToken } from '../token.ts';
import type {
  Caller,
  DetokenizeRequest,
  Effects,
  ItemResult,
  Revealed,
  TokenDescription,
  Tokenized,
  TokenizeRequest,
  TokenQuery,
  UpsertRequest,
  Upserted,
  ValueQuery,
  Vault,
} from '../vault.ts';
import type { Audit } from './audit.ts';
import {
  knownWord,
  type AuditedField,
  type AuditedOperation,
  type AuditEvent,
  type AuditOutcome,
  type AuditWords,
} from './record.ts';

export interface AuditedVaultParts {
  readonly vault: Vault;
  readonly audit: Pick<Audit, 'record'>;
  readonly words: AuditWords;
  readonly now: () => Date;
}

/** What is known of an item before anything is done with it. */
type Asked = Omit<AuditEvent, 'at' | 'outcome'>;

/** What the result of an item adds. */
type Learned = Pick<AuditEvent, 'token' | 'fields' | 'policies' | 'stored' | 'count'>;

export function createAuditedVault(parts: AuditedVaultParts): Vault {
  const { vault } = parts;
  return {
    tokenize: (caller, request) =>
      auditedItem(parts, askedToTokenize(caller, request), ofTokenized, () =>
        vault.tokenize(caller, request),
      ),
    tokenizeBatch: (caller, requests) =>
      auditedBatch(
        parts,
        requests.map((request) => askedToTokenize(caller, request)),
        ofTokenized,
        () => vault.tokenizeBatch(caller, requests),
      ),
    detokenize: (caller, request) =>
      auditedItem(parts, askedToReveal(caller, request), ofRevealed, () => vault.detokenize(caller, request)),
    detokenizeBatch: (caller, requests) =>
      auditedBatch(
        parts,
        requests.map((request) => askedToReveal(caller, request)),
        ofRevealed,
        () => vault.detokenizeBatch(caller, requests),
      ),
    revealMarks: (caller, requests) =>
      auditedBatch(
        parts,
        requests.map(({ purpose, tenant }) =>
          askedToReveal(caller, {
            ...(purpose === undefined ? {} : { purpose }),
            ...(tenant === undefined ? {} : { tenant }),
          }),
        ),
        ofRevealed,
        () => vault.revealMarks(caller, requests),
      ),
    describe: (caller, query) =>
      auditedItem(parts, asked(caller, 'describe', query), ofDescribed, () => vault.describe(caller, query)),
    search: (caller, query) =>
      auditedItem(
        parts,
        askedAboutValue(caller, 'search', query),
        (found) => ({ ...ofEffects(found), count: found.tokens.length }),
        () => vault.search(caller, query),
      ),
    isTokenized: (caller, query) =>
      auditedItem(
        parts,
        askedAboutValue(caller, 'check-value', query),
        (found) => ({ ...ofEffects(found), count: Number(found.isTokenized) }),
        () => vault.isTokenized(caller, query),
      ),
    isValid: (caller, query) =>
      auditedItem(
        parts,
        asked(caller, 'check-token', query),
        (found) => ({ ...ofEffects(found), count: Number(found.isValid) }),
        () => vault.isValid(caller, query),
      ),
    archive: (caller, query) =>
      changed(parts, asked(caller, 'archive', query), () => vault.archive(caller, query)),
    restore: (caller, query) =>
      changed(parts, asked(caller, 'restore', query), () => vault.restore(caller, query)),
    async replace(caller, request) {
      const replacement = { ...asked(caller, 'replace', request), fields: fieldsIn(request) };
      return await changed(parts, replacement, () => vault.replace(caller, request));
    },
    upsert: (caller, request) => auditedUpsert(parts, caller, request),
    delete: (caller, query) =>
      changed(parts, asked(caller, 'delete', query), () => vault.delete(caller, query)),
  };
}

/** What changes a record is recorded before it is begun, and again with what came of it. */
async function changed<Result extends Effects>(
  parts: AuditedVaultParts,
  item: Asked,
  run: () => Promise<Result>,
): Promise<Result> {
  await parts.audit.record([eventOf(parts, item, 'begun')]);
  return await auditedItem(parts, item, ofEffects, run);
}

/**
 * Which record is replaced is known on the way. From then on its token is in every record, so that an
 * upsert of which nobody knows what came tells of which row that is so.
 */
async function auditedUpsert(
  parts: AuditedVaultParts,
  caller: Caller,
  request: UpsertRequest,
): Promise<Upserted> {
  const { tenant } = request;
  const item: { -readonly [Name in keyof Asked]: Asked[Name] } = {
    ...asked(caller, 'upsert', tenant === undefined ? {} : { tenant }),
    fields: fieldsIn(request),
  };
  return await auditedItem(parts, item, ofTokenized, () =>
    parts.vault.upsert(caller, request, async (token) => {
      if (item.token === token) return;
      item.token = token;
      await parts.audit.record([eventOf(parts, item, 'begun')]);
    }),
  );
}

async function auditedItem<Result>(
  parts: AuditedVaultParts,
  item: Asked,
  learn: (result: Result) => Learned,
  run: () => Promise<Result>,
): Promise<Result> {
  const [outcome] = await auditedBatch(parts, [item], learn, async () =>
    [await run()].map((result) => ({ result })),
  );
  if (outcome === undefined || 'error' in outcome) throw new Error('expected one result for one item');
  return outcome.result;
}

async function auditedBatch<Result>(
  parts: AuditedVaultParts,
  items: readonly Asked[],
  learn: (result: Result) => Learned,
  run: () => Promise<readonly ItemResult<Result>[]>,
): Promise<readonly ItemResult<Result>[]> {
  let results: readonly ItemResult<Result>[];
  try {
    results = await run();
  } catch (error) {
    const events = items.map((item) => eventOf(parts, { ...item, ...ofRefusal(error) }, codeOf(error)));
    await recordRefusals(parts, events, error);
    throw error;
  }
  await parts.audit.record(
    items.map((item, index) => {
      const result = results[index];
      if (result === undefined) throw new Error('expected one result for each item');
      if ('error' in result) {
        return eventOf(parts, { ...item, ...ofRefusal(result.error) }, result.error.code);
      }
      return eventOf(parts, { ...item, ...learn(result.result) }, 'ok');
    }),
  );
  return results;
}

/**
 * An outage decided nothing and handed nothing out. Its record is made where it can be, and nobody
 * waits for it: the audit stands on the same services.
 */
async function recordRefusals(
  { audit }: AuditedVaultParts,
  events: readonly AuditEvent[],
  error: unknown,
): Promise<void> {
  const recorded = audit.record(events);
  if (error instanceof TokenmeshError && isOutage(error)) recorded.catch(() => undefined);
  else await recorded;
}

function eventOf({ now, words }: AuditedVaultParts, item: Asked, outcome: AuditOutcome): AuditEvent {
  const { token, tenant, purpose, ...others } = item;
  // What is no token may be anything, a card number too: not even a reference is made of it.
  const isKnown = token !== undefined && isToken(token) !== undefined;
  return {
    ...others,
    ...(tenant === undefined ? {} : { tenant: knownWord(words.tenants, tenant) }),
    ...(purpose === undefined ? {} : { purpose: knownWord(words.purposes, purpose) }),
    at: now(),
    outcome,
    ...(isKnown ? { token } : {}),
  };
}

function codeOf(error: unknown): AuditOutcome {
  return error instanceof TokenmeshError ? error.code : 'ERR_INTERNAL';
}

function asked(caller: Caller, operation: AuditedOperation, request: Partial<TokenQuery>): Asked {
  const tenant = request.tenant ?? caller.access.tenants[0];
  return {
    identity: caller.identity,
    operation,
    ...(caller.requestId === undefined ? {} : { requestId: caller.requestId }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(request.token === undefined ? {} : { token: request.token }),
  };
}

function askedAboutValue(caller: Caller, operation: AuditedOperation, query: ValueQuery): Asked {
  const { tenant } = query;
  return {
    ...asked(caller, operation, tenant === undefined ? {} : { tenant }),
    fields: [{ class: knownClass(query.class) }],
  };
}

function askedToTokenize(caller: Caller, request: TokenizeRequest): Asked {
  const { tenant } = request;
  return { ...asked(caller, 'tokenize', tenant === undefined ? {} : { tenant }), fields: fieldsIn(request) };
}

function fieldsIn({ fields }: Pick<TokenizeRequest, 'fields'>): AuditedField[] {
  return Object.values(fields).map((field) => ({ class: knownClass(field.class) }));
}

function askedToReveal(caller: Caller, request: Partial<DetokenizeRequest>): Asked {
  const purpose = request.purpose ?? caller.access.defaultPurpose;
  return { ...asked(caller, 'detokenize', request), ...(purpose === undefined ? {} : { purpose }) };
}

function ofEffects({ policyIds, stored }: Effects): Learned {
  return {
    ...(policyIds === undefined ? {} : { policies: policyIds }),
    ...(stored === undefined ? {} : { stored }),
  };
}

function ofTokenized(tokenized: Tokenized): Learned {
  return { ...ofEffects(tokenized), token: tokenized.token };
}

function ofRevealed(revealed: Revealed): Learned {
  return {
    ...ofEffects(revealed),
    fields: [...revealed.fields.values()].map(({ class: fieldClass, form }) => ({ class: fieldClass, form })),
  };
}

function ofDescribed(described: TokenDescription): Learned {
  return {
    ...ofEffects(described),
    fields: [...described.fields.values()].map((fieldClass) => ({ class: fieldClass })),
  };
}

/** None is told where nothing permits it: that is the default, and no policy's doing. */
function ofRefusal(error: unknown): Learned {
  return error instanceof PolicyDeniedError ? { policies: error.policyIds } : {};
}

/** A class that there is not is the caller's text, and stays out. */
function knownClass(name: string): AuditedField['class'] {
  return (FIELD_CLASS_NAMES as readonly string[]).includes(name) ? (name as FieldClass) : 'unknown';
}
