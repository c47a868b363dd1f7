/**
 * What a local run has as files of CAs and certificates, brought up to date as a rollover goes on. On AWS
 * there is nothing of the kind.
 *
 * @module
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecretsManagerStore } from '../../cert-exporter/adapters/secrets-manager.ts';
import type { CertificateRole, Hierarchy, Mesh } from '../../mesh/definition.ts';
import { CERTIFICATE_ROLES, identityOf } from '../../mesh/identity.ts';
import { secretNames } from '../../pki/secret.ts';
import type { AwsClients } from '../aws-clients.ts';
import { writeIdentityFiles } from '../identities.ts';
import type { CertificateAuthorityState, NodeState, RunState } from '../run-state.ts';
import type { Generation, Rollover } from './ports.ts';
import { certificateOfAuthority } from './private-ca.ts';
import { writeProbeCertificates } from './probe-certificates.ts';

export interface LocalFilesParts {
  readonly mesh: Mesh;
  readonly aws: AwsClients;
  /** Of the moment: each step may have changed it. */
  readonly state: () => RunState;
  readonly write: (state: RunState) => void;
}

/** While a rollover goes on, the new CAs stand beside the old ones, under names that end in `-next`. */
export async function followRollover(parts: LocalFilesParts, rollover: Rollover): Promise<void> {
  const { mesh, aws } = parts;
  const state = parts.state();
  const { hierarchy, from, to, step } = rollover;
  const others = state.cas.filter(({ name }) => !name.startsWith(`${hierarchy}-`));
  const ours =
    step === 'done' && to !== undefined
      ? await writeGeneration(parts, hierarchy, to, '')
      : [
          ...(await writeGeneration(parts, hierarchy, from, '')),
          ...(to === undefined ? [] : await writeGeneration(parts, hierarchy, to, '-next')),
        ];
  const next = {
    ...state,
    nodes: await Promise.all(state.nodes.map(async (node) => await withPublishedArns(parts, node))),
    cas: hierarchy === 'clients' ? [...ours, ...others] : [...others, ...ours],
  };
  parts.write(next);
  await writeIdentityFiles(next, mesh.name, aws.secretsManager);
  if (hierarchy === 'clients' && step === 'done' && to !== undefined) {
    // Those that every listener must refuse for their name or their age, and not for their CA.
    await writeProbeCertificates(aws.acmPca, {
      directory: join(state.directory, 'probes'),
      clientsAuthorityArn: to.subordinateArn,
      memberName: identityOf(mesh, 'order'),
      strangerName: identityOf(mesh, 'stranger'),
    });
  }
}

async function writeGeneration(
  { aws, state }: LocalFilesParts,
  hierarchy: Hierarchy,
  generation: Generation,
  suffix: '' | '-next',
): Promise<CertificateAuthorityState[]> {
  const cas = [
    { name: `${hierarchy}-root${suffix}`, arn: generation.rootArn },
    { name: `${hierarchy}-issuing${suffix}`, arn: generation.subordinateArn },
  ];
  return await Promise.all(
    cas.map(async ({ name, arn }) => {
      const certificate = join(state().directory, 'cas', `${name}.pem`);
      await writeFile(certificate, await certificateOfAuthority(aws.acmPca, arn), { mode: 0o600 });
      return { name, arn, certificate };
    }),
  );
}

/** The certificate that is published is the node's: a rollover puts another in its place. */
async function withPublishedArns({ mesh, aws }: LocalFilesParts, node: NodeState): Promise<NodeState> {
  const store = new SecretsManagerStore(aws.secretsManager);
  const arnOf = async (role: CertificateRole): Promise<string> => {
    const published = await store.currentCertificate(secretNames(mesh.name, node.name, role).certificate);
    return published?.certificateArn ?? node.certificateArns[role];
  };
  const [client, server] = await Promise.all(CERTIFICATE_ROLES.map(arnOf));
  return { ...node, certificateArns: { client: client ?? '', server: server ?? '' } };
}
