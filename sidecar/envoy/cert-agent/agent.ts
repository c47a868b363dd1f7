/**
 * Brings each new certificate from its secret to Envoy, and proves that it got there.
 *
 * Fetch, judge, swap, prove. A delivery that does not hold up never reaches Envoy, which goes on with
 * what it has. A swap that Envoy missed (it happens: a moved file can go unnoticed) is done again.
 *
 * @module
 */

import { TokenmeshError } from '../../../errors/error.ts';
import type { CertificateRole, Hierarchy } from '../../../mesh/definition.ts';
import { CERTIFICATE_ROLES, HIERARCHIES, hierarchyOf } from '../../../mesh/identity.ts';
import {
  tlsCertificateSecret,
  trustSecret,
  validationContextSecret,
  type SdsSecret,
} from '../../../mesh/envoy/sds.ts';
import { readCertificates } from '../../../pki/certificate.ts';
import { problemOf, type PkiProblem } from '../../../pki/problem.ts';
import type { CrlChoice } from './choose-crls.ts';
import { NOT_SERVED, refusedByEnvoy, trustBreaks, trustMissing, unavailable } from './problems.ts';
import type { CertificateSource, DeliveredCertificate, DeliveredTrust, Prover, SecretSink } from './ports.ts';

/** A new certificate is served within 50 ms of its swap; after this long the swap was missed. */
const PROOF_DEADLINE_MS = 1_000;
const PROOF_INTERVAL_MS = 25;
/** How often a swap is done again before the agent waits for its next round. */
const SWAPS_AT_MOST = 3;

export interface AgentParts {
  readonly source: CertificateSource;
  readonly sink: SecretSink;
  readonly prover: Prover;
  readonly judge: (
    role: CertificateRole,
    delivered: DeliveredCertificate,
    roots: string,
  ) => readonly PkiProblem[];
  readonly judgeTrust: (delivered: DeliveredTrust) => readonly PkiProblem[];
  /**
   * What handshakes of a hierarchy are checked against, beside these roots.
   *
   * @default no revocation lists
   */
  readonly crls?: (hierarchy: Hierarchy, roots: string) => CrlChoice;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: (event: AgentEvent) => void;
}

/** What the agent reports as it goes: constant texts, facts beside them. */
export interface AgentEvent {
  readonly level: 'info' | 'error';
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The state of one certificate, for the operator. */
export interface CertificateState {
  readonly role: CertificateRole;
  readonly secretName?: string;
  readonly certificateArn?: string;
  /** What was handed to Envoy last. */
  readonly serial?: string;
  readonly swappedAt?: string;
  /** What a handshake of the agent's own last saw. */
  readonly servedSerial?: string;
  readonly provenAt?: string;
  /** When the certificate that was handed over expires. */
  readonly notAfter?: string;
  /** When the version was published that is not proven yet. */
  readonly rotatingSince?: string | undefined;
  /** From publication to proof, of the last rotation that was proven. */
  readonly rotationLagMs?: number;
  readonly swaps: number;
  readonly problems: readonly PkiProblem[];
}

/** The state of one trust bundle, for the operator. */
export interface TrustState {
  readonly hierarchy: Hierarchy;
  /** Of the bundle that Envoy has; undefined where it has none yet. */
  readonly version: string | undefined;
  /** What keeps the newest one from being used. */
  readonly problems: readonly PkiProblem[];
  /** Whether Envoy checks handshakes against the CRLs of the hierarchy. */
  readonly isCrlChecked: boolean;
  /** What Envoy refuses by those CRLs. */
  readonly crlSerials: readonly string[];
  /** What is wrong with the CRLs, whether or not they are checked. */
  readonly crlProblems: readonly PkiProblem[];
}

export class CertAgent {
  readonly #parts: AgentParts;
  readonly #certificates = new Map<CertificateRole, DeliveredCertificate>();
  readonly #trust = new Map<Hierarchy, DeliveredTrust>();
  readonly #trustProblems = new Map<Hierarchy, readonly PkiProblem[]>();
  readonly #crls = new Map<Hierarchy, CrlChoice>();
  readonly #crlProblems = new Map<Hierarchy, readonly PkiProblem[]>();
  #trustTurn: Promise<void> = Promise.resolve();
  readonly #states = new Map<CertificateRole, CertificateState>();

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** One round over all secrets. */
  async refresh(): Promise<void> {
    for (const hierarchy of HIERARCHIES) await this.#refreshTrust(hierarchy);
    for (const role of CERTIFICATE_ROLES) await this.#refreshCertificate(role);
  }

  /** Hands CRLs over that have changed, beside the roots that are in use. */
  async refreshCrls(): Promise<void> {
    for (const hierarchy of HIERARCHIES) {
      await this.#takeTrust(hierarchy, () => this.#trust.get(hierarchy));
    }
  }

  /** Whether Envoy has what it needs to start: a certificate for each role, trust for each hierarchy. */
  get isComplete(): boolean {
    return this.#certificates.size === CERTIFICATE_ROLES.length && this.#trust.size === HIERARCHIES.length;
  }

  get states(): CertificateState[] {
    return CERTIFICATE_ROLES.map((role) => this.#states.get(role) ?? { role, swaps: 0, problems: [] });
  }

  get trustStates(): TrustState[] {
    return HIERARCHIES.map((hierarchy) => ({
      hierarchy,
      version: this.#trust.get(hierarchy)?.version,
      problems: this.#trustProblems.get(hierarchy) ?? [],
      isCrlChecked: this.#crls.get(hierarchy)?.verdict === 'check',
      crlSerials: this.#crls.get(hierarchy)?.serials ?? [],
      crlProblems: this.#crlProblems.get(hierarchy) ?? [],
    }));
  }

  /** Sees what Envoy serves now; a serial behind the one that was handed over is swapped in again. */
  async prove(role: CertificateRole): Promise<boolean> {
    const delivered = this.#certificates.get(role);
    if (delivered === undefined) return false;
    const started = this.#parts.now();
    for (let swaps = 0; swaps < SWAPS_AT_MOST; swaps += 1) {
      if (swaps > 0 && !(await this.#swapAgain(role, delivered))) return false;
      const served = await this.#awaitSerial(role, delivered.secret.serial);
      if (served !== undefined) this.#note(role, { servedSerial: served });
      if (served === delivered.secret.serial) {
        this.#noteProof(role);
        this.#log('info', 'certificate is served', {
          role,
          serial: served,
          afterMs: this.#parts.now() - started,
        });
        return true;
      }
    }
    this.#fail(role, NOT_SERVED);
    return false;
  }

  async #refreshTrust(hierarchy: Hierarchy): Promise<void> {
    try {
      const delivered = await this.#parts.source.trust(hierarchy);
      await this.#takeTrust(hierarchy, () => delivered);
    } catch (error) {
      this.#reportTrust(hierarchy, [problemOf(error, unavailable)]);
    }
  }

  /** One at a time: roots and CRLs change apart from each other, and stand in one file. What fails is told. */
  async #takeTrust(hierarchy: Hierarchy, offered: () => DeliveredTrust | undefined): Promise<void> {
    this.#trustTurn = this.#trustTurn.then(async () => {
      const delivered = offered();
      if (delivered === undefined) return;
      await this.#swapTrust(hierarchy, delivered).catch((error: unknown) =>
        this.#reportTrust(hierarchy, [problemOf(error, unavailable)]),
      );
    });
    await this.#trustTurn;
  }

  async #swapTrust(hierarchy: Hierarchy, delivered: DeliveredTrust): Promise<void> {
    const held = this.#trust.get(hierarchy);
    const isNew = delivered.version !== held?.version;
    const crls = this.#parts.crls?.(hierarchy, delivered.roots) ?? NO_CRLS;
    this.#reportCrls(hierarchy, crls.problems);
    const problems = isNew ? this.#problemsOf(hierarchy, delivered) : this.#refusalOf(hierarchy);
    if (crls.verdict === 'wait' && (held !== undefined || !crls.mayStart)) {
      this.#reportTrust(hierarchy, isNew ? [...problems, ...crls.problems] : problems);
      return;
    }
    this.#reportTrust(hierarchy, problems);
    if (problems.length > 0 || (!isNew && crls.version === this.#crls.get(hierarchy)?.version)) return;
    await this.#put(validationContextSecret(trustSecret(hierarchy), delivered.roots, crls.pem));
    this.#trust.set(hierarchy, delivered);
    this.#crls.set(hierarchy, crls);
    const facts = { hierarchy, secret: delivered.secretName, crls: crls.verdict };
    this.#log('info', 'trust bundle swapped in', facts);
  }

  #problemsOf(hierarchy: Hierarchy, delivered: DeliveredTrust): readonly PkiProblem[] {
    return [...this.#parts.judgeTrust(delivered), ...this.#problemsUnder(hierarchy, delivered)];
  }

  /** Envoy may say so only after the secret was handed over: when it starts, or connects again. */
  #refusalOf(hierarchy: Hierarchy): readonly PkiProblem[] {
    const secret = trustSecret(hierarchy);
    const reason = this.#parts.sink.refusal(secret);
    return reason === undefined ? [] : [refusedByEnvoy(secret, reason)];
  }

  /** Peers trust what this node trusts: a bundle under which its own certificate fails would stop the mesh. */
  #problemsUnder(hierarchy: Hierarchy, trust: DeliveredTrust): readonly PkiProblem[] {
    const role = CERTIFICATE_ROLES.find((each) => hierarchyOf(each) === hierarchy);
    const own = role === undefined ? undefined : this.#certificates.get(role);
    if (role === undefined || own === undefined) return [];
    return this.#parts.judge(role, own, trust.roots).length === 0 ? [] : [trustBreaks(hierarchy)];
  }

  async #refreshCertificate(role: CertificateRole): Promise<void> {
    try {
      const delivered = await this.#parts.source.certificate(role);
      const current = this.#certificates.get(role);
      if (delivered.version === current?.version) {
        if (this.#states.get(role)?.servedSerial !== delivered.secret.serial) await this.prove(role);
        else this.#noteOrder(role);
        return;
      }
      this.#noteRotation(role, delivered);
      const roots = this.#trust.get(hierarchyOf(role))?.roots;
      if (roots === undefined) return this.#fail(role, trustMissing(hierarchyOf(role), this.#trustProblems));
      const problems = this.#parts.judge(role, delivered, roots);
      if (problems.length > 0) {
        this.#note(role, { secretName: delivered.secretName });
        this.#report(role, 'certificate refused', problems);
        return;
      }
      const isFirst = current === undefined;
      await this.#swap(role, delivered);
      this.#certificates.set(role, delivered);
      if (!isFirst) await this.prove(role);
    } catch (error) {
      this.#fail(role, problemOf(error, unavailable));
    }
  }

  async #swap(role: CertificateRole, delivered: DeliveredCertificate): Promise<void> {
    const { secret, secretName, passphrase } = delivered;
    const material = tlsCertificateSecret(role, {
      certificateChain: `${secret.certificate.trim()}\n${secret.chain.trim()}\n`,
      encryptedPrivateKey: secret.encryptedPrivateKey,
      passphrase: passphrase.reveal(),
    });
    await this.#put(material);
    const [leaf] = readCertificates(secret.certificate).certificates;
    this.#note(role, {
      secretName,
      certificateArn: secret.certificateArn,
      serial: secret.serial,
      swappedAt: this.#timestamp(),
      ...(leaf === undefined ? {} : { notAfter: leaf.notAfter.toISOString() }),
      swaps: (this.#states.get(role)?.swaps ?? 0) + 1,
    });
    this.#log('info', 'certificate swapped in', { role, secret: secretName, serial: secret.serial });
  }

  async #swapAgain(role: CertificateRole, delivered: DeliveredCertificate): Promise<boolean> {
    try {
      await this.#swap(role, delivered);
      return true;
    } catch (error) {
      this.#fail(role, problemOf(error, unavailable));
      return false;
    }
  }

  /** @throws {TokenmeshError} `ERR_SECRET_REFUSED` with Envoy's own reason. */
  async #put(secret: SdsSecret): Promise<void> {
    const put = await this.#parts.sink.put(secret);
    if (put.outcome === 'refused') throw new TokenmeshError(refusedByEnvoy(secret.name, put.reason));
  }

  /** Of several versions that did not get into use, the first counts: so long has the rotation been due. */
  #noteRotation(role: CertificateRole, { publishedAt }: DeliveredCertificate): void {
    const since = (publishedAt ?? new Date(this.#parts.now())).toISOString();
    this.#note(role, { rotatingSince: this.#states.get(role)?.rotatingSince ?? since });
  }

  /** What is published is what is served: also where that was put back, or can be read again. */
  #noteOrder(role: CertificateRole): void {
    const hadProblems = (this.#states.get(role)?.problems ?? []).length > 0;
    this.#note(role, { problems: [], rotatingSince: undefined });
    if (hadProblems) this.#log('info', 'certificate is in order again', { role });
  }

  #noteProof(role: CertificateRole): void {
    const since = this.#states.get(role)?.rotatingSince;
    const rotation =
      since === undefined
        ? {}
        : { rotatingSince: undefined, rotationLagMs: this.#parts.now() - Date.parse(since) };
    this.#note(role, { provenAt: this.#timestamp(), problems: [], ...rotation });
  }

  async #awaitSerial(role: CertificateRole, expected: string): Promise<string | undefined> {
    const deadline = this.#parts.now() + PROOF_DEADLINE_MS;
    const client = this.#certificates.get('client');
    const own = {
      ...(client === undefined ? {} : { client }),
      trust: this.#trust.get('servers')?.roots ?? '',
    };
    let served: string | undefined;
    do {
      served = await this.#parts.prover.servedSerial(role, own);
      if (served === expected) return served;
      await this.#parts.sleep(PROOF_INTERVAL_MS);
    } while (this.#parts.now() < deadline);
    return served;
  }

  #fail(role: CertificateRole, problem: PkiProblem): void {
    this.#report(role, 'certificate not in use', [problem]);
  }

  #reportTrust(hierarchy: Hierarchy, problems: readonly PkiProblem[]): void {
    const known = JSON.stringify(this.#trustProblems.get(hierarchy) ?? []);
    this.#trustProblems.set(hierarchy, problems);
    if (problems.length > 0 && JSON.stringify(problems) !== known) {
      this.#log('error', 'trust bundle not in use', { hierarchy, problems });
    }
  }

  #reportCrls(hierarchy: Hierarchy, problems: readonly PkiProblem[]): void {
    const known = JSON.stringify(this.#crlProblems.get(hierarchy) ?? []);
    this.#crlProblems.set(hierarchy, problems);
    if (JSON.stringify(problems) === known) return;
    if (problems.length === 0) this.#log('info', 'CRLs are in use again', { hierarchy });
    else this.#log('error', 'CRLs not in order', { hierarchy, problems });
  }

  /** A problem that goes on is told once. */
  #report(role: CertificateRole, text: string, problems: readonly PkiProblem[]): void {
    const known = JSON.stringify(this.#states.get(role)?.problems ?? []);
    this.#note(role, { problems });
    if (JSON.stringify(problems) !== known) this.#log('error', text, { role, problems });
  }

  #note(role: CertificateRole, facts: Partial<CertificateState>): void {
    const known = this.#states.get(role) ?? { role, swaps: 0, problems: [] };
    this.#states.set(role, { ...known, ...facts });
  }

  #log(level: AgentEvent['level'], text: string, facts: AgentEvent['facts']): void {
    this.#parts.log({ level, text, facts });
  }

  #timestamp(): string {
    return new Date(this.#parts.now()).toISOString();
  }
}

const NO_CRLS: CrlChoice = { verdict: 'lift', mayStart: true, serials: [], version: 'none', problems: [] };
