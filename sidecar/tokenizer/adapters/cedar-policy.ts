import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { Policy, PolicyDecision, PolicyRequest } from '../core/policy.ts';
import { compilePolicySet, type PolicySet } from './policy-set.ts';

/**
 * Decisions kept, so that Cedar is asked once for each question. A caller may
 * make up purposes without end: past this many, all are forgotten.
 */
const MAX_DECISIONS = 10_000;

/** Decides by Cedar policies, which may be exchanged while it is in use. */
export interface CedarPolicy extends Policy {
  /** From here on all is decided by `set`: no decision of the set before is given again. */
  replace(set: PolicySet): void;
}

/**
 * @param policies - A set, or the text of policies that each have an `@id`.
 * @throws {TokenmeshError} `ERR_POLICY_INVALID` for policies that Cedar does not take: a service must not start on them.
 */
export function createCedarPolicy(policies: string | PolicySet): CedarPolicy {
  const policySetId = `tokenizer-${nextPolicySet()}`;
  const decisions = new Map<string, PolicyDecision>();
  const decide = (request: PolicyRequest): PolicyDecision => {
    const question = questionOf(request);
    const known = decisions.get(question);
    if (known !== undefined) return known;
    if (decisions.size >= MAX_DECISIONS) decisions.clear();
    const decision = ask(policySetId, request);
    decisions.set(question, decision);
    return decision;
  };
  const replace = (set: PolicySet): void => {
    prepare(policySetId, set);
    decisions.clear();
  };
  const isText = typeof policies === 'string';
  replace(isText ? compilePolicySet([{ name: 'policies', text: policies, isGenerated: true }]) : policies);
  return { decide, permits: (request) => decide(request).permitted, replace };
}

/**
 * Cedar keeps parsed policies under a name for the whole process and forgets none. A set that takes
 * another's name takes its place and its memory: 3,000 exchanges under one name grow the process by
 * nothing, under a new name each by 130 MB. So each policy keeps the name it was given.
 */
let policySets = 0;
function nextPolicySet(): number {
  policySets += 1;
  return policySets;
}

/** Cedar leaves what it had under the name, should it not take the set. */
function prepare(policySetId: string, set: PolicySet): void {
  const answer = preparsePolicySet(policySetId, { staticPolicies: Object.fromEntries(set) });
  if (answer.type === 'success') return;
  throw new Error(`expected Cedar to take policies that it found valid, got ${answer.errors.length} errors`);
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

/** What cannot be asked or evaluated is a denial. */
function ask(policySetId: string, request: PolicyRequest): PolicyDecision {
  try {
    return answerOf(policySetId, request);
  } catch {
    return { permitted: false, policyIds: [] };
  }
}

/** An answer with errors is a denial too. */
function answerOf(policySetId: string, request: PolicyRequest): PolicyDecision {
  const { tenant, purpose, kind, format, smallFormat = false } = request;
  const answer = statefulIsAuthorized({
    principal: { type: 'Identity', id: request.identity },
    action: { type: 'Action', id: request.operation },
    resource: { type: 'FieldClass', id: request.class },
    context: { tenant, kind, format, smallFormat, ...(purpose === undefined ? {} : { purpose }) },
    preparsedPolicySetId: policySetId,
    entities: [],
  });
  if (answer.type === 'failure') return { permitted: false, policyIds: [] };
  const { decision, diagnostics } = answer.response;
  const failing = diagnostics.errors.map((each) => each.policyId);
  if (failing.length > 0) return { permitted: false, policyIds: failing.toSorted() };
  return { permitted: decision === 'allow', policyIds: diagnostics.reason.toSorted() };
}
