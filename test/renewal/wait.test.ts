import { describe, expect, it } from '@jest/globals';
import type { ManagedCertificate } from '../../renewal/ports.ts';
import { waitForSuccessor } from '../../renewal/wait.ts';

const LONG_AGO = new Date('2025-03-01T00:00:00Z');
const SINCE = new Date('2026-03-01T00:00:01Z');

const BEFORE: ManagedCertificate = {
  certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1',
  status: 'ISSUED',
  serial: 'a1',
  renewal: { status: 'SUCCESS', updatedAt: LONG_AGO },
};
const SUCCESSOR: ManagedCertificate = {
  ...BEFORE,
  serial: 'b2',
  renewal: { status: 'SUCCESS', updatedAt: SINCE },
};

/** Waits through these descriptions, the last of which stays; tells how often it was asked. */
async function wait(
  before: ManagedCertificate,
  ...descriptions: (ManagedCertificate | undefined)[]
): Promise<{ found: ManagedCertificate; asked: number }> {
  let now = new Date('2026-03-01T00:00:00Z');
  let asked = 0;
  const authority = {
    list: async () => [],
    renew: async () => 'asked' as const,
    describe: async () => {
      asked += 1;
      return descriptions[Math.min(asked, descriptions.length) - 1];
    },
  };
  const sleep = async (ms: number): Promise<void> => {
    now = new Date(now.getTime() + ms);
  };
  const pace = { clock: () => now, sleep, random: () => 0 };
  const found = await waitForSuccessor({ authority, pace }, before, new Date(now.getTime() + 5_000));
  return { found, asked };
}

describe('the wait for a successor', () => {
  it('ends at once when it is there', async () => {
    expect(await wait(BEFORE, SUCCESSOR)).toEqual({ found: SUCCESSOR, asked: 1 });
  });

  it('is not ended by the success of an earlier renewal, which has the old serial', async () => {
    expect(await wait(BEFORE, BEFORE, BEFORE, SUCCESSOR)).toEqual({ found: SUCCESSOR, asked: 3 });
  });

  it('is not ended by the failure of an earlier renewal, which has the old date', async () => {
    const failed: ManagedCertificate = { ...BEFORE, renewal: { status: 'FAILED', updatedAt: LONG_AGO } };
    expect(await wait(failed, failed, failed, SUCCESSOR)).toMatchObject({ asked: 3 });
  });

  it('is ended by a failure that is new, even after an earlier one', async () => {
    const failed: ManagedCertificate = { ...BEFORE, renewal: { status: 'FAILED', updatedAt: LONG_AGO } };
    const again: ManagedCertificate = { ...BEFORE, renewal: { status: 'FAILED', updatedAt: SINCE } };
    await expect(wait(failed, failed, again)).rejects.toMatchObject({ code: 'ERR_RENEWAL_FAILED' });
    await expect(wait(BEFORE, again)).rejects.toMatchObject({ code: 'ERR_RENEWAL_FAILED' });
  });

  it('goes on while a new serial is not issued, or its renewal not said to have succeeded', async () => {
    const pending: ManagedCertificate = { ...SUCCESSOR, status: 'PENDING_VALIDATION' };
    const unsaid: ManagedCertificate = { ...SUCCESSOR, renewal: { status: 'PENDING_AUTO_RENEWAL' } };
    expect(await wait(BEFORE, pending, unsaid, SUCCESSOR)).toMatchObject({ asked: 3 });
  });

  it('refuses to go on when the certificate is deleted meanwhile, or the deadline comes', async () => {
    await expect(wait(BEFORE, BEFORE, undefined)).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_UNKNOWN' });
    await expect(wait(BEFORE, BEFORE)).rejects.toMatchObject({
      code: 'ERR_RENEWAL_NOT_FINISHED',
      message: expect.stringContaining('within 5 s'),
    });
  });
});
