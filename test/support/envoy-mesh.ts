/**
 * Some nodes of a mesh as real Envoys, with certificates made on the spot and an app that says whom it
 * was told that it answers: the rendered bootstraps and nothing else of ours.
 *
 * @module
 */

import { createServer, type Server } from 'node:http';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { freePort } from '../../local/free-port.ts';
import type { CertificateRole, Mesh } from '../../mesh/definition.ts';
import { DENY_LIST_FILE, denyListFile } from '../../mesh/envoy/deny-list.ts';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import { sdsFileName, tlsCertificateSdsFile, trustSdsFile } from '../../mesh/envoy/sds.ts';
import type { Placement, TokenIssuer } from '../../mesh/envoy/types.ts';
import { CERTIFICATE_ROLES, HIERARCHIES, hierarchyOf, identityOf } from '../../mesh/identity.ts';
import { readCertificate } from '../../pki/certificate.ts';
import { drain } from '../../sidecar/envoy/drain.ts';
import { startEnvoy, type EnvoyProcess } from '../../sidecar/envoy/envoy-process.ts';
import { envoyBinary, untilEnvoyIsReady } from './envoy.ts';
import { createTestHierarchy, encryptKey, issueLeaf, type TestHierarchy } from './issue-certificate.ts';

const PASSPHRASE = 'of the test alone';

const NO_ISSUER: TokenIssuer = {
  issuer: 'https://nobody.example',
  keys: { host: '127.0.0.1', port: 9, path: '/', tls: false },
  clientIds: ['nobody'],
};

export interface EnvoyNode {
  readonly adminUrl: string;
  readonly placement: Placement;
}

export interface EnvoyMesh {
  readonly nodes: Readonly<Record<string, EnvoyNode>>;
  readonly hierarchies: Readonly<Record<'clients' | 'servers', TestHierarchy>>;
  /** Sends a request from a node, through its own Envoy. */
  call(from: string, url: string, options?: CallOptions): Promise<Answer>;
  /** Gives a node another certificate as its agent does. @returns The serial, as Envoy writes it. */
  rotate(nodeName: string, role: CertificateRole): Promise<string>;
  /** Ends one node's Envoy as its sidecar does: drained first. */
  stopEnvoy(nodeName: string): Promise<void>;
  stop(): Promise<void>;
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** @param further - The issuer of gateways, for which nobody answers unless given, and where spans go. */
export async function startEnvoyMesh(
  mesh: Mesh,
  nodeNames: readonly string[],
  further: Pick<Placement, 'tokenIssuer' | 'traces'> = {},
): Promise<EnvoyMesh> {
  const envoy = await envoyBinary();
  const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-envoys-'));
  const hierarchies = {
    clients: await createTestHierarchy('clients'),
    servers: await createTestHierarchy('servers'),
  };
  const placements = await placeNodes(mesh, nodeNames, directory, { tokenIssuer: NO_ISSUER, ...further });
  const running: { nodeName: string; envoy: EnvoyProcess; app: Server }[] = [];
  for (const [nodeName, placement] of Object.entries(placements)) {
    await writeSecrets(mesh, nodeName, placement, hierarchies);
    const bootstrapFile = join(directory, nodeName, 'bootstrap.json');
    writeFileSync(
      bootstrapFile,
      JSON.stringify(renderBootstrap({ ...mesh, secretDelivery: 'file' }, nodeName, placement)),
    );
    running.push({
      nodeName,
      app: await startApp(placement),
      envoy: startEnvoy(envoy, bootstrapFile, 1, 'ignore'),
    });
  }
  const nodes = Object.fromEntries(
    Object.entries(placements).map(([name, placement]) => [
      name,
      { placement, adminUrl: adminUrlOf(placement) },
    ]),
  );
  await Promise.all(Object.values(nodes).map(async ({ adminUrl }) => await untilEnvoyIsReady(adminUrl)));
  return {
    nodes,
    hierarchies,
    call: async (from, url, options) => await call(placements[from]?.egressSocket ?? '', url, options),
    async rotate(nodeName, role) {
      const placement = placements[nodeName];
      if (placement === undefined) throw new Error(`no node ${nodeName}`);
      return await writeCertificate(mesh, nodeName, role, placement, hierarchies);
    },
    async stopEnvoy(nodeName) {
      const admin = placements[nodeName]?.admin;
      if (admin !== undefined) await drain(admin, 5);
      await running.find((each) => each.nodeName === nodeName)?.envoy.stop();
    },
    async stop() {
      for (const each of running) {
        await each.envoy.stop();
        each.app.closeAllConnections();
        each.app.close();
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function placeNodes(
  mesh: Mesh,
  nodeNames: readonly string[],
  directory: string,
  further: Pick<Placement, 'tokenIssuer' | 'traces'>,
): Promise<Record<string, Placement>> {
  const ports = new Map<string, number>();
  for (const name of nodeNames) ports.set(name, await freePort());
  const endpoints = Object.fromEntries(
    Object.entries(mesh.virtualServices).map(([name, { provider }]) => [
      name,
      { host: '127.0.0.1', port: ports.get(provider) ?? 9 },
    ]),
  );
  const placed: Record<string, Placement> = {};
  for (const name of nodeNames) {
    const home = join(directory, name);
    mkdirSync(join(home, 'secrets'), { recursive: true });
    placed[name] = {
      listener: { host: '127.0.0.1', port: ports.get(name) ?? 0 },
      admin: { host: '127.0.0.1', port: await freePort() },
      appSocket: join(home, 'app.sock'),
      egressSocket: join(home, 'egress.sock'),
      secretsDirectory: join(home, 'secrets'),
      sdsSocket: join(home, 'sds.sock'),
      endpoints: { ...endpoints, processor: { host: '127.0.0.1', port: 9 } },
      externalTrust: {},
      ...further,
    };
  }
  return placed;
}

async function writeSecrets(
  mesh: Mesh,
  nodeName: string,
  placement: Placement,
  hierarchies: EnvoyMesh['hierarchies'],
): Promise<void> {
  for (const role of CERTIFICATE_ROLES) await writeCertificate(mesh, nodeName, role, placement, hierarchies);
  for (const hierarchy of HIERARCHIES) {
    const secret = `trust-${hierarchy}` as const;
    putSecret(placement, sdsFileName(secret), trustSdsFile(secret, hierarchies[hierarchy].root.certificate));
  }
  putSecret(placement, DENY_LIST_FILE, denyListFile([]));
}

/** Moved over the old one, as the cert agent does. */
export function putSecret(placement: Placement, fileName: string, contents: unknown): void {
  const file = join(placement.secretsDirectory, fileName);
  writeFileSync(`${file}.new`, JSON.stringify(contents));
  renameSync(`${file}.new`, file);
}

/** Answers with the headers that it got, with the status and after the time that they ask for. */
async function startApp(placement: Placement): Promise<Server> {
  const app = createServer((message, response) => {
    response.statusCode = Number(message.headers['x-answer'] ?? 200);
    response.setHeader('content-type', 'application/json');
    const answer = (): unknown => response.end(JSON.stringify(message.headers));
    setTimeout(answer, Number(message.headers['x-answer-after-ms'] ?? 0));
  });
  await new Promise<void>((resolve) => app.listen(placement.appSocket, resolve));
  return app;
}

async function call(socketPath: string, url: string, options: CallOptions = {}): Promise<Answer> {
  const dispatcher = new Agent({ connect: { socketPath } });
  try {
    const { method = 'GET', headers = {} } = options;
    const answer = await request(url, { dispatcher, method, headers });
    return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
  } finally {
    await dispatcher.close();
  }
}

function adminUrlOf({ admin }: Placement): string {
  return 'socket' in admin ? '' : `http://${admin.host}:${admin.port}`;
}

async function writeCertificate(
  mesh: Mesh,
  nodeName: string,
  role: CertificateRole,
  placement: Placement,
  hierarchies: EnvoyMesh['hierarchies'],
): Promise<string> {
  const { subordinate, chain } = hierarchies[hierarchyOf(role)];
  const leaf = await issueLeaf(subordinate, identityOf(mesh, nodeName));
  const material = {
    certificateChain: leaf.certificate + chain,
    encryptedPrivateKey: encryptKey(leaf.key, PASSPHRASE),
    passphrase: PASSPHRASE,
  };
  putSecret(placement, sdsFileName(role), tlsCertificateSdsFile(role, material));
  return readCertificate(leaf.certificate).serial;
}
