import { describe, expect, it } from '@jest/globals';
import {
  crlPlaceOf,
  parseAuthorities,
  parseDenyList,
  withDenied,
  type DeniedCertificate,
} from '../../pki/revocation.ts';

const NOW = new Date('2026-06-01T00:00:00Z');

function denied(serial: string, expiresAt = '2027-01-01T00:00:00.000Z'): DeniedCertificate {
  return { serial, node: 'order', role: 'client', revokedAt: '2026-05-01T00:00:00.000Z', expiresAt };
}

describe('the deny list', () => {
  it('keeps what is on it, and has each serial once', () => {
    const list = withDenied({ denied: [denied('a1'), denied('b2')] }, [denied('b2'), denied('c3')], NOW);
    expect(list.denied.map(({ serial }) => serial)).toEqual(['a1', 'b2', 'c3']);
  });

  it('drops what has expired, and nothing else', () => {
    const list = withDenied({ denied: [denied('a1', '2026-05-31T23:59:59Z'), denied('b2')] }, [], NOW);
    expect(list.denied).toEqual([denied('b2')]);
  });

  it('keeps the time of the last CRL', () => {
    const crlsPublishedAt = '2026-05-01T00:00:00.000Z';
    expect(withDenied({ denied: [], crlsPublishedAt }, [], NOW)).toEqual({ denied: [], crlsPublishedAt });
  });

  it('is read back as it was written', () => {
    const list = { denied: [denied('a1')], crlsPublishedAt: '2026-05-01T00:00:00.000Z' };
    expect(parseDenyList('secret', JSON.stringify(list))).toEqual(list);
  });

  it.each([
    ['nothing', ''],
    ['no list', '{}'],
    ['a list of words', '{"denied":["a1"]}'],
    ['a serial in capitals', JSON.stringify({ denied: [denied('A1')] })],
    ['a serial with a zero in front', JSON.stringify({ denied: [denied('0a1')] })],
    ['a time that is none', JSON.stringify({ denied: [denied('a1', 'soon')] })],
    ['an announcement that is no time', '{"denied":[],"crlsPublishedAt":"now"}'],
  ])('is refused where it is %s', (_what, text) => {
    expect(() => parseDenyList('mesh/list', text)).toThrow(
      expect.objectContaining({ code: 'ERR_DENY_LIST_UNUSABLE' }),
    );
  });
});

describe('the CAs and their lists', () => {
  const authority = { certificate: 'PEM', crl: { bucket: 'b', key: 'crl/x.crl' } };

  it('are found where ACM Private CA puts them', () => {
    expect(crlPlaceOf('b', 'arn:aws:acm-pca:us-east-1:1:certificate-authority/x')).toEqual(authority.crl);
  });

  it('are read back as they were written', () => {
    const authorities = { clients: [authority], servers: [authority] };
    expect(parseAuthorities('secret', JSON.stringify(authorities))).toEqual(authorities);
  });

  it.each([
    ['nothing', ''],
    ['one hierarchy alone', JSON.stringify({ clients: [authority] })],
    ['a hierarchy with no CA', JSON.stringify({ clients: [], servers: [authority] })],
    ['a CA with no list', JSON.stringify({ clients: [{ certificate: 'PEM' }], servers: [authority] })],
    [
      'a list with no key',
      JSON.stringify({
        clients: [{ certificate: 'PEM', crl: { bucket: 'b', key: '' } }],
        servers: [authority],
      }),
    ],
  ])('are refused where they are %s', (_what, text) => {
    expect(() => parseAuthorities('mesh/cas', text)).toThrow(
      expect.objectContaining({ code: 'ERR_CRL_AUTHORITIES_UNUSABLE' }),
    );
  });
});
