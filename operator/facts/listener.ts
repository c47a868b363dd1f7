import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identityFiles } from '../identities.ts';
import type { NodeState, RunState } from '../run-state.ts';
import type { ProbeOutcome } from '../checks/seen.ts';
import { probeTls, type Credentials } from './probe.ts';

export const HEALTH_PATH = '/healthz';

/** A connection of the operator's own to a listener of the mesh, trusting the servers' CAs. */
export async function probeListener(
  state: RunState,
  node: NodeState,
  credentials: Credentials | undefined,
  maxVersion?: 'TLSv1.2',
): Promise<ProbeOutcome> {
  return await probeTls({
    listener: node.listener,
    servername: node.identity,
    trust: await readFile(identityFiles(state, 'order', 'client').trust, 'utf8'),
    path: HEALTH_PATH,
    ...(credentials === undefined ? {} : { credentials }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  });
}

export async function credentialsOf(state: RunState, nodeName: string): Promise<Credentials> {
  const files = identityFiles(state, nodeName, 'client');
  return { cert: await readFile(files.chain, 'utf8'), key: await readFile(files.key, 'utf8') };
}

export async function credentialsIn(directory: string): Promise<Credentials> {
  return {
    cert: await readFile(join(directory, 'chain.pem'), 'utf8'),
    key: await readFile(join(directory, 'key.pem'), 'utf8'),
  };
}
