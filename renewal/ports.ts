/**
 * What renewing needs of the outside, in its own words.
 *
 * @module
 */

import type { CertificateOwner } from '../pki/certificate-owner.ts';
import type { ExportResult } from '../cert-exporter/export.ts';

/** What became of the last attempt to renew a certificate. */
export interface RenewalState {
  readonly status: 'SUCCESS' | 'FAILED' | 'PENDING_AUTO_RENEWAL' | 'PENDING_VALIDATION';
  /** Why it failed, in the word of the authority. */
  readonly reason?: string;
  readonly updatedAt?: Date;
}

/** A certificate as the authority that renews it sees it. */
export interface ManagedCertificate {
  readonly certificateArn: string;
  /** `ISSUED` when it can be used; every other word is the authority's own. */
  readonly status: string;
  /** As `normalizeSerial` writes it; these three are absent until the certificate is issued. */
  readonly serial?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly renewal?: RenewalState;
  /** Absent unless the certificate names mesh, node and role as an owner of ours does. */
  readonly owner?: CertificateOwner;
}

/** The authority whose certificates are renewed. */
export interface CertificateAuthority {
  /** The ARNs of every private certificate of the mesh, whatever its status, however many there are. */
  list(meshName: string): Promise<readonly string[]>;

  /** Resolves to undefined when there is no such certificate. */
  describe(certificateArn: string): Promise<ManagedCertificate | undefined>;

  /**
   * Asks for a successor under the same ARN, and does not wait for it. `"under-way"` when one was
   * asked for before and has not come: nothing further is asked then.
   */
  renew(certificateArn: string): Promise<'asked' | 'under-way'>;
}

export interface PublishedCertificate {
  readonly serial: string;
  readonly notAfter: Date;
}

/** What the nodes are given to read. */
export interface PublishedCertificates {
  /** Undefined when nothing is published that a node could use. */
  current(owner: CertificateOwner): Promise<PublishedCertificate | undefined>;
}

/** Publishes what the authority has. Must be idempotent by serial. */
export type ExportCertificate = (certificateArn: string) => Promise<ExportResult>;

export interface Alarm {
  readonly certificateArn: string;
  readonly owner: CertificateOwner;
  /** Constant for each kind of alarm. */
  readonly sentence: string;
  readonly remedy: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Reaches a person. */
export interface Alarms {
  raise(alarm: Alarm): Promise<void>;
}

/** What is told of one certificate at the end of a run. */
export interface CertificateMeasures {
  /** Of what the node is given to read; absent when nothing is that it could use. */
  readonly daysLeft?: number;
  /**
   * How long the authority has had a successor that was not published yet: 0 when none waits, and none did.
   * Absent when the run failed before it could be told.
   */
  readonly rotationLagSeconds?: number;
  readonly failures: 0 | 1;
}

/** Where figures go that alarms are made of. */
export interface RenewalMetrics {
  /** @param owner - Absent where the failure came before the certificate could be told whose it is. */
  record(measures: CertificateMeasures, owner?: CertificateOwner): void;
}

/** Time and chance, so that nothing here waits for a fixed while, or waits at all in a test. */
export interface Pace {
  readonly clock: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}
