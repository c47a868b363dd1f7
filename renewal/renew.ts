/**
 * Carries out what is decided, for each certificate that an event is about.
 *
 * One that fails does not keep the others from being tried.
 *
 * @module
 */

import { describeError, TokenmeshError, type ErrorCode } from '../errors/error.ts';
import type { CertificateRole } from '../mesh/definition.ts';
import { daysLeft } from '../pki/certificate.ts';
import type { CertificateOwner } from '../pki/certificate-owner.ts';
import { decide, type Decision, type Facts } from './decide.ts';
import type { ReceivedEvent, RenewalEvent } from './event.ts';
import { certificateNotOurs, certificateUnknown, exportBehind, notExported } from './failure.ts';
import { mapWithin } from './map-within.ts';
import type {
  Alarms,
  CertificateAuthority,
  ExportCertificate,
  ManagedCertificate,
  Pace,
  PublishedCertificate,
  PublishedCertificates,
  RenewalMetrics,
} from './ports.ts';
import { waitForSuccessor } from './wait.ts';

export interface RenewalPorts {
  readonly authority: CertificateAuthority;
  readonly published: PublishedCertificates;
  readonly exportCertificate: ExportCertificate;
  readonly alarms: Alarms;
  readonly metrics: RenewalMetrics;
  readonly pace: Pace;
  /** Told of each decision before it is carried out. */
  readonly onDecision: (result: CertificateResult) => void;
}

export interface RunOptions {
  readonly meshName: string;
  /** No wait for the authority lasts longer than this. */
  readonly deadlineAt: Date;
}

export interface CertificateResult {
  readonly certificateArn: string;
  readonly node?: string;
  readonly role?: CertificateRole;
  /** Absent when the failure came before the decision. */
  readonly decision?: Decision['action'];
  readonly sentence?: string;
  readonly facts?: Facts;
  /** What the node was given to read before this run, and after it. */
  readonly serialBefore?: string;
  readonly serialAfter?: string;
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly remedy: string };
}

export interface RenewalReport {
  readonly results: readonly CertificateResult[];
}

/** How many certificates are worked on at a time: far from the 25 a second that a CA issues. */
const CERTIFICATES_AT_A_TIME = 4;

export async function runRenewal(
  ports: RenewalPorts,
  received: ReceivedEvent,
  options: RunOptions,
): Promise<RenewalReport> {
  const run: Run = { ...options, ports, event: received.event };
  const certificateArns =
    received.certificateArns === 'all'
      ? await ports.authority.list(options.meshName)
      : received.certificateArns;
  const results = await mapWithin(CERTIFICATES_AT_A_TIME, certificateArns, (certificateArn) =>
    renewOne(run, certificateArn),
  );
  return { results };
}

interface Run extends RunOptions {
  readonly ports: RenewalPorts;
  readonly event: RenewalEvent;
}

async function renewOne(run: Run, certificateArn: string): Promise<CertificateResult> {
  let result: CertificateResult = { certificateArn };
  let found: ManagedCertificate | undefined;
  try {
    const certificate = await run.ports.authority.describe(certificateArn);
    const stranger = judgeStranger(run, certificateArn, certificate);
    if (certificate?.owner === undefined || stranger !== undefined) return { certificateArn, ...stranger };
    found = certificate;
    const { owner } = certificate;
    result = { certificateArn, node: owner.node, role: owner.role };
    const published = await run.ports.published.current(owner);
    const decision = decide({ event: run.event, certificate, published, now: run.ports.pace.clock() });
    result = { ...result, ...described(decision), serialBefore: published?.serial };
    run.ports.onDecision(result);
    const serialAfter = await carryOut(run, { certificate, owner, published, decision });
    await measure(run, { certificate, owner, published, decision }, serialAfter);
    return { ...result, serialAfter };
  } catch (error) {
    run.ports.metrics.record({ failures: 1 }, found?.owner);
    return { ...result, error: shown(error) };
  }
}

/** Of what is published in the end. An export that had nothing to do cost no time. */
async function measure(run: Run, work: Work, serialAfter: string | undefined): Promise<void> {
  const { certificate, owner, published } = work;
  const isSame = serialAfter === published?.serial;
  const after = isSame ? published : await run.ports.published.current(owner);
  const now = run.ports.pace.clock();
  const issued = isSame ? undefined : await run.ports.authority.describe(certificate.certificateArn);
  run.ports.metrics.record(
    {
      ...(after === undefined ? {} : { daysLeft: daysLeft(after, now) }),
      rotationLagSeconds: issued === undefined ? 0 : lagSeconds(issued, now),
      failures: 0,
    },
    owner,
  );
}

/** Since the authority had the successor: told by its last renewal, or else by the certificate's own dates. */
function lagSeconds({ renewal, notBefore }: ManagedCertificate, now: Date): number {
  const since = renewal?.status === 'SUCCESS' ? renewal.updatedAt : notBefore;
  return since === undefined ? 0 : Math.max(0, (now.getTime() - since.getTime()) / 1000);
}

function described({ action, sentence, facts }: Decision): Partial<CertificateResult> {
  return { decision: action, sentence, facts };
}

/**
 * What to say of a certificate that is gone or not ours: ACM tells us of every certificate of the account,
 * so that is no fault, unless an operator asked for this one.
 */
function judgeStranger(
  run: Run,
  certificateArn: string,
  certificate: ManagedCertificate | undefined,
): Partial<CertificateResult> | undefined {
  const isAsked = run.event.kind === 'rotation-requested';
  if (certificate === undefined) {
    if (isAsked) throw certificateUnknown(certificateArn);
    return { decision: 'keep', sentence: 'the certificate is gone' };
  }
  if (certificate.owner?.mesh !== run.meshName) {
    if (isAsked) throw certificateNotOurs(certificateArn, run.meshName);
    return { decision: 'keep', sentence: 'the certificate is not of this mesh' };
  }
  return undefined;
}

interface Work {
  readonly certificate: ManagedCertificate;
  readonly owner: CertificateOwner;
  readonly published: PublishedCertificate | undefined;
  readonly decision: Decision;
}

/** Resolves to the serial that is published then. */
async function carryOut(run: Run, work: Work): Promise<string | undefined> {
  const { certificate, decision } = work;
  switch (decision.action) {
    case 'keep':
      return work.published?.serial;
    case 'alarm':
      await run.ports.alarms.raise({
        certificateArn: certificate.certificateArn,
        owner: work.owner,
        sentence: decision.sentence,
        remedy: decision.remedy,
        facts: decision.facts,
      });
      return work.published?.serial;
    case 'export':
      return publish(run, certificate.certificateArn);
    case 'renew':
      return renew(run, work);
  }
}

/**
 * A certificate that was never exported is exported first: ACM renews a private one only after that.
 * A renewal that is under way already is waited for, and not asked for again.
 */
async function renew(run: Run, work: Work): Promise<string> {
  const { certificateArn, renewal } = work.certificate;
  if (work.published === undefined) await publish(run, certificateArn);
  if (renewal?.status !== 'PENDING_AUTO_RENEWAL') await run.ports.authority.renew(certificateArn);
  const successor = await waitOrAlarm(run, work);
  const published = await publish(run, certificateArn);
  if (published !== successor.serial) throw exportBehind(certificateArn, `${successor.serial}`, published);
  return published;
}

async function waitOrAlarm(run: Run, work: Work): Promise<ManagedCertificate> {
  try {
    return await waitForSuccessor(run.ports, work.certificate, run.deadlineAt);
  } catch (error) {
    if (error instanceof TokenmeshError && error.code === 'ERR_RENEWAL_FAILED') {
      await run.ports.alarms.raise({
        certificateArn: work.certificate.certificateArn,
        owner: work.owner,
        sentence: 'the renewal of the certificate failed',
        remedy: error.remedy,
        facts: { ...work.decision.facts, message: error.message },
      });
    }
    throw error;
  }
}

async function publish(run: Run, certificateArn: string): Promise<string> {
  const result = await run.ports.exportCertificate(certificateArn);
  if (result.outcome === 'exported' || result.outcome === 'already-exported') return result.serial;
  throw notExported(certificateArn, result.outcome);
}

function shown(error: unknown): NonNullable<CertificateResult['error']> {
  if (error instanceof TokenmeshError) {
    return { code: error.code, message: error.message, remedy: error.remedy };
  }
  return {
    code: 'ERR_INTERNAL',
    message: describeError(error),
    remedy: 'this is a fault of the function: report it with the log of this run',
  };
}

/** @throws {TokenmeshError} `ERR_RENEWALS_FAILED`, naming each certificate that failed, so that Lambda tries again. */
export function throwIfAnyFailed({ results }: RenewalReport): void {
  const failed = results.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return;
  const each = failed.map(({ certificateArn, node, role, error }) => {
    const name = node === undefined ? certificateArn : `${node}/${role}`;
    return `${name}: ${error?.message}; ${error?.remedy}`;
  });
  throw new TokenmeshError({
    code: 'ERR_RENEWALS_FAILED',
    message: `${failed.length} of ${results.length} certificates failed: ${each.join(' | ')}`,
    remedy: 'the event is tried again, and what succeeded is left alone: act on each remedy if it goes on',
  });
}
