/**
 * Brings the deny list and the CAs' revocation lists to Envoy.
 *
 * The deny list is written as soon as it changes, with the serials of the callers' CRLs added: a request
 * on a connection that was open before is refused by either. The CRLs go into the trust that Envoy
 * checks handshakes against, by way of {@link CertAgent}. What does not hold up never reaches Envoy, which
 * goes on with the last good one, and it is told.
 *
 * @module
 */

import { describeError } from '../../../errors/error.ts';
import type { Hierarchy, RevocationPolicy } from '../../../mesh/definition.ts';
import { DENY_LIST_FILE, denyListFile } from '../../../mesh/envoy/deny-list.ts';
import { HIERARCHIES } from '../../../mesh/identity.ts';
import { readCertificate, readCertificates } from '../../../pki/certificate.ts';
import type { CrlFacts, CrlQuestion, CrlVerdict } from '../../../pki/crl.ts';
import { nameOf, problemOf, type PkiProblem } from '../../../pki/problem.ts';
import type { ListingAuthorities, ListingAuthority } from '../../../pki/revocation.ts';
import type { AgentEvent } from './agent.ts';
import { chooseCrls, type CrlChoice, type HeldAuthority } from './choose-crls.ts';
import type { DeliveredDenyList, RevocationSource, WatchedFiles } from './ports.ts';

export interface RevocationParts {
  readonly source: RevocationSource;
  readonly files: WatchedFiles;
  readonly judgeCrl: (question: CrlQuestion) => Promise<CrlVerdict>;
  readonly policy: RevocationPolicy;
  /** How often the CRLs are fetched with nobody saying that there are new ones. */
  readonly crlSeconds: number;
  readonly now: () => number;
  readonly log: (event: AgentEvent) => void;
}

/** One CA's list, as the operator sees it. */
export interface CrlState {
  readonly hierarchy: Hierarchy;
  readonly authority: string;
  readonly thisUpdate?: string;
  readonly nextUpdate?: string;
  readonly serials: number;
  /** What keeps the newest one from being used. */
  readonly problems: readonly PkiProblem[];
}

export interface RevocationState {
  /** Undefined until the list has been read once. */
  readonly denyListVersion: string | undefined;
  /** Serials that the listener refuses: the deny list's and those of the callers' CRLs. */
  readonly deniedSerials: readonly string[];
  readonly denyListWrittenAt: string | undefined;
  readonly crls: readonly CrlState[];
  /** Of the secrets themselves. */
  readonly problems: readonly PkiProblem[];
}

/** A problem is retried sooner than the schedule says. */
const RETRY_MS = 5_000;

export class RevocationWatch {
  readonly #parts: RevocationParts;
  #denyList: DeliveredDenyList | undefined;
  #authorities: Record<Hierarchy, HeldAuthority[]> = { clients: [], servers: [] };
  readonly #problems = new Map<string, readonly PkiProblem[]>();
  #written: string | undefined;
  #writtenAt: string | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetchedFor: string | undefined;

  constructor(parts: RevocationParts) {
    this.#parts = parts;
  }

  /** One round: the deny list first, since it cannot wait; then the CRLs where they are due. */
  async refresh(): Promise<void> {
    await this.#readDenyList();
    await this.#writeDenyList();
    if (!this.#isFetchDue()) return;
    await this.#fetchCrls();
    await this.#writeDenyList();
  }

  /** Whether Envoy may start: it refuses what is on the deny list from its first request on. */
  get isComplete(): boolean {
    return this.#written !== undefined;
  }

  /** What Envoy is to check handshakes of a hierarchy against, beside these roots. */
  crls(hierarchy: Hierarchy, roots: string): CrlChoice {
    const { certificates } = readCertificates(roots);
    const { policy, now } = this.#parts;
    return chooseCrls({
      roots: certificates,
      authorities: this.#authorities[hierarchy],
      policy,
      now: new Date(now()),
    });
  }

  get state(): RevocationState {
    return {
      denyListVersion: this.#denyList?.version,
      deniedSerials: this.#serials(),
      denyListWrittenAt: this.#writtenAt,
      crls: HIERARCHIES.flatMap((hierarchy) =>
        this.#authorities[hierarchy].map((each) => this.#stateOf(hierarchy, each)),
      ),
      problems: [DENY_LIST, AUTHORITIES].flatMap((about) => this.#problems.get(about) ?? []),
    };
  }

  #stateOf(hierarchy: Hierarchy, { certificate, place, held }: HeldAuthority): CrlState {
    return {
      hierarchy,
      authority: certificate.subject,
      ...(held === undefined
        ? {}
        : { thisUpdate: held.thisUpdate.toISOString(), nextUpdate: held.nextUpdate.toISOString() }),
      serials: held?.serials.length ?? 0,
      problems: this.#problems.get(place.key) ?? [],
    };
  }

  async #readDenyList(): Promise<void> {
    await this.#attempt(DENY_LIST, async () => {
      this.#denyList = await this.#parts.source.denyList();
    });
  }

  #serials(): string[] {
    const listed = this.#denyList?.list.denied.map(({ serial }) => serial) ?? [];
    const revoked = this.#authorities.clients.flatMap(({ held }) => held?.serials ?? []);
    return [...new Set([...listed, ...revoked])].toSorted();
  }

  /** Not before the list has been read once: a file with nothing in it would let everybody in. */
  async #writeDenyList(): Promise<void> {
    if (this.#denyList === undefined) return;
    const serials = this.#serials();
    const contents = JSON.stringify(denyListFile(serials));
    if (contents === this.#written) return;
    await this.#attempt(FILE, async () => {
      await this.#parts.files.swap(DENY_LIST_FILE, contents);
      this.#written = contents;
      this.#writtenAt = new Date(this.#parts.now()).toISOString();
      this.#log('info', 'deny list swapped in', { serials: serials.length });
    });
  }

  #isFetchDue(): boolean {
    if (this.#denyList?.list.crlsPublishedAt !== this.#fetchedFor) return true;
    const everyMs = this.#hasCrlProblem() ? RETRY_MS : this.#parts.crlSeconds * 1_000;
    return this.#parts.now() - this.#fetchedAt >= everyMs;
  }

  #hasCrlProblem(): boolean {
    return [...this.#problems.values()].some((problems) => problems.length > 0);
  }

  async #fetchCrls(): Promise<void> {
    this.#fetchedAt = this.#parts.now();
    this.#fetchedFor = this.#denyList?.list.crlsPublishedAt;
    await this.#attempt(AUTHORITIES, async () => {
      const listed = await this.#parts.source.authorities();
      this.#authorities = this.#takeOver(listed);
    });
    const all = HIERARCHIES.flatMap((hierarchy) => this.#authorities[hierarchy]);
    await Promise.all(all.map(async (each) => await this.#fetchCrl(each)));
  }

  /** A CA that stays keeps the list that is held of it. */
  #takeOver(listed: ListingAuthorities): Record<Hierarchy, HeldAuthority[]> {
    const take = (hierarchy: Hierarchy): HeldAuthority[] =>
      listed[hierarchy].map((each) => this.#heldAs(hierarchy, each));
    return { clients: take('clients'), servers: take('servers') };
  }

  #heldAs(hierarchy: Hierarchy, { certificate, crl }: ListingAuthority): HeldAuthority {
    const facts = readCertificate(certificate);
    const known = this.#authorities[hierarchy].find(
      (each) => each.certificate.x509.fingerprint256 === facts.x509.fingerprint256,
    );
    return { certificate: facts, place: crl, held: known?.held };
  }

  async #fetchCrl(authority: HeldAuthority): Promise<void> {
    await this.#attempt(authority.place.key, async () => {
      const der = await this.#parts.source.crl(authority.place);
      const now = new Date(this.#parts.now());
      const verdict = await this.#parts.judgeCrl({
        der,
        authority: authority.certificate,
        now,
        held: authority.held,
      });
      if (verdict.verdict === 'usable') return this.#hold(authority, verdict.facts);
      // Better than none: whoever is on a stale list is revoked all the same.
      if (authority.held === undefined) authority.held = verdict.facts;
      return verdict.problems;
    });
  }

  #hold(authority: HeldAuthority, facts: CrlFacts): void {
    const isNew = authority.held?.pem !== facts.pem;
    authority.held = facts;
    if (!isNew) return;
    this.#log('info', 'CRL taken', {
      authority: nameOf(authority.certificate),
      serials: facts.serials.length,
      nextUpdate: facts.nextUpdate.toISOString(),
    });
  }

  /** A problem that goes on is told once, and so is its end. */
  async #attempt(about: string, work: () => Promise<readonly PkiProblem[] | void>): Promise<void> {
    let problems: readonly PkiProblem[];
    try {
      problems = (await work()) ?? [];
    } catch (error) {
      problems = [problemOf(error, unavailable)];
    }
    const known = this.#problems.get(about) ?? [];
    this.#problems.set(about, problems);
    if (JSON.stringify(problems) === JSON.stringify(known)) return;
    if (problems.length === 0) this.#log('info', 'revocation is up to date again', { about });
    else this.#log('error', 'revocation goes on with what it has', { about, problems });
  }

  #log(level: AgentEvent['level'], text: string, facts: AgentEvent['facts']): void {
    this.#parts.log({ level, text, facts });
  }
}

const DENY_LIST = 'deny list';
const AUTHORITIES = 'authorities';
const FILE = 'deny list file';

function unavailable(error: unknown): PkiProblem {
  return {
    code: 'ERR_REVOCATION_UNAVAILABLE',
    message: `what is revoked could not be read: ${describeError(error)}`,
    remedy:
      'see that Secrets Manager and S3 can be reached, and that the role of the task may read from them',
  };
}
