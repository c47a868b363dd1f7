import { beforeAll, describe, expect, it } from '@jest/globals';
import { judgeBundle, type Bundle, type BundleExpectations } from '../../pki/bundle.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import {
  CLIENT_AUTH,
  SERVER_AUTH,
  clearKey,
  createTestHierarchy,
  encryptKey,
  issueCertificate,
  issueLeaf,
  type Authority,
  type TestHierarchy,
} from '../support/issue-certificate.ts';

const NAME = 'order.tokenmesh.internal';
const PASSPHRASE = 'correct horse battery staple';
const DAY_MS = 86_400_000;

type Question = Bundle & BundleExpectations;

let own: TestHierarchy;
let other: TestHierarchy;
let leaf: Authority;

beforeAll(async () => {
  own = await createTestHierarchy('own');
  other = await createTestHierarchy('other');
  leaf = await issueLeaf(own.subordinate, NAME);
});

/** What is right about the leaf, and whatever the test makes wrong. */
function question(change: Partial<Question> = {}): Question {
  return {
    certificate: leaf.certificate,
    chain: own.chain,
    privateKey: { pem: encryptKey(leaf.key, PASSPHRASE), passphrase: new Sensitive(PASSPHRASE) },
    trustedRoots: own.root.certificate,
    expectedDnsName: NAME,
    role: 'client',
    now: new Date(),
    ...change,
  };
}

/** The question about another leaf, with its own key. */
function questionOf(issued: Authority, change: Partial<Question> = {}): Question {
  return question({ certificate: issued.certificate, privateKey: new Sensitive(issued.key), ...change });
}

function codes(asked: Question): string[] {
  const judged = judgeBundle(asked);
  return judged.verdict === 'usable' ? [] : judged.problems.map(({ code }) => code).sort();
}

describe('a bundle that is right', () => {
  it('is usable in either role, and its facts are told', () => {
    const judged = judgeBundle(question({ role: 'server' }));
    expect(judged).toMatchObject({ verdict: 'usable', facts: { serial: leaf.serial, dnsNames: [NAME] } });
    expect(codes(question())).toEqual([]);
  });

  it('is usable with its key already opened', () => {
    expect(codes(questionOf(leaf))).toEqual([]);
  });

  it('is usable with the root left out of the chain', () => {
    expect(codes(question({ chain: own.subordinate.certificate }))).toEqual([]);
  });

  it('is usable while a second root is trusted, as in a rollover', () => {
    const trustedRoots = other.root.certificate + own.root.certificate;
    expect(codes(question({ trustedRoots }))).toEqual([]);
  });
});

describe('a leaf that cannot be taken', () => {
  it('refuses an empty certificate', () => {
    expect(codes(question({ certificate: ' \n' }))).toEqual(['ERR_CERTIFICATE_MISSING']);
  });

  it('refuses garbage in place of a certificate', () => {
    expect(codes(question({ certificate: 'not a certificate' }))).toEqual(['ERR_CERTIFICATE_UNREADABLE']);
  });

  it('refuses a certificate that is cut off', () => {
    const certificate = leaf.certificate.slice(0, -60);
    expect(codes(question({ certificate }))).toEqual(['ERR_CERTIFICATE_UNREADABLE']);
  });

  it('refuses a certificate with one byte changed, since the signature no longer holds', () => {
    const middle = Math.floor(leaf.certificate.length * 0.9);
    const flipped = leaf.certificate[middle] === 'A' ? 'B' : 'A';
    const certificate = leaf.certificate.slice(0, middle) + flipped + leaf.certificate.slice(middle + 1);
    expect(judgeBundle(question({ certificate })).verdict).toBe('refused');
  });

  it('refuses two certificates where the leaf belongs', () => {
    const certificate = leaf.certificate + own.subordinate.certificate;
    expect(codes(question({ certificate }))).toEqual(['ERR_CERTIFICATE_UNREADABLE']);
  });

  it('refuses an expired one', () => {
    const now = new Date(Date.now() + 400 * DAY_MS);
    expect(codes(question({ now }))).toContain('ERR_CERTIFICATE_EXPIRED');
  });

  it('refuses one that is not valid yet', async () => {
    const notBefore = new Date(Date.now() + DAY_MS);
    const future = await issueLeaf(own.subordinate, NAME, { notBefore });
    expect(codes(questionOf(future))).toEqual(['ERR_CERTIFICATE_NOT_YET_VALID']);
  });

  it('refuses a client’s usage where a server is needed, and the reverse', async () => {
    const client = await issueLeaf(own.subordinate, NAME, { extendedKeyUsage: [CLIENT_AUTH] });
    const server = await issueLeaf(own.subordinate, NAME, { extendedKeyUsage: [SERVER_AUTH] });
    expect(codes(questionOf(client, { role: 'client' }))).toEqual([]);
    expect(codes(questionOf(client, { role: 'server' }))).toEqual(['ERR_EXTENDED_KEY_USAGE']);
    expect(codes(questionOf(server, { role: 'client' }))).toEqual(['ERR_EXTENDED_KEY_USAGE']);
  });

  it('refuses one without any extended key usage', async () => {
    const bare = await issueCertificate({ commonName: NAME, issuer: own.subordinate, dnsNames: [NAME] });
    expect(codes(questionOf(bare))).toEqual(['ERR_EXTENDED_KEY_USAGE']);
  });

  it('refuses another node’s name, even with the right common name', async () => {
    const paybill = await issueLeaf(own.subordinate, NAME, { dnsNames: ['paybill.tokenmesh.internal'] });
    expect(codes(questionOf(paybill))).toEqual(['ERR_NAME_MISMATCH']);
  });

  it('refuses a wildcard that would cover the name', async () => {
    const wildcard = await issueLeaf(own.subordinate, NAME, { dnsNames: ['*.tokenmesh.internal'] });
    expect(codes(questionOf(wildcard))).toEqual(['ERR_NAME_MISMATCH']);
  });

  it('refuses RSA of 1024 bits', async () => {
    const weak = await issueLeaf(own.subordinate, NAME, { rsaBits: 1024 });
    expect(codes(questionOf(weak))).toEqual(['ERR_KEY_TOO_WEAK']);
  });

  it.each([{ rsaBits: 2048 }, { curve: 'P-384' }, { curve: 'P-521' }] as const)(
    'refuses %j, with which no handshake of the mesh is signed',
    async (wish) => {
      const issued = await issueLeaf(own.subordinate, NAME, wish);
      expect(codes(questionOf(issued))).toEqual(['ERR_KEY_ALGORITHM']);
    },
  );
});

describe('a key that cannot be taken', () => {
  const passphrase = new Sensitive(PASSPHRASE);

  it('refuses an empty key', () => {
    expect(codes(question({ privateKey: { pem: '', passphrase } }))).toEqual(['ERR_KEY_MISSING']);
  });

  it('refuses garbage in place of a key', () => {
    const privateKey = { pem: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n', passphrase };
    expect(codes(question({ privateKey }))).toEqual(['ERR_KEY_DOES_NOT_OPEN']);
  });

  it('refuses a passphrase that ends in a newline', () => {
    const pem = encryptKey(leaf.key, PASSPHRASE);
    for (const end of ['\n', '\r\n']) {
      const privateKey = { pem, passphrase: new Sensitive(PASSPHRASE + end) };
      expect(codes(question({ privateKey }))).toEqual(['ERR_PASSPHRASE_NEWLINE']);
    }
  });

  it('refuses a passphrase that does not open it', () => {
    const privateKey = { pem: encryptKey(leaf.key, PASSPHRASE), passphrase: new Sensitive('another') };
    expect(codes(question({ privateKey }))).toEqual(['ERR_KEY_DOES_NOT_OPEN']);
  });

  it('refuses a key in clear', () => {
    expect(codes(question({ privateKey: { pem: clearKey(leaf.key), passphrase } }))).toEqual([
      'ERR_KEY_NOT_ENCRYPTED',
    ]);
  });

  it('refuses another certificate’s key', () => {
    expect(codes(question({ privateKey: new Sensitive(other.root.key) }))).toEqual(['ERR_KEY_MISMATCH']);
  });
});

describe('a chain that does not lead to a trusted root', () => {
  it('refuses a leaf of another hierarchy', async () => {
    const foreign = await issueLeaf(other.subordinate, NAME);
    expect(codes(questionOf(foreign, { chain: other.chain }))).toEqual(['ERR_CHAIN_UNTRUSTED']);
  });

  it('refuses a leaf of another hierarchy that comes with our chain', async () => {
    const foreign = await issueLeaf(other.subordinate, NAME);
    expect(codes(questionOf(foreign))).toEqual(['ERR_CHAIN_BROKEN']);
  });

  it('refuses a CA of the same name with another key', async () => {
    const root = await issueCertificate({ commonName: 'own root', isCa: true });
    const impostor = await issueCertificate({ commonName: 'own issuing', isCa: true, issuer: root });
    const foreign = await issueLeaf(impostor, NAME);
    expect(codes(questionOf(foreign))).toEqual(['ERR_CHAIN_BROKEN']);
    expect(codes(questionOf(foreign, { chain: impostor.certificate }))).toEqual(['ERR_CHAIN_UNTRUSTED']);
  });

  it('refuses a leaf that names another issuer than the one that signed it', async () => {
    const renamed = await issueLeaf({ ...own.subordinate, commonName: 'somebody' }, NAME);
    expect(codes(questionOf(renamed))).toEqual(['ERR_CHAIN_BROKEN']);
  });

  it('refuses a missing intermediate', () => {
    expect(codes(question({ chain: '' }))).toEqual(['ERR_CHAIN_UNTRUSTED']);
    expect(codes(question({ chain: own.root.certificate }))).toEqual(['ERR_CHAIN_BROKEN']);
  });

  it('refuses intermediates in the wrong order', () => {
    const chain = own.root.certificate + own.subordinate.certificate;
    expect(codes(question({ chain }))).toEqual(['ERR_CHAIN_BROKEN']);
  });

  it('refuses an expired intermediate', async () => {
    const notAfter = new Date(Date.now() - DAY_MS);
    const notBefore = new Date(Date.now() - 2 * DAY_MS);
    const stale = await issueCertificate({
      commonName: 'stale',
      isCa: true,
      issuer: own.root,
      notBefore,
      notAfter,
    });
    const issued = await issueLeaf(stale, NAME);
    expect(codes(questionOf(issued, { chain: stale.certificate }))).toEqual(['ERR_CHAIN_EXPIRED']);
  });

  it('refuses a leaf that was issued by a leaf', async () => {
    const issued = await issueLeaf(leaf, NAME);
    const asked = questionOf(issued, { chain: leaf.certificate + own.chain });
    expect(codes(asked)).toContain('ERR_CHAIN_NOT_CA');
  });

  it('refuses garbage beside the chain', () => {
    expect(codes(question({ chain: `${own.chain}garbage` }))).toEqual(['ERR_CHAIN_UNREADABLE']);
  });

  it('refuses to judge against no root at all', () => {
    const found = codes(question({ trustedRoots: '' }));
    expect(found).toEqual(['ERR_CHAIN_UNTRUSTED', 'ERR_TRUST_UNREADABLE']);
  });

  it('refuses an expired root', async () => {
    const root = await issueCertificate({
      commonName: 'old root',
      isCa: true,
      notAfter: new Date(Date.now() - DAY_MS),
      notBefore: new Date(Date.now() - 2 * DAY_MS),
    });
    const issued = await issueLeaf(root, NAME);
    const asked = questionOf(issued, { chain: '', trustedRoots: root.certificate });
    expect(codes(asked)).toEqual(['ERR_TRUST_EXPIRED']);
  });
});

describe('what a refusal says', () => {
  it('tells every problem at once, each with a remedy', async () => {
    const wrong = await issueLeaf(other.subordinate, 'paybill.tokenmesh.internal', {
      extendedKeyUsage: [SERVER_AUTH],
      rsaBits: 1024,
      notAfter: new Date(Date.now() - 1000),
    });
    const judged = judgeBundle(
      question({ certificate: wrong.certificate, privateKey: new Sensitive(leaf.key) }),
    );
    expect(judged.verdict).toBe('refused');
    if (judged.verdict !== 'refused') return;
    expect(judged.problems.map(({ code }) => code).sort()).toEqual([
      'ERR_CERTIFICATE_EXPIRED',
      'ERR_CHAIN_BROKEN',
      'ERR_EXTENDED_KEY_USAGE',
      'ERR_KEY_MISMATCH',
      'ERR_KEY_TOO_WEAK',
      'ERR_NAME_MISMATCH',
    ]);
    expect(judged.problems.every(({ remedy }) => remedy.length > 10)).toBe(true);
  });

  it('never holds the key or the passphrase', () => {
    const pem = encryptKey(leaf.key, PASSPHRASE);
    const judged = judgeBundle(
      question({ certificate: '', privateKey: { pem, passphrase: new Sensitive('hunter22') } }),
    );
    const said = JSON.stringify(judged);
    expect(said).toContain('ERR_KEY_DOES_NOT_OPEN');
    expect(said).not.toContain('hunter22');
    expect(said).not.toContain(pem.split('\n')[1]);
  });
});
