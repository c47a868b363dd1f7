import { certificateUnknown, renewalFailed, renewalNotFinished } from './failure.ts';
import type { CertificateAuthority, ManagedCertificate, Pace } from './ports.ts';

const FIRST_INTERVAL_MS = 250;
const INTERVAL_GROWTH = 1.6;
const MAX_INTERVAL_MS = 15_000;

export interface WaitPorts {
  readonly authority: CertificateAuthority;
  readonly pace: Pace;
}

/**
 * Waits until the authority has a successor of `before` that can be used, and resolves to it.
 *
 * Asks at once, then at growing intervals, each shortened by up to half at random so that many runs do
 * not ask in step. A `SUCCESS` or `FAILED` that was there before is an older renewal's: only a new serial
 * ends the wait well, and only a failure with a new date ends it badly.
 *
 * @throws {TokenmeshError} `ERR_RENEWAL_FAILED`; `ERR_RENEWAL_NOT_FINISHED` at the deadline;
 *   `ERR_CERTIFICATE_UNKNOWN` when it was deleted meanwhile.
 */
export async function waitForSuccessor(
  ports: WaitPorts,
  before: ManagedCertificate,
  deadlineAt: Date,
): Promise<ManagedCertificate> {
  const { clock, sleep, random } = ports.pace;
  const startedAt = clock().getTime();
  for (
    let intervalMs = FIRST_INTERVAL_MS;
    ;
    intervalMs = Math.min(intervalMs * INTERVAL_GROWTH, MAX_INTERVAL_MS)
  ) {
    const found = await ports.authority.describe(before.certificateArn);
    if (found === undefined) throw certificateUnknown(before.certificateArn);
    if (isSuccessor(found, before)) return found;
    if (hasFailedSince(found, before)) throw renewalFailed(found);
    const leftMs = deadlineAt.getTime() - clock().getTime();
    if (leftMs <= 0) throw renewalNotFinished(found, Math.round((clock().getTime() - startedAt) / 1000));
    await sleep(Math.min(intervalMs * (1 - random() / 2), leftMs));
  }
}

function isSuccessor(found: ManagedCertificate, before: ManagedCertificate): boolean {
  return (
    found.serial !== undefined &&
    found.serial !== before.serial &&
    found.status === 'ISSUED' &&
    found.renewal?.status === 'SUCCESS'
  );
}

function hasFailedSince(found: ManagedCertificate, before: ManagedCertificate): boolean {
  if (found.renewal?.status !== 'FAILED') return false;
  return (
    before.renewal?.status !== 'FAILED' ||
    before.renewal.updatedAt?.getTime() !== found.renewal.updatedAt?.getTime()
  );
}
