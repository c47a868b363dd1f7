/**
 * What the cert agent itself has to report: where a secret did not come, or did not get into use.
 *
 * @module
 */

import { describeError } from '../../../errors/error.ts';
import type { Hierarchy } from '../../../mesh/definition.ts';
import type { PkiProblem } from '../../../pki/problem.ts';

export const NOT_SERVED: PkiProblem = {
  code: 'ERR_CERTIFICATE_NOT_SERVED',
  message: 'the certificate was handed to Envoy, and a handshake still shows another serial',
  remedy: 'look for update_rejected and key_rotation_failed in the stats of Envoy; the agent goes on trying',
};

export function refusedByEnvoy(secret: string, reason: string): PkiProblem {
  return {
    code: 'ERR_SECRET_REFUSED',
    message: `Envoy did not take "${secret}" and goes on with the one before: ${reason}`,
    remedy: 'publish it again with what Envoy names put right; the sidecar offers the next version by itself',
  };
}

export function trustBreaks(hierarchy: Hierarchy): PkiProblem {
  return {
    code: 'ERR_TRUST_BREAKS_OWN',
    message: `the trust bundle of ${hierarchy} does not lead to this node's own certificate: expected the root that issued it among those trusted`,
    remedy: 'add the new root beside the old one, and take the old one out once no certificate leads to it',
  };
}

export function trustMissing(
  hierarchy: Hierarchy,
  problems: ReadonlyMap<Hierarchy, readonly PkiProblem[]>,
): PkiProblem {
  const [problem] = problems.get(hierarchy) ?? [];
  return {
    code: 'ERR_TRUST_MISSING',
    message: `the certificate waits for the trust bundle of ${hierarchy}: ${problem?.message ?? 'none was delivered'}`,
    remedy: problem?.remedy ?? 'write the roots of the hierarchy into its trust secret',
  };
}

export function unavailable(error: unknown): PkiProblem {
  return {
    code: 'ERR_SECRET_UNAVAILABLE',
    message: `the certificate could not be fetched: ${describeError(error)}`,
    remedy: 'see that Secrets Manager can be reached and that the role of the task may read the secret',
  };
}
