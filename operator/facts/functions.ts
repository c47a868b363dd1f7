/**
 * What can be known of a function from outside: it is no process that could be asked, so its certificate is looked
 * at where it takes it from.
 *
 * @module
 */

import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretsManagerStore } from '../../cert-exporter/adapters/secrets-manager.ts';
import type { Mesh } from '../../mesh/definition.ts';
import { openCredentials } from '../../pki/opened-credentials.ts';
import { normalizeSerial, secretNames } from '../../pki/secret.ts';
import { readDenyList } from '../../renewal/adapters/deny-list.ts';
import { secretsManagerSource } from '../../sidecar/envoy/adapters/secrets-manager-source.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { FunctionCertificateFacts, FunctionRevocationFacts } from '../checks/functions.ts';
import type { RunState } from '../run-state.ts';
import { daysUntil } from './days-until.ts';
import { probeListener } from './listener.ts';
import type { Looking } from './looking.ts';
import type { Credentials } from './probe.ts';

/** For each function: what ACM issued, and what is published for it. */
export async function functionCertificateFacts(
  looking: Looking,
  mesh: Mesh,
  aws: AwsClients,
): Promise<FunctionCertificateFacts[]> {
  return await looking.atEach(
    'certificates',
    Object.keys(mesh.functions),
    (name) => name,
    async (name) => {
      const { certificateArn, serial } = await publishedFor(mesh, name, aws.secretsManager);
      const { Certificate: issued } = await aws.acm.send(
        new DescribeCertificateCommand({ CertificateArn: certificateArn }),
      );
      return {
        name,
        issuedSerial: normalizeSerial(issued?.Serial ?? ''),
        publishedSerial: serial,
        daysLeft: daysUntil(issued?.NotAfter?.getTime() ?? 0),
      };
    },
    'at-once',
  );
}

export async function functionRevocationFacts(
  looking: Looking,
  mesh: Mesh,
  { secretsManager }: AwsClients,
): Promise<FunctionRevocationFacts[]> {
  return await looking.atEach(
    'revocation',
    Object.keys(mesh.functions),
    (name) => name,
    async (name) => {
      const { denied } = await readDenyList(secretsManager, mesh.name);
      const { serial } = await publishedFor(mesh, name, secretsManager);
      return { name, isRevoked: denied.some((each) => each.serial === serial) };
    },
    'at-once',
  );
}

interface Published {
  readonly certificateArn: string;
  readonly serial: string;
}

/** @throws {Error} where nothing was published yet. */
export async function publishedFor(
  mesh: Mesh,
  name: string,
  client: SecretsManagerClient,
): Promise<Published> {
  const { certificate } = secretNames(mesh.name, name, 'client');
  const published = await new SecretsManagerStore(client).currentCertificate(certificate);
  if (published === undefined) throw new Error(`nothing is published for ${name}`);
  return published;
}

/** What the function shows on its next new connection. */
export async function functionCredentials(
  mesh: Mesh,
  name: string,
  client: SecretsManagerClient,
): Promise<Credentials> {
  const { secret, passphrase } = await secretsManagerSource(client, mesh.name, name).certificate('client');
  return openCredentials(secret, passphrase);
}

/** Whether every listener that the function calls takes what is published for it now. */
export async function isFunctionTaken(
  { mesh, state, aws }: { readonly mesh: Mesh; readonly state: RunState; readonly aws: AwsClients },
  name: string,
): Promise<boolean> {
  const credentials = await functionCredentials(mesh, name, aws.secretsManager);
  const providers = (mesh.functions[name]?.backends ?? []).map(
    (backend) => mesh.virtualServices[backend]?.provider,
  );
  const outcomes = await Promise.all(
    state.nodes
      .filter((node) => providers.includes(node.name))
      .map(async (node) => await probeListener(state, node, credentials)),
  );
  return outcomes.every((each) => each.outcome === 'answered' && each.status === 200);
}
