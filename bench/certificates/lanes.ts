/**
 * The loads that go on while certificates change: kept connections and fresh ones, through the Envoys and
 * beside them.
 *
 * @module
 */

import { PEER_CHECK } from '../../mesh/envoy/inbound.ts';
import { PEER_CHECK_HOST } from '../../mesh/envoy/outbound.ts';
import type { SocketAddress } from '../../mesh/envoy/types.ts';
import { HEALTH_PATH } from '../../operator/facts/listener.ts';
import { identityFiles, type IdentityFiles } from '../../operator/identities.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';

interface LaneFacts {
  readonly name: string;
  readonly perSecond: number;
  /** The most that wait for an answer. */
  readonly atATime: number;
  readonly expected: number;
}

/** Through a node's own Envoy: over connections that it keeps, unless the host makes it open new ones. */
export interface EgressLane extends LaneFacts {
  readonly kind: 'egress';
  readonly socket: string;
  readonly url: string;
  readonly body?: string;
}

/** A TLS connection of the load's own for each request, with the certificate that is in the files now. */
export interface DirectLane extends LaneFacts {
  readonly kind: 'direct';
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  readonly path: string;
  readonly files: IdentityFiles;
}

export type Lane = EgressLane | DirectLane;

/** The edge that the load goes over: order's Envoy to the tokenizer's. */
export interface LoadTarget {
  readonly orderEgress: string;
  readonly tokenizerEgress: string;
  readonly tokenizerListener: SocketAddress;
  readonly tokenizerIdentity: string;
  /** What a client of the load's own shows. */
  readonly orderFiles: IdentityFiles;
}

export function targetOf(state: RunState): LoadTarget {
  const [order, tokenizer] = [nodeState(state, 'order'), nodeState(state, 'tokenizer')];
  return {
    orderEgress: order.egressSocket,
    tokenizerEgress: tokenizer.egressSocket,
    tokenizerListener: tokenizer.listener,
    tokenizerIdentity: tokenizer.identity,
    orderFiles: identityFiles(state, 'order', 'client'),
  };
}

/**
 * A body that the tokenizer refuses as soon as it has read it. A POST is not sent again by Envoy once it may
 * have arrived, so it would show a connection that was cut; and one that is stored would measure the emulated
 * DynamoDB, which shares its process with the rotations.
 */
const REFUSED_BODY = JSON.stringify({ fields: {} });

/**
 * @param perSecond - Requests over kept connections; of those on fresh ones a fifth of it: each of them is
 *   a full handshake on both sides.
 */
export function lanesOf(target: LoadTarget, perSecond: number): Lane[] {
  const freshPerSecond = perSecond / 15;
  const fresh = {
    kind: 'egress',
    url: `http://${PEER_CHECK_HOST}${PEER_CHECK.path}`,
    perSecond: freshPerSecond,
    atATime: 8,
    expected: 204,
  } as const;
  const kept = { kind: 'egress', socket: target.orderEgress } as const;
  return [
    {
      ...kept,
      name: 'kept: order to the tokenizer',
      url: `http://tokenizer${HEALTH_PATH}`,
      perSecond,
      atATime: 64,
      expected: 200,
    },
    {
      ...kept,
      name: 'kept: order posts to the tokenizer',
      url: 'http://tokenizer/v1/tokens',
      body: REFUSED_BODY,
      perSecond: perSecond / 10,
      atATime: 8,
      expected: 400,
    },
    { ...fresh, name: "fresh: order's Envoy to order's", socket: target.orderEgress },
    { ...fresh, name: "fresh: the tokenizer's Envoy to the tokenizer's", socket: target.tokenizerEgress },
    {
      kind: 'direct',
      name: "fresh: a client of its own, as order, to the tokenizer's Envoy",
      perSecond: freshPerSecond,
      atATime: 8,
      expected: 200,
      ...target.tokenizerListener,
      servername: target.tokenizerIdentity,
      path: HEALTH_PATH,
      files: target.orderFiles,
    },
  ];
}
