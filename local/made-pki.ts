/**
 * The certificates of a run: the mesh's own, the processor's, and those that every listener must refuse.
 *
 * @module
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hierarchy, Mesh } from '../mesh/definition.ts';
import { HIERARCHIES, identityOf } from '../mesh/identity.ts';
import type { AwsClients } from '../operator/aws-clients.ts';
import type { Logger } from '../runtime/log.ts';
import { createHierarchy, type CreatedHierarchy } from '../operator/ca/private-ca.ts';
import { createCertificates, createHierarchies, type CertificateArns } from './aws/resources.ts';
import { issueDirectly, writeIssued, writeProbeCertificates } from '../operator/ca/probe-certificates.ts';

export interface MadePki {
  readonly hierarchies: Record<Hierarchy, CreatedHierarchy>;
  readonly certificates: Record<string, CertificateArns>;
  readonly outside: CreatedHierarchy;
}

/** Not of the mesh: the processor is trusted under it, and no listener of ours may be. */
const OUTSIDE_HIERARCHY = {
  rootCommonName: 'processor root, not of the mesh',
  subordinateCommonName: 'processor issuing, not of the mesh',
  rootValidityDays: 3650,
  subordinateValidityDays: 1825,
  tags: [],
};

const PROCESSOR_CERTIFICATE_SECONDS = 7 * 86_400;

export async function makePki(aws: AwsClients, mesh: Mesh, logger: Logger): Promise<MadePki> {
  const [outside, hierarchies] = await Promise.all([
    createHierarchy(aws, OUTSIDE_HIERARCHY),
    createHierarchies(aws, mesh),
  ]);
  const certificates = await createCertificates({
    aws,
    mesh,
    hierarchies,
    gatewayNames: ['localhost'],
    logger,
  });
  return { hierarchies, certificates, outside };
}

/** Writes what the run needs as files: the CAs for the operator, the processor's certificate, and the probes'. */
export async function writePki(directory: string, aws: AwsClients, mesh: Mesh, made: MadePki): Promise<void> {
  const processor = await issueDirectly(aws.acmPca, {
    authorityArn: made.outside.subordinateArn,
    dnsName: mesh.externalServices['processor']?.hostname ?? 'processor.example',
    validForSeconds: PROCESSOR_CERTIFICATE_SECONDS,
  });
  await writeIssued(join(directory, 'processor'), processor);
  await writeFile(join(directory, 'processor', 'root.pem'), made.outside.rootCertificate, { mode: 0o600 });
  await writeProbeCertificates(aws.acmPca, {
    directory: join(directory, 'probes'),
    clientsAuthorityArn: made.hierarchies.clients.subordinateArn,
    otherAuthorityArn: made.outside.subordinateArn,
    memberName: identityOf(mesh, 'order'),
    strangerName: identityOf(mesh, 'stranger'),
  });
  await mkdir(join(directory, 'cas'), { mode: 0o700 });
  for (const { name, certificate } of authoritiesOf(made)) {
    await writeFile(authorityFile(directory, name), certificate, { mode: 0o600 });
  }
}

export function authorityFile(directory: string, name: string): string {
  return join(directory, 'cas', `${name}.pem`);
}

export interface Authority {
  readonly name: string;
  readonly arn: string;
  /** PEM. */
  readonly certificate: string;
}

export function authoritiesOf({ hierarchies }: MadePki): Authority[] {
  return HIERARCHIES.flatMap((hierarchy) => {
    const { rootArn, rootCertificate, subordinateArn, subordinateCertificate, shortLived } =
      hierarchies[hierarchy];
    return [
      { name: `${hierarchy}-root`, arn: rootArn, certificate: rootCertificate },
      { name: `${hierarchy}-issuing`, arn: subordinateArn, certificate: subordinateCertificate },
      ...(shortLived === undefined ? [] : [{ name: `${hierarchy}-short-lived`, ...shortLived }]),
    ];
  });
}
