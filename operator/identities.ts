import { mkdir, rename, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describeError } from '../errors/error.ts';
import type { CertificateRole, Hierarchy } from '../mesh/definition.ts';
import { CERTIFICATE_ROLES, hierarchyOf } from '../mesh/identity.ts';
import { openCredentials } from '../pki/opened-credentials.ts';
import { secretsManagerSource } from '../sidecar/envoy/adapters/secrets-manager-source.ts';
import type { CertificateSource } from '../sidecar/envoy/cert-agent/ports.ts';
import type { RunState } from './run-state.ts';

/** The PEM files of one certificate. */
export interface IdentityFiles {
  /** The leaf. */
  readonly cert: string;
  /** Its key, not encrypted. */
  readonly key: string;
  /** The leaf and its intermediates. */
  readonly chain: string;
  /** The CAs that this side trusts. */
  readonly trust: string;
}

export function identityFiles(state: RunState, nodeName: string, role: CertificateRole): IdentityFiles {
  const at = (name: string): string => join(state.directory, 'identities', nodeName, role, `${name}.pem`);
  return { cert: at('cert'), key: at('key'), chain: at('chain'), trust: at('trust') };
}

/**
 * Writes what Secrets Manager holds now for the sample identities as PEM files, for the user who
 * started the run alone. Of a local run only: on AWS nothing writes them.
 *
 * @returns What could not be written, a line each: its files stay as they were, and one unusable secret
 *   keeps nobody from looking at the others.
 */
export async function writeIdentityFiles(
  state: RunState,
  meshName: string,
  client: SecretsManagerClient,
): Promise<string[]> {
  const identities = state.nodes.flatMap(({ name, certificateSource }) =>
    CERTIFICATE_ROLES.map((role) => ({ name, role, isExported: certificateSource === 'acm-export' })),
  );
  const problems = await Promise.all(
    identities.map(async ({ name, role, isExported }) => {
      try {
        const source = secretsManagerSource(client, meshName, name);
        await writeTrust(identityFiles(state, name, role), source, role);
        // A key that never leaves its task is in no secret: a local run has files of its own for that node.
        if (isExported) await writeIdentity(identityFiles(state, name, role), source, role);
        return [];
      } catch (error) {
        return [`${name} ${role}: ${describeError(error)}`];
      }
    }),
  );
  return problems.flat();
}

async function writeTrust(
  files: IdentityFiles,
  source: CertificateSource,
  role: CertificateRole,
): Promise<void> {
  const peers: Hierarchy = hierarchyOf(role === 'client' ? 'server' : 'client');
  const { roots } = await source.trust(peers);
  await mkdir(dirname(files.trust), { recursive: true, mode: 0o700 });
  await replace(files.trust, roots);
}

async function writeIdentity(
  files: IdentityFiles,
  source: CertificateSource,
  role: CertificateRole,
): Promise<void> {
  const { secret, passphrase } = await source.certificate(role);
  const { cert: chain, key } = openCredentials(secret, passphrase);
  await replace(files.cert, `${secret.certificate.trim()}\n`);
  await replace(files.key, key);
  await replace(files.chain, chain);
}

async function replace(file: string, contents: string): Promise<void> {
  const beside = `${file}.${randomUUID()}`;
  await writeFile(beside, contents, { mode: 0o600 });
  await rename(beside, file);
}
