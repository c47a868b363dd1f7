/**
 * A task of the tokenizer, of the files that its two images hold: read-only, as the images' user, without
 * any package that only development has. It gets its certificates, serves, and is healthy.
 *
 * @module
 */

import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { createVaultResources, TABLES } from '../../local/aws/resources.ts';
import { freePort } from '../../local/free-port.ts';
import { makePki, type MadePki } from '../../local/made-pki.ts';
import { issueDirectly } from '../../operator/ca/probe-certificates.ts';
import { identityOf } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { captureLog } from '../fakes/captured-log.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../support/emulated-aws.ts';
import { envoyProgram } from '../support/envoy.ts';
import { createVolume, LaidOutImage, type ImageProcess } from '../support/image-process.ts';
import { IMAGES } from '../support/images.ts';
import { taskPlacement } from '../support/meshes.ts';

const mesh = tokenizationMesh;
const CARD = { fields: { card: { class: 'pan', value: '4111111111111111' } } };

let aws: EmulatedAws;
let pki: MadePki;
let volume: string;
let port: number;
let sidecarImage: LaidOutImage;
let tokenizerImage: LaidOutImage;
let sidecar: ImageProcess;
let tokenizer: ImageProcess;

beforeAll(async () => {
  aws = await startEmulatedAws();
  const clients = emulatorClients(aws.endpointUrl, 'us-east-1');
  pki = await makePki(clients, mesh, captureLog().logger);
  const { vaultKeyArn, auditKeyArn } = await createVaultResources(clients, mesh);
  volume = createVolume();
  port = await freePort();
  const envoy = await envoyProgram();
  tokenizerImage = new LaidOutImage(IMAGES.tokenizer, volume, envoy);
  sidecarImage = new LaidOutImage(IMAGES.sidecar, volume, envoy);
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: aws.endpointUrl,
    AWS_ACCESS_KEY_ID: 'emulated',
    AWS_SECRET_ACCESS_KEY: 'emulated',
  };
  tokenizer = tokenizerImage.start({
    ...environment,
    TOKENMESH_TOKENS_TABLE: TABLES.tokens,
    TOKENMESH_KMS_KEY_ARN: vaultKeyArn,
    TOKENMESH_AUDIT_KEY_ID: auditKeyArn,
    TOKENMESH_SEALING_THREADS: '1',
  });
  sidecar = sidecarImage.start({
    ...environment,
    TOKENMESH_NODE: 'tokenizer',
    TOKENMESH_PLACEMENT: JSON.stringify({
      ...taskPlacement(mesh, 'tokenizer'),
      listener: { host: '127.0.0.1', port },
      secretsDirectory: '/run/sidecar/secrets',
    }),
    TOKENMESH_POLL_SECONDS: '1',
  });
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  await sidecar?.stop();
  await tokenizer?.stop();
  sidecarImage?.remove();
  tokenizerImage?.remove();
  await aws?.stop();
  if (volume !== undefined) rmSync(volume, { recursive: true, force: true });
}, 60_000);

/** The health check of an image, as the engine runs it. */
async function health(laidOut: LaidOutImage): Promise<{ code: number | null; output: string }> {
  const check = laidOut.run(laidOut.image.healthcheck);
  return { code: await check.exited, output: check.output() };
}

async function untilHealthy(laidOut: LaidOutImage): Promise<{ code: number | null; output: string }> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await health(laidOut);
    if (found.code === 0 || Date.now() > deadline) return found;
  }
}

/** Tries to write in every folder that a program may think of; says where it could, and who it is. */
const TRY_TO_WRITE = `
const { writeFileSync, existsSync } = require('node:fs');
const written = ['/', '/app', '/app/node_modules', '/tmp', '/usr/local/bin', '/run', '/run/tokenmesh', '/run/sidecar']
  .filter((folder) => { try { writeFileSync(folder + '/written', ''); return true; } catch { return false; } });
const shells = ['/bin/sh', '/bin/bash', '/usr/bin/env', '/bin/busybox'].filter((file) => existsSync(file));
process.stdout.write(JSON.stringify({ user: process.getuid(), version: process.version, written, shells }));
`;

describe('a task of the files of its images', () => {
  it('becomes healthy by its own health checks', async () => {
    expect(await untilHealthy(tokenizerImage)).toEqual({ code: 0, output: '' });
    expect(await untilHealthy(sidecarImage)).toEqual({ code: 0, output: '' });
  }, 60_000);

  it('tokenizes a batch for a caller with a certificate, through its Envoy', async () => {
    const { chain, key } = await issueDirectly(emulatorClients(aws.endpointUrl, 'us-east-1').acmPca, {
      authorityArn: pki.hierarchies.clients.subordinateArn,
      dnsName: identityOf(mesh, 'order'),
      validForSeconds: 3_600,
    });
    const ca = pki.hierarchies.servers.rootCertificate;
    const dispatcher = new Agent({
      connect: { cert: chain, key, ca, servername: identityOf(mesh, 'tokenizer') },
    });
    const { statusCode, body } = await request(`https://127.0.0.1:${port}/v1/tokens/batch`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ items: Array.from({ length: 200 }, () => CARD) }),
    });
    const { results } = (await body.json()) as { results: { token?: string }[] };
    expect(statusCode).toBe(200);
    expect(results.filter(({ token }) => token?.startsWith('tkn_'))).toHaveLength(200);
    expect(tokenizer.output()).not.toContain('a sealing thread ended');
    await dispatcher.close();
  }, 60_000);

  it('can write where a task gives it room, and nowhere else, as no other user than the image says', async () => {
    for (const [laidOut, room] of [
      [tokenizerImage, ['/run/tokenmesh']],
      [sidecarImage, ['/run/tokenmesh', '/run/sidecar']],
    ] as const) {
      const tried = laidOut.run(['/usr/local/bin/node', '--eval', TRY_TO_WRITE]);
      expect([await tried.exited, JSON.parse(tried.output())]).toEqual([
        0,
        { user: 65532, version: process.version, written: room, shells: [] },
      ]);
    }
  }, 60_000);

  it('keeps its sockets to its own user', () => {
    for (const socket of ['app.sock', 'egress.sock']) {
      const { mode } = statSync(join(volume, socket));
      expect([socket, mode & 0o007]).toEqual([socket, 0]);
    }
    expect(statSync(volume).mode & 0o777).toBe(0o700);
  });

  it('drains and ends well when it is told to, and is not healthy any more', async () => {
    expect(await sidecar.stop()).toBe(0);
    expect(await tokenizer.stop()).toBe(0);
    for (const [laidOut, name] of [
      [sidecarImage, 'the sidecar'],
      [tokenizerImage, 'the app'],
    ] as const) {
      const { code, output } = await health(laidOut);
      expect([code, output]).toEqual([1, expect.stringContaining(`${name} is not healthy`)]);
    }
  }, 60_000);
});
