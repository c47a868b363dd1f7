/**
 * What issuing a certificate for a task's own key needs from outside.
 *
 * @module
 */

import type { CertificateRole } from '../../../../mesh/definition.ts';

export interface CertificateOrder {
  readonly role: CertificateRole;
  /** PKCS #10, PEM. */
  readonly request: string;
  readonly notAfter: Date;
  /** The same for each try of one order. */
  readonly idempotencyToken: string;
}

export interface IssuedCertificate {
  /** The leaf, PEM. */
  readonly certificate: string;
  /** The intermediates up to the root, PEM, leaf's issuer first. */
  readonly chain: string;
}

/** A private CA, which takes an order first and signs a moment later. */
export interface CertificateIssuer {
  /**
   * Places an order. Must place one, however often it is called with one token within a minute: an
   * answer may be lost.
   *
   * @returns The ARN of the certificate to come.
   * @throws {TokenmeshError} `ERR_ISSUE_THROTTLED`, `ERR_ISSUE_CA_NOT_ACTIVE`, `ERR_ISSUE_DENIED`,
   *   `ERR_ISSUE_REFUSED` or `ERR_ISSUE_UNAVAILABLE`.
   */
  place(order: CertificateOrder): Promise<string>;
  /**
   * @returns Undefined while it is not signed yet.
   * @throws {TokenmeshError} As `place` does.
   */
  collect(role: CertificateRole, certificateArn: string): Promise<IssuedCertificate | undefined>;
}
