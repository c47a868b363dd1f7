/**
 * Connections that hold an old certificate after a rotation: kept, but not for longer than the mesh says.
 *
 * @module
 */

import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Mesh } from '../../../mesh/definition.ts';
import { PEER_CHECK, PEER_SERIAL_HEADER } from '../../../mesh/envoy/inbound.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { normalizeSerial } from '../../../pki/secret.ts';
import { startEnvoyMesh, type EnvoyMesh } from '../../support/envoy-mesh.ts';
import { clearKey, issueLeaf } from '../../support/issue-certificate.ts';

const DEADLINE_MS = 120_000;
/** Far longer than any bound here, far shorter than the one that ships. */
const WATCHED_MS = 20_000;
const BOUND_SECONDS = 2;

const bounded: Mesh = { ...tokenizationMesh, maxConnectionDurationSeconds: BOUND_SECONDS };

let running: EnvoyMesh | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(mesh: Mesh): Promise<EnvoyMesh> {
  running = await startEnvoyMesh(mesh, ['order', 'tokenizer']);
  return running;
}

interface Seen {
  readonly status: number;
  readonly serial: string;
}

/** Sends requests until one shows `serial`, or the time is over. @returns All of them. */
async function watch(ask: () => Promise<Seen>, serial: string, forMs: number): Promise<Seen[]> {
  const seen: Seen[] = [];
  const deadline = performance.now() + forMs;
  while (seen.at(-1)?.serial !== serial && performance.now() < deadline) {
    seen.push(await ask());
    await sleep(20);
  }
  return seen;
}

/** Through order's Envoy, which keeps its connections to the tokenizer's. */
const throughOrder = (mesh: EnvoyMesh) => async (): Promise<Seen> => {
  const { status, headers } = await mesh.call('order', `http://tokenizer${PEER_CHECK.path}`);
  return { status, serial: normalizeSerial(String(headers[PEER_SERIAL_HEADER] ?? '')) };
};

/** Over one connection as long as the listener keeps it. */
async function directly(mesh: EnvoyMesh): Promise<{ ask: () => Promise<Seen>; end: () => void }> {
  const { chain, subordinate } = mesh.hierarchies.clients;
  const leaf = await issueLeaf(subordinate, 'order.tokenmesh.internal');
  const listener = mesh.nodes['tokenizer']?.placement.listener;
  const agent = new HttpsAgent({
    ...{ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 },
    ...{
      cert: leaf.certificate + chain,
      key: clearKey(leaf.key),
      ca: mesh.hierarchies.servers.root.certificate,
    },
    servername: 'tokenizer.tokenmesh.internal',
  });
  let shown = '';
  const ask = async (): Promise<Seen> =>
    await new Promise((resolve, reject) => {
      const asked = httpsRequest({ ...listener, path: PEER_CHECK.path, agent }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, serial: shown }));
      });
      asked.once('socket', (socket) => {
        if (asked.reusedSocket) return;
        socket.once('secureConnect', () => {
          shown = normalizeSerial((socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? '');
        });
      });
      asked.once('error', reject);
      asked.end();
    });
  return { ask, end: () => agent.destroy() };
}

describe('a connection that is older than the certificate', () => {
  it(
    'of a caller ends within the bound, and every request on it and after it is answered',
    async () => {
      const mesh = await start(bounded);
      const ask = throughOrder(mesh);
      const before = (await ask()).serial;
      const after = await mesh.rotate('order', 'client');
      const seen = await watch(ask, after, WATCHED_MS);
      expect(seen.map(({ status }) => status).filter((status) => status !== 204)).toEqual([]);
      expect(seen.at(-1)?.serial).toBe(after);
      // It was kept at first: what ended it is the bound, and not the swap.
      expect(seen[0]?.serial).toBe(before);
      expect(new Set(seen.map(({ serial }) => serial))).toEqual(new Set([before, after]));
    },
    DEADLINE_MS,
  );

  it(
    'of a listener ends within the bound, and every request on it and after it is answered',
    async () => {
      const mesh = await start(bounded);
      const { ask, end } = await directly(mesh);
      const before = (await ask()).serial;
      const after = await mesh.rotate('tokenizer', 'server');
      const seen = await watch(ask, after, WATCHED_MS);
      end();
      expect(seen.map(({ status }) => status).filter((status) => status !== 204)).toEqual([]);
      expect(seen.at(-1)?.serial).toBe(after);
      expect(seen[0]?.serial).toBe(before);
    },
    DEADLINE_MS,
  );

  it(
    'is kept where the bound is longer: it is the bound that ends it',
    async () => {
      const mesh = await start(tokenizationMesh);
      expect(tokenizationMesh.maxConnectionDurationSeconds).toBe(600);
      const ask = throughOrder(mesh);
      const before = (await ask()).serial;
      const after = await mesh.rotate('order', 'client');
      const seen = await watch(ask, after, BOUND_SECONDS * 2_000);
      expect(new Set(seen.map(({ serial }) => serial))).toEqual(new Set([before]));
    },
    DEADLINE_MS,
  );
});
