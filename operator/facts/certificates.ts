import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import type { CertificateRole } from '../../mesh/definition.ts';
import { CERTIFICATE_ROLES, hierarchyOf } from '../../mesh/identity.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { CertificateFacts } from '../checks/certificates.ts';
import type { NodeState, RunState } from '../run-state.ts';
import { sidecarStatus, type SidecarStatus } from './agent.ts';
import { daysUntil } from './days-until.ts';
import type { Looking } from './looking.ts';
import { servedSerial } from './served-serial.ts';

/** For each certificate of the mesh: what was issued, and what a new connection shows. */
export async function certificateFacts(
  looking: Looking,
  state: RunState,
  aws: AwsClients,
): Promise<CertificateFacts[]> {
  const certificates = state.nodes.flatMap((node) => CERTIFICATE_ROLES.map((role) => ({ node, role })));
  return await looking.atEach(
    'certificates',
    certificates,
    ({ node, role }) => `${node.name} ${role}`,
    async ({ node, role }) => {
      const facts = await factsOf(state, aws, node, role);
      const isBehind = facts.servedSerial !== facts.issuedSerial;
      // One that renews itself may do so between the connection and the sidecar's answer.
      return isBehind && facts.renewal !== undefined ? await factsOf(state, aws, node, role) : facts;
    },
    'at-once',
  );
}

async function factsOf(
  state: RunState,
  aws: AwsClients,
  node: NodeState,
  role: CertificateRole,
): Promise<CertificateFacts> {
  const served = await servedSerial(state, node, role);
  const status = await sidecarStatus(node.agentSocket);
  const reported = status?.certificates.find((each) => each.role === role);
  const trusted = status?.trust.find((each) => each.hierarchy === hierarchyOf(role));
  return {
    node: node.name,
    role,
    ...(node.certificateSource === 'short-lived'
      ? issuedBySidecar(status, role)
      : await issuedByAcm(aws, node, role)),
    servedSerial: served,
    isTaken: status?.ready === true,
    problems: [...(reported?.problems ?? []), ...(trusted?.problems ?? [])],
  };
}

type IssuedFacts = Pick<CertificateFacts, 'issuedSerial' | 'daysLeft' | 'renewal'>;

async function issuedByAcm(
  { acm }: AwsClients,
  node: NodeState,
  role: CertificateRole,
): Promise<IssuedFacts> {
  const found = await acm.send(
    new DescribeCertificateCommand({ CertificateArn: node.certificateArns[role] }),
  );
  return {
    issuedSerial: normalizeSerial(found.Certificate?.Serial ?? ''),
    daysLeft: daysUntil(found.Certificate?.NotAfter?.getTime() ?? 0),
  };
}

/** ACM knows nothing of these: the sidecar says what it had issued, and the connection what is served. */
function issuedBySidecar(status: SidecarStatus | undefined, role: CertificateRole): IssuedFacts {
  const issuance = status?.issuance?.find((each) => each.role === role);
  return {
    issuedSerial: status?.certificates.find((each) => each.role === role)?.serial ?? '',
    daysLeft: issuance?.notAfter === undefined ? 0 : daysUntil(Date.parse(issuance.notAfter)),
    renewal: issuance ?? { failures: 0, alarm: 'expired' },
  };
}
