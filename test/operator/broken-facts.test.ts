/**
 * Every check is seen to fail: for each id the facts in which one thing is broken, and what it hints at.
 *
 * A check without a case here does not compile, and fails the last test. What breaks each collector for real
 * is in verify.envoy.test.ts.
 *
 * @module
 */

import { describe, expect, it } from '@jest/globals';
import { CHECK_IDS, type CheckId } from '../../operator/checks/catalogue.ts';
import { checkCertificate, type CertificateFacts } from '../../operator/checks/certificates.ts';
import type { CheckResult } from '../../operator/checks/check.ts';
import { checkClock } from '../../operator/checks/clock.ts';
import { checkFunctionCertificate } from '../../operator/checks/functions.ts';
import { checkEdge, type EdgeFacts } from '../../operator/checks/mtls.ts';
import { checkCall, checkTokenless, type CallFacts } from '../../operator/checks/policy.ts';
import { checkRefusal, type Intrusion } from '../../operator/checks/refusals.ts';
import { checkRevocation, type RevocationFacts } from '../../operator/checks/revocation.ts';
import { COUNTERS } from '../support/listener-counters.ts';
import { checkKmsKey, checkTenantKeys, checkVault } from '../../operator/checks/vault.ts';

const certificate = (change: Partial<CertificateFacts>): CheckResult[] =>
  checkCertificate({
    node: 'order',
    role: 'client',
    issuedSerial: 'aa',
    servedSerial: 'aa',
    daysLeft: 300,
    isTaken: true,
    problems: [],
    ...change,
  });

const edge = (change: Partial<EdgeFacts>): CheckResult[] =>
  checkEdge({
    from: 'order',
    to: 'tokenizer',
    mode: 'mtls',
    probe: { outcome: 'answered', status: 200 },
    before: { ...COUNTERS, handshake: 4 },
    after: COUNTERS,
    seenAs: { identity: 'order.tokenmesh.internal', serial: 'aa' },
    expectedIdentity: 'order.tokenmesh.internal',
    ...change,
  });

/** The listener takes what it must refuse. */
const taken = (intrusion: Intrusion): CheckResult[] => [
  checkRefusal({
    listener: 'tokenizer',
    intrusion,
    outcome: { outcome: 'answered', status: 200 },
    before: COUNTERS,
    after: COUNTERS,
  }),
];

const revocation = (change: Partial<RevocationFacts>): CheckResult[] => {
  const crl = { isChecked: true, hoursToNextUpdate: 100, serials: 0, problems: [] };
  return checkRevocation({
    node: 'order',
    notDenied: [],
    deniedSerials: 0,
    problems: [],
    crls: [
      { ...crl, hierarchy: 'clients' },
      { ...crl, hierarchy: 'servers' },
    ],
    ownRevoked: [],
    ...change,
  });
};

const call = (change: Partial<CallFacts>): CheckResult[] => [
  checkCall({
    caller: 'order',
    virtualService: 'tokenizer',
    operation: 'tokens.create',
    permitted: true,
    status: 400,
    deniedByMesh: false,
    ...change,
  }),
];

const FRESH = { goodForSeconds: 3_000, isRefreshFailing: false };

interface Broken {
  readonly what: string;
  readonly seen: () => CheckResult[];
  readonly hint: string;
}

const BROKEN: Readonly<Record<CheckId, Broken>> = {
  'certificates.taken': {
    what: 'what was published is not usable',
    seen: () => certificate({ problems: [{ message: 'no key', remedy: 'export it again' }] }),
    hint: 'export it again',
  },
  'certificates.served': {
    what: 'an old serial is served',
    seen: () => certificate({ servedSerial: 'bb' }),
    hint: 'rotate it: npm run mesh -- rotate order',
  },
  'certificates.published': {
    what: 'a renewed certificate of a function was not exported',
    seen: () =>
      checkFunctionCertificate({ name: 'bulk', issuedSerial: 'bb', publishedSerial: 'aa', daysLeft: 300 }),
    hint: 'rotate it: npm run mesh -- rotate bulk',
  },
  'certificates.days-left': {
    what: 'the certificate ends in a week',
    seen: () => certificate({ daysLeft: 7 }),
    hint: 'renew it: npm run mesh -- rotate order; then see why the renewal function did not',
  },
  'certificates.renews-itself': {
    what: 'a short-lived certificate was not renewed',
    seen: () => certificate({ renewal: { failures: 4, alarm: 'overdue' } }),
    hint: "see the log of the node's sidecar",
  },
  'mtls.counted': {
    what: 'the listener is down',
    seen: () => edge({ probe: { outcome: 'refused', reason: 'ECONNREFUSED' } }),
    hint: 'see whether the listener is up: npm run mesh -- status',
  },
  'mtls.version': {
    what: 'somebody got in with TLS 1.2',
    seen: () => edge({ after: { ...COUNTERS, versions: { 'TLSv1.3': 4, 'TLSv1.2': 1 } } }),
    hint: 'set tls_minimum_protocol_version in mesh/envoy/tls-context.ts back to TLSv1_3',
  },
  'mtls.mutual': {
    what: 'somebody got in without a certificate',
    seen: () => edge({ after: { ...COUNTERS, noCertificate: 1 } }),
    hint: 'the listener took a connection without a certificate: see clientValidation in mesh/compose.ts',
  },
  'mtls.one-way': {
    what: 'a one-way listener asks for certificates',
    seen: () => edge({ mode: 'one-way', after: { ...COUNTERS, noCertificate: 2 } }),
    hint: 'the listener asks for certificates that the definition does not: render its bootstrap again',
  },
  'mtls.identity': {
    what: 'the caller is seen as another',
    seen: () => edge({ seenAs: { identity: 'paybill.tokenmesh.internal', serial: 'aa' } }),
    hint: 'rotate the certificate: npm run mesh -- rotate order',
  },
  'refusals.no-certificate': refusal('no-certificate'),
  'refusals.plaintext': refusal('plaintext'),
  'refusals.other-ca': refusal('other-ca'),
  'refusals.expired': refusal('expired'),
  'refusals.other-name': refusal('other-name'),
  'refusals.tls-1.2': refusal('tls-1.2'),
  'revocation.own': {
    what: 'a certificate of its own is revoked',
    seen: () => revocation({ ownRevoked: ['client'] }),
    hint: 'it is out until its certificates are rotated: npm run mesh -- rotate order',
  },
  'revocation.deny-list': {
    what: 'a serial of the list is not refused',
    seen: () => revocation({ notDenied: ['aa'] }),
    hint: "see the log of the node's sidecar",
  },
  'revocation.crl': {
    what: 'a CRL is stale',
    seen: () =>
      revocation({
        crls: [
          {
            hierarchy: 'clients',
            isChecked: false,
            hoursToNextUpdate: 0,
            serials: 0,
            problems: [{ message: 'stale', remedy: 'see why the CA writes none' }],
          },
        ],
      }),
    hint: 'see why the CA writes none',
  },
  'policy.permitted': {
    what: 'what is granted is denied',
    seen: () => call({ status: 403, deniedByMesh: true }),
    hint: 'compare the calls of the caller in mesh/tokenization-mesh.ts with the RBAC filter of the node',
  },
  'policy.denied': {
    what: 'what is not granted gets through',
    seen: () => call({ permitted: false, status: 201 }),
    hint: 'stop the mesh; compare the calls of the caller in mesh/tokenization-mesh.ts with the RBAC filter of the node',
  },
  'policy.token': {
    what: 'the gateway takes whoever comes',
    seen: () => [checkTokenless({ gateway: 'gateway', status: 400, code: 'ERR_REQUEST_INVALID' })],
    hint: 'see authentication of the gateway in mesh/tokenization-mesh.ts, and docs/gateway.md',
  },
  'vault.ready': {
    what: 'the tokenizer reaches its table no more',
    seen: () => checkVault({ status: 503, keys: FRESH }),
    hint: 'see the log of the tokenizer, and whether DynamoDB and KMS can be reached',
  },
  'keys.fresh': {
    what: 'KMS does not answer the tokenizer',
    seen: () => checkVault({ status: 200, keys: { ...FRESH, isRefreshFailing: true } }),
    hint: 'see whether KMS and the key store answer the tokenizer: docs/runbook.md, "KMS does not answer"',
  },
  'keys.enabled': {
    what: 'somebody schedules the deletion of the key',
    seen: () => [checkKmsKey('vault', 'PendingDeletion')],
    hint: 'enable it again, or cancel its deletion, before the keys that are held have run out',
  },
  'keys.tenant': {
    what: 'a tenant was added without its keys',
    seen: () => [checkTenantKeys({ tenant: 'shop', hasBranchKey: false, hasFingerprintKey: false })],
    hint: 'make its keys: npm run mesh -- tenants create shop; a tenant that was shredded has none for good',
  },
  'clock.agrees': {
    what: 'a clock is five minutes behind',
    seen: () => [checkClock({ subject: 'order', aheadSeconds: -300 })],
    hint: 'see which of the two clocks is wrong: certificates, tokens and expiry all go by them',
  },
};

function refusal(intrusion: Intrusion): Broken {
  return {
    what: `the listener takes it: ${intrusion}`,
    seen: () => taken(intrusion),
    hint: 'compare the listener with what mesh/envoy/tls-context.ts renders, then restart its sidecar',
  };
}

const CASES = Object.entries(BROKEN) as [CheckId, Broken][];

describe('a check fails, alone and with its hint,', () => {
  it.each(CASES)('%s', (id, { seen, hint }) => {
    const failed = seen().filter(({ ok }) => !ok);
    expect(failed.map((each) => [each.id, each.outcome, each.hint])).toEqual([[id, 'failed', hint]]);
  });

  it('for every id that there is', () => {
    expect(CASES.map(([id]) => id).toSorted()).toEqual([...CHECK_IDS].toSorted());
  });
});
