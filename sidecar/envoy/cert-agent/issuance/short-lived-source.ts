/**
 * Certificates for keys that the task makes itself and that never leave it.
 *
 * Each renewal has a new key. It is in memory only, and given to the agent encrypted, under a
 * passphrase that is made with it and is in memory as well. While a renewal fails, the certificate that
 * is held goes on in use: `certificate` throws what is wrong, and changes nothing.
 *
 * @module
 */

import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { describeError, TokenmeshError } from '../../../../errors/error.ts';
import type { CertificateRole } from '../../../../mesh/definition.ts';
import { CERTIFICATE_ROLES } from '../../../../mesh/identity.ts';
import { readCertificate } from '../../../../pki/certificate.ts';
import { certificateRequest } from '../../../../pki/certificate-request.ts';
import { Sensitive } from '../../../../pki/sensitive.ts';
import type { AgentEvent } from '../agent.ts';
import type { CertificateSource, DeliveredCertificate } from '../ports.ts';
import { FairShare, spreadMs } from './fair-share.ts';
import { firstTryAt, IssuancePlan, SLOW_AFTER_MS, type Alarm, type Random } from './plan.ts';
import type { CertificateIssuer, CertificateOrder, IssuedCertificate } from './ports.ts';
import { noneYet, renewalOverdue, slowToIssue } from './problems.ts';

/** How long one call of `certificate` may take; the agent looks at its other secrets between two. */
const ROUND_MS = 3_000;

/** The CA forgets an idempotency token after a minute: an order tried again later is another order. */
const ORDER_KEPT_AT_MOST_MS = 50_000;
/** The end of an order is fixed by its first try: one that is tried again for longer would live less. */
const ORDER_KEPT_LIFE_FRACTION = 0.1;

export interface ShortLivedParts {
  readonly issuer: CertificateIssuer;
  /** The roots that peers are trusted under: delivered as in export mode. */
  readonly trust: CertificateSource['trust'];
  /** The DNS name that the node proves. */
  readonly identity: string;
  readonly lifeSeconds: number;
  /** Of all nodes in short-lived mode: they share the CA's quota. */
  readonly fleetTasks: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: Random;
  readonly log: (event: AgentEvent) => void;
}

/** The state of one certificate's issue, for the operator. */
export interface IssuanceState {
  readonly role: CertificateRole;
  readonly issuedAt?: string;
  readonly notAfter?: string;
  readonly renewAt?: string;
  /** How often it was issued since the task started. */
  readonly issued: number;
  /** Tries that failed since the last that did not. */
  readonly failures: number;
  readonly alarm: Alarm;
}

interface MadeOrder extends CertificateOrder {
  readonly key: KeyObject;
  readonly madeAtMs: number;
  certificateArn?: string;
}

/** One role's certificate: its plan, its order under way, and what was delivered last. */
class Issuance {
  readonly #role: CertificateRole;
  readonly #parts: ShortLivedParts;
  readonly #plan: IssuancePlan;
  #order: MadeOrder | undefined;
  #delivered: DeliveredCertificate | undefined;
  #problem: TokenmeshError | undefined;
  #issued = 0;
  #hasTried = false;

  constructor(role: CertificateRole, parts: ShortLivedParts, share: FairShare) {
    this.#role = role;
    this.#parts = parts;
    const firstAtMs = firstTryAt(parts.now(), spreadMs(parts.fleetTasks), parts.random);
    this.#plan = new IssuancePlan(share, firstAtMs, parts.random);
  }

  /** Goes as far as the plan lets it, within one round. */
  async deliver(): Promise<DeliveredCertificate> {
    const roundEndsMs = this.#parts.now() + ROUND_MS;
    for (;;) {
      const now = this.#parts.now();
      const step = this.#plan.next(now);
      if (step.do !== 'wait') {
        await this.#take(step.do);
        continue;
      }
      const isIdle = this.#delivered !== undefined && !this.#plan.hasOrder;
      if (isIdle || (this.#hasTried && step.untilMs > roundEndsMs)) return this.#outcome(step.untilMs);
      await this.#parts.sleep(step.untilMs - now);
    }
  }

  get state(): IssuanceState {
    const { held, failures } = this.#plan;
    return {
      role: this.#role,
      ...(held === undefined
        ? {}
        : {
            issuedAt: timestamp(held.issuedAtMs),
            notAfter: timestamp(held.notAfterMs),
            renewAt: timestamp(held.renewAtMs),
          }),
      issued: this.#issued,
      failures,
      alarm: this.#plan.alarm(this.#parts.now()),
    };
  }

  #outcome(untilMs: number): DeliveredCertificate {
    const alarm = this.#plan.alarm(this.#parts.now());
    const notAfterMs = this.#plan.held?.notAfterMs;
    if (alarm !== 'none' && notAfterMs !== undefined) {
      throw renewalOverdue(this.#role, notAfterMs, alarm === 'expired', this.#problem);
    }
    if (this.#problem !== undefined) throw this.#problem;
    if (this.#delivered === undefined) throw noneYet(this.#role, untilMs);
    return this.#delivered;
  }

  async #take(step: 'place' | 'collect'): Promise<void> {
    this.#hasTried = true;
    try {
      if (step === 'place') await this.#place();
      else await this.#collect();
    } catch (error) {
      this.#problem = asProblem(error);
      if (step === 'place') this.#plan.failed(this.#parts.now());
      else this.#plan.notCollected(this.#parts.now());
    }
  }

  async #place(): Promise<void> {
    const now = this.#parts.now();
    const keptMs = Math.min(ORDER_KEPT_AT_MOST_MS, this.#parts.lifeSeconds * 1000 * ORDER_KEPT_LIFE_FRACTION);
    const isKept = this.#order !== undefined && now - this.#order.madeAtMs < keptMs;
    const order = isKept && this.#order !== undefined ? this.#order : this.#makeOrder(now);
    this.#order = order;
    order.certificateArn = await this.#parts.issuer.place(order);
    this.#plan.placed(this.#parts.now());
  }

  #makeOrder(madeAtMs: number): MadeOrder {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    return {
      role: this.#role,
      key: privateKey,
      request: certificateRequest(this.#parts.identity, privateKey),
      notAfter: new Date(madeAtMs + this.#parts.lifeSeconds * 1000),
      idempotencyToken: randomBytes(16).toString('hex'),
      madeAtMs,
    };
  }

  async #collect(): Promise<void> {
    const order = this.#order;
    if (order?.certificateArn === undefined) throw new Error('expected an order that was placed');
    const issued = await this.#parts.issuer.collect(this.#role, order.certificateArn);
    if (issued === undefined) {
      if (this.#plan.notSigned(this.#parts.now()) >= SLOW_AFTER_MS) this.#problem = slowToIssue(this.#role);
      return;
    }
    this.#delivered = delivery(order, order.certificateArn, issued);
    const { notAfter } = readCertificate(issued.certificate);
    this.#plan.issued({ issuedAtMs: order.madeAtMs, notAfterMs: notAfter.getTime() });
    this.#order = undefined;
    this.#problem = undefined;
    this.#issued += 1;
    const { serial } = this.#delivered.secret;
    this.#parts.log({ level: 'info', text: 'certificate issued', facts: { serial, ...this.state } });
  }
}

/** A {@link CertificateSource} that issues, and says how that goes. */
export interface ShortLivedSource extends CertificateSource {
  readonly states: readonly IssuanceState[];
}

export function shortLivedSource(parts: ShortLivedParts): ShortLivedSource {
  const share = new FairShare(parts.fleetTasks, parts.now(), parts.random);
  const make = (role: CertificateRole): Issuance => new Issuance(role, parts, share);
  const issuances = { client: make('client'), server: make('server') };
  const underWay = new Map<CertificateRole, Promise<DeliveredCertificate>>();
  return {
    async certificate(role) {
      // Two who ask at once share one order.
      const shared = underWay.get(role) ?? issuances[role].deliver().finally(() => underWay.delete(role));
      underWay.set(role, shared);
      return await shared;
    },
    trust: async (hierarchy) => await parts.trust(hierarchy),
    get states() {
      return CERTIFICATE_ROLES.map((role) => issuances[role].state);
    },
  };
}

function delivery(order: MadeOrder, certificateArn: string, issued: IssuedCertificate): DeliveredCertificate {
  const passphrase = randomBytes(32).toString('base64url');
  const { serial } = readCertificate(issued.certificate);
  const encrypted = order.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
  return {
    version: createHash('sha256').update(issued.certificate).digest('hex'),
    secretName: `${order.role} certificate of a key in memory`,
    secret: {
      serial,
      certificateArn,
      certificate: issued.certificate,
      chain: issued.chain,
      encryptedPrivateKey: encrypted.toString(),
      passphraseVersionId: 'in memory',
    },
    passphrase: new Sensitive(passphrase),
  };
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

function asProblem(error: unknown): TokenmeshError {
  if (error instanceof TokenmeshError) return error;
  return new TokenmeshError({
    code: 'ERR_ISSUE_UNAVAILABLE',
    message: `the certificate could not be issued: ${describeError(error)}`,
    remedy: 'see the log of the sidecar',
    cause: error,
  });
}
