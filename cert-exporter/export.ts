/**
 * Brings one certificate from the side that issues it to the secrets its node reads.
 *
 * Idempotent by serial: what is published already is not published again, so
 * duplicate, late and concurrent runs do no harm. The passphrase goes first,
 * and the certificate names its version: at every moment each version of the
 * certificate's secret has a passphrase that opens it.
 *
 * @module
 */

import { TokenmeshError } from '../errors/error.ts';
import { identityOf } from '../mesh/identity.ts';
import { judgeBundle } from '../pki/bundle.ts';
import { splitPem, type CertificateFacts } from '../pki/certificate.ts';
import type { CertificateOwner } from '../pki/certificate-owner.ts';
import { secretNames } from '../pki/secret.ts';
import type { Sensitive } from '../pki/sensitive.ts';
import type { CertificateSource, ExportedCertificate, SecretStore } from './ports.ts';
import { findPublished } from './published.ts';

export interface ExportPorts {
  readonly source: CertificateSource;
  readonly store: SecretStore;
}

export interface ExportRequest {
  readonly certificateArn: string;
  /** Certificates of another mesh in the account are left alone. */
  readonly meshName: string;
  readonly now: Date;
}

interface Owned {
  readonly certificateArn: string;
  readonly node: string;
  readonly role: CertificateOwner['role'];
}

export type ExportResult =
  /** `serial` is published, by this run or by one before. */
  | (Owned & {
      readonly outcome: 'exported' | 'already-exported';
      readonly serial: string;
      readonly notAfter: Date;
      readonly passphraseVersionId: string;
    })
  | (Owned & { readonly outcome: 'not-issued'; readonly status: string })
  /** It does not carry the three tags of this mesh: nothing was read but its description. */
  | { readonly outcome: 'not-ours'; readonly certificateArn: string };

/**
 * @throws {TokenmeshError} `ERR_CERTIFICATE_UNKNOWN` when there is no such certificate;
 *   `ERR_EXPORT_UNUSABLE`, listing every problem, when what was exported must not be published.
 */
export async function exportCertificate(ports: ExportPorts, request: ExportRequest): Promise<ExportResult> {
  const { certificateArn } = request;
  const described = await ports.source.describe(certificateArn);
  if (described === undefined) throw unknownCertificate(certificateArn);
  if (described.owner === undefined || described.owner.mesh !== request.meshName) {
    return { outcome: 'not-ours', certificateArn };
  }
  const owned = { certificateArn, node: described.owner.node, role: described.owner.role };
  if (described.status !== 'ISSUED') return { ...owned, outcome: 'not-issued', status: described.status };

  const names = secretNames(request.meshName, owned.node, owned.role);
  const published = await findPublished(ports.store, names);
  if (published !== undefined && published.serial === described.serial) {
    return { ...owned, outcome: 'already-exported', ...published };
  }

  const passphrase = await ports.store.generatePassphrase();
  const exported = await ports.source.export(certificateArn, passphrase);
  const facts = judgeExported(exported, passphrase, described.owner, request);
  const passphraseVersionId = await ports.store.publishPassphrase(names.passphrase, passphrase);
  await ports.store.publishCertificate(names.certificate, {
    serial: facts.serial,
    certificateArn,
    ...exported,
    passphraseVersionId,
  });
  return {
    ...owned,
    outcome: 'exported',
    serial: facts.serial,
    notAfter: facts.notAfter,
    passphraseVersionId,
  };
}

/**
 * Judges an export as its node will. The exporter knows no trust bundle, so the chain is held against
 * the root that stands at its own end: whether peers trust that root is judged where trust is, in the node.
 */
function judgeExported(
  exported: ExportedCertificate,
  passphrase: Sensitive<string>,
  owner: CertificateOwner,
  request: ExportRequest,
): CertificateFacts {
  const judged = judgeBundle({
    certificate: exported.certificate,
    chain: exported.chain,
    privateKey: { pem: exported.encryptedPrivateKey, passphrase },
    trustedRoots: splitPem(exported.chain).at(-1) ?? '',
    expectedDnsName: identityOf({ name: owner.mesh }, owner.node),
    role: owner.role,
    now: request.now,
  });
  if (judged.verdict === 'usable') return judged.facts;
  throw new TokenmeshError({
    code: 'ERR_EXPORT_UNUSABLE',
    message: `certificate ${request.certificateArn} is not fit to be published: ${judged.problems.map(({ message }) => message).join('; ')}`,
    remedy: `nothing was published, and the node keeps what it has: ${judged.problems[0]?.remedy}`,
  });
}

function unknownCertificate(certificateArn: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CERTIFICATE_UNKNOWN',
    message: `there is no certificate ${certificateArn}: expected one of this account and region`,
    remedy: 'look it up with aws acm list-certificates --includes keyTypes=EC_prime256v1',
  });
}
