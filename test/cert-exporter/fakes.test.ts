import { certificateSourceContract } from '../contracts/certificate-source.contract.ts';
import { secretStoreContract } from '../contracts/secret-store.contract.ts';
import { FakeAcm } from '../fakes/acm.ts';
import { FakeSecretStore } from '../fakes/secret-store.ts';
import { createTestHierarchy } from '../support/issue-certificate.ts';

const OWNER = { mesh: 'tokenmesh', node: 'order', role: 'client' } as const;

certificateSourceContract(async () => {
  const hierarchy = await createTestHierarchy('clients');
  const source = new FakeAcm(hierarchy);
  const dnsName = 'order.tokenmesh.internal';
  return {
    source,
    owner: OWNER,
    dnsName,
    ownedArn: await source.request({ dnsName, owner: OWNER }),
    untaggedArn: await source.request({ dnsName }),
    unknownArn: 'arn:aws:acm:us-east-1:123456789012:certificate/unknown',
    rootCertificate: hierarchy.root.certificate,
  };
});

secretStoreContract(async () => {
  const store = new FakeSecretStore();
  return {
    store,
    putRaw: async (secretName, value) => {
      store.put(secretName, value);
    },
  };
});
