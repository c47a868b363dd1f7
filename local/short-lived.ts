/**
 * Short-lived certificates in a local run: which nodes have them, and what the operator looks in with.
 *
 * @module
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TokenmeshError } from '../errors/error.ts';
import type { CertificateSourceChoice, Hierarchy, Mesh, VirtualNode } from '../mesh/definition.ts';
import { certificateSourceOf } from '../mesh/certificate-source.ts';
import { CERTIFICATE_ROLES, hierarchyOf, identityOf } from '../mesh/identity.ts';
import type { AwsClients } from '../operator/aws-clients.ts';
import { identityFiles } from '../operator/identities.ts';
import type { RunState } from '../operator/run-state.ts';
import { splitPem } from '../pki/certificate.ts';
import type { CreatedHierarchy } from '../operator/ca/private-ca.ts';
import { issueDirectly } from '../operator/ca/probe-certificates.ts';

/**
 * The mesh with the nodes in short-lived mode that the user chose: `order=40,tokenizer=86400`, with the
 * life in seconds.
 *
 * @throws {TokenmeshError} `ERR_CONFIG_INVALID`
 */
export function withShortLived(mesh: Mesh, wish: string | undefined): Mesh {
  if (wish === undefined || wish === '') return mesh;
  const changed = wish.split(',').map((each): [string, VirtualNode] => {
    const [, name = '', life = ''] = /^([a-z][a-z0-9-]*)=(\d+)$/.exec(each.trim()) ?? [];
    const node = mesh.virtualNodes[name];
    if (node === undefined) throw notUnderstood(mesh, each);
    const certificateSource: CertificateSourceChoice = {
      kind: 'short-lived',
      lifeSeconds: Number(life),
      tasksAtMost: 1,
    };
    return [name, { ...node, certificateSource }];
  });
  return { ...mesh, virtualNodes: { ...mesh.virtualNodes, ...Object.fromEntries(changed) } };
}

function notUnderstood(mesh: Mesh, text: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CONFIG_INVALID',
    message: `TOKENMESH_SHORT_LIVED is not usable: expected node=seconds with a node of ${Object.keys(mesh.virtualNodes).join(', ')}, got ${JSON.stringify(text)}`,
    remedy: 'write it as order=40,tokenizer=86400, or unset it',
  });
}

const SIX_DAYS_SECONDS = 6 * 86_400;

/**
 * Writes PEM files for the identities of nodes in short-lived mode, under keys made here: the nodes' own
 * keys cannot be had. Of a local run only, as {@link identityFiles} are.
 */
export async function writeShortLivedIdentities(
  state: RunState,
  { acmPca }: AwsClients,
  mesh: Mesh,
  hierarchies: Record<Hierarchy, CreatedHierarchy>,
): Promise<void> {
  for (const { name } of state.nodes) {
    if (certificateSourceOf(mesh, name).kind !== 'short-lived') continue;
    for (const role of CERTIFICATE_ROLES) {
      const authorityArn = hierarchies[hierarchyOf(role)].shortLived?.arn;
      if (authorityArn === undefined) continue;
      const files = identityFiles(state, name, role);
      const { chain, key } = await issueDirectly(acmPca, {
        authorityArn,
        dnsName: identityOf(mesh, name),
        validForSeconds: SIX_DAYS_SECONDS,
      });
      await mkdir(dirname(files.cert), { recursive: true, mode: 0o700 });
      const contents = { [files.cert]: splitPem(chain)[0] ?? '', [files.chain]: chain, [files.key]: key };
      for (const [file, text] of Object.entries(contents)) await writeFile(file, text, { mode: 0o600 });
    }
  }
}
