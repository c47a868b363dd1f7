import { Sensitive } from '../../pki/sensitive.ts';
import { certificateAuthorityContract } from '../contracts/certificate-authority.contract.ts';
import { FakeAcm } from '../fakes/acm.ts';
import { createTestHierarchy } from '../support/issue-certificate.ts';

certificateAuthorityContract(async () => {
  const authority = new FakeAcm(await createTestHierarchy('clients'));
  const request = (mesh: string, node: string): Promise<string> =>
    authority.request({ dnsName: `${node}.${mesh}.internal`, owner: { mesh, node, role: 'client' } });
  return {
    authority,
    meshName: 'tokenmesh',
    ownedArns: [await request('tokenmesh', 'order'), await request('tokenmesh', 'paybill')],
    foreignArns: [await request('other', 'order'), await authority.request({ dnsName: 'a.test' })],
    unknownArn: 'arn:aws:acm:us-east-1:123456789012:certificate/unknown',
    exportOnce: async (certificateArn) => {
      await authority.export(certificateArn, new Sensitive('a-passphrase-of-the-contract'));
    },
  };
});
