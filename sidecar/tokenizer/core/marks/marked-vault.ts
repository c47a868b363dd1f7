/**
 * A vault that takes marks for values: what was encrypted at the edge is opened here, sealed under the
 * tenant's own key, and known by its token from then on.
 *
 * @module
 */

import { TokenmeshError } from '../../../../errors/error.ts';
import { requireOperation, tenantOf } from '../access.ts';
import { showField } from '../field-class.ts';
import { inParallel } from '../in-parallel.ts';
import { itemResult } from '../items.ts';
import type { Policy } from '../policy.ts';
import type { Caller, TokenizeField, TokenizeRequest, Vault } from '../vault.ts';
import { parseMark } from './mark.ts';
import { MARK_WIDTH, openMark, type MarkKeys } from './opening.ts';

export interface MarkedVaultParts {
  readonly vault: Vault;
  readonly policy: Policy;
  readonly keys: MarkKeys;
}

type WithFields = Pick<TokenizeRequest, 'fields' | 'tenant'>;

/** A request with its marks opened, and what each of them was. */
interface Opened<Request> {
  readonly request: Request;
  readonly values: ReadonlyMap<string, string>;
}

export function createMarkedVault({ vault, policy, keys }: MarkedVaultParts): Vault {
  const open = async <Request extends WithFields>(
    caller: Caller,
    request: Request,
    width = MARK_WIDTH,
  ): Promise<Opened<Request>> => {
    const marked = Object.entries(request.fields).filter(([, { value }]) => parseMark(value) !== undefined);
    if (marked.length === 0) return { request, values: new Map() };
    const tenant = tenantOf(caller, request.tenant);
    // KMS is not asked for somebody who has no right here.
    requireOperation(policy, caller, 'tokenize', tenant);
    const opened = await inParallel(marked, width, async ([name, field]) => {
      return [name, { ...field, value: await openField(keys, tenant, name, field) }] as const;
    });
    const fields = { ...request.fields, ...Object.fromEntries(opened) };
    const values = marked.map(([name, { value }]) => [value, fields[name]?.value ?? ''] as const);
    return { request: { ...request, fields }, values: new Map(values) };
  };
  return {
    ...vault,
    async tokenize(caller, asked) {
      const { request, values } = await open(caller, asked);
      return await vault.tokenize(sendingAgain(caller, values), request);
    },
    replace: async (caller, asked) => await vault.replace(caller, (await open(caller, asked)).request),
    upsert: async (caller, asked, begun) =>
      await vault.upsert(caller, (await open(caller, asked)).request, begun),
    async tokenizeBatch(caller, requests) {
      // The width is the whole batch's, so that the marks of one item are opened one after the other.
      const judged = await inParallel(requests, MARK_WIDTH, (request) =>
        itemResult(async () => await open(caller, request, 1)),
      );
      if (judged.every((each) => 'error' in each)) return judged;
      const usable = judged.flatMap((each) => ('result' in each ? [each.result] : []));
      const values = new Map(usable.flatMap((each) => [...each.values]));
      const results = (
        await vault.tokenizeBatch(
          sendingAgain(caller, values),
          usable.map(({ request }) => request),
        )
      ).values();
      return judged.map((each) => {
        if ('error' in each) return each;
        const result = results.next().value;
        if (result === undefined) throw new Error('expected one result for each item of the batch');
        return result;
      });
    },
  };
}

/** A request that is sent again through the edge has other marks of the same values: it is known by the values. */
function sendingAgain(caller: Caller, values: ReadonlyMap<string, string>): Caller {
  const { idempotency } = caller;
  if (idempotency === undefined || values.size === 0) return caller;
  return { ...caller, idempotency: { ...idempotency, body: withValues(idempotency.body, values) } };
}

function withValues(body: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof body === 'string') return values.get(body) ?? body;
  if (Array.isArray(body)) return body.map((each) => withValues(each, values));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([name, each]) => [name, withValues(each, values)]));
}

/** @throws {TokenmeshError} `ERR_MARK_UNOPENABLE`, `ERR_MARK_CLASS` */
async function openField(
  keys: MarkKeys,
  tenant: string,
  name: string,
  field: TokenizeField,
): Promise<string> {
  const content = await openMark(keys, field.value, tenant);
  if (content.class === field.class) return content.value;
  throw new TokenmeshError({
    code: 'ERR_MARK_CLASS',
    message: `field ${showField(name)} holds a mark of another class: expected the class that it was sealed as`,
    remedy: 'name the class that the edge was told for this field',
  });
}
