import { classDenied, decide, requireOperation, tenantOf } from '../access.ts';
import { FIELD_CLASS_NAMES, type FieldClass } from '../field-class.ts';
import { inParallel } from '../in-parallel.ts';
import { checkItemCount, itemResult, throwIfAllOut } from '../items.ts';
import { mask as masked } from '../mask.ts';
import type { Caller, MarkRequest, Revealed, Vault, VaultParts } from '../vault.ts';
import { MARK_WIDTH, MarkUnopenableError, openMark } from './opening.ts';

/** The name of the one value of a mark. */
const MARK_FIELD = 'value';

/** Marks turned back, as plain as the policy lets the caller see their class: the same rules as for tokens. */
export function createMarkRevealing(parts: VaultParts): Pick<Vault, 'revealMarks'> {
  return {
    async revealMarks(caller, requests) {
      checkItemCount(requests.length);
      const results = await inParallel(requests, MARK_WIDTH, (request) =>
        itemResult(async () => await reveal(parts, caller, request)),
      );
      throwIfAllOut(results);
      return results;
    },
  };
}

async function reveal(
  { policy, markKeys }: VaultParts,
  caller: Caller,
  { mark, purpose = caller.access.defaultPurpose, ...request }: MarkRequest,
): Promise<Revealed> {
  const tenant = tenantOf(caller, request.tenant);
  requireOperation(policy, caller, 'reveal-masked', tenant);
  const content = await openMark(markKeys, mark, tenant);
  const fieldClass = classOf(content.class);
  const question = { tenant, class: fieldClass, ...(purpose === undefined ? {} : { purpose }) };
  const plain = decide(policy, caller, { ...question, operation: 'reveal-plain' });
  const decision = plain.permitted
    ? plain
    : decide(policy, caller, { ...question, operation: 'reveal-masked' });
  const { policyIds } = decision;
  if (!decision.permitted) throw classDenied(caller, 'reveal-masked', [fieldClass], policyIds);
  // Nothing takes a code away from a mark, so that it could be read again and again.
  const isPlain = plain.permitted && fieldClass !== 'cvv';
  const value = isPlain ? content.value : masked(fieldClass, fieldClass === 'cvv' ? '' : content.value);
  const form = isPlain ? 'plain' : 'masked';
  return { fields: new Map([[MARK_FIELD, { value, form, class: fieldClass }]]), policyIds };
}

function classOf(name: string): FieldClass {
  const known = FIELD_CLASS_NAMES.find((each) => each === name);
  if (known === undefined) throw new MarkUnopenableError();
  return known;
}
