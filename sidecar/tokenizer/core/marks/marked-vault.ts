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

export function createMarkedVault({ vault, policy, keys }: MarkedVaultParts): Vault {
  const opened = async <Request extends WithFields>(caller: Caller, request: Request): Promise<Request> => {
    const marked = Object.values(request.fields).filter(({ value }) => parseMark(value) !== undefined);
    if (marked.length === 0) return request;
    const tenant = tenantOf(caller, request.tenant);
    // KMS is not asked for somebody who has no right here.
    requireOperation(policy, caller, 'tokenize', tenant);
    const fields = await inParallel(Object.entries(request.fields), MARK_WIDTH, async ([name, field]) => {
      return [name, await openField(keys, tenant, name, field)] as const;
    });
    return { ...request, fields: Object.fromEntries(fields) };
  };
  return {
    ...vault,
    tokenize: async (caller, request) => await vault.tokenize(caller, await opened(caller, request)),
    replace: async (caller, request) => await vault.replace(caller, await opened(caller, request)),
    upsert: async (caller, request, begun) =>
      await vault.upsert(caller, await opened(caller, request), begun),
    async tokenizeBatch(caller, requests) {
      const judged = await inParallel(requests, MARK_WIDTH, (request) =>
        itemResult(async () => await opened(caller, request)),
      );
      if (judged.every((each) => 'error' in each)) return judged;
      const usable = judged.flatMap((each) => ('result' in each ? [each.result] : []));
      const results = (await vault.tokenizeBatch(caller, usable)).values();
      return judged.map((each) => {
        if ('error' in each) return each;
        const result = results.next().value;
        if (result === undefined) throw new Error('expected one result for each item of the batch');
        return result;
      });
    },
  };
}

/** @throws {TokenmeshError} `ERR_MARK_UNOPENABLE`, `ERR_MARK_CLASS` */
async function openField(
  keys: MarkKeys,
  tenant: string,
  name: string,
  field: TokenizeField,
): Promise<TokenizeField> {
  if (parseMark(field.value) === undefined) return field;
  const content = await openMark(keys, field.value, tenant);
  if (content.class === field.class) return { ...field, value: content.value };
  throw new TokenmeshError({
    code: 'ERR_MARK_CLASS',
    message: `field ${showField(name)} holds a mark of another class: expected the class that it was sealed as`,
    remedy: 'name the class that the edge was told for this field',
  });
}
