import { beforeAll, describe, expect, it } from '@jest/globals';
import { GetCertificateCommand } from '@aws-sdk/client-acm';
import { ListTagsCommand } from '@aws-sdk/client-acm-pca';
import {
  createHierarchy,
  requestNodeCertificate,
  type CreatedHierarchy,
} from '../../../operator/ca/private-ca.ts';
import { daysLeft, readCertificate } from '../../../pki/certificate.ts';
import { isIssuedBy } from '../../../pki/chain.ts';
import { judgeTrust } from '../../../pki/trust.ts';
import { withEmulator } from '../../support/emulator.ts';

const clients = withEmulator();

let hierarchy: CreatedHierarchy;

beforeAll(async () => {
  hierarchy = await createHierarchy(clients(), {
    rootCommonName: 'servers root',
    subordinateCommonName: 'servers issuing',
    rootValidityDays: 3650,
    subordinateValidityDays: 1825,
    tags: [{ key: 'tokenmesh:mesh', value: 'tokenmesh' }],
  });
});

describe('a hierarchy of private CAs', () => {
  it('has a root that peers can trust', () => {
    const trust = judgeTrust(hierarchy.rootCertificate, new Date());
    expect(trust).toMatchObject({ verdict: 'usable', roots: [{ subject: 'CN=servers root' }] });
  });

  it('has a subordinate that the root signed, for the days that were asked', () => {
    const root = readCertificate(hierarchy.rootCertificate);
    const subordinate = readCertificate(hierarchy.subordinateCertificate);
    expect(subordinate).toMatchObject({
      subject: 'CN=servers issuing',
      isCa: true,
      keyAlgorithm: { type: 'ec', curve: 'prime256v1' },
    });
    expect(isIssuedBy(subordinate, root)).toBe(true);
    expect([1824, 1825]).toContain(daysLeft(subordinate, new Date()));
  });

  it('has its tags on both CAs', async () => {
    for (const arn of [hierarchy.rootArn, hierarchy.subordinateArn]) {
      const { Tags } = await clients().acmPca.send(new ListTagsCommand({ CertificateAuthorityArn: arn }));
      expect(Tags).toEqual([{ Key: 'tokenmesh:mesh', Value: 'tokenmesh' }]);
    }
  });
});

describe('a node’s certificate', () => {
  it('is issued by the subordinate, under its name and those besides', async () => {
    const certificateArn = await requestNodeCertificate(clients(), {
      mesh: 'tokenmesh',
      node: 'gateway',
      role: 'server',
      domainName: 'gateway.tokenmesh.internal',
      alternativeNames: ['localhost'],
      subordinateArn: hierarchy.subordinateArn,
    });
    const { Certificate: pem = '' } = await clients().acm.send(
      new GetCertificateCommand({ CertificateArn: certificateArn }),
    );
    const leaf = readCertificate(pem);
    expect(leaf).toMatchObject({
      dnsNames: ['gateway.tokenmesh.internal', 'localhost'],
      isCa: false,
      keyAlgorithm: { type: 'ec', curve: 'prime256v1' },
    });
    expect(isIssuedBy(leaf, readCertificate(hierarchy.subordinateCertificate))).toBe(true);
  });

  it('refuses a subordinate that does not exist', async () => {
    const request = requestNodeCertificate(clients(), {
      mesh: 'tokenmesh',
      node: 'order',
      role: 'client',
      domainName: 'order.tokenmesh.internal',
      alternativeNames: [],
      subordinateArn: `${hierarchy.subordinateArn}0`,
    });
    await expect(request).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_NOT_ISSUED' });
  });
});
