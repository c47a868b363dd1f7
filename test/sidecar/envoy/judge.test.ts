import { beforeAll, describe, expect, it } from '@jest/globals';
import { Sensitive } from '../../../pki/sensitive.ts';
import { judgeDelivered } from '../../../sidecar/envoy/cert-agent/judge.ts';
import type { DeliveredCertificate } from '../../../sidecar/envoy/cert-agent/ports.ts';
import { normalizeSerial } from '../../../pki/secret.ts';
import { createTestHierarchy, encryptKey, issueLeaf } from '../../support/issue-certificate.ts';

const NAME = 'order.tokenmesh.internal';

let delivered: DeliveredCertificate;
let roots = '';

beforeAll(async () => {
  const { root, subordinate, chain } = await createTestHierarchy('clients');
  const leaf = await issueLeaf(subordinate, NAME);
  roots = root.certificate;
  delivered = {
    version: '1',
    secretName: 'tokenmesh/order/client/certificate',
    passphrase: new Sensitive('of the test'),
    secret: {
      serial: normalizeSerial(leaf.serial),
      certificateArn: 'arn',
      certificate: leaf.certificate,
      chain,
      encryptedPrivateKey: encryptKey(leaf.key, 'of the test'),
      passphraseVersionId: '1',
    },
  };
});

const judge = judgeDelivered(NAME, () => new Date());
const codesOf = (change: Partial<DeliveredCertificate['secret']>): string[] =>
  judge('client', { ...delivered, secret: { ...delivered.secret, ...change } }, roots).map(
    (problem) => problem.code,
  );

describe('a delivery', () => {
  it('is taken when everything in it goes together', () => {
    expect(codesOf({})).toEqual([]);
  });

  it('is refused when it names another serial than its leaf has: it could never be proven to be served', () => {
    expect(codesOf({ serial: '00' })).toEqual(['ERR_SERIAL_MISMATCH']);
  });

  it('is refused without its chain', () => {
    expect(codesOf({ chain: '' })).not.toEqual([]);
  });
});
