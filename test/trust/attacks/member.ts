import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { identityFiles } from '../../../operator/identities.ts';
import { nodeState, type RunState } from '../../../operator/run-state.ts';
import type { Shown } from './handshake.ts';

/** A running mesh, seen by a member who wants more than it may. */
export interface MeshTarget {
  readonly state: RunState;
  /** Of a card that order stored. */
  readonly token: string;
}

export function shownBy(state: RunState, node: string): Shown {
  const { chain, key } = identityFiles(state, node, 'client');
  return { cert: readFileSync(chain, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** Connects to the tokenizer's listener. */
export async function connectWith(
  state: RunState,
  certificate: Shown,
  protocol: 'h2' | 'http/1.1',
): Promise<TLSSocket> {
  const { listener, identity } = nodeState(state, 'tokenizer');
  const { trust } = identityFiles(state, 'order', 'client');
  const socket = connect({
    ...certificate,
    host: listener.host,
    port: listener.port,
    servername: identity,
    ca: readFileSync(trust),
    ALPNProtocols: [protocol],
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  return socket;
}
