import type { Operation } from '../../mesh/definition.ts';
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

export function permits({ callers }: Pick<Operation, 'callers'>, caller: string): boolean {
  return typeof callers === 'string' || callers.includes(caller);
}

/** A call is denied by the listener's RBAC; any other answer, an app's own 403 too, means that it got through. */
export function checkCall(facts: CallFacts): CheckResult {
  const answered = facts.status !== undefined && facts.status < 500;
  return check(
    facts.permitted ? 'policy.permitted' : 'policy.denied',
    `${facts.caller} -> ${facts.virtualService} ${facts.operation}`,
    answered && facts.deniedByMesh === !facts.permitted,
    facts.status === undefined ? 'no answer' : `${facts.status}${facts.deniedByMesh ? ' by the mesh' : ''}`,
  );
}

/** What a gateway that authenticates answers to a caller without a token. */
export interface TokenlessFacts {
  readonly gateway: string;
  readonly status: number;
  /** The code of the problem document, where the answer is one. */
  readonly code?: string;
}

export function checkTokenless({ gateway, status, code }: TokenlessFacts): CheckResult {
  const refused = status === 401 && code === 'ERR_TOKEN_MISSING';
  return check('policy.token', gateway, refused, code === undefined ? String(status) : `${status} ${code}`);
}
