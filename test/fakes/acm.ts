import { TokenmeshError } from '../../errors/error.ts';
import type { CertificateSource, ExportedCertificate } from '../../cert-exporter/ports.ts';
import { readCertificate } from '../../pki/certificate.ts';
import type { CertificateOwner } from '../../pki/certificate-owner.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import type { Sensitive } from '../../pki/sensitive.ts';
import type { CertificateAuthority, ManagedCertificate, RenewalState } from '../../renewal/ports.ts';
import { encryptKey, issueLeaf, type Authority, type TestHierarchy } from '../support/issue-certificate.ts';

export interface FakeCertificateWish {
  readonly dnsName: string;
  readonly owner?: CertificateOwner;
  readonly status?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

interface Entry {
  readonly wish: FakeCertificateWish;
  leaf: Authority;
  status: string;
  renewal?: RenewalState;
  isExported: boolean;
  /** How many descriptions still show the certificate that is being replaced. */
  descriptionsUntilRenewed: number;
}

/**
 * ACM in memory, for both sides that use it: certificates of a test hierarchy, described, exported, renewed.
 *
 * As in ACM, a successor keeps the ARN, a certificate is renewed only once it was exported, and a renewal
 * may take its time.
 */
export class FakeAcm implements CertificateSource, CertificateAuthority {
  /** Every call of `renew`, whatever came of it. */
  readonly renewalsAsked: string[] = [];
  readonly exportsMade: string[] = [];
  /** Descriptions for which a renewal stays pending; then it succeeds, or fails for `renewalFailure`. */
  renewalTakesDescriptions = 0;
  renewalFailure: string | undefined;
  /** What an export gives instead, to stand for a fault of ACM's. */
  spoilExport: (exported: ExportedCertificate) => ExportedCertificate = (exported) => exported;

  readonly #hierarchy: TestHierarchy;
  readonly #clock: () => Date;
  readonly #entries = new Map<string, Entry>();

  constructor(hierarchy: TestHierarchy, clock: () => Date = () => new Date()) {
    this.#hierarchy = hierarchy;
    this.#clock = clock;
  }

  async request(wish: FakeCertificateWish): Promise<string> {
    const id = `00000000-0000-4000-8000-${String(this.#entries.size).padStart(12, '0')}`;
    const certificateArn = `arn:aws:acm:us-east-1:123456789012:certificate/${id}`;
    const { dnsName, notBefore, notAfter } = wish;
    const leaf = await issueLeaf(this.#hierarchy.subordinate, dnsName, {
      ...(notBefore === undefined ? {} : { notBefore }),
      ...(notAfter === undefined ? {} : { notAfter }),
    });
    this.#entries.set(certificateArn, {
      wish,
      leaf,
      status: wish.status ?? 'ISSUED',
      isExported: false,
      descriptionsUntilRenewed: 0,
    });
    return certificateArn;
  }

  async list(meshName: string): Promise<readonly string[]> {
    return [...this.#entries].filter(([, { wish }]) => wish.owner?.mesh === meshName).map(([arn]) => arn);
  }

  async describe(certificateArn: string): Promise<ManagedCertificate | undefined> {
    const entry = this.#entries.get(certificateArn);
    if (entry === undefined) return undefined;
    if (entry.renewal?.status === 'PENDING_AUTO_RENEWAL') await this.#advance(entry);
    const { serial, notBefore, notAfter } = readCertificate(entry.leaf.certificate);
    return {
      certificateArn,
      status: entry.status,
      ...(entry.status === 'PENDING_VALIDATION' ? {} : { serial, notBefore, notAfter }),
      ...(entry.renewal === undefined ? {} : { renewal: entry.renewal }),
      ...(entry.wish.owner === undefined ? {} : { owner: entry.wish.owner }),
    };
  }

  async export(certificateArn: string, passphrase: Sensitive<string>): Promise<ExportedCertificate> {
    const entry = this.#entries.get(certificateArn);
    if (entry === undefined) throw new Error(`there is no ${certificateArn}`);
    entry.isExported = true;
    this.exportsMade.push(certificateArn);
    return this.spoilExport({
      certificate: entry.leaf.certificate,
      chain: this.#hierarchy.chain,
      encryptedPrivateKey: encryptKey(entry.leaf.key, passphrase.reveal()),
    });
  }

  async renew(certificateArn: string): Promise<'asked' | 'under-way'> {
    const entry = this.#entries.get(certificateArn);
    this.renewalsAsked.push(certificateArn);
    if (entry === undefined || !entry.isExported) throw renewalRefused(certificateArn);
    if (entry.renewal?.status === 'PENDING_AUTO_RENEWAL') return 'under-way';
    entry.renewal = { status: 'PENDING_AUTO_RENEWAL', updatedAt: this.#clock() };
    entry.descriptionsUntilRenewed = this.renewalTakesDescriptions;
    return 'asked';
  }

  /** Replaces the certificate as ACM's own renewal does, at day 60, without being asked. */
  async renewByItself(certificateArn: string): Promise<string> {
    const entry = this.#entries.get(certificateArn);
    if (entry === undefined) throw new Error(`there is no ${certificateArn}`);
    await this.#succeed(entry);
    return normalizeSerial(entry.leaf.serial);
  }

  setRenewal(certificateArn: string, renewal: RenewalState): void {
    const entry = this.#entries.get(certificateArn);
    if (entry !== undefined) entry.renewal = renewal;
  }

  async #advance(entry: Entry): Promise<void> {
    if (entry.descriptionsUntilRenewed > 0) {
      entry.descriptionsUntilRenewed -= 1;
    } else if (this.renewalFailure === undefined) {
      await this.#succeed(entry);
    } else {
      entry.renewal = { status: 'FAILED', reason: this.renewalFailure, updatedAt: this.#clock() };
    }
  }

  async #succeed(entry: Entry): Promise<void> {
    entry.leaf = await issueLeaf(this.#hierarchy.subordinate, entry.wish.dnsName);
    entry.renewal = { status: 'SUCCESS', updatedAt: this.#clock() };
  }
}

function renewalRefused(certificateArn: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_RENEWAL_REFUSED',
    message: `there is no exported certificate ${certificateArn}`,
    remedy: 'export it first',
  });
}
