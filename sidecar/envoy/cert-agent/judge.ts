import { judgeBundle } from '../../../pki/bundle.ts';
import type { PkiProblem } from '../../../pki/problem.ts';
import { judgeTrust } from '../../../pki/trust.ts';
import type { AgentParts } from './agent.ts';

/** Judges a delivery as the node's own certificate: see {@link judgeBundle}. */
export function judgeDelivered(identity: string, clock: () => Date): AgentParts['judge'] {
  return (role, { secret, passphrase }, roots): readonly PkiProblem[] => {
    const verdict = judgeBundle({
      certificate: secret.certificate,
      chain: secret.chain,
      privateKey: { pem: secret.encryptedPrivateKey, passphrase },
      trustedRoots: roots,
      expectedDnsName: identity,
      role,
      now: clock(),
    });
    if (verdict.verdict === 'refused') return verdict.problems;
    return verdict.facts.serial === secret.serial
      ? []
      : [serialMismatch(secret.serial, verdict.facts.serial)];
  };
}

function serialMismatch(said: string, found: string): PkiProblem {
  return {
    code: 'ERR_SERIAL_MISMATCH',
    message: `the secret names another certificate than it holds: expected serial ${found}, got ${JSON.stringify(said.slice(0, 64))}`,
    remedy: 'export the certificate again: npm run mesh -- rotate <node>',
  };
}

export function judgeDeliveredTrust(clock: () => Date): AgentParts['judgeTrust'] {
  return ({ roots }): readonly PkiProblem[] => {
    const verdict = judgeTrust(roots, clock());
    return verdict.verdict === 'usable' ? [] : verdict.problems;
  };
}
