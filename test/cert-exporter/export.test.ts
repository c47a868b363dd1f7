import { inspect } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportCertificate, type ExportResult } from '../../cert-exporter/export.ts';
import type { CertificateOwner } from '../../pki/certificate-owner.ts';
import { openPrivateKey } from '../../pki/private-key.ts';
import { parseCertificateSecret, secretNames, type CertificateSecret } from '../../pki/secret.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import { FakeAcm } from '../fakes/acm.ts';
import { FakeSecretStore } from '../fakes/secret-store.ts';
import {
  createTestHierarchy,
  encryptKey,
  issueLeaf,
  type TestHierarchy,
} from '../support/issue-certificate.ts';

const OWNER: CertificateOwner = { mesh: 'tokenmesh', node: 'order', role: 'client' };
const NAMES = secretNames('tokenmesh', 'order', 'client');
const DNS_NAME = 'order.tokenmesh.internal';

let hierarchy: TestHierarchy;
let otherLeaf: string;
let source: FakeAcm;
let store: FakeSecretStore;
let certificateArn: string;

beforeAll(async () => {
  hierarchy = await createTestHierarchy('clients');
  otherLeaf = (await issueLeaf(hierarchy.subordinate, DNS_NAME)).certificate;
});

beforeEach(async () => {
  source = new FakeAcm(hierarchy);
  store = new FakeSecretStore();
  certificateArn = await source.request({ dnsName: DNS_NAME, owner: OWNER });
});

async function run(arn = certificateArn): Promise<ExportResult> {
  return exportCertificate(
    { source, store },
    { certificateArn: arn, meshName: 'tokenmesh', now: new Date() },
  );
}

function published(): CertificateSecret {
  return parseCertificateSecret(NAMES.certificate, store.currentValue(NAMES.certificate) ?? '');
}

describe('an export', () => {
  it('publishes the passphrase first, then the certificate that names its version', async () => {
    const result = await run();
    expect(result).toMatchObject({ outcome: 'exported', node: 'order', role: 'client' });
    expect(store.writes).toEqual([NAMES.passphrase, NAMES.certificate]);
    const secret = published();
    const passphrase = store.versionValue(NAMES.passphrase, secret.passphraseVersionId) ?? '';
    const opened = openPrivateKey({ pem: secret.encryptedPrivateKey, passphrase: new Sensitive(passphrase) });
    expect(opened.outcome).toBe('opened');
    expect(secret).toMatchObject({ certificateArn, serial: (await source.describe(certificateArn))?.serial });
  });

  it('writes nothing the second time', async () => {
    const first = await run();
    const second = await run();
    expect(second).toEqual({ ...first, outcome: 'already-exported' });
    expect(store.writes).toHaveLength(2);
    expect(source.exportsMade).toHaveLength(1);
  });

  it('publishes the successor after a renewal', async () => {
    await run();
    const serial = await source.renewByItself(certificateArn);
    expect(await run()).toMatchObject({ outcome: 'exported', serial });
    expect(published().serial).toBe(serial);
  });

  it('publishes anew when the passphrase that the certificate names is gone', async () => {
    await run();
    store.removeVersion(NAMES.passphrase, published().passphraseVersionId);
    expect(await run()).toMatchObject({ outcome: 'exported' });
    expect(await store.hasVersion(NAMES.passphrase, published().passphraseVersionId)).toBe(true);
  });

  it.each([
    ['cannot be read', (): string => 'edited by hand'],
    [
      'holds another leaf than it says',
      (): string => JSON.stringify({ ...published(), certificate: otherLeaf }),
    ],
  ])('publishes anew when the secret %s', async (_title, text) => {
    await run();
    store.put(NAMES.certificate, text());
    expect(await run()).toMatchObject({ outcome: 'exported' });
  });

  it('leaves earlier passphrases for readers that still hold the certificate before', async () => {
    await run();
    const before = published();
    await source.renewByItself(certificateArn);
    await run();
    expect(await store.hasVersion(NAMES.passphrase, before.passphraseVersionId)).toBe(true);
  });
});

describe('an export after a good one that cannot be used', () => {
  it('keeps what was published before', async () => {
    await run();
    const before = published();
    await source.renewByItself(certificateArn);
    source.spoilExport = (exported) => ({ ...exported, certificate: '' });
    await expect(run()).rejects.toMatchObject({ code: 'ERR_EXPORT_UNUSABLE' });
    expect(published()).toEqual(before);
  });
});

describe('a certificate that is not to be exported', () => {
  it('that is not issued is told, and nothing is written', async () => {
    const pending = await source.request({ dnsName: DNS_NAME, owner: OWNER, status: 'PENDING_VALIDATION' });
    expect(await run(pending)).toMatchObject({ outcome: 'not-issued', status: 'PENDING_VALIDATION' });
    expect(store.writes).toEqual([]);
  });

  it('without our tags, or of another mesh, is left alone', async () => {
    const untagged = await source.request({ dnsName: DNS_NAME });
    const foreign = await source.request({ dnsName: DNS_NAME, owner: { ...OWNER, mesh: 'other' } });
    expect(await run(untagged)).toEqual({ outcome: 'not-ours', certificateArn: untagged });
    expect(await run(foreign)).toEqual({ outcome: 'not-ours', certificateArn: foreign });
    expect(source.exportsMade).toEqual([]);
    expect(store.writes).toEqual([]);
  });

  it('refuses one that does not exist', async () => {
    await expect(run(`${certificateArn}0`)).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_UNKNOWN' });
  });
});

async function refusal(): Promise<unknown> {
  const error = await run().catch((caught: unknown) => caught);
  return { error, writes: store.writes };
}

function unusable(text: string): unknown {
  return {
    error: expect.objectContaining({
      code: 'ERR_EXPORT_UNUSABLE',
      message: expect.stringContaining(text),
      remedy: expect.stringContaining('nothing was published'),
    }),
    writes: [],
  };
}

describe('an export that cannot be used', () => {
  it('refuses a key that the passphrase does not open', async () => {
    const leaf = await issueLeaf(hierarchy.subordinate, DNS_NAME);
    const encryptedPrivateKey = encryptKey(leaf.key, 'another passphrase');
    source.spoilExport = (exported) => ({ ...exported, encryptedPrivateKey });
    expect(await refusal()).toEqual(unusable('does not open'));
  });

  it('refuses a leaf that the key does not belong to', async () => {
    const { certificate } = await issueLeaf(hierarchy.subordinate, DNS_NAME);
    source.spoilExport = (exported) => ({ ...exported, certificate });
    expect(await refusal()).toEqual(unusable('does not belong'));
  });

  it('refuses an empty chain', async () => {
    source.spoilExport = (exported) => ({ ...exported, chain: '' });
    expect(await refusal()).toEqual(unusable('trusted roots'));
  });

  it('refuses a chain that belongs to another hierarchy', async () => {
    const { chain } = await createTestHierarchy('other');
    source.spoilExport = (exported) => ({ ...exported, chain });
    expect(await refusal()).toEqual(unusable('chain breaks'));
  });

  it('refuses to give a node the certificate of another name, whatever its tags say', async () => {
    certificateArn = await source.request({ dnsName: 'paybill.tokenmesh.internal', owner: OWNER });
    expect(await refusal()).toEqual(unusable('names another'));
  });

  it('is refused without the key or the passphrase in the message', async () => {
    const seen = ['the-passphrase-of-this-test'];
    store.generatePassphrase = async () => new Sensitive('the-passphrase-of-this-test');
    source.spoilExport = (exported) => {
      seen.push(...exported.encryptedPrivateKey.split('\n').slice(1, -2));
      return { ...exported, certificate: 'garbage' };
    };
    const error = await run().catch((caught: unknown) => caught);
    const shown = inspect(error);
    expect(shown).toContain('ERR_EXPORT_UNUSABLE');
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.filter((secret) => shown.includes(secret))).toEqual([]);
  });
});
