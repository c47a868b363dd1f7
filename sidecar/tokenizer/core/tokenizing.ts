import { checkKind } from './token-kind.ts';
import { requireClasses, tenantOf } from './access.ts';
import { StoreUnavailableError } from './errors.ts';
import { checkValues, parseFieldClass, type FieldClass } from './field-class.ts';
import { BATCH_WIDTH, inParallel } from './in-parallel.ts';
import { checkFieldCount, checkItemCount, itemResult, throwIfAllOut } from './items.ts';
import type { SealedField, TokenRecord } from './ports.ts';
import { mintToken, TOKEN_RANDOM_BYTES } from './token.ts';
import type { Caller, ItemResult, Tokenized, TokenizeRequest, Vault, VaultParts } from './vault.ts';

/** A second collision of 128 random bits is a broken source of randomness, not bad luck. */
const MINT_ATTEMPTS = 3;

/** A request that was found permitted and valid, with nothing done yet. */
interface Accepted {
  readonly tenant: string;
  readonly fields: readonly {
    readonly field: string;
    readonly class: FieldClass;
    readonly written: string;
  }[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
}

export function createTokenizing(parts: VaultParts): Pick<Vault, 'tokenize' | 'tokenizeBatch'> {
  return {
    async tokenize(caller, request) {
      return await storeUnderFreeToken(parts, accept(parts, caller, request), MINT_ATTEMPTS);
    },
    async tokenizeBatch(caller, requests) {
      checkItemCount(requests.length);
      checkFieldCount(requests.reduce((sum, { fields }) => sum + Object.keys(fields).length, 0));
      const sealed = await inParallel(requests, BATCH_WIDTH, (request) =>
        itemResult(async () => await seal(parts, accept(parts, caller, request))),
      );
      const results = await storeAll(parts, sealed);
      throwIfAllOut(results);
      return results;
    },
  };
}

/** Refuses first what is not permitted, then what is not valid: who may not store a class learns nothing of its rules. */
function accept(parts: VaultParts, caller: Caller, request: TokenizeRequest): Accepted {
  const tenant = tenantOf(caller, request.tenant);
  checkKind(request.kind, request.format);
  const fields = Object.entries(request.fields).map(([field, { class: name, value, written }]) => ({
    field,
    class: parseFieldClass(field, name),
    value,
    written: written ?? value,
  }));
  requireClasses(
    parts.policy,
    caller,
    'tokenize',
    tenant,
    fields.map((each) => each.class),
  );
  checkValues(fields);
  const createdAt = parts.now();
  if (request.ttlSeconds === undefined) return { tenant, fields, createdAt };
  const expiresAt = new Date(createdAt.getTime() + request.ttlSeconds * 1000);
  return { tenant, fields, createdAt, expiresAt };
}

/** Mints the token first: every message is bound to it. */
async function seal(parts: VaultParts, accepted: Accepted): Promise<TokenRecord> {
  const token = mintToken(parts.randomBytes(TOKEN_RANDOM_BYTES));
  const { tenant, createdAt, expiresAt } = accepted;
  const fields = new Map<string, SealedField>();
  for (const { field, class: fieldClass, written } of accepted.fields) {
    const context = { tenant, token, field, class: fieldClass };
    fields.set(field, {
      class: fieldClass,
      message: await parts.sealer.seal(Buffer.from(written, 'utf8'), context),
    });
  }
  return { tenant, token, createdAt, fields, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

async function storeUnderFreeToken(
  parts: VaultParts,
  accepted: Accepted,
  attempts: number,
): Promise<Tokenized> {
  const record = await seal(parts, accepted);
  if ((await parts.store.insert(record)) === 'stored') return tokenizedOf(record);
  if (attempts <= 1) throw new StoreUnavailableError();
  return await storeUnderFreeToken(parts, accepted, attempts - 1);
}

async function storeAll(
  parts: VaultParts,
  sealed: readonly ItemResult<TokenRecord>[],
): Promise<ItemResult<Tokenized>[]> {
  const records = sealed.flatMap((each) => ('result' in each ? [each.result] : []));
  const outcomes = (await parts.store.insertMany(records)).values();
  return sealed.map((each) => {
    if ('error' in each) return each;
    if (outcomes.next().value === 'stored') return { result: tokenizedOf(each.result) };
    return { error: new StoreUnavailableError() };
  });
}

function tokenizedOf({ token, createdAt, expiresAt }: TokenRecord): Tokenized {
  return { token, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
}
