import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import {
  ExtendedKeyUsageExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { TokenmeshError, type ErrorCode } from '../../errors/error.ts';
import type { CertificateRole } from '../../mesh/definition.ts';
import type {
  CertificateIssuer,
  CertificateOrder,
  IssuedCertificate,
} from '../../sidecar/envoy/cert-agent/issuance/ports.ts';
import { CLIENT_AUTH, SERVER_AUTH, type TestHierarchy } from '../support/issue-certificate.ts';

const TOKEN_REMEMBERED_MS = 60_000;

/** A CA in memory, on a clock that is passed in. */
export class MemoryIssuer implements CertificateIssuer {
  readonly #hierarchies: Readonly<Record<CertificateRole, TestHierarchy>>;
  readonly #now: () => number;
  readonly #placed = new Map<string, { readonly signedAt: number; readonly issued: IssuedCertificate }>();
  readonly #tokens = new Map<string, { readonly arn: string; readonly at: number }>();
  /** Every order as it came. */
  readonly orders: CertificateOrder[] = [];
  /** What each call to place or to collect fails with, while it is set. */
  placeFault: ErrorCode | undefined;
  collectFault: ErrorCode | undefined;
  /** The next order is taken, and its answer lost. */
  losesNextAnswer = false;
  signsAfterMs = 0;

  constructor(hierarchies: Readonly<Record<CertificateRole, TestHierarchy>>, now: () => number) {
    this.#hierarchies = hierarchies;
    this.#now = now;
  }

  get issued(): number {
    return this.#placed.size;
  }

  async place(order: CertificateOrder): Promise<string> {
    this.orders.push(order);
    if (this.placeFault !== undefined) throw fault(this.placeFault);
    const known = this.#tokens.get(order.idempotencyToken);
    if (known !== undefined && this.#now() - known.at < TOKEN_REMEMBERED_MS) return known.arn;
    const arn = `arn:aws:acm-pca:::certificate-authority/of-${order.role}/certificate/${randomBytes(8).toString('hex')}`;
    const issued = await this.#sign(order);
    this.#placed.set(arn, { signedAt: this.#now() + this.signsAfterMs, issued });
    this.#tokens.set(order.idempotencyToken, { arn, at: this.#now() });
    if (this.losesNextAnswer) {
      this.losesNextAnswer = false;
      throw fault('ERR_ISSUE_UNAVAILABLE');
    }
    return arn;
  }

  async collect(_role: CertificateRole, certificateArn: string): Promise<IssuedCertificate | undefined> {
    if (this.collectFault !== undefined) throw fault(this.collectFault);
    const placed = this.#placed.get(certificateArn);
    if (placed === undefined) throw fault('ERR_ISSUE_REFUSED');
    return this.#now() >= placed.signedAt ? placed.issued : undefined;
  }

  async #sign({ role, request, notAfter }: CertificateOrder): Promise<IssuedCertificate> {
    const { subordinate, chain } = this.#hierarchies[role];
    const asked = read(request);
    if (asked === undefined || !(await asked.verify())) throw fault('ERR_ISSUE_REFUSED');
    const names = asked.extensions.find((each) => each instanceof SubjectAlternativeNameExtension);
    const certificate = await X509CertificateGenerator.create({
      serialNumber: `4f${randomBytes(15).toString('hex')}`,
      subject: asked.subject,
      issuer: `CN=${subordinate.commonName}`,
      notBefore: new Date(this.#now() - 3_600_000),
      notAfter: new Date(Math.floor(notAfter.getTime() / 1000) * 1000),
      publicKey: await asked.publicKey.export(),
      signingKey: subordinate.keys.privateKey,
      signingAlgorithm: { ...subordinate.keys.privateKey.algorithm, hash: 'SHA-256' },
      extensions: [
        new ExtendedKeyUsageExtension([role === 'client' ? CLIENT_AUTH : SERVER_AUTH]),
        ...(names === undefined ? [] : [names]),
      ],
    });
    return { certificate: `${certificate.toString('pem')}\n`, chain };
  }
}

function read(request: string): Pkcs10CertificateRequest | undefined {
  try {
    return new Pkcs10CertificateRequest(request);
  } catch {
    return undefined;
  }
}

function fault(code: ErrorCode): TokenmeshError {
  return new TokenmeshError({ code, message: `the CA in memory says ${code}`, remedy: 'unset the fault' });
}
