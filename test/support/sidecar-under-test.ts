/**
 * One sidecar with everything real but where its secrets come from: the cert agent, how it judges and
 * proves, both ways to Envoy, and Envoy. The secrets are texts in hand, as Secrets Manager would give them.
 *
 * @module
 */

import { createServer, type Server } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../local/free-port.ts';
import type { CertificateRole, Hierarchy, Mesh, SecretDelivery } from '../../mesh/definition.ts';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import type { Placement } from '../../mesh/envoy/types.ts';
import { hierarchyOf, identityOf } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { judgeCrl } from '../../pki/crl.ts';
import type { ListingAuthorities, ListingAuthority } from '../../pki/revocation.ts';
import { parseCertificateSecret } from '../../pki/secret.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import { createEgress } from '../../runtime/egress.ts';
import { fileSink } from '../../sidecar/envoy/adapters/file-sink.ts';
import { handshakeProver } from '../../sidecar/envoy/adapters/handshake-prover.ts';
import { watchedFiles } from '../../sidecar/envoy/adapters/watched-files.ts';
import { CertAgent, type AgentEvent } from '../../sidecar/envoy/cert-agent/agent.ts';
import { judgeDelivered, judgeDeliveredTrust } from '../../sidecar/envoy/cert-agent/judge.ts';
import type { SecretSink } from '../../sidecar/envoy/cert-agent/ports.ts';
import { RevocationWatch } from '../../sidecar/envoy/cert-agent/revocation.ts';
import { startEnvoy } from '../../sidecar/envoy/envoy-process.ts';
import { SecretPublisher } from '../../sidecar/envoy/sds/publisher.ts';
import { serveSecrets } from '../../sidecar/envoy/sds/server.ts';
import { envoyBinary, untilEnvoyIsReady } from './envoy.ts';
import { issueCrl } from './issue-crl.ts';
import {
  createTestHierarchy,
  encryptKey,
  issueLeaf,
  type Authority,
  type TestHierarchy,
} from './issue-certificate.ts';

export const NODE = 'order';
export const PASSPHRASE = 'of the test alone';

/** What stands in Secrets Manager for one certificate. */
export interface CertificateText {
  readonly version: string;
  readonly text: string;
  readonly passphrase: string;
}

/** Where everything comes from, to be changed at will. */
export interface Secrets {
  readonly certificates: Record<CertificateRole, CertificateText>;
  readonly trust: Record<Hierarchy, { version: string; roots: string }>;
  /** By the key of the object. */
  readonly crls: Map<string, Uint8Array>;
}

export interface SidecarUnderTest {
  readonly mesh: Mesh;
  readonly identity: string;
  readonly directory: string;
  readonly placement: Placement;
  readonly adminUrl: string;
  readonly hierarchies: Readonly<Record<Hierarchy, TestHierarchy>>;
  readonly secrets: Secrets;
  readonly agent: CertAgent;
  readonly revocation: RevocationWatch;
  readonly sink: SecretSink;
  readonly events: readonly AgentEvent[];
  /** One round of the sidecar: what is revoked, then every secret. */
  round(): Promise<void>;
  /** What a handshake of this test shows, through the listener or through the node's own Envoy. */
  served(role: CertificateRole): Promise<string | undefined>;
  /** Tells the sidecar that there are new CRLs, as the mesh's deny list does. */
  readonly announceCrls: () => void;
  /** A new and good CRL of every CA. */
  publishCrls(): Promise<void>;
  /** A good certificate of this node, in the form of its secret. */
  issue(role: CertificateRole): Promise<CertificateText & { readonly serial: string }>;
  /** Breaks every stream, and takes no new one. */
  pauseServing(): Promise<void>;
  /** Breaks every stream, and serves again on the same socket. */
  restartServing(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSidecar(delivery: SecretDelivery): Promise<SidecarUnderTest> {
  const mesh: Mesh = { ...tokenizationMesh, secretDelivery: delivery };
  const identity = identityOf(mesh, NODE);
  const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-sidecar-'));
  const placement = await place(directory);
  const hierarchies = {
    clients: await createTestHierarchy('clients'),
    servers: await createTestHierarchy('servers'),
  };
  const issue = async (role: CertificateRole): Promise<CertificateText & { serial: string }> => {
    const hierarchy = hierarchies[hierarchyOf(role)];
    return certificateText(await issueLeaf(hierarchy.subordinate, identity), hierarchy.chain);
  };
  const secrets: Secrets = {
    certificates: { client: await issue('client'), server: await issue('server') },
    trust: {
      clients: { version: 'first', roots: hierarchies.clients.root.certificate },
      servers: { version: 'first', roots: hierarchies.servers.root.certificate },
    },
    crls: new Map(),
  };
  const authorities: ListingAuthorities = {
    clients: await listing(hierarchies.clients, secrets),
    servers: await listing(hierarchies.servers, secrets),
  };
  const files = await watchedFiles(placement.secretsDirectory, join(directory, 'staging'));
  const publisher = new SecretPublisher();
  let serving = await serveSecrets(placement.sdsSocket, publisher);
  const events: AgentEvent[] = [];
  const log = (event: AgentEvent): void => void events.push(event);
  let announced = new Date().toISOString();
  const revocation = new RevocationWatch({
    source: {
      denyList: async () => ({ version: announced, list: { denied: [], crlsPublishedAt: announced } }),
      authorities: async () => authorities,
      crl: async ({ key }) => secrets.crls.get(key) ?? new Uint8Array(),
    },
    files,
    judgeCrl,
    policy: mesh.revocation,
    crlSeconds: 3_600,
    now: Date.now,
    log,
  });
  const announceCrls = (): void => {
    announced = new Date(Math.max(Date.now(), Date.parse(announced) + 1)).toISOString();
  };
  const egress = createEgress(placement.egressSocket);
  const prover = handshakeProver(placement.listener, identity, egress);
  const sink = delivery === 'sds' ? publisher : fileSink(files);
  const agent = new CertAgent({
    source: {
      certificate: async (role) => {
        const { version, text, passphrase } = secrets.certificates[role];
        const secretName = `${mesh.name}/${NODE}/${role}/certificate`;
        const secret = parseCertificateSecret(secretName, text);
        return { version, secretName, secret, passphrase: new Sensitive(passphrase) };
      },
      trust: async (hierarchy) => ({
        secretName: `${mesh.name}/trust/${hierarchy}`,
        ...secrets.trust[hierarchy],
      }),
    },
    sink,
    prover,
    judge: judgeDelivered(identity, () => new Date()),
    judgeTrust: judgeDeliveredTrust(() => new Date()),
    crls: (hierarchy, roots) => revocation.crls(hierarchy, roots),
    now: Date.now,
    sleep,
    log,
  });
  const round = async (): Promise<void> => {
    await revocation.refresh();
    await agent.refresh();
  };
  await round();
  const own = await ownMaterial(secrets, mesh);
  const bootstrapFile = join(directory, 'bootstrap.json');
  writeFileSync(bootstrapFile, JSON.stringify(renderBootstrap(mesh, NODE, placement)));
  const app = await startApp(placement.appSocket ?? '');
  const envoy = startEnvoy(await envoyBinary(), bootstrapFile, 1, 'ignore');
  const admin = placement.admin as { host: string; port: number };
  const adminUrl = `http://${admin.host}:${admin.port}`;
  await untilEnvoyIsReady(adminUrl);
  await round();
  return {
    mesh,
    identity,
    directory,
    placement,
    adminUrl,
    hierarchies,
    secrets,
    agent,
    revocation,
    sink,
    events,
    round,
    issue,
    announceCrls,
    async publishCrls() {
      for (const each of Object.values(hierarchies)) await listing(each, secrets);
      announceCrls();
    },
    served: async (role) => await prover.servedSerial(role, own),
    pauseServing: async () => await serving.close(),
    async restartServing() {
      await serving.close();
      serving = await serveSecrets(placement.sdsSocket, publisher);
    },
    async stop() {
      await envoy.stop();
      await serving.close();
      await egress.close();
      app.closeAllConnections();
      app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** In the form of the exporter. */
export function certificateText(
  leaf: Authority,
  chain: string,
  change: Readonly<Record<string, string>> = {},
): CertificateText & { readonly serial: string } {
  const secret = {
    serial: leaf.serial,
    certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/of-a-test',
    certificate: leaf.certificate,
    chain,
    encryptedPrivateKey: encryptKey(leaf.key, PASSPHRASE),
    passphraseVersionId: 'of-a-test',
    ...change,
  };
  const text = JSON.stringify(secret);
  return { version: `${leaf.serial}-${Math.random()}`, text, passphrase: PASSPHRASE, serial: leaf.serial };
}

async function listing({ root, subordinate }: TestHierarchy, { crls }: Secrets): Promise<ListingAuthority[]> {
  return await Promise.all(
    [root, subordinate].map(async (authority) => {
      const key = `crl/${authority.commonName}.crl`;
      crls.set(key, await issueCrl(authority));
      return { certificate: authority.certificate, crl: { bucket: 'crls', key } };
    }),
  );
}

/** What a peer of this node needs to connect to it: the first client certificate does for the whole test. */
async function ownMaterial({ certificates, trust }: Secrets, mesh: Mesh) {
  const secretName = `${mesh.name}/${NODE}/client/certificate`;
  const secret = parseCertificateSecret(secretName, certificates.client.text);
  const passphrase = new Sensitive(certificates.client.passphrase);
  return { client: { version: '', secretName, secret, passphrase }, trust: trust.servers.roots };
}

async function place(directory: string): Promise<Placement> {
  mkdirSync(join(directory, 'secrets'), { recursive: true });
  const nowhere = { host: '127.0.0.1', port: 9 };
  const backends = [
    ...Object.keys(tokenizationMesh.virtualServices),
    ...Object.keys(tokenizationMesh.externalServices),
  ];
  return {
    listener: { host: '127.0.0.1', port: await freePort() },
    admin: { host: '127.0.0.1', port: await freePort() },
    appSocket: join(directory, 'app.sock'),
    egressSocket: join(directory, 'egress.sock'),
    secretsDirectory: join(directory, 'secrets'),
    sdsSocket: join(directory, 'run', 'sds.sock'),
    endpoints: Object.fromEntries(backends.map((name) => [name, nowhere])),
    externalTrust: {},
  };
}

async function startApp(socket: string): Promise<Server> {
  const app = createServer((_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => app.listen(socket, resolve));
  return app;
}
