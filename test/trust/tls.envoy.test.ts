/**
 * Attacks on the handshake of the tokenizer's listener: a real Envoy under the rendered bootstrap, and CAs
 * whose keys the attacker has.
 *
 * @module
 */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { startEnvoyMesh, type EnvoyMesh } from '../support/envoy-mesh.ts';
import { issueLeaf } from '../support/issue-certificate.ts';
import { CERTIFICATE_ATTACKS } from './attacks/certificate-attacks.ts';
import { handshake, oddHandshake, shown } from './attacks/handshake.ts';
import type { TlsTarget } from './attacks/target.ts';
import { TLS_ATTACKS } from './attacks/tls-attacks.ts';

const DEADLINE_MS = 240_000;

let envoys: EnvoyMesh;
let target: TlsTarget;

beforeAll(async () => {
  const { python } = await preparePythonEnvironment({
    projectRoot: join(import.meta.dirname, '..', '..'),
    requirementsFile: join(import.meta.dirname, 'requirements.txt'),
    name: 'trust',
    onProgress: () => undefined,
  });
  envoys = await startEnvoyMesh(tokenizationMesh, ['tokenizer']);
  const { clients, servers } = envoys.hierarchies;
  const listener = envoys.nodes['tokenizer']?.placement.listener;
  if (listener === undefined) throw new Error('expected the tokenizer to be started');
  target = {
    ...listener,
    ...{ python, clients, servers },
    name: 'tokenizer.tokenmesh.internal',
    trust: servers.root.certificate,
    member: shown(await issueLeaf(clients.subordinate, 'order.tokenmesh.internal'), clients.chain),
  };
}, DEADLINE_MS);

afterAll(async () => await envoys?.stop());

describe("a member's honest handshake", () => {
  it('is answered, to either library', async () => {
    expect(await handshake(target, target.member)).toBe('answered 200');
    expect(await oddHandshake(target, target.member, {})).toBe('answered 200');
  });
});

describe('an attack on the handshake', () => {
  it.each(TLS_ATTACKS)('$what: $promised', async ({ attempt, seen }) => {
    expect(await attempt(target)).toBe(seen);
  });
});

describe('an attack by a certificate', () => {
  it.each(CERTIFICATE_ATTACKS)('$what: $promised', async ({ attempt, seen }) => {
    expect(await attempt(target)).toBe(seen);
  });
});
