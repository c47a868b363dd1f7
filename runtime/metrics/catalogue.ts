/**
 * Every metric that somebody looks at, as data: what it is called where it is exposed, what it means, in which
 * panel it is shown, and from when on it wakes a person. The documentation, the Grafana dashboard, Prometheus'
 * alerting rules and CloudWatch's side are all made from it.
 *
 * @module
 */

/** Who exposes it: the tokenizer and the agent on their sockets, Envoy on its admin interface. */
export type MetricSource = 'tokenizer' | 'agent' | 'envoy';

export type MetricUnit = 'count' | 'seconds' | 'days' | 'unix-seconds' | 'flag';

export type PanelGroup = 'gateway' | 'traffic' | 'certificates' | 'vault' | 'keys' | 'refusals';

export interface Metric {
  /** As Prometheus reads it: without the `_bucket`, `_sum` and `_count` of a histogram. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: MetricUnit;
  readonly source: MetricSource;
  readonly meaning: string;
  /** Beside `node`, which every metric of a node has. */
  readonly labels: readonly string[];
  /** The group of panels that shows it. */
  readonly panel: PanelGroup;
  /** Only series with these labels count, as in Envoy's listeners of several names. */
  readonly where?: Readonly<Record<string, string>>;
  /** Exposed once something has happened: a counter with labels has no series before. */
  readonly isLazy?: true;
  /** Where only some nodes have it. */
  readonly nodes?: 'gateways' | 'short-lived' | 'mutual';
}

export interface Alarm {
  /** Stable, for programs and for those who silence it. */
  readonly name: string;
  readonly severity: 'page' | 'ticket';
  /** What is the case when it goes off, in the present tense. */
  readonly sentence: string;
  /** A name of {@link METRICS}. */
  readonly metric: string;
  /** Beside the metric's own. */
  readonly where?: Readonly<Record<string, string>>;
  /** `increase`: how much a counter rose over the window; `value`: a gauge as it is; `until`: seconds from now. */
  readonly of: 'increase' | 'value' | 'until';
  readonly comparison: '>' | '<';
  readonly threshold: number;
  /** The window of an increase, and how long a value has to be so. */
  readonly minutes: number;
  /** The heading of docs/runbook.md, as an anchor. */
  readonly runbook: string;
}

const INBOUND = { envoy_http_conn_manager_prefix: 'inbound' };
const INBOUND_LISTENER = { envoy_listener_address: 'inbound' };

export const METRICS: readonly Metric[] = [
  {
    name: 'envoy_http_downstream_rq_xx',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Requests that the listener of the node answered, by class of status.',
    labels: ['envoy_response_code_class'],
    panel: 'traffic',
    where: INBOUND,
  },
  {
    name: 'envoy_http_jwt_authn_denied',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Requests without a token that verifies.',
    labels: [],
    panel: 'gateway',
    where: INBOUND,
    nodes: 'gateways',
  },
  {
    name: 'envoy_http_jwt_authn_jwks_fetch_failed',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: "Times that the user pool's keys could not be fetched.",
    labels: [],
    panel: 'gateway',
    where: INBOUND,
    nodes: 'gateways',
  },
  {
    name: 'envoy_http_local_rate_limit_rate_limited',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Requests past a rate: `rate_all` of all callers together, `rate_caller` of one.',
    labels: ['envoy_local_http_ratelimit_prefix'],
    panel: 'gateway',
    nodes: 'gateways',
  },
  {
    name: 'envoy_listener_ssl_handshake',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Handshakes that succeeded at the listener.',
    labels: [],
    panel: 'traffic',
    where: INBOUND_LISTENER,
  },
  {
    name: 'envoy_listener_ssl_no_certificate',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Handshakes without a client certificate: 0 at a mutual listener.',
    labels: [],
    panel: 'refusals',
    where: INBOUND_LISTENER,
    nodes: 'mutual',
  },
  {
    name: 'envoy_listener_ssl_fail_verify_no_cert',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Handshakes refused for want of a client certificate.',
    labels: [],
    panel: 'refusals',
    where: INBOUND_LISTENER,
  },
  {
    name: 'envoy_listener_ssl_fail_verify_error',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Handshakes refused: another CA, expired, revoked, not for clients.',
    labels: [],
    panel: 'refusals',
    where: INBOUND_LISTENER,
  },
  {
    name: 'envoy_listener_ssl_fail_verify_san',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Handshakes refused: a name that is not of the mesh.',
    labels: [],
    panel: 'refusals',
    where: INBOUND_LISTENER,
  },
  {
    name: 'envoy_http_rbac_denied',
    kind: 'counter',
    unit: 'count',
    source: 'envoy',
    meaning: 'Requests that RBAC denied: identity, method and path, scope, or a revoked certificate.',
    labels: [],
    panel: 'refusals',
    where: INBOUND,
  },
  {
    name: 'envoy_server_days_until_first_cert_expiring',
    kind: 'gauge',
    unit: 'days',
    source: 'envoy',
    meaning: 'Days until the first certificate that Envoy has ends.',
    labels: [],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_certificate_behind',
    kind: 'gauge',
    unit: 'flag',
    source: 'agent',
    meaning: '1 while a handshake does not show the certificate that was taken last.',
    labels: ['role'],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_certificate_days_left',
    kind: 'gauge',
    unit: 'days',
    source: 'agent',
    meaning: 'Days until the certificate that Envoy has expires; negative once it has.',
    labels: ['role'],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_certificate_problems',
    kind: 'gauge',
    unit: 'count',
    source: 'agent',
    meaning: 'What keeps the newest certificate, trust bundle or CRL out of Envoy, by code; none is well.',
    labels: ['about', 'code'],
    panel: 'certificates',
    isLazy: true,
  },
  {
    name: 'tokenmesh_certificate_problem_count',
    kind: 'gauge',
    unit: 'count',
    source: 'agent',
    meaning: 'How many problems there are with certificates, trust bundles and CRLs; 0 is well.',
    labels: [],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_certificate_swaps_total',
    kind: 'gauge',
    unit: 'count',
    source: 'agent',
    meaning: 'How often a certificate was handed to Envoy.',
    labels: ['role'],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_rotation_lag_seconds',
    kind: 'gauge',
    unit: 'seconds',
    source: 'agent',
    meaning:
      'From the publication of a certificate to the proof that it is served; while that is to come, its age.',
    labels: ['role'],
    panel: 'certificates',
    isLazy: true,
  },
  {
    name: 'tokenmesh_secrets_taken_total',
    kind: 'gauge',
    unit: 'count',
    source: 'agent',
    meaning: 'How often Envoy said that it took a secret (ACK); absent where secrets are files.',
    labels: ['secret'],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_secrets_refused_total',
    kind: 'gauge',
    unit: 'count',
    source: 'agent',
    meaning: 'How often Envoy said that it did not take a secret (NACK); absent where secrets are files.',
    labels: ['secret'],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_deny_list_serials',
    kind: 'gauge',
    unit: 'count',
    source: 'agent',
    meaning: 'Serials that the listener refuses.',
    labels: [],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_revocation_problems',
    kind: 'gauge',
    unit: 'count',
    source: 'agent',
    meaning: 'What keeps revocation from being up to date; 0 is well.',
    labels: [],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_crl_next_update_seconds',
    kind: 'gauge',
    unit: 'unix-seconds',
    source: 'agent',
    meaning: 'When the CRL that is held must be replaced; 0 for none.',
    labels: ['hierarchy', 'authority'],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_crl_checked',
    kind: 'gauge',
    unit: 'flag',
    source: 'agent',
    meaning: '1 where Envoy checks handshakes against the CRLs.',
    labels: ['hierarchy'],
    panel: 'certificates',
  },
  {
    name: 'tokenmesh_renewal_failures',
    kind: 'gauge',
    unit: 'count',
    source: 'agent',
    meaning: 'Tries to renew that failed since the last that did not.',
    labels: ['role'],
    panel: 'certificates',
    nodes: 'short-lived',
  },
  {
    name: 'tokenmesh_renewal_overdue',
    kind: 'gauge',
    unit: 'flag',
    source: 'agent',
    meaning: '1 once a fifth of the life is left and no successor.',
    labels: ['role'],
    panel: 'certificates',
    nodes: 'short-lived',
  },
  {
    name: 'tokenmesh_certificate_ends_seconds',
    kind: 'gauge',
    unit: 'unix-seconds',
    source: 'agent',
    meaning: 'When the certificate ends; 0 for none.',
    labels: ['role'],
    panel: 'certificates',
    nodes: 'short-lived',
  },
  {
    name: 'tokenmesh_tokenizer_request_duration_seconds',
    kind: 'histogram',
    unit: 'seconds',
    source: 'tokenizer',
    meaning: 'Time from the request to its answer.',
    labels: ['route', 'method', 'status', 'node'],
    panel: 'traffic',
    isLazy: true,
  },
  {
    name: 'tokenmesh_tokenizer_items_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning:
      'Records tokenized, detokenized, described and deleted, by outcome: `ok`, or the code of the error.',
    labels: ['operation', 'outcome'],
    panel: 'vault',
    isLazy: true,
  },
  {
    name: 'tokenmesh_tokenizer_refusals_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Requests and items refused to a node, by operation and code.',
    labels: ['node', 'operation', 'code'],
    panel: 'refusals',
    isLazy: true,
  },
  {
    name: 'tokenmesh_tokenizer_policies',
    kind: 'gauge',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Policies in force.',
    labels: [],
    panel: 'refusals',
  },
  {
    name: 'tokenmesh_tokenizer_policy_update_refused',
    kind: 'gauge',
    unit: 'flag',
    source: 'tokenizer',
    meaning: '1 while the policy files are not valid and older ones are in force.',
    labels: [],
    panel: 'refusals',
  },
  {
    name: 'tokenmesh_tokenizer_policy_updates_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Times that policies were read from changed files, the start included, by outcome.',
    labels: ['outcome'],
    panel: 'refusals',
    isLazy: true,
  },
  {
    name: 'tokenmesh_token_collisions_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Tokens drawn that another record had already, by format.',
    labels: ['format'],
    panel: 'vault',
    isLazy: true,
  },
  {
    name: 'tokenmesh_format_exhausted_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Requests for which no token of the format was free, by format.',
    labels: ['format'],
    panel: 'vault',
    isLazy: true,
  },
  {
    name: 'tokenmesh_honey_token_uses_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Uses of honey tokens, by who and for what: above 0 somebody has tokens that are not theirs.',
    labels: ['node', 'operation'],
    panel: 'refusals',
    isLazy: true,
  },
  {
    name: 'tokenmesh_life_events_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Life events of tokens, by whether the event bus took them.',
    labels: ['outcome'],
    panel: 'vault',
    isLazy: true,
  },
  {
    name: 'tokenmesh_branch_key_fetches_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Times that KMS was asked for a branch key, by outcome.',
    labels: ['outcome'],
    panel: 'keys',
    isLazy: true,
  },
  {
    name: 'tokenmesh_branch_key_good_for_seconds',
    kind: 'gauge',
    unit: 'seconds',
    source: 'tokenizer',
    meaning: 'How long the branch keys that are held can be used if KMS does not answer any more.',
    labels: [],
    panel: 'keys',
  },
  {
    name: 'tokenmesh_branch_key_refresh_failing',
    kind: 'gauge',
    unit: 'flag',
    source: 'tokenizer',
    meaning: '1 while KMS or the key store does not answer for a branch key that is in use.',
    labels: [],
    panel: 'keys',
  },
  {
    name: 'tokenmesh_store_calls_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Calls of the token table that requests share.',
    labels: ['operation'],
    panel: 'vault',
    isLazy: true,
  },
  {
    name: 'tokenmesh_store_call_items_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Items in these calls: divided by the calls, how many travelled together.',
    labels: ['operation'],
    panel: 'vault',
    isLazy: true,
  },
  {
    name: 'tokenmesh_store_refusals_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Items that were refused at once, since too many waited for the token table.',
    labels: [],
    panel: 'vault',
  },
  {
    name: 'tokenmesh_replication_lag_seconds',
    kind: 'gauge',
    unit: 'seconds',
    source: 'tokenizer',
    meaning: 'How long ago another region wrote what arrived here last, by the code of that region.',
    labels: ['region'],
    panel: 'vault',
    isLazy: true,
  },
  {
    name: 'tokenmesh_swept_items_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Expired items removed by this task.',
    labels: [],
    panel: 'vault',
  },
  {
    name: 'tokenmesh_sweep_lag_seconds',
    kind: 'gauge',
    unit: 'seconds',
    source: 'tokenizer',
    meaning: 'How long ago the oldest item of the last sweep had expired; 0 where there was none.',
    labels: [],
    panel: 'vault',
  },
  {
    name: 'tokenmesh_sweep_failures_total',
    kind: 'counter',
    unit: 'count',
    source: 'tokenizer',
    meaning: 'Sweeps that failed, and are tried again.',
    labels: [],
    panel: 'vault',
  },
];

export function metricNamed(name: string): Metric {
  const found = METRICS.find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`no metric "${name}": expected one of METRICS`);
  return found;
}
