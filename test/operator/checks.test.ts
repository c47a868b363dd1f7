import { describe, expect, it } from '@jest/globals';
import { checkCertificate, type CertificateFacts } from '../../operator/checks/certificates.ts';
import { checkEdge, type EdgeFacts } from '../../operator/checks/mtls.ts';
import { checkCall, checkTokenless } from '../../operator/checks/policy.ts';
import {
  checkRefusal,
  INTRUSIONS,
  type Intrusion,
  type RefusalFacts,
} from '../../operator/checks/refusals.ts';
import { checkClock } from '../../operator/checks/clock.ts';
import { checkKmsKey, checkTenantKeys, checkVault } from '../../operator/checks/vault.ts';
import { checkRevocation, type RevocationFacts } from '../../operator/checks/revocation.ts';
import { COUNTERS } from '../support/listener-counters.ts';

const EDGE: EdgeFacts = {
  from: 'order',
  to: 'tokenizer',
  mode: 'mtls',
  probe: { outcome: 'answered', status: 200 },
  before: COUNTERS,
  after: { ...COUNTERS, handshake: 6, versions: { 'TLSv1.3': 6 } },
  seenAs: { identity: 'order.tokenmesh.internal', serial: 'abc' },
  expectedIdentity: 'order.tokenmesh.internal',
};

const failing = (facts: EdgeFacts): string[] =>
  checkEdge(facts)
    .filter((each) => !each.ok)
    .map((each) => each.id);

describe('an edge', () => {
  it('holds when its handshakes are counted, and none is without a certificate', () => {
    expect(failing(EDGE)).toEqual([]);
  });

  it.each<[string, Partial<EdgeFacts>, string[]]>([
    ['nothing answers', { probe: { outcome: 'refused', reason: 'ECONNREFUSED' } }, ['mtls.counted']],
    ['the listener is silent about our handshake', { after: COUNTERS }, ['mtls.counted']],
    ['a handshake had no certificate', { after: { ...EDGE.after, noCertificate: 1 } }, ['mtls.mutual']],
    ['a handshake was TLS 1.2', { after: { ...EDGE.after, versions: { 'TLSv1.2': 1 } } }, ['mtls.version']],
    [
      'the peer sees another identity',
      { seenAs: { identity: 'paybill.tokenmesh.internal', serial: 'a' } },
      ['mtls.identity'],
    ],
    ['the peer sees nobody', { seenAs: undefined }, ['mtls.identity']],
  ])('fails when %s', (_what, change, expected) => {
    expect(failing({ ...EDGE, ...change })).toEqual(expected);
  });

  it('of one-way TLS holds when the two counts are equal, and fails when they are not', () => {
    const oneWay = { ...EDGE, mode: 'one-way' } as const;
    expect(failing({ ...oneWay, after: { ...EDGE.after, noCertificate: 6 } })).toEqual([]);
    expect(failing({ ...oneWay, after: { ...EDGE.after, noCertificate: 5 } })).toEqual(['mtls.one-way']);
    expect(failing({ ...oneWay, after: { ...EDGE.after, handshake: 0, noCertificate: 0 } })).toContain(
      'mtls.one-way',
    );
  });
});

describe('a refusal', () => {
  const facts = (intrusion: Intrusion): RefusalFacts => ({
    listener: 'tokenizer',
    intrusion,
    outcome: { outcome: 'refused', reason: 'ECONNRESET' },
    before: COUNTERS,
    after: { ...COUNTERS, [INTRUSIONS[intrusion].counter]: 1 },
  });

  it.each(Object.keys(INTRUSIONS) as Intrusion[])(
    'of %s holds when it is refused and counted',
    (intrusion) => {
      expect(checkRefusal(facts(intrusion)).ok).toBe(true);
    },
  );

  it.each(Object.keys(INTRUSIONS) as Intrusion[])(
    'of %s fails when the listener did not count it',
    (intrusion) => {
      expect(checkRefusal({ ...facts(intrusion), after: COUNTERS }).ok).toBe(false);
    },
  );

  it.each(Object.keys(INTRUSIONS) as Intrusion[])('of %s fails when it is answered', (intrusion) => {
    expect(checkRefusal({ ...facts(intrusion), outcome: { outcome: 'answered', status: 200 } }).ok).toBe(
      false,
    );
  });
});

describe('a certificate', () => {
  const facts: CertificateFacts = {
    node: 'order',
    role: 'client',
    issuedSerial: 'aa',
    daysLeft: 394.9,
    servedSerial: 'aa',
    isTaken: true,
    problems: [],
  };
  const failed = (change: Partial<CertificateFacts>): string[] =>
    checkCertificate({ ...facts, ...change })
      .filter((each) => !each.ok)
      .map((each) => each.id);

  it('holds when what is served is what was issued, with time left', () => {
    expect(failed({})).toEqual([]);
  });

  it('fails when another serial is served, or none', () => {
    expect(failed({ servedSerial: 'bb' })).toEqual(['certificates.served']);
    expect(failed({ servedSerial: undefined })).toEqual(['certificates.served']);
  });

  it('fails when it is about to expire', () => {
    expect(failed({ daysLeft: 29.9 })).toEqual(['certificates.days-left']);
  });

  it('that renews itself holds for as long as its renewals come in time, however few days are left', () => {
    const renewal = { failures: 3, alarm: 'none' } as const;
    expect(failed({ daysLeft: 0.5, renewal })).toEqual([]);
    for (const alarm of ['overdue', 'expired'] as const) {
      expect(failed({ daysLeft: 0.1, renewal: { ...renewal, alarm } })).toEqual([
        'certificates.renews-itself',
      ]);
    }
  });

  it('fails when the sidecar is not ready, or has something against what was published', () => {
    expect(failed({ isTaken: false })).toEqual(['certificates.taken']);
    expect(failed({ problems: [{ message: 'm', remedy: 'r' }] })).toEqual(['certificates.taken']);
  });

  it("hints at the agent's own problem where it has one", () => {
    const [check] = checkCertificate({
      ...facts,
      servedSerial: 'bb',
      problems: [{ message: 'm', remedy: 'do this' }],
    });
    expect(check?.hint).toBe('do this');
  });
});

describe('a call', () => {
  const call = { caller: 'outsider', virtualService: 'tokenizer', operation: 'tokens.create' };

  it.each([
    [false, 403, true, true],
    [false, 403, false, false],
    [false, 201, false, false],
    [false, 400, false, false],
    [true, 400, false, true],
    [true, 200, false, true],
    [true, 403, true, false],
    [true, 503, false, false],
    [true, undefined, false, false],
    [false, undefined, false, false],
  ])('permitted %p, answered %p, denied by the mesh %p: holds %p', (permitted, status, deniedByMesh, ok) => {
    expect(checkCall({ ...call, permitted, status, deniedByMesh }).ok).toBe(ok);
  });
});

describe('the vault', () => {
  const keys = { goodForSeconds: 3_000, isRefreshFailing: false };
  const failed = (facts: Parameters<typeof checkVault>[0]): string[] =>
    checkVault(facts)
      .filter((each) => !each.ok)
      .map((each) => each.id);

  it('holds only when it says that it is ready, with keys that are fetched in time', () => {
    expect(failed({ status: 200, keys })).toEqual([]);
    expect(failed({ status: 503 })).toEqual(['vault.ready', 'keys.fresh']);
    expect(failed({ status: 200 })).toEqual(['keys.fresh']);
    expect(failed({ status: 200, keys: { ...keys, isRefreshFailing: true } })).toEqual(['keys.fresh']);
    expect(failed({ status: 200, keys: { ...keys, goodForSeconds: 0 } })).toEqual(['keys.fresh']);
  });
});

describe('a key', () => {
  it('of KMS holds while it is enabled', () => {
    const states = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport', 'unknown'];
    expect(states.map((state) => checkKmsKey('vault', state).ok)).toEqual([true, false, false, false, false]);
  });

  it('of a tenant holds where both are there, and says which is not', () => {
    const keys = (hasBranchKey: boolean, hasFingerprintKey: boolean) =>
      checkTenantKeys({ tenant: 'shop', hasBranchKey, hasFingerprintKey });
    expect(keys(true, true).ok).toBe(true);
    expect(keys(false, true)).toMatchObject({ ok: false, found: 'no branch key' });
    expect(keys(true, false)).toMatchObject({ ok: false, found: 'no fingerprint key' });
    expect(keys(false, false).hint).toContain('tenants create shop');
  });
});

describe('a clock', () => {
  it.each([
    [0, true],
    [30, true],
    [-30, true],
    [30.1, false],
    [-31, false],
  ])('%p s ahead: holds %p', (aheadSeconds, ok) => {
    expect(checkClock({ subject: 'order', aheadSeconds }).ok).toBe(ok);
  });
});

describe('a caller without a token', () => {
  it('is refused only with the code that says so', () => {
    const outcomes = [
      { status: 401, code: 'ERR_TOKEN_MISSING' },
      { status: 401 },
      { status: 403, code: 'ERR_MESH_DENIED' },
      { status: 201 },
    ];
    expect(outcomes.map((each) => checkTokenless({ gateway: 'gateway', ...each }).ok)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

const CRL = { isChecked: true, hoursToNextUpdate: 100, serials: 2, problems: [] };
const PROBLEM = { message: 'the CRL is stale', remedy: 'see the CA' };
const REVOCATION: RevocationFacts = {
  node: 'order',
  notDenied: [],
  deniedSerials: 2,
  problems: [],
  crls: [
    { ...CRL, hierarchy: 'clients' },
    { ...CRL, hierarchy: 'servers' },
  ],
  ownRevoked: [],
};

describe('the revocation of a node', () => {
  it('holds when its lists are whole and nothing of its own is on them', () => {
    const results = checkRevocation(REVOCATION);
    expect(results.filter((each) => !each.ok)).toEqual([]);
    expect(results.map(({ subject, found }) => `${subject}: ${found}`)).toEqual([
      'order: none',
      'order: 2 serials refused',
      'order clients: 2 serials, next update in 100 h',
      'order servers: 2 serials, next update in 100 h',
    ]);
  });

  it.each<[string, Partial<RevocationFacts>, string, string]>([
    ['a certificate in use is revoked', { ownRevoked: ['client'] }, 'revocation.own', 'revoked: client'],
    ['a serial is not refused', { notDenied: ['a1'] }, 'revocation.deny-list', '1 serials not refused'],
    ['the deny list cannot be read', { problems: [PROBLEM] }, 'revocation.deny-list', PROBLEM.message],
    [
      'handshakes are not checked',
      { crls: [{ ...CRL, hierarchy: 'clients', isChecked: false }] },
      'revocation.crl',
      'not checked',
    ],
    [
      'a list is not good, and is checked against all the same',
      { crls: [{ ...CRL, hierarchy: 'clients', problems: [PROBLEM] }] },
      'revocation.crl',
      PROBLEM.message,
    ],
    [
      'a list was lifted',
      { crls: [{ ...CRL, hierarchy: 'clients', isChecked: false, problems: [PROBLEM] }] },
      'revocation.crl',
      `not checked: ${PROBLEM.message}`,
    ],
  ])('fails when %s', (_what, change, id, found) => {
    const failed = checkRevocation({ ...REVOCATION, ...change }).filter((each) => !each.ok);
    expect(failed).toMatchObject([{ id, found }]);
  });
});
