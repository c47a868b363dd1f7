import { check, type CheckResult } from './check.ts';

/** One call that an identity makes through its own Envoy, and what the definition says of it. */
export interface CallFacts {
  readonly caller: string;
  readonly virtualService: string;
  readonly operation: string;
  readonly permitted: boolean;
  /** Undefined when nothing answered. */
  readonly status: number | undefined;
  /** Denied by the listener's RBAC itself: the app behind it was not reached. */
  readonly deniedByMesh: boolean;
}

/** A call is denied by the listener's RBAC; any other answer, an app's own 403 too, means that it got through. */
export function checkCall(facts: CallFacts): CheckResult {
  const answered = facts.status !== undefined && facts.status < 500;
  return check(
    {
      id: facts.permitted ? 'policy.permitted' : 'policy.denied',
      group: 'policy',
      subject: `${facts.caller} -> ${facts.virtualService} ${facts.operation}`,
      sentence: facts.permitted ? 'the call gets through, as the definition grants' : 'the call is denied',
      hint: `compare the callers of ${facts.operation} in mesh/tokenization-mesh.ts with the RBAC filter of ${facts.virtualService}`,
    },
    answered && facts.deniedByMesh === !facts.permitted,
    facts.status === undefined ? 'no answer' : `${facts.status}${facts.deniedByMesh ? ' by the mesh' : ''}`,
  );
}

/** The vault says of itself that its store and its keys can be reached. */
export function checkVault(status: number | undefined): CheckResult {
  return check(
    {
      id: 'vault.ready',
      group: 'vault',
      subject: 'tokenizer',
      sentence: 'the tokenizer reaches its table and its branch keys',
      hint: 'see the log of the tokenizer, and whether DynamoDB and KMS can be reached',
    },
    status === 200,
    status === undefined ? 'no answer' : String(status),
  );
}
