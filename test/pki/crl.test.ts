import 'reflect-metadata';
import { X509Certificate, X509Crl, Extension } from '@peculiar/x509';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readCertificate } from '../../pki/certificate.ts';
import { judgeCrl, judgeCrls, judgeStaleness, type CrlVerdict } from '../../pki/crl.ts';
import {
  createTestHierarchy,
  issueCrl,
  type CrlWish,
  type TestHierarchy,
} from '../support/issue-certificate.ts';

const NOW = new Date();
const HOUR_MS = 3_600_000;
const hoursFromNow = (hours: number): Date => new Date(NOW.getTime() + hours * HOUR_MS);

let own: TestHierarchy;
let other: TestHierarchy;

beforeAll(async () => {
  own = await createTestHierarchy('clients');
  other = await createTestHierarchy('servers');
});

async function judge(der: Uint8Array): Promise<CrlVerdict> {
  return await judgeCrl({ der, authority: readCertificate(own.subordinate.certificate), now: NOW });
}

async function codesOf(wish: CrlWish): Promise<string[]> {
  const verdict = await judge(await issueCrl(own.subordinate, wish));
  return verdict.verdict === 'usable' ? [] : verdict.problems.map(({ code }) => code);
}

describe('a list of the CA', () => {
  it('is usable, and tells its serials in the one form', async () => {
    const verdict = await judge(await issueCrl(own.subordinate, { serials: ['0A1B', 'ff'] }));
    expect(verdict).toMatchObject({ verdict: 'usable', facts: { serials: ['a1b', 'ff'] } });
  });

  it('is usable where it names nobody', async () => {
    expect(await codesOf({})).toEqual([]);
  });

  it("is handed on under OpenSSL's label", async () => {
    const der = await issueCrl(own.subordinate);
    const verdict = await judge(der);
    const pem = verdict.facts?.pem ?? '';
    expect(pem).toMatch(/^-----BEGIN X509 CRL-----\n(?:[\w+/=]{1,64}\n)+-----END X509 CRL-----\n$/);
    const body = Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    expect(body.equals(Buffer.from(der))).toBe(true);
  });

  it.each<[what: string, wish: () => CrlWish, code: string]>([
    ['is past its nextUpdate', () => ({ nextUpdate: hoursFromNow(-1) }), 'ERR_CRL_STALE'],
    ['begins later', () => ({ thisUpdate: hoursFromNow(1) }), 'ERR_CRL_NOT_YET_VALID'],
    ['says no nextUpdate', () => ({ nextUpdate: null }), 'ERR_CRL_ENDLESS'],
    [
      'has a critical extension that is not known',
      () => ({ extensions: [new Extension('2.5.29.27', true, new Uint8Array([2, 1, 1]))] }),
      'ERR_CRL_EXTENSION',
    ],
  ])('is refused where it %s', async (_what, wish, code) => {
    expect(await codesOf({ thisUpdate: hoursFromNow(-48), ...wish() })).toEqual([code]);
  });

  it('still tells whom it names where it is stale', async () => {
    const verdict = await judge(
      await issueCrl(own.subordinate, { serials: ['0b'], nextUpdate: hoursFromNow(-1) }),
    );
    expect(verdict).toMatchObject({ verdict: 'refused', facts: { serials: ['b'] } });
  });

  it('is refused where an older one would take the place of a newer', async () => {
    const authority = readCertificate(own.subordinate.certificate);
    const held = (await judge(await issueCrl(own.subordinate))).facts;
    const der = await issueCrl(own.subordinate, { thisUpdate: hoursFromNow(-24) });
    const verdict = await judgeCrl({ der, authority, now: NOW, held });
    expect(verdict).toMatchObject({ problems: [{ code: 'ERR_CRL_OLDER' }] });
  });
});

describe('what is no list of the CA', () => {
  it.each<[what: string, make: () => Promise<Uint8Array>, code: string]>([
    ['nothing', async () => new Uint8Array(), 'ERR_CRL_EMPTY'],
    ['garbage', async () => Buffer.from('garbage'), 'ERR_CRL_UNREADABLE'],
    ['half of one', async () => (await issueCrl(own.subordinate)).subarray(0, 80), 'ERR_CRL_UNREADABLE'],
    [
      'a certificate',
      async () => new Uint8Array(new X509Certificate(own.subordinate.certificate).rawData),
      'ERR_CRL_UNREADABLE',
    ],
    ["another CA's", async () => await issueCrl(other.subordinate), 'ERR_CRL_NOT_OF_CA'],
    ["its root's", async () => await issueCrl(own.root), 'ERR_CRL_NOT_OF_CA'],
    [
      'one in its name, signed by another',
      async () => await issueCrl(other.subordinate, { inNameOf: 'clients issuing' }),
      'ERR_CRL_NOT_OF_CA',
    ],
  ])('is refused: %s', async (_what, make, code) => {
    expect(await judge(await make())).toMatchObject({ verdict: 'refused', problems: [{ code }] });
  });

  it('is refused where it names another CA under the own key', async () => {
    const der = await issueCrl(own.subordinate, { inNameOf: 'clients of another' });
    expect(await judge(der)).toMatchObject({ problems: [{ code: 'ERR_CRL_NOT_OF_CA' }] });
  });

  it('is refused with any one byte of it changed', async () => {
    const der = await issueCrl(own.subordinate, { serials: ['0b'] });
    for (let at = 0; at < der.length; at += 7) {
      const changed = Uint8Array.from(der, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect((await judge(changed)).verdict).toBe('refused');
    }
  });
});

describe('the lists of a chain', () => {
  it('hold up together, or tell every problem', async () => {
    const good = { der: await issueCrl(own.root), authorityPem: own.root.certificate };
    const bad = { der: await issueCrl(own.root), authorityPem: own.subordinate.certificate };
    expect(await judgeCrls({ crls: [good], now: NOW })).toEqual([]);
    expect(await judgeCrls({ crls: [good, bad], now: NOW })).toMatchObject([{ code: 'ERR_CRL_NOT_OF_CA' }]);
  });
});

describe('the age of a list', () => {
  it('is judged by the time that is given', async () => {
    const { facts } = await judge(await issueCrl(own.subordinate, { nextUpdate: hoursFromNow(2) }));
    if (facts === undefined) throw new Error('expected facts');
    expect(judgeStaleness(facts, hoursFromNow(1))).toBeUndefined();
    expect(judgeStaleness(facts, hoursFromNow(3))).toMatchObject({ code: 'ERR_CRL_STALE' });
    expect(new X509Crl(await issueCrl(own.subordinate)).entries).toEqual([]);
  });
});
