/**
 * The Envoys of one target: those of both callers and the tokenizer's, with bootstraps from the definition
 * of the mesh. Only the cert agents are not there: the certificates are written once.
 *
 * @module
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TokenmeshError } from '../../errors/error.ts';
import { freePort } from '../../local/free-port.ts';
import type { Processes } from '../../local/processes.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { DENY_LIST_FILE, denyListFile } from '../../mesh/envoy/deny-list.ts';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import { sdsFileName, tlsCertificateSdsFile, trustSdsFile } from '../../mesh/envoy/sds.ts';
import type { Placement, SocketAddress } from '../../mesh/envoy/types.ts';
import { CERTIFICATE_ROLES, HIERARCHIES } from '../../mesh/identity.ts';
import type { BenchPki } from './pki.ts';
import type { Pids } from './cpu.ts';
import { untilReady } from './until-ready.ts';

export const CALLERS = ['order', 'paybill'] as const;
const NODES = [...CALLERS, 'tokenizer'] as const;
type NodeName = (typeof NODES)[number];

const READY_DEADLINE_MS = 10_000;

export interface EnvoysPlan {
  readonly mesh: Mesh;
  readonly pki: BenchPki;
  readonly envoyBinary: string;
  /** Of this target alone; its path is short enough for a socket. */
  readonly directory: string;
}

export interface Envoys {
  readonly pids: Pids;
  readonly appSocket: string;
  /** On which the app beside each caller's Envoy would call the tokenizer. */
  readonly egressSockets: Readonly<Record<(typeof CALLERS)[number], string>>;
}

export async function startEnvoys(processes: Processes, plan: EnvoysPlan): Promise<Envoys> {
  const listener = { host: '127.0.0.1', port: await freePort() };
  const placements = NODES.map((name) => [name, placementOf(plan, name, listener)] as const);
  for (const [name, placement] of placements) await writeNode(plan, name, placement);
  const planFile = join(plan.directory, 'envoys.json');
  const pidsFile = join(plan.directory, 'envoys.pids.json');
  const commands = placements.map(([name]) => commandOf(plan, name));
  await writeFile(planFile, JSON.stringify({ pidsFile, commands }));
  processes.start({
    name: 'the Envoys',
    command: process.execPath,
    arguments: [join(import.meta.dirname, 'keeper.ts'), planFile],
    environment: {},
  });
  await Promise.all(placements.map(([, placement]) => untilEnvoyReady(placement)));
  return {
    pids: JSON.parse(await readFile(pidsFile, 'utf8')) as Pids,
    appSocket: join(plan.directory, 'tokenizer', 'app.sock'),
    egressSockets: {
      order: join(plan.directory, 'order', 'egress.sock'),
      paybill: join(plan.directory, 'paybill', 'egress.sock'),
    },
  };
}

/** As the sidecar starts it: sidecar/envoy/envoy-process.ts. */
function commandOf({ directory, envoyBinary }: EnvoysPlan, name: NodeName): object {
  const bootstrap = join(directory, name, 'bootstrap.json');
  return {
    name: `envoy-${name}`,
    command: envoyBinary,
    arguments: ['-c', bootstrap, '--disable-hot-restart', '--concurrency', '1', '-l', 'warn'],
    logFile: join(directory, `envoy-${name}.log`),
  };
}

function placementOf({ directory }: EnvoysPlan, name: NodeName, tokenizer: SocketAddress): Placement {
  const home = join(directory, name);
  const nowhere = { host: '127.0.0.1', port: 9 };
  return {
    // A caller is called by nobody here: any free port is as good.
    listener: name === 'tokenizer' ? tokenizer : { host: '127.0.0.1', port: 0 },
    admin: { socket: join(home, 'admin.sock') },
    appSocket: join(home, 'app.sock'),
    egressSocket: join(home, 'egress.sock'),
    secretsDirectory: join(home, 'secrets'),
    sdsSocket: join(home, 'sds.sock'),
    endpoints: { tokenizer, processor: nowhere },
    externalTrust: {},
  };
}

async function writeNode(
  { mesh, pki, directory }: EnvoysPlan,
  name: NodeName,
  placement: Placement,
): Promise<void> {
  await mkdir(placement.secretsDirectory, { recursive: true, mode: 0o700 });
  const secret = (fileName: string): string => join(placement.secretsDirectory, fileName);
  for (const role of CERTIFICATE_ROLES) {
    await writeJson(secret(sdsFileName(role)), tlsCertificateSdsFile(role, await pki.leaf(name, role)));
  }
  for (const hierarchy of HIERARCHIES) {
    const trust = `trust-${hierarchy}` as const;
    await writeJson(secret(sdsFileName(trust)), trustSdsFile(trust, pki.roots[hierarchy]));
  }
  await writeJson(secret(DENY_LIST_FILE), denyListFile([]));
  const withFiles: Mesh = { ...mesh, secretDelivery: 'file' };
  await writeJson(join(directory, name, 'bootstrap.json'), renderBootstrap(withFiles, name, placement));
}

async function writeJson(file: string, contents: object): Promise<void> {
  await writeFile(file, JSON.stringify(contents), { mode: 0o600 });
}

async function untilEnvoyReady({ admin }: Placement): Promise<void> {
  const socketPath = 'socket' in admin ? admin.socket : '';
  await untilReady(socketPath, 'http://envoy/ready', READY_DEADLINE_MS, notReady);
}

function notReady(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_BENCH_NOT_READY',
    message: `an Envoy of the bench is not ready: expected an answer within ${READY_DEADLINE_MS / 1_000} s, got none`,
    remedy: 'read the logs that are kept, and run the bench again',
  });
}
