import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Client, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tlsCertificateSecret, validationContextSecret, type SdsSecret } from '../../../../mesh/envoy/sds.ts';
import type { SecretAnswers } from '../../../../sidecar/envoy/cert-agent/ports.ts';
import { filesWith } from '../../../support/files-with.ts';
import { PASSPHRASE, startSidecar, type SidecarUnderTest } from '../../../support/sidecar-under-test.ts';

const DEADLINE_MS = 120_000;
const NAMES = ['client', 'server', 'trust-clients', 'trust-servers'];

let sidecar: SidecarUnderTest;
afterAll(async () => await sidecar?.stop());

function answersOf(name: string): SecretAnswers {
  return sidecar.sink.answers.find((each) => each.name === name) ?? { name: 'server', taken: 0, refused: 0 };
}

/** Publishes a new certificate, and sees that it is served. */
async function rotate(role: 'client' | 'server'): Promise<string> {
  const next = await sidecar.issue(role);
  sidecar.secrets.certificates[role] = next;
  await sidecar.round();
  expect(await sidecar.served(role)).toBe(next.serial);
  return next.serial;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds() && Date.now() < deadline) await sleep(20);
  expect(holds()).toBe(true);
}

describe('an Envoy that gets its secrets from memory', () => {
  beforeAll(async () => {
    sidecar = await startSidecar('sds');
  }, DEADLINE_MS);

  it('says of every secret that it took it, and serves both certificates', async () => {
    expect(sidecar.sink.answers.map(({ name }) => name).toSorted()).toEqual(NAMES);
    expect(sidecar.sink.answers.every(({ taken, refused }) => taken >= 1 && refused === 0)).toBe(true);
    for (const { role, serial, servedSerial, problems } of sidecar.agent.states) {
      expect({ role, servedSerial, problems }).toEqual({ role, servedSerial: serial, problems: [] });
    }
  });

  it('serves the next certificate of either role as soon as it is published', async () => {
    await rotate('server');
    await rotate('client');
  });

  it('leaves no key and no passphrase in any file', async () => {
    await rotate('server');
    expect(filesWith(sidecar.directory, ['PRIVATE KEY', PASSPHRASE])).toEqual([]);
  });

  it('talks over a socket that only its own user may open, in a directory that only he may enter', () => {
    const { sdsSocket } = sidecar.placement;
    expect(statSync(sdsSocket).mode & 0o777).toBe(0o600);
    expect(statSync(join(sdsSocket, '..')).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['garbage', async () => bad('garbage', 'garbage'), 'Failed to load certificate chain'],
    ['an empty certificate and key', async () => bad('', ''), 'Failed to load incomplete private key'],
    ['the key of another certificate', async () => await mismatched(), 'KEY_VALUES_MISMATCH'],
    ['trust in garbage', async () => validationContextSecret('trust-clients', 'garbage'), 'trusted CA'],
  ])('refuses %s with a reason, and goes on with what it has', async (_what, make, reason) => {
    const serial = await rotate('server');
    const secret = await make();
    const put = await sidecar.sink.put(secret);
    expect(put).toEqual({ outcome: 'refused', reason: expect.stringContaining(reason) });
    expect(JSON.stringify(put)).not.toContain(PASSPHRASE);
    expect(await sidecar.served('server')).toBe(serial);
    expect(await sidecar.served('client')).toBeDefined();
  });

  it('gets everything again when its streams break, but not what it refused', async () => {
    const serial = await rotate('server');
    await sidecar.sink.put(bad('garbage', 'garbage'));
    const before = sidecar.sink.answers;
    await sidecar.restartServing();
    await until(() => NAMES.every((name) => answersOf(name).taken > takenIn(before, name)));
    expect(answersOf('server').refused).toBe(before.find(({ name }) => name === 'server')?.refused);
    expect(await sidecar.served('server')).toBe(serial);
    await rotate('server');
  }, 60_000);

  it('serves its last certificate while nobody serves secrets', async () => {
    const serial = await rotate('server');
    const before = sidecar.sink.answers;
    await sidecar.pauseServing();
    expect(await sidecar.served('server')).toBe(serial);
    await sidecar.restartServing();
    await until(() => answersOf('server').taken > takenIn(before, 'server'));
  }, 60_000);
});

describe('an Envoy that gets its secrets as files', () => {
  let asFiles: SidecarUnderTest;
  beforeAll(async () => {
    asFiles = await startSidecar('file');
  }, DEADLINE_MS);
  afterAll(async () => await asFiles?.stop());

  it('serves the next certificate as soon as it is published, out of one file for each', async () => {
    const next = await asFiles.issue('server');
    asFiles.secrets.certificates.server = next;
    await asFiles.round();
    expect(await asFiles.served('server')).toBe(next.serial);
    expect(filesWith(asFiles.directory, ['PRIVATE KEY', PASSPHRASE]).toSorted()).toEqual([
      'secrets/client.json',
      'secrets/server.json',
    ]);
    expect(statSync(join(asFiles.placement.secretsDirectory, 'server.json')).mode & 0o777).toBe(0o600);
  });
});

describe('the server of secrets', () => {
  it('has no other method than the stream', async () => {
    const { code } = await call('FetchSecrets', '');
    expect(code).toBe(12);
  });

  it('refuses to serve anything but secrets', async () => {
    const { code } = await call('StreamSecrets', 'type.googleapis.com/envoy.config.cluster.v3.Cluster');
    expect(code).toBe(3);
  });
});

function takenIn(answers: readonly SecretAnswers[], name: string): number {
  return answers.find((each) => each.name === name)?.taken ?? 0;
}

function bad(certificateChain: string, encryptedPrivateKey: string): SdsSecret {
  return tlsCertificateSecret('server', { certificateChain, encryptedPrivateKey, passphrase: PASSPHRASE });
}

async function mismatched(): Promise<SdsSecret> {
  const [one, other] = [await sidecar.issue('server'), await sidecar.issue('server')];
  const { certificate, chain } = JSON.parse(one.text) as { certificate: string; chain: string };
  const { encryptedPrivateKey } = JSON.parse(other.text) as { encryptedPrivateKey: string };
  return bad(certificate + chain, encryptedPrivateKey);
}

/** Calls a method with a request for one type, as a stranger with rights to the socket would. */
async function call(method: string, typeUrl: string): Promise<ServiceError> {
  const client = new Client(`unix:${sidecar.placement.sdsSocket}`, credentials.createInsecure());
  try {
    return await new Promise((resolve) => {
      const stream = client.makeBidiStreamRequest(
        `/envoy.service.secret.v3.SecretDiscoveryService/${method}`,
        (text: string) => Buffer.concat([Buffer.from([0x22, text.length]), Buffer.from(text)]),
        (bytes: Buffer) => bytes,
      );
      stream.on('error', resolve);
      stream.write(typeUrl);
    });
  } finally {
    client.close();
  }
}
