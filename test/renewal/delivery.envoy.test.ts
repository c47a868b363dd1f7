/**
 * The renewal's real handler against the emulated AWS, delivered as Lambda delivers: events that come twice,
 * late, in the wrong order or not at all, and an AWS that is slow, throttled, or no longer permits it.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ACMClient, DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { CreatePermissionCommand, DeletePermissionCommand, ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { CONTROL_PATH_CLIENT } from '../../cert-exporter/adapters/clients.ts';
import { createHandler as createExporter } from '../../cert-exporter/handler.ts';
import { invokeAsynchronously, RETRY_AFTER_MS, type Delivery } from '../../local/asynchronous-invocation.ts';
import {
  createDeadLetterQueue,
  RENEWAL_DEAD_LETTERS,
  sqsDeadLetters,
  takeDeadLetters,
} from '../../local/aws/dead-letter-queue.ts';
import { startFaultyAws, type FaultyAws } from '../../local/faulty-aws.ts';
import {
  createHierarchy,
  requestNodeCertificate,
  type CreatedHierarchy,
} from '../../operator/ca/private-ca.ts';
import { normalizeSerial } from '../../pki/secret.ts';
import { openPrivateKey } from '../../pki/private-key.ts';
import type { CertificateMeasures } from '../../renewal/ports.ts';
import { createHandler, type InvocationContext, type RenewalHandler } from '../../renewal/handler.ts';
import type { RenewalReport } from '../../renewal/renew.ts';
import { secretsManagerSource } from '../../sidecar/envoy/adapters/secrets-manager-source.ts';
import { captureLog } from '../fakes/captured-log.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../support/emulated-aws.ts';

const DEADLINE_MS = 60_000;
const DAY_MS = 86_400_000;
const MESH = 'tokenmesh';
const ARN_PLACE = { node: 'order', role: 'client' } as const;

let aws: EmulatedAws;
let faulty: FaultyAws;
let acm: ACMClient;
let acmPca: ACMPCAClient;
let secretsManager: SecretsManagerClient;
let sqs: SQSClient;
let deadLetterUrl: string;
let hierarchy: CreatedHierarchy;
let certificateArn: string;
let log: ReturnType<typeof captureLog>;
let measured: (CertificateMeasures & { node: string | undefined })[];
/** What the handler takes for now. */
let now: () => Date;
let waits: number[];

beforeAll(async () => {
  aws = await startEmulatedAws();
  faulty = await startFaultyAws(aws.endpointUrl);
  const config = { ...aws.clientConfig, endpoint: faulty.endpoint };
  acm = new ACMClient({ ...CONTROL_PATH_CLIENT, ...config });
  acmPca = new ACMPCAClient(config);
  secretsManager = new SecretsManagerClient({ ...CONTROL_PATH_CLIENT, ...config });
  sqs = new SQSClient(config);
  deadLetterUrl = await createDeadLetterQueue(sqs, RENEWAL_DEAD_LETTERS);
  hierarchy = await createHierarchy(
    { acm, acmPca },
    {
      ...{ rootCommonName: 'clients root', subordinateCommonName: 'clients issuing' },
      ...{ rootValidityDays: 3650, subordinateValidityDays: 1825, tags: [] },
    },
  );
  certificateArn = await requestNodeCertificate(
    { acm, acmPca },
    {
      ...{ mesh: MESH, ...ARN_PLACE, domainName: 'order.tokenmesh.internal', alternativeNames: [] },
      subordinateArn: hierarchy.subordinateArn,
    },
  );
  const wiring = {
    acm,
    secretsManager,
    meshName: MESH,
    clock: () => new Date(),
    logger: captureLog().logger,
  };
  await createExporter(wiring)({ certificateArn });
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  for (const client of [acm, acmPca, secretsManager, sqs]) client.destroy();
  await faulty.stop();
  await aws.stop();
});

beforeEach(() => {
  log = captureLog();
  measured = [];
  waits = [];
  now = () => new Date();
});

function handler(): RenewalHandler {
  return createHandler({
    ...{ acm, secretsManager, meshName: MESH, logger: log.logger },
    clock: () => now(),
    sleep: async (ms) => await sleep(ms),
    random: () => 0.5,
    metrics: { record: (measures, owner) => void measured.push({ ...measures, node: owner?.node }) },
  });
}

/** As EventBridge and Lambda do; the minutes between the tries are told and not waited for. */
async function deliver(
  event: unknown,
  invoke: (event: unknown, attempt: number) => Promise<RenewalReport> = async (each) => handler()(each),
): Promise<Delivery<RenewalReport>> {
  let attempt = 0;
  return await invokeAsynchronously(
    {
      handler: async (each: unknown) => await invoke(each, (attempt += 1)),
      deadLetters: sqsDeadLetters(sqs, deadLetterUrl),
      sleep: async (ms) => {
        waits.push(ms);
        await sleep(300);
      },
    },
    event,
  );
}

function event(detailType: string, detail: Record<string, unknown> = {}, source = 'aws.acm'): unknown {
  return {
    source,
    'detail-type': detailType,
    time: now().toISOString(),
    resources: [certificateArn],
    detail,
  };
}

const warning = (daysToExpiry = 45): unknown =>
  event('ACM Certificate Approaching Expiration', { DaysToExpiry: daysToExpiry });
const available = (): unknown => event('ACM Certificate Available', { Action: 'RENEWAL' });
const schedule = (): unknown => event('Scheduled Event', {}, 'aws.events');

/** So that 44 days are left of what there is. */
function shortBeforeItsEnd(): void {
  now = () => new Date(Date.now() + 351 * DAY_MS);
}

async function issuedSerial(): Promise<string> {
  const { Certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn: certificateArn }));
  return normalizeSerial(Certificate?.Serial ?? '');
}

/** What the node is given: the serial, once its key has been opened with the passphrase that goes with it. */
async function givenSerial(): Promise<string> {
  const { secret, passphrase } = await secretsManagerSource(secretsManager, MESH, 'order').certificate(
    'client',
  );
  expect(openPrivateKey({ pem: secret.encryptedPrivateKey, passphrase }).outcome).toBe('opened');
  return secret.serial;
}

const letters = async () => await takeDeadLetters(sqs, RENEWAL_DEAD_LETTERS);

const lambdaWith = (remainingMs: number): InvocationContext => ({
  getRemainingTimeInMillis: () => remainingMs,
});

describe('events', () => {
  it(
    'of which two copies come at once lead to one successor, published whole',
    async () => {
      const before = await issuedSerial();
      shortBeforeItsEnd();
      const copies = await Promise.all([warning(), warning()].map(async (each) => await deliver(each)));
      expect(copies.map(({ outcome }) => outcome)).toEqual(['handled', 'handled']);
      const after = await issuedSerial();
      expect(after).not.toBe(before);
      expect(await givenSerial()).toBe(after);
      expect(await letters()).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'that come in the wrong order, late and twice do no more than the first of them',
    async () => {
      const before = await issuedSerial();
      shortBeforeItsEnd();
      await deliver(warning(44));
      const after = await issuedSerial();
      expect(after).not.toBe(before);
      now = () => new Date();
      const renewals = faulty.calls('RenewCertificate');
      const late = [
        available(),
        warning(44),
        warning(45),
        event('ACM Certificate Renewal Action Required', { DaysToExpiry: 44 }),
        event('ACM Certificate Expired'),
        available(),
      ];
      for (const each of late) {
        const delivery = await deliver(each);
        expect(delivery).toMatchObject({ outcome: 'handled', result: { results: [{ decision: 'keep' }] } });
      }
      expect(faulty.calls('RenewCertificate')).toBe(renewals);
      expect(await issuedSerial()).toBe(after);
      expect(await givenSerial()).toBe(after);
      expect(log.lines().filter((line) => 'alarm' in line)).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'that are lost are made up for by the daily reconcile, which says how long the successor waited',
    async () => {
      const before = await issuedSerial();
      shortBeforeItsEnd();
      expect(await deliver(schedule())).toMatchObject({
        result: { results: [{ decision: 'renew', serialBefore: before }] },
      });
      expect(await givenSerial()).toBe(await issuedSerial());
      expect(measured).toEqual([expect.objectContaining({ node: 'order', failures: 0 })]);
      expect(measured[0]?.daysLeft).toBe(43);
      now = () => new Date();
      expect(await deliver(schedule())).toMatchObject({ result: { results: [{ decision: 'keep' }] } });
      expect(measured[1]).toEqual({ node: 'order', daysLeft: 394, rotationLagSeconds: 0, failures: 0 });
    },
    DEADLINE_MS,
  );

  it(
    'that say a person is needed raise an alarm, and are not delivered again',
    async () => {
      shortBeforeItsEnd();
      const required = event('ACM Certificate Renewal Action Required', {
        DaysToExpiry: 44,
        RenewalStatusReason: 'PCA_INVALID_STATE',
      });
      expect(await deliver(required)).toMatchObject({ outcome: 'handled', tries: 1 });
      now = () => new Date(Date.now() + 400 * DAY_MS);
      expect(await deliver(event('ACM Certificate Expired'))).toMatchObject({ outcome: 'handled', tries: 1 });
      expect(log.lines().flatMap(({ alarm }) => (alarm === undefined ? [] : [alarm]))).toEqual([
        'the certificate was not renewed and waits for a person',
        'the certificate has expired',
      ]);
    },
    DEADLINE_MS,
  );

  it(
    'that nobody can read end in the dead-letter queue as they came, after three tries',
    async () => {
      const unreadable = event('ACM Certificate Forgotten');
      expect(await deliver(unreadable)).toMatchObject({ outcome: 'dead-lettered', tries: 3 });
      expect(waits).toEqual(RETRY_AFTER_MS);
      expect(await letters()).toEqual([
        expect.objectContaining({
          event: unreadable,
          errorMessage: expect.stringContaining('event is not valid'),
        }),
      ]);
    },
    DEADLINE_MS,
  );
});

/** @param times - By default until it is lifted. */
function throttle(action: string, times = Number.POSITIVE_INFINITY): () => number {
  return faulty.set({ action, times, harm: { answer: 'ThrottlingException' } });
}

describe('an ACM', () => {
  it(
    'that is slow to issue is waited for until Lambda’s time is over, and the next try exports what came meanwhile',
    async () => {
      const before = await issuedSerial();
      shortBeforeItsEnd();
      const renewals = faulty.calls('RenewCertificate');
      const delivery = await deliver(warning(), async (each, attempt) =>
        handler()(each, attempt === 1 ? lambdaWith(15_050) : undefined),
      );
      expect(delivery).toMatchObject({
        ...{ outcome: 'handled', tries: 2 },
        result: { results: [{ decision: 'export', serialBefore: before }] },
      });
      expect(faulty.calls('RenewCertificate')).toBe(renewals + 1);
      expect(await givenSerial()).toBe(await issuedSerial());
      expect(measured.map(({ failures }) => failures)).toEqual([1, 0]);
    },
    DEADLINE_MS,
  );

  it(
    'that throttles for a moment is asked again within the same run',
    async () => {
      const before = await issuedSerial();
      shortBeforeItsEnd();
      throttle('RenewCertificate', 2);
      throttle('ExportCertificate', 1);
      expect(await deliver(warning())).toMatchObject({ outcome: 'handled', tries: 1 });
      expect(await givenSerial()).not.toBe(before);
    },
    DEADLINE_MS,
  );

  it(
    'that throttles on and on leaves what is published, and the event in the dead-letter queue, from where it works later',
    async () => {
      const before = await givenSerial();
      shortBeforeItsEnd();
      const lift = throttle('RenewCertificate');
      const warned = warning();
      expect(await deliver(warned)).toMatchObject({ outcome: 'dead-lettered', tries: 3 });
      lift();
      expect(await givenSerial()).toBe(before);
      expect(measured).toEqual(Array.from({ length: 3 }, () => ({ node: 'order', failures: 1 })));
      const [letter, ...others] = await letters();
      expect(others).toEqual([]);
      expect(letter).toMatchObject({ event: warned, errorMessage: expect.stringContaining('Throttling') });
      expect(await deliver(letter?.event)).toMatchObject({ outcome: 'handled' });
      expect(await givenSerial()).not.toBe(before);
    },
    DEADLINE_MS,
  );

  it(
    'that the CA no longer permits fails with an alarm that says what to do, and the next reconcile mends it',
    async () => {
      const before = await givenSerial();
      const permission = {
        CertificateAuthorityArn: hierarchy.subordinateArn,
        Principal: 'acm.amazonaws.com',
      };
      await acmPca.send(new DeletePermissionCommand(permission));
      shortBeforeItsEnd();
      expect(await deliver(warning())).toMatchObject({ outcome: 'dead-lettered' });
      expect(await givenSerial()).toBe(before);
      expect(log.lines()).toContainEqual(
        expect.objectContaining({
          alarm: 'the renewal of the certificate failed',
          remedy: expect.stringContaining('CreatePermission'),
        }),
      );
      expect(await letters()).toHaveLength(1);
      const actions = ['IssueCertificate', 'GetCertificate', 'ListPermissions'] as const;
      await acmPca.send(new CreatePermissionCommand({ ...permission, Actions: [...actions] }));
      expect(await deliver(schedule())).toMatchObject({ result: { results: [{ decision: 'renew' }] } });
      expect(await givenSerial()).toBe(await issuedSerial());
      expect(await givenSerial()).not.toBe(before);
    },
    DEADLINE_MS,
  );
});
