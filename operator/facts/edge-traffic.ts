/**
 * What goes over each edge, as the Envoys count it: the caller's for the edge, the listener's for who may
 * come in. Read only; nothing is sent over the edge.
 *
 * @module
 */

import type { EdgeMode, Mesh } from '../../mesh/definition.ts';
import { edgesOf, listenerMode } from '../../mesh/edges.ts';
import type { RunState } from '../run-state.ts';
import { OUTSIDE } from '../tap/seen-request.ts';
import { readStats } from './envoy-admin.ts';

/** One edge, counted since its Envoy started. */
export interface EdgeTraffic {
  readonly from: string;
  /** The node that answers, or the service where it is not of the mesh. */
  readonly to: string;
  readonly mode: EdgeMode;
  readonly isExternal: boolean;
  /** Undefined where the caller's Envoy does not answer. */
  readonly counted: EdgeCounters | undefined;
  /** The far end's listener, over all its callers. Undefined for what is not of the mesh, or does not answer. */
  readonly listener: ListenerTraffic | undefined;
}

export interface EdgeCounters {
  readonly requests: number;
  /** Answered 403: by the far Envoy, its deny list, or the app. */
  readonly denied: number;
  /** Answered 5xx, by whomever; a request that got no answer is among them. */
  readonly failed: number;
  /** As the caller's side counts them: under TLS 1.3 also those that the listener then refuses. */
  readonly handshakes: number;
  readonly handshakesFailed: number;
  readonly connectionsFailed: number;
  /** TLS versions seen, such as `TLSv1.3`. */
  readonly tls: readonly string[];
}

export interface ListenerTraffic {
  readonly handshakes: number;
  readonly noCertificate: number;
  /** Refused in the handshake, for whatever reason. */
  readonly refused: number;
  /** Denied by RBAC. */
  readonly denied: number;
}

type Stats = ReadonlyMap<string, number>;

const OF_LISTENER = 'listener.inbound.ssl.';
const FAILURES = ['connection_error', 'fail_verify_error', 'fail_verify_no_cert', 'fail_verify_san'];

export async function edgeTraffic(mesh: Mesh, state: RunState): Promise<EdgeTraffic[]> {
  const stats = new Map(
    await Promise.all(
      state.nodes.map(async ({ name, adminUrl }) => [name, await statsOf(adminUrl)] as const),
    ),
  );
  const listenerOf = (node: string): ListenerTraffic | undefined => map(stats.get(node), listenerTraffic);
  const entries = Object.entries(mesh.virtualGateways).map(([name, gateway]): EdgeTraffic => ({
    from: OUTSIDE,
    to: name,
    mode: listenerMode(gateway.listener),
    isExternal: false,
    counted: map(stats.get(name), atTheDoor),
    listener: listenerOf(name),
  }));
  const edges = edgesOf(mesh).map((edge): EdgeTraffic => ({
    from: edge.from,
    to: edge.to ?? edge.virtualService,
    mode: edge.mode,
    isExternal: edge.to === undefined,
    counted: map(stats.get(edge.from), (each) => ofCluster(each, edge.virtualService)),
    listener: edge.to === undefined ? undefined : listenerOf(edge.to),
  }));
  return [...entries, ...edges];
}

/** What a caller's Envoy counts of one backend. */
function ofCluster(stats: Stats, service: string): EdgeCounters {
  const of = countsIn(stats, `cluster.${service}.`);
  return {
    requests: of('upstream_rq_total'),
    denied: of('upstream_rq_403'),
    failed: of('upstream_rq_5xx'),
    ...handshakes(stats, `cluster.${service}.ssl.`),
    connectionsFailed: of('upstream_cx_connect_fail'),
  };
}

/** Callers from outside have no Envoy of ours: the gateway's counts them. */
function atTheDoor(stats: Stats): EdgeCounters {
  const of = countsIn(stats, 'http.inbound.');
  return {
    requests: of('downstream_rq_total'),
    denied: of('rbac.denied'),
    failed: of('downstream_rq_5xx'),
    ...handshakes(stats, OF_LISTENER),
    connectionsFailed: 0,
  };
}

function listenerTraffic(stats: Stats): ListenerTraffic {
  const { handshakes: made, handshakesFailed } = handshakes(stats, OF_LISTENER);
  return {
    handshakes: made,
    noCertificate: stats.get(`${OF_LISTENER}no_certificate`) ?? 0,
    refused: handshakesFailed,
    denied: stats.get('http.inbound.rbac.denied') ?? 0,
  };
}

function handshakes(
  stats: Stats,
  prefix: string,
): Pick<EdgeCounters, 'handshakes' | 'handshakesFailed' | 'tls'> {
  const of = countsIn(stats, prefix);
  const versions = `${prefix}versions.`;
  const seen = [...stats].filter(([name, count]) => name.startsWith(versions) && count > 0);
  return {
    handshakes: of('handshake'),
    handshakesFailed: FAILURES.reduce((sum, name) => sum + of(name), 0),
    tls: seen.map(([name]) => name.slice(versions.length)),
  };
}

function countsIn(stats: Stats, prefix: string): (name: string) => number {
  return (name) => stats.get(`${prefix}${name}`) ?? 0;
}

const FILTER = [
  '^cluster\\.[^.]+\\.(ssl|upstream_rq_(total|403|5xx)$|upstream_cx_connect_fail$)',
  '^listener\\.inbound\\.ssl\\.',
  '^http\\.inbound\\.(rbac\\.denied|downstream_rq_(total|5xx))$',
].join('|');

async function statsOf(adminUrl: string): Promise<Stats | undefined> {
  return await readStats(adminUrl, FILTER).catch(() => undefined);
}

function map<From, To>(value: From | undefined, to: (value: From) => To): To | undefined {
  return value === undefined ? undefined : to(value);
}
