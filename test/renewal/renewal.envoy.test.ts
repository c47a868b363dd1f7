import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CreatePermissionCommand, DeletePermissionCommand } from '@aws-sdk/client-acm-pca';
import { createHandler as createExporter } from '../../cert-exporter/handler.ts';
import { AcmCertificateSource } from '../../cert-exporter/adapters/acm.ts';
import { SecretsManagerStore } from '../../cert-exporter/adapters/secrets-manager.ts';
import {
  createHierarchy,
  requestNodeCertificate,
  type CreatedHierarchy,
} from '../../operator/ca/private-ca.ts';
import { secretNames } from '../../pki/secret.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import { AcmCertificateAuthority } from '../../renewal/adapters/acm.ts';
import { createHandler, type RenewalHandler } from '../../renewal/handler.ts';
import { certificateAuthorityContract } from '../contracts/certificate-authority.contract.ts';
import { captureLog } from '../fakes/captured-log.ts';
import { withEmulator } from '../support/emulator.ts';

const clients = withEmulator();

let hierarchy: CreatedHierarchy;

beforeAll(async () => {
  hierarchy = await createHierarchy(clients(), {
    rootCommonName: 'clients root',
    subordinateCommonName: 'clients issuing',
    rootValidityDays: 3650,
    subordinateValidityDays: 1825,
    tags: [],
  });
});

async function request(mesh: string, node: string): Promise<string> {
  return requestNodeCertificate(clients(), {
    mesh,
    node,
    role: 'client',
    domainName: `${node}.${mesh}.internal`,
    alternativeNames: [],
    subordinateArn: hierarchy.subordinateArn,
  });
}

certificateAuthorityContract(async () => {
  const onePerPage = 1;
  return {
    authority: new AcmCertificateAuthority(clients().acm, onePerPage),
    meshName: 'contract',
    ownedArns: [
      await request('contract', 'order'),
      await request('contract', 'paybill'),
      await request('contract', 'outsider'),
    ],
    foreignArns: [await request('other', 'order'), await request('', 'order')],
    unknownArn: 'arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000',
    exportOnce: async (certificateArn) => {
      const source = new AcmCertificateSource(clients().acm);
      await source.export(certificateArn, new Sensitive('a-passphrase-of-the-contract'));
    },
  };
});

async function publishedSerial(): Promise<string | undefined> {
  const store = new SecretsManagerStore(clients().secretsManager);
  return (await store.currentCertificate(secretNames('tokenmesh', 'order', 'client').certificate))?.serial;
}

describe('the renewal’s handler', () => {
  const log = captureLog();
  let handler: RenewalHandler;
  let certificateArn: string;

  beforeAll(async () => {
    const wiring = { ...clients(), meshName: 'tokenmesh', clock: () => new Date(), logger: log.logger };
    handler = createHandler({ ...wiring, sleep, random: Math.random });
    certificateArn = await request('tokenmesh', 'order');
    await createExporter(wiring)({ certificateArn });
  });

  function event(source: string, detailType: string, detail: Record<string, unknown> = {}): unknown {
    const time = new Date().toISOString();
    return { source, 'detail-type': detailType, time, resources: [certificateArn], detail };
  }

  const rotate = (detail?: Record<string, unknown>): unknown =>
    event('tokenmesh.operator', 'Certificate Rotation Requested', detail);

  const warn = (daysToExpiry: number): unknown =>
    event('aws.acm', 'ACM Certificate Approaching Expiration', { DaysToExpiry: daysToExpiry });

  it('rotates at an operator’s request, and only once when it comes twice', async () => {
    const before = await publishedSerial();
    const requested = rotate({ expectedSerial: before });
    const { results } = await handler(requested);
    const after = await publishedSerial();
    expect(after).not.toBe(before);
    expect(results[0]).toMatchObject({ decision: 'renew', serialBefore: before, serialAfter: after });
    expect((await handler(requested)).results[0]).toMatchObject({ decision: 'keep', serialAfter: after });
  });

  it('takes a request without a serial, twice, for one', async () => {
    const requested = rotate();
    await handler(requested);
    const after = await publishedSerial();
    expect((await handler(requested)).results[0]).toMatchObject({ decision: 'keep', serialAfter: after });
  });

  it('renews at a warning that is true, and keeps at one that is not', async () => {
    expect((await handler(warn(45))).results[0]?.decision).toBe('keep');
    expect((await handler(warn(395))).results[0]?.decision).toBe('renew');
  });

  it('exports at the event that follows ACM’s own renewal, and at a reconcile when that event was lost', async () => {
    const authority = new AcmCertificateAuthority(clients().acm);
    const available = event('aws.acm', 'ACM Certificate Available', { Action: 'RENEWAL' });
    const scheduled = event('aws.events', 'Scheduled Event');
    for (const next of [available, scheduled]) {
      const before = await publishedSerial();
      await authority.renew(certificateArn);
      await expectRenewed(authority, before);
      const { results } = await handler(next);
      expect(results).toEqual([
        expect.objectContaining({
          decision: 'export',
          serialBefore: before,
          serialAfter: expect.any(String),
        }),
      ]);
      expect(await publishedSerial()).not.toBe(before);
    }
    expect((await handler(scheduled)).results[0]?.decision).toBe('keep');
  });

  it('fails with the reason and a remedy when the CA no longer permits ACM, and recovers', async () => {
    const permission = {
      CertificateAuthorityArn: hierarchy.subordinateArn,
      Principal: 'acm.amazonaws.com',
    };
    const before = await publishedSerial();
    await clients().acmPca.send(new DeletePermissionCommand(permission));
    await expect(handler(rotate())).rejects.toMatchObject({
      code: 'ERR_RENEWALS_FAILED',
      message: expect.stringMatching(/order\/client: .*PCA_ACCESS_DENIED.*CreatePermission/),
    });
    expect(await publishedSerial()).toBe(before);
    expect(log.lines()).toContainEqual(
      expect.objectContaining({ alarm: 'the renewal of the certificate failed', certificateArn }),
    );
    const actions = ['IssueCertificate', 'GetCertificate', 'ListPermissions'] as const;
    await clients().acmPca.send(new CreatePermissionCommand({ ...permission, Actions: [...actions] }));
    expect((await handler(rotate())).results[0]).toMatchObject({ decision: 'renew' });
    expect(await publishedSerial()).not.toBe(before);
  });

  it('refuses an event it does not know', async () => {
    await expect(handler(event('aws.acm', 'ACM Certificate Revoked'))).rejects.toMatchObject({
      code: 'ERR_EVENT_INVALID',
    });
  });

  it('stops waiting before the time that Lambda leaves it is over', async () => {
    const context = { getRemainingTimeInMillis: () => 15_000 };
    await expect(handler(rotate(), context)).rejects.toMatchObject({
      message: expect.stringContaining('not finished'),
    });
  });
});

async function expectRenewed(authority: AcmCertificateAuthority, before: string | undefined): Promise<void> {
  const listed = await authority.list('tokenmesh');
  const deadline = Date.now() + 5_000;
  while ((await authority.describe(listed[0] ?? ''))?.serial === before && Date.now() < deadline) {
    await sleep(20);
  }
}
