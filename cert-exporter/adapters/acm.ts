import {
  DescribeCertificateCommand,
  ExportCertificateCommand,
  ListTagsForCertificateCommand,
  type ACMClient,
  type CertificateDetail,
} from '@aws-sdk/client-acm';
import { TokenmeshError } from '../../errors/error.ts';
import { ownerOf, type Tag } from '../../pki/certificate-owner.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import type { Sensitive } from '../../pki/sensitive.ts';
import type { CertificateSource, DescribedCertificate, ExportedCertificate } from '../ports.ts';
import { callAws, isAwsError } from './aws-failure.ts';

/**
 * Certificates from ACM.
 *
 * Needs `acm:DescribeCertificate`, `acm:ListTagsForCertificate` and `acm:ExportCertificate` on the
 * mesh's certificates.
 */
export class AcmCertificateSource implements CertificateSource {
  readonly #client: ACMClient;

  constructor(client: ACMClient) {
    this.#client = client;
  }

  async describe(certificateArn: string): Promise<DescribedCertificate | undefined> {
    const detail = await describeCertificate(this.#client, certificateArn);
    if (detail === undefined) return undefined;
    const owner = ownerOf(await listTags(this.#client, certificateArn));
    return {
      status: detail.Status ?? 'unknown',
      ...(detail.Serial === undefined ? {} : { serial: normalizeSerial(detail.Serial) }),
      ...(detail.NotAfter === undefined ? {} : { notAfter: detail.NotAfter }),
      ...(owner === undefined ? {} : { owner }),
    };
  }

  async export(certificateArn: string, passphrase: Sensitive<string>): Promise<ExportedCertificate> {
    const call = { action: 'acm:ExportCertificate', resource: certificateArn, carriesSecret: true };
    const answer = await callAws(call, () =>
      this.#client.send(
        new ExportCertificateCommand({
          CertificateArn: certificateArn,
          Passphrase: Buffer.from(passphrase.reveal(), 'ascii'),
        }),
      ),
    );
    const { Certificate: certificate, CertificateChain: chain, PrivateKey: encryptedPrivateKey } = answer;
    if (!certificate || !chain || !encryptedPrivateKey) throw incompleteExport(certificateArn);
    return { certificate, chain, encryptedPrivateKey };
  }
}

/** Resolves to undefined when there is no such certificate. */
export async function describeCertificate(
  client: ACMClient,
  certificateArn: string,
): Promise<CertificateDetail | undefined> {
  return callAws({ action: 'acm:DescribeCertificate', resource: certificateArn }, async () => {
    try {
      const command = new DescribeCertificateCommand({ CertificateArn: certificateArn });
      return (await client.send(command)).Certificate;
    } catch (error) {
      if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  });
}

export async function listTags(client: ACMClient, certificateArn: string): Promise<Tag[]> {
  const call = { action: 'acm:ListTagsForCertificate', resource: certificateArn };
  const command = new ListTagsForCertificateCommand({ CertificateArn: certificateArn });
  const { Tags: tags = [] } = await callAws(call, () => client.send(command));
  return tags.map(({ Key: key = '', Value: value = '' }) => ({ key, value }));
}

function incompleteExport(certificateArn: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_EXPORT_INCOMPLETE',
    message: `acm:ExportCertificate on ${certificateArn} gave too little: expected a certificate, its chain and its key`,
    remedy: 'check that it is a private certificate which ACM issued from AWS Private CA',
  });
}
