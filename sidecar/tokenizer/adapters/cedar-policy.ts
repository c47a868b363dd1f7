import {
  checkParsePolicySet,
  preparsePolicySet,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import { TokenmeshError } from '../../../errors/error.ts';
import { CEDAR_SCHEMA, type Policy, type PolicyRequest } from '../core/policy.ts';

/**
 * Decisions kept, so that Cedar is asked once for each question. A caller may
 * make up purposes without end: past this many, all are forgotten.
 */
const MAX_DECISIONS = 10_000;

/**
 * Decides by Cedar policies.
 *
 * @param policies - In Cedar's language, valid against {@link CEDAR_SCHEMA}.
 * @throws {TokenmeshError} `ERR_POLICY_INVALID` for policies that Cedar does not take: a service must not start on them.
 */
export function createCedarPolicy(policies: string): Policy {
  checkPolicies(policies);
  const policySetId = `tokenizer-${nextPolicySet()}`;
  preparsePolicySet(policySetId, { staticPolicies: policies });
  const decisions = new Map<string, boolean>();
  return {
    permits(request) {
      const question = questionOf(request);
      const known = decisions.get(question);
      if (known !== undefined) return known;
      if (decisions.size >= MAX_DECISIONS) decisions.clear();
      const isPermitted = ask(policySetId, request);
      decisions.set(question, isPermitted);
      return isPermitted;
    },
  };
}

/** Cedar keeps parsed policies under a name for the whole process. */
let policySets = 0;
function nextPolicySet(): number {
  policySets += 1;
  return policySets;
}

/** As JSON, so that no two questions share a key whatever the texts hold. */
function questionOf({ identity, operation, tenant, purpose, kind, format, ...rest }: PolicyRequest): string {
  const { class: fieldClass, smallFormat = false } = rest;
  return JSON.stringify([
    identity,
    operation,
    tenant,
    fieldClass,
    purpose ?? null,
    kind,
    format,
    smallFormat,
  ]);
}

/** An answer with errors is a denial: a policy that cannot be evaluated permits nothing. */
function ask(policySetId: string, request: PolicyRequest): boolean {
  const { tenant, purpose, kind, format, smallFormat = false } = request;
  const answer = statefulIsAuthorized({
    principal: { type: 'Identity', id: request.identity },
    action: { type: 'Action', id: request.operation },
    resource: { type: 'FieldClass', id: request.class },
    context: { tenant, kind, format, smallFormat, ...(purpose === undefined ? {} : { purpose }) },
    preparsedPolicySetId: policySetId,
    entities: [],
  });
  return (
    answer.type === 'success' &&
    answer.response.decision === 'allow' &&
    answer.response.diagnostics.errors.length === 0
  );
}

function checkPolicies(policies: string): void {
  const set = { staticPolicies: policies };
  const parsed = checkParsePolicySet(set);
  if (parsed.type === 'failure') throw invalidPolicies(parsed.errors.map((each) => each.message));
  const validated = validate({ schema: CEDAR_SCHEMA, policies: set });
  if (validated.type === 'failure') throw invalidPolicies(validated.errors.map((each) => each.message));
  const problems = validated.validationErrors.map((each) => each.error.message);
  if (problems.length > 0) throw invalidPolicies(problems);
}

function invalidPolicies(problems: readonly string[]): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_POLICY_INVALID',
    message: `the policies are not valid: ${problems.join('; ')}`,
    remedy: 'correct the vaultAccess of the mesh definition that they are made from',
  });
}
