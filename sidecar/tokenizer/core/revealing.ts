import { TokenmeshError } from '../../../errors/error.ts';
import { classDenied, decide, idsOf, requireOperation, tenantOf, traitsOf } from './access.ts';
import { consume } from './consuming.ts';
import { showField } from './field-class.ts';
import { BATCH_WIDTH, inParallel } from './in-parallel.ts';
import { checkItemCount, foundOrThrow, itemResult, throwIfAllOut } from './items.ts';
import { liveRecord, requireUnarchived, requireValue } from './live-record.ts';
import { takeCode } from './security-code.ts';
import { mask } from './mask.ts';
import type { PolicyDecision } from './policy.ts';
import type { RecordKey, SealedField, TokenRecord } from './ports.ts';
import { openField } from './record-fields.ts';
import { parseToken } from './token.ts';
import type {
  Caller,
  DetokenizeRequest,
  ItemResult,
  Revealed,
  RevealedField,
  Vault,
  VaultParts,
} from './vault.ts';

type Form = RevealedField['form'];

export function createRevealing(parts: VaultParts): Pick<Vault, 'detokenize' | 'detokenizeBatch'> {
  return {
    async detokenize(caller, request) {
      const key = keyOf(parts, caller, request);
      return await reveal(parts, caller, request, await parts.store.find(key));
    },
    async detokenizeBatch(caller, requests) {
      checkItemCount(requests.length);
      const judged = await inParallel(requests, BATCH_WIDTH, (request) =>
        itemResult(async () => ({ request, key: keyOf(parts, caller, request) })),
      );
      const results = await revealAll(parts, caller, judged);
      throwIfAllOut(results);
      return results;
    },
  };
}

/** Judges the token, then the caller's right to reveal at all: nothing is looked up for who has none. */
function keyOf(parts: VaultParts, caller: Caller, request: DetokenizeRequest): RecordKey {
  const token = parseToken(request.token);
  const tenant = tenantOf(caller, request.tenant);
  requireOperation(parts.policy, caller, 'reveal-masked', tenant);
  return { tenant, token };
}

/** A request with the key of its record, or what it was refused for. */
type Judged = ItemResult<{ readonly request: DetokenizeRequest; readonly key: RecordKey }>;

async function revealAll(
  parts: VaultParts,
  caller: Caller,
  judged: readonly Judged[],
): Promise<ItemResult<Revealed>[]> {
  const keys = judged.flatMap((each) => ('result' in each ? [each.result.key] : []));
  const found = (await parts.store.findMany(keys)).values();
  const pairs = judged.map((each) =>
    'error' in each ? each : { request: each.result.request, outcome: found.next().value ?? 'missing' },
  );
  return await inParallel(pairs, BATCH_WIDTH, async (pair) =>
    'error' in pair
      ? pair
      : await itemResult(async () => await reveal(parts, caller, pair.request, foundOrThrow(pair.outcome))),
  );
}

async function reveal(
  parts: VaultParts,
  caller: Caller,
  request: DetokenizeRequest,
  found: TokenRecord | undefined,
): Promise<Revealed> {
  const record = liveRecord(parts, request, found);
  requireUnarchived(record);
  requireValue(record);
  const purpose = request.purpose ?? caller.access.defaultPurpose;
  const forms = wantedFields(record, request.fields).map(([name, field]) => ({
    name,
    field,
    ...formOf(parts, caller, record, field, purpose),
  }));
  const policyIds = idsOf(forms.map(({ decision }) => decision));
  if (forms.length > 0 && forms.every(({ form }) => form === 'redacted')) {
    throw classDenied(
      caller,
      'reveal-masked',
      [...new Set(forms.map(({ field }) => field.class))],
      policyIds,
    );
  }
  const fields = new Map<string, RevealedField>();
  for (const { name, field, form } of forms) {
    const value = await valueOf(parts, record, name, field, form);
    fields.set(name, { value, form, class: field.class });
  }
  if (record.kind !== 'one-time') return { fields, policyIds };
  return { fields, policyIds, stored: await consume(parts, record) };
}

/**
 * A security code is wanted only where it is named, since a read takes it away: a read of a record that has
 * nothing else finds nothing, so that no token in a text turns into a code.
 *
 * @throws {TokenmeshError} `ERR_FIELD_UNKNOWN`, naming every field that the record has not.
 */
function wantedFields(
  record: TokenRecord,
  names: readonly string[] | undefined,
): readonly (readonly [string, Revealable])[] {
  if (names === undefined) return [...record.fields];
  const unknown = names.filter((name) => !record.fields.has(name) && name !== record.code?.field);
  if (unknown.length > 0) {
    throw new TokenmeshError({
      code: 'ERR_FIELD_UNKNOWN',
      message: `the record has no field ${unknown.map(showField).join(', ')}`,
      remedy: 'name fields that were tokenized: GET /v1/tokens/{token} lists them',
    });
  }
  return [...record.fields, ...codeOf(record)].filter(([name]) => names.includes(name));
}

/** What may be revealed: a sealed field, or the security code, which is not in the record. */
type Revealable = SealedField | { readonly class: 'cvv'; readonly expiresAt: Date };

function codeOf({ code }: TokenRecord): (readonly [string, Revealable])[] {
  return code === undefined ? [] : [[code.field, { class: 'cvv', expiresAt: code.expiresAt }]];
}

function formOf(
  { policy }: VaultParts,
  caller: Caller,
  record: TokenRecord,
  field: Revealable,
  purpose: string | undefined,
): { readonly form: Form; readonly decision: PolicyDecision } {
  const { tenant } = record;
  const question = {
    ...traitsOf(record),
    tenant,
    class: field.class,
    ...(purpose === undefined ? {} : { purpose }),
  };
  const plain = decide(policy, caller, { ...question, operation: 'reveal-plain' });
  if (plain.permitted) return { form: 'plain', decision: plain };
  const masked = decide(policy, caller, { ...question, operation: 'reveal-masked' });
  return { form: masked.permitted ? 'masked' : 'redacted', decision: masked };
}

/** A redacted value is not even opened. */
async function valueOf(
  parts: VaultParts,
  record: TokenRecord,
  name: string,
  field: Revealable,
  form: Form,
): Promise<string | null> {
  const { sealer } = parts;
  if (form === 'redacted') return null;
  if (!('message' in field)) {
    // Masked, nothing of it is shown, and it stays for who may see it.
    if (form === 'masked') return mask(field.class, '');
    return await takeCode(parts, record, { field: name, expiresAt: field.expiresAt });
  }
  const value = await openField(sealer, record, name, field);
  return form === 'plain' ? value : mask(field.class, value);
}
