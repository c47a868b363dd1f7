import { requireClasses, tenantOf } from './access.ts';
import { StoreUnavailableError } from './errors.ts';
import { checkValues, parseFieldClass } from './field-class.ts';
import { BATCH_WIDTH, inParallel } from './in-parallel.ts';
import { isConditional } from './formats/format.ts';
import { checkFieldCount, checkItemCount, itemResult, throwIfAllOut } from './items.ts';
import { seal, storeUnderFreeToken, tokenizedOf, type Accepted } from './minting.ts';
import type { SealedCode, TokenRecord } from './ports.ts';
import { partCode, sealCode } from './security-code.ts';
import { chooseToken, requireSmallFormat } from './token-choice.ts';
import { putEntries } from './fingerprints/put-entries.ts';
import { followsFromValue, parseKind, requireFindable } from './token-kind.ts';
import type { Caller, ItemResult, Tokenized, TokenizeRequest, Vault, VaultParts } from './vault.ts';

export function createTokenizing(parts: VaultParts): Pick<Vault, 'tokenize' | 'tokenizeBatch'> {
  return {
    async tokenize(caller, request) {
      return await storeUnderFreeToken(parts, accept(parts, caller, request));
    },
    async tokenizeBatch(caller, requests) {
      checkItemCount(requests.length);
      checkFieldCount(requests.reduce((sum, { fields }) => sum + Object.keys(fields).length, 0));
      const sealed = await inParallel(requests, BATCH_WIDTH, (request) =>
        itemResult(async () => await sealOrStore(parts, accept(parts, caller, request))),
      );
      const results = await storeAll(parts, sealed);
      throwIfAllOut(results);
      return results;
    },
  };
}

/** What it takes to judge a request, with nothing done. */
export type AcceptingParts = Pick<VaultParts, 'policy' | 'now'>;

/** Refuses first what is not permitted, then what is not valid: who may not store a class learns nothing of its rules. */
export function accept(parts: AcceptingParts, caller: Caller, request: TokenizeRequest): Accepted {
  const tenant = tenantOf(caller, request.tenant);
  const asked = parseKind(request.kind, request.format);
  const fields = Object.entries(request.fields).map(
    ([field, { class: name, value, written, searchable }]) => ({
      field,
      class: parseFieldClass(field, name),
      value,
      written: written ?? value,
      ...(searchable === true ? { searchable } : {}),
    }),
  );
  const classes = fields.map((each) => each.class);
  const traits = { kind: asked.kind, format: asked.format.name };
  const policyIds = requireClasses(parts.policy, caller, 'tokenize', tenant, classes, traits);
  checkValues(fields);
  requireFindable(asked.kind, fields);
  const choice = chooseToken(asked, request, fields);
  requireSmallFormat(parts.policy, caller, tenant, choice, classes);
  const createdAt = parts.now();
  const parted = partCode(fields, choice.kind, createdAt, expiryOf(createdAt, request.ttlSeconds));
  // A record of a code alone is of no use once that is gone.
  const alone = parted.fields.length === 0 ? parted.code?.expiresAt : undefined;
  const expiresAt = alone ?? expiryOf(createdAt, request.ttlSeconds);
  const { subject } = request;
  return {
    tenant,
    ...parted,
    choice,
    createdAt,
    policyIds,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(subject === undefined ? {} : { subject }),
  };
}

function expiryOf(createdAt: Date, ttlSeconds: number | undefined): Date | undefined {
  return ttlSeconds === undefined ? undefined : new Date(createdAt.getTime() + ttlSeconds * 1000);
}

/** Sealed, to be stored with others, or stored already. */
type Sealed = SealedRecord | { readonly stored: Tokenized };

interface SealedRecord {
  readonly record: TokenRecord;
  readonly accepted: Accepted;
  readonly code: SealedCode | undefined;
}

/**
 * A token that might be taken is stored by itself, on a condition and with its retries: a few such
 * writes at a time are as fast as the batch call with conditions that DynamoDB has, and there is one
 * way to store such a token, alone or in a batch.
 */
async function sealOrStore(parts: VaultParts, accepted: Accepted): Promise<Sealed> {
  const { format, kept, kind } = accepted.choice;
  if (isConditional(format, kept) || followsFromValue(kind)) {
    return { stored: await storeUnderFreeToken(parts, accepted) };
  }
  const record = await seal(parts, accepted);
  return { record, accepted, code: await sealCode(parts, record, accepted.code) };
}

async function storeAll(
  parts: VaultParts,
  sealed: readonly ItemResult<Sealed>[],
): Promise<ItemResult<Tokenized>[]> {
  const records = sealed.flatMap((each) =>
    'result' in each && 'record' in each.result ? [each.result.record] : [],
  );
  const outcomes = (await parts.store.insertMany(records)).values();
  const results = sealed.map((each) => {
    if ('error' in each) return each;
    if ('stored' in each.result) return { result: each.result.stored };
    const { record, accepted } = each.result;
    if (outcomes.next().value === 'stored') return { result: tokenizedOf(record, accepted) };
    return { error: new StoreUnavailableError() };
  });
  return await putAllEntries(parts, sealed, await storeCodes(parts, sealed, results));
}

/** Of each item the record that was stored with the others just now; undefined for every other item. */
function storedOf(
  sealed: readonly ItemResult<Sealed>[],
  results: readonly ItemResult<Tokenized>[],
): (SealedRecord | undefined)[] {
  return sealed.map((each, index) => {
    const isStored = 'result' in (results[index] ?? {});
    return isStored && 'result' in each && 'record' in each.result ? each.result : undefined;
  });
}

/** Where the rows by which records are found could not be put, none of these records' tokens is handed out. */
async function putAllEntries(
  parts: VaultParts,
  sealed: readonly ItemResult<Sealed>[],
  results: ItemResult<Tokenized>[],
): Promise<ItemResult<Tokenized>[]> {
  const findable = storedOf(sealed, results).map((each) =>
    each?.accepted.fields.some(({ searchable }) => searchable === true) === true ? each : undefined,
  );
  const put = await itemResult(() =>
    putEntries(
      parts,
      findable.filter((each) => each !== undefined),
    ),
  );
  if ('result' in put) return results;
  return results.map((result, index) => (findable[index] === undefined ? result : put));
}

/** The codes of the records that are stored, together. */
async function storeCodes(
  parts: VaultParts,
  sealed: readonly ItemResult<Sealed>[],
  results: ItemResult<Tokenized>[],
): Promise<ItemResult<Tokenized>[]> {
  const codes = storedOf(sealed, results).map((each) => each?.code);
  if (codes.every((code) => code === undefined)) return results;
  const outcomes = (await parts.store.insertCodes(codes.filter((code) => code !== undefined))).values();
  return results.map((result, index) => {
    if (codes[index] === undefined || outcomes.next().value === 'stored') return result;
    return { error: new StoreUnavailableError() };
  });
}
