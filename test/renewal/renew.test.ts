import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportCertificate } from '../../cert-exporter/export.ts';
import { findPublished } from '../../cert-exporter/published.ts';
import type { CertificateOwner } from '../../pki/certificate-owner.ts';
import { secretNames } from '../../pki/secret.ts';
import type { ReceivedEvent } from '../../renewal/event.ts';
import type { Alarm, CertificateMeasures } from '../../renewal/ports.ts';
import {
  runRenewal,
  throwIfAnyFailed,
  type CertificateResult,
  type RenewalPorts,
  type RenewalReport,
} from '../../renewal/renew.ts';
import { FakeAcm } from '../fakes/acm.ts';
import { FakeSecretStore } from '../fakes/secret-store.ts';
import { createTestHierarchy, type TestHierarchy } from '../support/issue-certificate.ts';

const DAY_MS = 86_400_000;
const MESH = 'tokenmesh';

let hierarchy: TestHierarchy;
let acm: FakeAcm;
let store: FakeSecretStore;
let alarms: Alarm[];
let decided: CertificateResult[];
let measured: (CertificateMeasures & { readonly node: string | undefined })[];
let sleeps: number[];
let now: Date;

beforeAll(async () => {
  hierarchy = await createTestHierarchy('clients');
});

beforeEach(() => {
  now = new Date();
  acm = new FakeAcm(hierarchy, () => now);
  store = new FakeSecretStore();
  alarms = [];
  decided = [];
  measured = [];
  sleeps = [];
});

function ports(): RenewalPorts {
  return {
    authority: acm,
    published: { current: ({ mesh, node, role }) => findPublished(store, secretNames(mesh, node, role)) },
    exportCertificate: (certificateArn) =>
      exportCertificate({ source: acm, store }, { certificateArn, meshName: MESH, now }),
    alarms: {
      raise: async (alarm) => {
        alarms.push(alarm);
      },
    },
    metrics: { record: (measures, owner) => void measured.push({ ...measures, node: owner?.node }) },
    pace: {
      clock: () => now,
      sleep: async (ms) => {
        sleeps.push(ms);
        now = new Date(now.getTime() + ms);
      },
      random: () => 0.5,
    },
    onDecision: (result) => decided.push(result),
  };
}

/** A certificate of 395 days, of which `daysLeft` are left. */
async function request(node: string, daysLeft = 394, mesh = MESH): Promise<string> {
  const owner: CertificateOwner = { mesh, node, role: 'client' };
  const notAfter = new Date(now.getTime() + daysLeft * DAY_MS + 60_000);
  const notBefore = new Date(notAfter.getTime() - 395 * DAY_MS);
  return acm.request({ dnsName: `${node}.${mesh}.internal`, owner, notBefore, notAfter });
}

async function publish(certificateArn: string): Promise<void> {
  await ports().exportCertificate(certificateArn);
}

async function run(received: ReceivedEvent, waitMs = 60_000): Promise<RenewalReport> {
  return runRenewal(ports(), received, { meshName: MESH, deadlineAt: new Date(now.getTime() + waitMs) });
}

function rotation(...certificateArns: string[]): ReceivedEvent {
  return { event: { kind: 'rotation-requested', requestedAt: now }, certificateArns };
}

async function publishedSerial(node: string): Promise<string | undefined> {
  return (await store.currentCertificate(secretNames(MESH, node, 'client').certificate))?.serial;
}

describe('a rotation', () => {
  it('renews, publishes the successor, and tells both serials', async () => {
    const arn = await request('order');
    await publish(arn);
    const before = await publishedSerial('order');
    const { results } = await run(rotation(arn));
    const after = await publishedSerial('order');
    expect(after).not.toBe(before);
    expect(results).toEqual([
      expect.objectContaining({
        certificateArn: arn,
        node: 'order',
        role: 'client',
        decision: 'renew',
        serialBefore: before,
        serialAfter: after,
      }),
    ]);
    expect(sleeps).toEqual([]);
  });

  it('exports a certificate that was never exported before it renews it', async () => {
    const arn = await request('order');
    const { results } = await run(rotation(arn));
    expect(acm.exportsMade).toEqual([arn, arn]);
    expect(results[0]).toMatchObject({ decision: 'renew', serialAfter: await publishedSerial('order') });
  });

  it('comes twice and renews once', async () => {
    const arn = await request('order');
    await publish(arn);
    const event = rotation(arn);
    now = new Date(now.getTime() + 2_000);
    await run(event);
    const { results } = await run(event);
    expect(results[0]).toMatchObject({ decision: 'keep' });
    expect(acm.renewalsAsked).toEqual([arn]);
  });

  it('waits for a renewal that is under way already, and asks for no other', async () => {
    const arn = await request('order');
    await publish(arn);
    acm.renewalTakesDescriptions = 3;
    await acm.renew(arn);
    const { results } = await run(rotation(arn));
    expect(results[0]).toMatchObject({ serialAfter: await publishedSerial('order') });
    expect(acm.renewalsAsked).toEqual([arn]);
  });

  it('refuses a certificate that is unknown, and one of another mesh', async () => {
    const foreign = await request('order', 394, 'other');
    const unknown = `${foreign}0`;
    const { results } = await run(rotation(foreign, unknown));
    expect(results.map(({ error }) => error?.code)).toEqual([
      'ERR_CERTIFICATE_NOT_OURS',
      'ERR_CERTIFICATE_UNKNOWN',
    ]);
  });
});

describe('the wait for a successor', () => {
  it('asks at growing intervals, until it is there', async () => {
    const arn = await request('order');
    await publish(arn);
    acm.renewalTakesDescriptions = 5;
    const { results } = await run(rotation(arn));
    expect(results[0]?.error).toBeUndefined();
    expect(sleeps).toHaveLength(5);
    expect(sleeps).toEqual([...sleeps].sort((a, b) => a - b));
    expect(new Set(sleeps).size).toBe(5);
  });

  it('ends at the deadline, never later, and leaves what is published', async () => {
    const arn = await request('order');
    await publish(arn);
    const before = await publishedSerial('order');
    acm.renewalTakesDescriptions = 1_000;
    const start = now.getTime();
    const { results } = await run(rotation(arn), 30_000);
    expect(results[0]?.error?.code).toBe('ERR_RENEWAL_NOT_FINISHED');
    expect(now.getTime() - start).toBe(30_000);
    expect(await publishedSerial('order')).toBe(before);
  });

  it('ends with the reason and a remedy for it when the renewal fails, and raises an alarm', async () => {
    const arn = await request('order');
    await publish(arn);
    acm.renewalTakesDescriptions = 2;
    acm.renewalFailure = 'PCA_ACCESS_DENIED';
    const { results } = await run(rotation(arn));
    expect(results[0]?.error).toMatchObject({
      code: 'ERR_RENEWAL_FAILED',
      message: expect.stringContaining('PCA_ACCESS_DENIED'),
      remedy: expect.stringContaining('CreatePermission'),
    });
    expect(alarms).toEqual([expect.objectContaining({ certificateArn: arn })]);
  });

  it('is not ended by the failure of an earlier renewal', async () => {
    const arn = await request('order', 40);
    await publish(arn);
    const updatedAt = new Date(now.getTime() - DAY_MS);
    acm.setRenewal(arn, { status: 'FAILED', reason: 'PCA_INVALID_STATE', updatedAt });
    acm.renewalTakesDescriptions = 2;
    const { results } = await run({ event: { kind: 'reconcile' }, certificateArns: 'all' });
    expect(results[0]).toMatchObject({ decision: 'renew', serialAfter: await publishedSerial('order') });
  });
});

describe('a reconcile', () => {
  it('does for each certificate of the mesh what is due, and for no other', async () => {
    const young = await request('order');
    const old = await request('paybill', 20);
    const missed = await request('tokenizer');
    await request('order', 394, 'other');
    for (const arn of [young, old, missed]) await publish(arn);
    await acm.renewByItself(missed);
    const { results } = await run({ event: { kind: 'reconcile' }, certificateArns: 'all' });
    expect(results.map(({ node, decision }) => [node, decision])).toEqual([
      ['order', 'keep'],
      ['paybill', 'renew'],
      ['tokenizer', 'export'],
    ]);
    expect(acm.renewalsAsked).toEqual([old]);
    expect(decided).toHaveLength(3);
  });

  it('changes nothing when it runs again', async () => {
    const old = await request('paybill', 10);
    await publish(old);
    await run({ event: { kind: 'reconcile' }, certificateArns: 'all' });
    const writes = store.writes.length;
    const { results } = await run({ event: { kind: 'reconcile' }, certificateArns: 'all' });
    expect(results[0]?.decision).toBe('keep');
    expect(store.writes).toHaveLength(writes);
  });

  it('tries the others when one fails, and then fails, naming it', async () => {
    const broken = await request('order');
    const old = await request('paybill', 10);
    await publish(old);
    acm.spoilExport = (exported) =>
      acm.exportsMade.at(-1) === broken ? { ...exported, certificate: '' } : exported;
    const report = await run({ event: { kind: 'reconcile' }, certificateArns: 'all' });
    expect(report.results.map(({ error }) => error?.code)).toEqual(['ERR_EXPORT_UNUSABLE', undefined]);
    expect(report.results[1]).toMatchObject({
      decision: 'renew',
      serialAfter: await publishedSerial('paybill'),
    });
    expect(() => throwIfAnyFailed(report)).toThrow(
      expect.objectContaining({
        code: 'ERR_RENEWALS_FAILED',
        message: expect.stringMatching(/1 of 2 certificates failed: order\/client: .*not fit/),
      }),
    );
  });
});

describe('an event of ACM’s', () => {
  it('about a certificate of somebody else, or one that is gone, is no fault', async () => {
    const foreign = await request('order', 394, 'other');
    const report = await run({ event: { kind: 'expired' }, certificateArns: [foreign, `${foreign}0`] });
    expect(report.results.map(({ decision }) => decision)).toEqual(['keep', 'keep']);
    expect(alarms).toEqual([]);
    expect(() => throwIfAnyFailed(report)).not.toThrow();
  });

  it('that a certificate expired raises an alarm, changes nothing, and is no failure of the run', async () => {
    const arn = await request('order', -1);
    const report = await run({ event: { kind: 'expired' }, certificateArns: [arn] });
    expect(alarms).toEqual([
      expect.objectContaining({ certificateArn: arn, remedy: expect.stringContaining('request') }),
    ]);
    expect(report.results[0]).toMatchObject({ decision: 'alarm' });
    expect(store.writes).toEqual([]);
    expect(() => throwIfAnyFailed(report)).not.toThrow();
  });

  it('that it is available, twice, exports once', async () => {
    const arn = await request('order');
    await publish(arn);
    const serial = await acm.renewByItself(arn);
    const event: ReceivedEvent = { event: { kind: 'available', action: 'RENEWAL' }, certificateArns: [arn] };
    expect((await run(event)).results[0]).toMatchObject({ decision: 'export', serialAfter: serial });
    expect((await run(event)).results[0]).toMatchObject({ decision: 'keep', serialAfter: serial });
    expect(acm.renewalsAsked).toEqual([]);
  });
});

describe('what is measured', () => {
  it('is how long the one that is published lasts, and that none waited, where nothing was to do', async () => {
    const arn = await request('order', 200);
    await publish(arn);
    await run({ event: { kind: 'reconcile' }, certificateArns: 'all' });
    expect(measured).toEqual([{ node: 'order', daysLeft: 200, rotationLagSeconds: 0, failures: 0 }]);
  });

  it('is how long a successor waited that no event told of', async () => {
    const arn = await request('order');
    await publish(arn);
    await acm.renewByItself(arn);
    now = new Date(now.getTime() + 3_600_000);
    await run({ event: { kind: 'reconcile' }, certificateArns: 'all' });
    expect(measured).toEqual([
      expect.objectContaining({ node: 'order', rotationLagSeconds: 3_600, failures: 0 }),
    ]);
  });

  it('is a failure of that certificate, and of no other', async () => {
    const [failing, fine] = [await request('order', 20), await request('paybill', 200)];
    await publish(failing);
    await publish(fine);
    acm.renewalFailure = 'PCA_INVALID_STATE';
    await run({ event: { kind: 'reconcile' }, certificateArns: 'all' });
    expect(measured).toHaveLength(2);
    expect(measured).toContainEqual({ node: 'order', failures: 1 });
    expect(measured).toContainEqual(expect.objectContaining({ node: 'paybill', failures: 0 }));
  });
});
