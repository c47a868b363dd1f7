import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { CertificateAuthority } from '../../renewal/ports.ts';
import { waitForSuccessor } from '../../renewal/wait.ts';

export interface CertificateAuthoritySubject {
  readonly authority: CertificateAuthority;
  readonly meshName: string;
  /** Several, each of the mesh; the first is of node `order`, role `client`. */
  readonly ownedArns: readonly string[];
  /** Without tags, or of another mesh. */
  readonly foreignArns: readonly string[];
  readonly unknownArn: string;
  readonly exportOnce: (certificateArn: string) => Promise<void>;
}

/** What every authority that renews does; run against the fake and against ACM's adapter. */
export function certificateAuthorityContract(setUp: () => Promise<CertificateAuthoritySubject>): void {
  describe('a certificate authority', () => {
    let subject: CertificateAuthoritySubject;
    const firstArn = (): string => subject.ownedArns[0] ?? '';

    beforeAll(async () => {
      subject = await setUp();
    });

    it('lists every certificate of the mesh and no other', async () => {
      const listed = await subject.authority.list(subject.meshName);
      expect([...listed].sort()).toEqual([...subject.ownedArns].sort());
      expect(subject.foreignArns.length).toBeGreaterThan(0);
    });

    it('describes dates, serial, status and owner', async () => {
      const described = await subject.authority.describe(firstArn());
      expect(described).toMatchObject({
        certificateArn: firstArn(),
        status: 'ISSUED',
        owner: { mesh: subject.meshName, node: 'order', role: 'client' },
      });
      expect(described?.serial).toMatch(/^[1-9a-f][\da-f]*$/);
      expect(described?.notBefore?.getTime()).toBeLessThan(Date.now());
      expect(described?.notAfter?.getTime()).toBeGreaterThan(Date.now());
    });

    it('knows of no certificate under an unknown ARN', async () => {
      expect(await subject.authority.describe(subject.unknownArn)).toBeUndefined();
    });

    it('refuses to renew a certificate that was never exported', async () => {
      const arn = subject.ownedArns[1] ?? '';
      await expect(subject.authority.renew(arn)).rejects.toMatchObject({ code: 'ERR_RENEWAL_REFUSED' });
    });

    it('renews under the same ARN: another serial, the same owner, and the success is told', async () => {
      await subject.exportOnce(firstArn());
      const before = await subject.authority.describe(firstArn());
      if (before === undefined) throw new Error('the subject has no first certificate');
      expect(await subject.authority.renew(firstArn())).toBe('asked');
      const pace = { clock: () => new Date(), sleep, random: () => 0 };
      const deadlineAt = new Date(Date.now() + 4_000);
      const after = await waitForSuccessor({ authority: subject.authority, pace }, before, deadlineAt);
      expect(after.serial).not.toBe(before.serial);
      expect(after).toMatchObject({
        status: 'ISSUED',
        owner: before.owner,
        renewal: { status: 'SUCCESS', updatedAt: expect.any(Date) },
      });
    });
  });
}
