import { certificateIssuerContract } from '../../../contracts/certificate-issuer.contract.ts';
import { MemoryIssuer } from '../../../fakes/memory-issuer.ts';
import { createTestHierarchy } from '../../../support/issue-certificate.ts';

certificateIssuerContract(async () => {
  const hierarchies = {
    client: await createTestHierarchy('clients'),
    server: await createTestHierarchy('servers'),
  };
  const issuer = new MemoryIssuer(hierarchies, Date.now);
  issuer.signsAfterMs = 200;
  const roots = {
    client: hierarchies.client.root.certificate,
    server: hierarchies.server.root.certificate,
  };
  return { issuer, roots };
});
