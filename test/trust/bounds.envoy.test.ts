/**
 * A peer that was trusted when it connected: how long its open connection goes on, where it does not let go of it
 * by itself, and that it gets no other.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DENY_LIST_FILE, denyListFile } from '../../mesh/envoy/deny-list.ts';
import { sdsFileName, trustSdsFile } from '../../mesh/envoy/sds.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import { putSecret, startEnvoyMesh, type EnvoyMesh } from '../support/envoy-mesh.ts';
import { createTestHierarchy, issueLeaf, type Authority } from '../support/issue-certificate.ts';
import { handshake, shown } from './attacks/handshake.ts';
import type { Listening } from './attacks/target.ts';

const DEADLINE_MS = 60_000;
const ORDER = 'order.tokenmesh.internal';

/** Short, so that the test need not wait ten minutes. */
const BOUND_SECONDS = 3;

/** `drain_timeout` of the connection manager: from the bound on, until the connection is closed. */
const DRAIN_SECONDS = 5;

let envoys: EnvoyMesh;
let target: Listening;

beforeAll(async () => {
  envoys = await startEnvoyMesh({ ...tokenizationMesh, maxConnectionDurationSeconds: BOUND_SECONDS }, [
    'tokenizer',
  ]);
  target = {
    ...placement().listener,
    name: 'tokenizer.tokenmesh.internal',
    trust: envoys.hierarchies.servers.root.certificate,
    python: '',
  };
}, DEADLINE_MS);

afterAll(async () => await envoys?.stop());

function placement(): EnvoyMesh['nodes'][string]['placement'] {
  const node = envoys.nodes['tokenizer'];
  if (node === undefined) throw new Error('expected the tokenizer to be started');
  return node.placement;
}

interface Clung {
  /** From the handshake to the last answer of 200. */
  readonly lastAnswerSeconds: number;
  readonly endedSeconds: number;
}

/** Asks on, over one connection, whatever it is told, until it is closed. */
async function cling(leaf: Authority, once: () => void = () => undefined): Promise<Clung> {
  const { host, port, name, trust } = target;
  const { chain } = envoys.hierarchies.clients;
  const credentials = shown(leaf, chain);
  const socket: TLSSocket = connect({ host, port, servername: name, ca: trust, ...credentials });
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1_000;
  let lastAnswerSeconds = 0;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    if (chunk.toString('latin1').startsWith('HTTP/1.1 200')) lastAnswerSeconds = seconds();
  });
  while (!socket.closed) {
    if (!socket.destroyed) socket.write(`GET /healthz HTTP/1.1\r\nhost: ${name}\r\n\r\n`);
    await sleep(200);
    if (lastAnswerSeconds > 0) once();
  }
  return { lastAnswerSeconds, endedSeconds: seconds() };
}

async function leafOf(lifeMs = 3_600_000): Promise<Authority> {
  return await issueLeaf(envoys.hierarchies.clients.subordinate, ORDER, {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + lifeMs),
  });
}

const tryAgain = async (leaf: Authority): Promise<string> =>
  await handshake(target, shown(leaf, envoys.hierarchies.clients.chain));

describe('a peer whose certificate has expired since', () => {
  it(
    'is let go at the bound, and connects no more',
    async () => {
      const leaf = await leafOf(2_000);
      const { endedSeconds } = await cling(leaf);
      expect(endedSeconds).toBeLessThan(BOUND_SECONDS + DRAIN_SECONDS + 2);
      expect(await tryAgain(leaf)).toBe('refused: certificate_expired');
    },
    DEADLINE_MS,
  );
});

describe('a peer whose certificate has been revoked since', () => {
  it(
    'is refused on its open connection, by the deny list, and on every other',
    async () => {
      const leaf = await leafOf();
      let isListed = false;
      const { lastAnswerSeconds, endedSeconds } = await cling(leaf, () => {
        if (isListed) return;
        isListed = true;
        putSecret(placement(), DENY_LIST_FILE, denyListFile([normalizeSerial(leaf.serial)]));
      });
      expect(lastAnswerSeconds).toBeLessThan(BOUND_SECONDS);
      expect(endedSeconds).toBeLessThan(BOUND_SECONDS + DRAIN_SECONDS);
      expect(await tryAgain(leaf)).toBe('answered 403');
    },
    DEADLINE_MS,
  );
});

describe('a peer whose CA is trusted no more', () => {
  it(
    'is let go at the bound, and connects no more',
    async () => {
      const leaf = await leafOf();
      const { root } = await createTestHierarchy('another');
      let isReplaced = false;
      const { endedSeconds } = await cling(leaf, () => {
        if (isReplaced) return;
        isReplaced = true;
        putSecret(placement(), sdsFileName('trust-clients'), trustSdsFile('trust-clients', root.certificate));
      });
      expect(endedSeconds).toBeLessThan(BOUND_SECONDS + DRAIN_SECONDS + 2);
      expect(await tryAgain(leaf)).toBe('refused: unknown_ca');
    },
    DEADLINE_MS,
  );
});
