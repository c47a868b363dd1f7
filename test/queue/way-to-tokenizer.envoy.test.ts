/**
 * The function's own mutual TLS, against a listener that asks what an Envoy of the mesh asks.
 *
 * @module
 */

import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { identityOf } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import { createWayToTokenizer } from '../../queue/adapters/way-to-tokenizer.ts';
import type { CertificateSource } from '../../sidecar/envoy/cert-agent/ports.ts';
import {
  clearKey,
  createTestHierarchy,
  encryptKey,
  issueLeaf,
  type Authority,
  type TestHierarchy,
} from '../support/issue-certificate.ts';
import { recordWith } from '../support/queue-under-test.ts';

const TOKENIZER = identityOf(tokenizationMesh, 'tokenizer');
const BULK = identityOf(tokenizationMesh, 'bulk');
const PASSPHRASE = 'of-a-test';

let clients: TestHierarchy;
let servers: TestHierarchy;
let listener: Server | undefined;

beforeAll(async () => {
  [clients, servers] = [await createTestHierarchy('clients'), await createTestHierarchy('servers')];
});

afterEach(() => {
  listener?.closeAllConnections();
  listener?.close();
  listener = undefined;
});

/** Answers with a token, and keeps the serials that callers showed. */
async function listen(leaf: Authority): Promise<{ readonly port: number; readonly serials: string[] }> {
  const serials: string[] = [];
  listener = createServer(
    {
      cert: leaf.certificate + servers.chain,
      key: clearKey(leaf.key),
      ca: clients.root.certificate,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    (request, response) => {
      serials.push(normalizeSerial((request.socket as TLSSocket).getPeerCertificate().serialNumber));
      request.resume();
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ results: [{ token: 'tkn_one', createdAt: '2026-05-01T10:00:00Z' }] }));
    },
  ).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return { port: (listener.address() as AddressInfo).port, serials };
}

/** Secrets that a test changes, with how often they were read. */
function secretsOf(issuer: TestHierarchy) {
  const held: { leaf?: Authority; reads: number; outage?: Error } = { reads: 0 };
  const source: CertificateSource = {
    async certificate() {
      held.reads += 1;
      if (held.outage !== undefined) throw held.outage;
      const leaf = (held.leaf ??= await issueLeaf(issuer.subordinate, BULK));
      return {
        version: leaf.serial,
        secretName: 'tokenmesh/bulk/client/certificate',
        secret: {
          serial: leaf.serial,
          certificateArn: 'arn',
          certificate: leaf.certificate,
          chain: issuer.chain,
          encryptedPrivateKey: encryptKey(leaf.key, PASSPHRASE),
          passphraseVersionId: '1',
        },
        passphrase: new Sensitive(PASSPHRASE),
      };
    },
    trust: async () => ({ version: '1', secretName: 'trust', roots: servers.root.certificate }),
  };
  return { held, source };
}

function wayTo(port: number, issuer = clients) {
  const { held, source } = secretsOf(issuer);
  const clock = { ms: 0 };
  const kept: unknown[] = [];
  const way = createWayToTokenizer({
    mesh: tokenizationMesh,
    source,
    endpoint: { host: '127.0.0.1', port },
    deadlineMs: 3_000,
    now: () => new Date(clock.ms),
    onKept: (error) => kept.push(error),
  });
  const ask = async () => await way.tokenize([recordWith('value')], 'a-load-of-mine.1');
  return { ask, held, clock, kept, close: async () => await way.close() };
}

describe('the way of a function to the tokenizer', () => {
  it('proves the function to the tokenizer, and the tokenizer to the function', async () => {
    const { port, serials } = await listen(await issueLeaf(servers.subordinate, TOKENIZER));
    const { ask, held, close } = wayTo(port);
    expect(await ask()).toEqual([{ token: 'tkn_one' }]);
    expect(serials).toEqual([normalizeSerial(held.leaf?.serial ?? '')]);
    await close();
  });

  it('takes a renewed certificate within a minute, and reads the secrets no more often', async () => {
    const { port, serials } = await listen(await issueLeaf(servers.subordinate, TOKENIZER));
    const { ask, held, clock, close } = wayTo(port);
    await ask();
    const renewed = await issueLeaf(clients.subordinate, BULK);
    held.leaf = renewed;
    clock.ms += 59_000;
    await ask();
    expect(held.reads).toBe(1);
    clock.ms += 1_000;
    await ask();
    expect(held.reads).toBe(2);
    expect(serials[0]).toBe(serials[1]);
    expect(serials[2]).toBe(normalizeSerial(renewed.serial));
    await close();
  });

  it('reads the secrets once for all calls of one moment', async () => {
    const { port, serials } = await listen(await issueLeaf(servers.subordinate, TOKENIZER));
    const { ask, held, clock, close } = wayTo(port);
    await Promise.all([ask(), ask(), ask()]);
    expect(held.reads).toBe(1);
    held.leaf = await issueLeaf(clients.subordinate, BULK);
    clock.ms += 60_000;
    await Promise.all([ask(), ask(), ask()]);
    expect(held.reads).toBe(2);
    expect(new Set(serials.slice(3))).toEqual(new Set([normalizeSerial(held.leaf.serial)]));
    await close();
  });

  it('goes on with what it has while the secrets cannot be had, and says so once a minute', async () => {
    const { port } = await listen(await issueLeaf(servers.subordinate, TOKENIZER));
    const { ask, held, clock, kept, close } = wayTo(port);
    held.outage = new Error('no answer');
    await expect(ask()).rejects.toBe(held.outage);
    delete held.outage;
    await ask();
    held.outage = new Error('no answer');
    clock.ms += 60_000;
    await ask();
    await ask();
    expect(kept).toEqual([held.outage]);
    await close();
  });

  it.each<[string, () => Promise<Authority>]>([
    [
      'has another name',
      async () => await issueLeaf(servers.subordinate, identityOf(tokenizationMesh, 'order')),
    ],
    ['is under another root', async () => await issueLeaf(clients.subordinate, TOKENIZER)],
    [
      'has expired',
      async () => await issueLeaf(servers.subordinate, TOKENIZER, { notAfter: new Date(Date.now() - 1_000) }),
    ],
  ])('refuses a listener that %s', async (_what, issue) => {
    const { port, serials } = await listen(await issue());
    const { ask, close } = wayTo(port);
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_TOKENIZER_UNAVAILABLE' });
    expect(serials).toEqual([]);
    await close();
  });

  it('is refused where its certificate is of another CA', async () => {
    const { port, serials } = await listen(await issueLeaf(servers.subordinate, TOKENIZER));
    const { ask, close } = wayTo(port, servers);
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_TOKENIZER_UNAVAILABLE' });
    expect(serials).toEqual([]);
    await close();
  });
});
