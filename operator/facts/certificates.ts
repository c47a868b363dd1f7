import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { PEER_CHECK_HOST } from '../../mesh/envoy/outbound.ts';
import { CERTIFICATE_ROLES, hierarchyOf } from '../../mesh/identity.ts';
import { DAY_MS } from '../../pki/certificate.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { CertificateFacts } from '../checks/certificates.ts';
import type { NodeState, RunState } from '../run-state.ts';
import { sidecarStatus } from './agent.ts';
import { credentialsOf, probeListener } from './listener.ts';
import { peerCheck } from './through-egress.ts';

/** For each certificate of the mesh: what ACM issued, and what a new connection shows. */
export async function certificateFacts(state: RunState, aws: AwsClients): Promise<CertificateFacts[]> {
  const now = Date.now();
  const byNode = await Promise.all(
    state.nodes.map(async (node) => {
      const status = await sidecarStatus(node.agentSocket);
      return await Promise.all(
        CERTIFICATE_ROLES.map(async (role) => {
          const found = await aws.acm.send(
            new DescribeCertificateCommand({ CertificateArn: node.certificateArns[role] }),
          );
          const reported = status?.certificates.find((each) => each.role === role);
          const trusted = status?.trust.find((each) => each.hierarchy === hierarchyOf(role));
          const served = role === 'server' ? await servedByListener(state, node) : await seenByPeer(node);
          return {
            node: node.name,
            role,
            issuedSerial: normalizeSerial(found.Certificate?.Serial ?? ''),
            daysLeft: ((found.Certificate?.NotAfter?.getTime() ?? 0) - now) / DAY_MS,
            servedSerial: served,
            isTaken: status?.ready === true,
            problems: [...(reported?.problems ?? []), ...(trusted?.problems ?? [])],
          };
        }),
      );
    }),
  );
  return byNode.flat();
}

async function servedByListener(state: RunState, node: NodeState): Promise<string | undefined> {
  const outcome = await probeListener(state, node, await credentialsOf(state, node.name));
  return outcome.serial === undefined ? undefined : normalizeSerial(outcome.serial);
}

/** Over a connection that the node's Envoy makes for the purpose: see {@link PEER_CHECK_HOST}. */
async function seenByPeer(node: NodeState): Promise<string | undefined> {
  return (await peerCheck(node.egressSocket, PEER_CHECK_HOST))?.serial;
}
