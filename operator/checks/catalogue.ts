/**
 * Every check there is, as data: what it claims, how bad it is where the claim does not hold, what to do, and
 * where to read on. docs/checks.md has a row for each.
 *
 * @module
 */

export type CheckGroup =
  | 'certificates'
  | 'mtls'
  | 'refusals'
  | 'revocation'
  | 'policy'
  | 'vault'
  | 'keys'
  | 'clock';

/** `critical`: something gets in that must not, or nothing works. `warning`: it will, if nobody acts. */
export type Severity = 'critical' | 'warning';

export interface CheckDefinition {
  readonly severity: Severity;
  /** The claim, in the present tense. */
  readonly sentence: string;
  /** What to do where it does not hold, unless what was found says better. */
  readonly hint: string;
}

/** The heading of docs/checks.md that a group is under, as an anchor. */
const ANCHORS: Readonly<Record<CheckGroup, string>> = {
  certificates: 'certificates-each-certificate',
  mtls: 'mtls-each-edge',
  refusals: 'refusals-each-listener',
  revocation: 'revocation-each-node',
  policy: 'policy-each-operation-by-each-node-that-may-call-its-service',
  vault: 'vault',
  keys: 'keys-what-the-vault-seals-under',
  clock: 'clock-each-node-and-aws',
};

export const CHECK_GROUPS = Object.keys(ANCHORS) as readonly CheckGroup[];

const REFUSAL_HINT =
  'compare the listener with what mesh/envoy/tls-context.ts renders, then restart its sidecar';

function refusal(what: string): CheckDefinition {
  return { severity: 'critical', sentence: `${what} is refused`, hint: REFUSAL_HINT };
}

/** Renewal starts at 45 days at the latest: fewer than this means that it failed for two weeks. */
export const DAYS_LEFT_AT_LEAST = 30;

/** More than this and certificates that were just issued are not valid yet somewhere, or tokens have expired. */
export const CLOCK_SECONDS_APART_AT_MOST = 30;

export const CHECKS = {
  'certificates.taken': {
    severity: 'critical',
    sentence: 'the sidecar has taken what was published last, certificate and trust',
    hint: "see the log of the node's sidecar",
  },
  'certificates.served': {
    severity: 'critical',
    sentence: 'the serial served is the serial issued',
    hint: 'rotate it: npm run mesh -- rotate <node>',
  },
  'certificates.published': {
    severity: 'critical',
    sentence: 'what is published for the function is what ACM issued last',
    hint: 'rotate it: npm run mesh -- rotate <node>',
  },
  'certificates.days-left': {
    severity: 'warning',
    sentence: `the certificate has at least ${DAYS_LEFT_AT_LEAST} days left`,
    hint: 'renew it: npm run mesh -- rotate <node>; then see why the renewal function did not',
  },
  'certificates.renews-itself': {
    severity: 'warning',
    sentence: 'the certificate renews itself, with a fifth of its life or more left',
    hint: "see the log of the node's sidecar",
  },
  'mtls.counted': {
    severity: 'critical',
    sentence: 'a connection of our own is answered, and the listener counts its handshake',
    hint: 'see whether the listener is up: npm run mesh -- status',
  },
  'mtls.version': {
    severity: 'critical',
    sentence: 'every handshake of the listener is TLS 1.3',
    hint: 'set tls_minimum_protocol_version in mesh/envoy/tls-context.ts back to TLSv1_3',
  },
  'mtls.mutual': {
    severity: 'critical',
    sentence: 'the listener has handshakes, and none without a client certificate',
    hint: 'the listener took a connection without a certificate: see clientValidation in mesh/compose.ts',
  },
  'mtls.one-way': {
    severity: 'critical',
    sentence: 'every handshake of the listener is without a client certificate',
    hint: 'the listener asks for certificates that the definition does not: render its bootstrap again',
  },
  'mtls.identity': {
    severity: 'critical',
    sentence: "through the caller's own Envoy, the listener sees the caller's identity",
    hint: 'rotate the certificate: npm run mesh -- rotate <node>',
  },
  'refusals.no-certificate': refusal('a caller without a certificate'),
  'refusals.plaintext': refusal('a caller without TLS'),
  'refusals.other-ca': refusal("a certificate of another CA, with a member's name"),
  'refusals.expired': refusal("a member's certificate that has expired"),
  'refusals.other-name': refusal('a certificate of our CA for a name that is not of the mesh'),
  'refusals.tls-1.2': refusal('a member that offers TLS 1.2 at most'),
  'revocation.own': {
    severity: 'critical',
    sentence: "none of the node's own certificates in use is revoked",
    hint: 'it is out until its certificates are rotated: npm run mesh -- rotate <node>',
  },
  'revocation.deny-list': {
    severity: 'critical',
    sentence: 'the listener refuses every serial of the deny list',
    hint: "see the log of the node's sidecar",
  },
  'revocation.crl': {
    severity: 'warning',
    sentence: 'handshakes are checked against a CRL of every CA, each good and replaced in time',
    hint: "see the log of the node's sidecar",
  },
  'policy.permitted': {
    severity: 'critical',
    sentence: 'the call gets through, as the definition grants',
    hint: 'compare the calls of the caller in mesh/tokenization-mesh.ts with the RBAC filter of the node',
  },
  'policy.denied': {
    severity: 'critical',
    sentence: 'the call is denied',
    hint: 'stop the mesh; compare the calls of the caller in mesh/tokenization-mesh.ts with the RBAC filter of the node',
  },
  'policy.token': {
    severity: 'critical',
    sentence: 'the gateway refuses a caller without an access token, and says so',
    hint: 'see authentication of the gateway in mesh/tokenization-mesh.ts, and docs/gateway.md',
  },
  'vault.ready': {
    severity: 'critical',
    sentence: 'the tokenizer reaches its table and its branch keys',
    hint: 'see the log of the tokenizer, and whether DynamoDB and KMS can be reached',
  },
  'keys.fresh': {
    severity: 'warning',
    sentence: 'the branch keys in use are fetched again in time',
    hint: 'see whether KMS and the key store answer the tokenizer: docs/runbook.md, "KMS does not answer"',
  },
  'keys.enabled': {
    severity: 'critical',
    sentence: 'the KMS key is enabled',
    hint: 'enable it again, or cancel its deletion, before the keys that are held have run out',
  },
  'keys.tenant': {
    severity: 'critical',
    sentence: 'the tenant has a branch key and a fingerprint key',
    hint: 'make its keys: npm run mesh -- tenants create <tenant>; a tenant that was shredded has none for good',
  },
  'clock.agrees': {
    severity: 'warning',
    sentence: `the clock is within ${CLOCK_SECONDS_APART_AT_MOST} s of this machine's`,
    hint: 'see which of the two clocks is wrong: certificates, tokens and expiry all go by them',
  },
} as const satisfies Readonly<Record<string, CheckDefinition>>;

export type CheckId = keyof typeof CHECKS;

export const CHECK_IDS = Object.keys(CHECKS) as readonly CheckId[];

export function groupOf(id: CheckId): CheckGroup {
  return id.slice(0, id.indexOf('.')) as CheckGroup;
}

/** Where to read on, from the root of the project. */
export function documentOf(id: CheckId): string {
  return `docs/checks.md#${ANCHORS[groupOf(id)]}`;
}
