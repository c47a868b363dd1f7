import {
  KeyAlgorithm,
  RenewCertificateCommand,
  paginateListCertificates,
  type ACMClient,
  type CertificateDetail,
  type RenewalSummary,
} from '@aws-sdk/client-acm';
import { describeCertificate, listTags } from '../../cert-exporter/adapters/acm.ts';
import { callAws, isAwsError } from '../../cert-exporter/adapters/aws-failure.ts';
import { TokenmeshError } from '../../errors/error.ts';
import { ownerOf } from '../../pki/certificate-owner.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import type { CertificateAuthority, ManagedCertificate, RenewalState } from '../ports.ts';

/** The most that ACM gives at a time. */
const PAGE_SIZE = 1000;

/**
 * ACM, as the authority that renews.
 *
 * Needs `acm:ListCertificates` on all, and `acm:DescribeCertificate`, `acm:ListTagsForCertificate`,
 * `acm:RenewCertificate` on the mesh's certificates.
 */
export class AcmCertificateAuthority implements CertificateAuthority {
  readonly #client: ACMClient;
  readonly #pageSize: number;

  constructor(client: ACMClient, pageSize = PAGE_SIZE) {
    this.#client = client;
    this.#pageSize = pageSize;
  }

  async list(meshName: string): Promise<readonly string[]> {
    const arns = await callAws({ action: 'acm:ListCertificates', resource: 'this account' }, () =>
      this.#listPrivateArns(),
    );
    const ours: string[] = [];
    for (const certificateArn of arns) {
      if (ownerOf(await listTags(this.#client, certificateArn))?.mesh === meshName) ours.push(certificateArn);
    }
    return ours;
  }

  async describe(certificateArn: string): Promise<ManagedCertificate | undefined> {
    const detail = await describeCertificate(this.#client, certificateArn);
    if (detail === undefined) return undefined;
    const owner = ownerOf(await listTags(this.#client, certificateArn));
    return { ...managed(certificateArn, detail), ...(owner === undefined ? {} : { owner }) };
  }

  async renew(certificateArn: string): Promise<'asked' | 'under-way'> {
    return callAws({ action: 'acm:RenewCertificate', resource: certificateArn }, async () => {
      try {
        await this.#client.send(new RenewCertificateCommand({ CertificateArn: certificateArn }));
        return 'asked';
      } catch (error) {
        if (isAwsError(error, 'RequestInProgressException')) return 'under-way';
        if (isAwsError(error, 'ValidationException')) throw renewalRefused(certificateArn, error);
        throw error;
      }
    });
  }

  /** Without `keyTypes` ACM lists RSA of 1024 and 2048 bits only, and ours are elliptic. */
  async #listPrivateArns(): Promise<string[]> {
    const pages = paginateListCertificates(
      { client: this.#client, pageSize: this.#pageSize },
      { Includes: { keyTypes: Object.values(KeyAlgorithm) } },
    );
    const arns: string[] = [];
    for await (const page of pages) {
      for (const summary of page.CertificateSummaryList ?? []) {
        const isImported = summary.Type === 'IMPORTED' || summary.Type === 'AMAZON_ISSUED';
        if (summary.CertificateArn !== undefined && !isImported) arns.push(summary.CertificateArn);
      }
    }
    return arns;
  }
}

function managed(certificateArn: string, detail: CertificateDetail): ManagedCertificate {
  return {
    certificateArn,
    status: detail.Status ?? 'unknown',
    ...(detail.Serial === undefined ? {} : { serial: normalizeSerial(detail.Serial) }),
    ...(detail.NotBefore === undefined ? {} : { notBefore: detail.NotBefore }),
    ...(detail.NotAfter === undefined ? {} : { notAfter: detail.NotAfter }),
    ...(detail.RenewalSummary === undefined ? {} : { renewal: renewalOf(detail.RenewalSummary) }),
  };
}

function renewalOf(summary: RenewalSummary): RenewalState {
  return {
    status: summary.RenewalStatus ?? 'PENDING_AUTO_RENEWAL',
    ...(summary.RenewalStatusReason === undefined ? {} : { reason: summary.RenewalStatusReason }),
    ...(summary.UpdatedAt === undefined ? {} : { updatedAt: summary.UpdatedAt }),
  };
}

function renewalRefused(certificateArn: string, cause: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_RENEWAL_REFUSED',
    message: `ACM does not renew ${certificateArn}: expected a private certificate that was exported since it was issued`,
    remedy: 'export it first, or request a new certificate if it was imported or has expired',
    cause,
  });
}
