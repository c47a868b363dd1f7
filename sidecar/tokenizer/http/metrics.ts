import type { LifeEventObserver } from '../adapters/eventbridge-life-events.ts';
import type { StoreObserver } from '../adapters/shared-calls.ts';
import type { KeyObserver, KeyState } from '../core/crypto/key-cache.ts';
import type { ReplicationWatch } from '../core/replication.ts';
import type { Swept } from '../core/sweeping.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the service counts. No label holds what a caller may choose: routes are templates, identities those of the mesh. */
export interface Metrics extends KeyObserver, StoreObserver, LifeEventObserver {
  requestAnswered(request: AnsweredRequest): void;
  /** @param outcome - `ok`, or the code of the error. */
  itemDone(operation: string, outcome: string): void;
  /** Someone was refused something: for who it is, or for sending too much. */
  refused(refusal: Refusal): void;
  /** The policies in force, and whether the files say something else that was refused. */
  policiesAre(state: { readonly policies: number; readonly isUpdateRefused: boolean }): void;
  /** A token was drawn that another record has already. */
  tokenTaken(format: string): void;
  /** No token of the format was free in all the draws of a request. */
  formatExhausted(format: string): void;
  /** Somebody used a token that nobody should. */
  honeyTokenUsed(node: string, operation: string): void;
  /** Expired items were removed. */
  swept(swept: Swept): void;
  sweepFailed(): void;
  /** Asked each time that metrics are read. */
  watchKeys(stateOf: () => KeyState | undefined): void;
  /** Asked each time that metrics are read. */
  watchReplicas(watch: Pick<ReplicationWatch, 'regionCodes' | 'of'>): void;
  readonly contentType: string;
  text(): Promise<string>;
}

export interface AnsweredRequest {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly node: string;
  readonly durationSeconds: number;
}

export interface Refusal {
  readonly node: string;
  readonly operation: string;
  readonly code: string;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** @param options - `process` adds the figures of the Node process: memory, event loop, garbage collection. */
export function createMetrics(options: { readonly process: boolean }): Metrics {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const durations = new Histogram({
    name: 'tokenmesh_tokenizer_request_duration_seconds',
    help: 'Time from the request to its answer.',
    labelNames: ['route', 'method', 'status', 'node'],
    buckets: SECONDS,
    registers,
  });
  const items = new Counter({
    name: 'tokenmesh_tokenizer_items_total',
    help: 'Records tokenized, detokenized, described and deleted, by outcome.',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const policy = policyMetrics(registers);
  const collisions = new Counter({
    name: 'tokenmesh_token_collisions_total',
    help: 'Tokens drawn that another record had already, by format.',
    labelNames: ['format'],
    registers,
  });
  const exhaustions = new Counter({
    name: 'tokenmesh_format_exhausted_total',
    help: 'Requests for which no token of the format was free, by format.',
    labelNames: ['format'],
    registers,
  });
  const honeyUses = new Counter({
    name: 'tokenmesh_honey_token_uses_total',
    help: 'Uses of honey tokens, by who and for what: above 0 somebody has tokens that are not theirs.',
    labelNames: ['node', 'operation'],
    registers,
  });
  const lifeEvents = new Counter({
    name: 'tokenmesh_life_events_total',
    help: 'Life events of tokens, by whether the bus took them.',
    labelNames: ['outcome'],
    registers,
  });
  return {
    ...policy,
    ...sweepMetrics(registers),
    ...keyMetrics(registers),
    ...storeMetrics(registers),
    ...replicationMetrics(registers),
    requestAnswered({ route, method, status, node, durationSeconds }) {
      durations.observe({ route, method, status, node }, durationSeconds);
    },
    itemDone(operation, outcome) {
      items.inc({ operation, outcome });
    },
    tokenTaken(format) {
      collisions.inc({ format });
    },
    formatExhausted(format) {
      exhaustions.inc({ format });
    },
    honeyTokenUsed(node, operation) {
      honeyUses.inc({ node, operation });
    },
    lifeEvent(outcome) {
      lifeEvents.inc({ outcome });
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

function keyMetrics(registers: Registry[]): Pick<Metrics, 'keyFetched' | 'watchKeys'> {
  const fetches = new Counter({
    name: 'tokenmesh_branch_key_fetches_total',
    help: 'Times that KMS was asked for a branch key, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  let stateOf: (() => KeyState | undefined) | undefined;
  const gauge = (name: string, help: string, valueOf: (state: KeyState | undefined) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(valueOf(stateOf?.()));
      },
    });
  gauge(
    'tokenmesh_branch_key_good_for_seconds',
    'How long the branch keys that are held can be used if KMS does not answer any more.',
    (state) => state?.goodForSeconds ?? 0,
  );
  gauge(
    'tokenmesh_branch_key_refresh_failing',
    '1 while KMS or the key store does not answer for a branch key that is in use.',
    (state) => (state?.isRefreshFailing === true ? 1 : 0),
  );
  return {
    keyFetched(outcome) {
      fetches.inc({ outcome });
    },
    watchKeys(asked) {
      stateOf = asked;
    },
  };
}

function storeMetrics(registers: Registry[]): StoreObserver {
  const calls = new Counter({
    name: 'tokenmesh_store_calls_total',
    help: 'Calls of the token table that requests share.',
    labelNames: ['operation'],
    registers,
  });
  const items = new Counter({
    name: 'tokenmesh_store_call_items_total',
    help: 'Items in these calls: divided by the calls, how many travelled together.',
    labelNames: ['operation'],
    registers,
  });
  const refusals = new Counter({
    name: 'tokenmesh_store_refusals_total',
    help: 'Items that were refused at once, since too many waited for the token table.',
    registers,
  });
  return {
    callSent(operation, count) {
      calls.inc({ operation });
      items.inc({ operation }, count);
    },
    callRefused() {
      refusals.inc();
    },
  };
}

function replicationMetrics(registers: Registry[]): Pick<Metrics, 'watchReplicas'> {
  let watched: Pick<ReplicationWatch, 'regionCodes' | 'of'> | undefined;
  const lag = new Gauge({
    name: 'tokenmesh_replication_lag_seconds',
    help: 'How long ago another region wrote what arrived here last, by the code of that region.',
    labelNames: ['region'],
    registers,
    collect() {
      for (const region of watched?.regionCodes ?? []) {
        const lagSeconds = watched?.of(region)?.lagSeconds;
        if (lagSeconds !== undefined) lag.set({ region }, lagSeconds);
      }
    },
  });
  return {
    watchReplicas(watch) {
      watched = watch;
    },
  };
}

function sweepMetrics(registers: Registry[]): Pick<Metrics, 'swept' | 'sweepFailed'> {
  const items = new Counter({
    name: 'tokenmesh_swept_items_total',
    help: 'Expired items removed by this task.',
    registers,
  });
  const lag = new Gauge({
    name: 'tokenmesh_sweep_lag_seconds',
    help: 'How long ago the oldest item of the last sweep had expired; 0 where there was none.',
    registers,
  });
  const failures = new Counter({
    name: 'tokenmesh_sweep_failures_total',
    help: 'Sweeps that failed, and are tried again.',
    registers,
  });
  return {
    swept(swept) {
      items.inc(swept.items);
      lag.set(swept.lagSeconds);
    },
    sweepFailed() {
      failures.inc();
    },
  };
}

function policyMetrics(registers: Registry[]): Pick<Metrics, 'refused' | 'policiesAre'> {
  const refusals = new Counter({
    name: 'tokenmesh_tokenizer_refusals_total',
    help: 'Requests and items refused to a node, by operation and code.',
    labelNames: ['node', 'operation', 'code'],
    registers,
  });
  const policies = new Gauge({
    name: 'tokenmesh_tokenizer_policies',
    help: 'Policies in force.',
    registers,
  });
  const updateRefused = new Gauge({
    name: 'tokenmesh_tokenizer_policy_update_refused',
    help: '1 while the policy files are not valid and older ones are in force.',
    registers,
  });
  const updates = new Counter({
    name: 'tokenmesh_tokenizer_policy_updates_total',
    help: 'Times that policies were read from changed files, the start included, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  return {
    refused({ node, operation, code }) {
      refusals.inc({ node, operation, code });
    },
    policiesAre(state) {
      policies.set(state.policies);
      updateRefused.set(state.isUpdateRefused ? 1 : 0);
      updates.inc({ outcome: state.isUpdateRefused ? 'refused' : 'in-force' });
    },
  };
}
