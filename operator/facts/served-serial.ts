import type { CertificateRole } from '../../mesh/definition.ts';
import { PEER_CHECK_HOST } from '../../mesh/envoy/outbound.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import type { NodeState, RunState } from '../run-state.ts';
import { credentialsOf, probeListener } from './listener.ts';
import { peerCheck } from './through-egress.ts';

/** What a new connection shows: the operator's own to a listener, and for a caller what its peer sees. */
export async function servedSerial(
  state: RunState,
  node: NodeState,
  role: CertificateRole,
): Promise<string | undefined> {
  if (role === 'client') return (await peerCheck(node.egressSocket, PEER_CHECK_HOST))?.serial;
  const outcome = await probeListener(state, node, await credentialsOf(state, node.name));
  return outcome.serial === undefined ? undefined : normalizeSerial(outcome.serial);
}
