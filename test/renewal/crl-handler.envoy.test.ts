import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { denyListSecretName, withDenied, type DenyList } from '../../pki/revocation.ts';
import { changeDenyList } from '../../renewal/adapters/deny-list.ts';
import { createCrlHandler } from '../../renewal/crl-handler.ts';
import { captureLog, type CapturedLog } from '../fakes/captured-log.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../support/emulated-aws.ts';

const MESH = 'tokenmesh';
const SecretId = denyListSecretName(MESH);
const NOW = new Date('2026-06-01T12:00:00Z');
const GENERATED = {
  source: 'aws.acm-pca',
  'detail-type': 'ACM Private CA CRL Generation',
  resources: ['arn:aws:acm-pca:us-east-1:123456789012:certificate-authority/one'],
  detail: { result: 'success' },
};

let aws: EmulatedAws;
let client: SecretsManagerClient;
let log: CapturedLog;

beforeAll(async () => {
  aws = await startEmulatedAws();
  client = new SecretsManagerClient(aws.clientConfig);
  await client.send(new CreateSecretCommand({ Name: SecretId, SecretString: '{"denied":[]}' }));
}, PREPARE_DEADLINE_MS);
afterAll(async () => {
  client?.destroy();
  await aws?.stop();
});
beforeEach(async () => {
  log = captureLog();
  await put({ denied: [] });
});

async function put(list: DenyList): Promise<void> {
  await client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(list) }));
}

async function current(): Promise<DenyList> {
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  return JSON.parse(SecretString) as DenyList;
}

function handler(clock = NOW) {
  return createCrlHandler({ secretsManager: client, meshName: MESH, clock: () => clock, logger: log.logger });
}

function entry(serial: string) {
  const expiresAt = '2099-01-01T00:00:00.000Z';
  return { serial, node: 'order', role: 'client', revokedAt: NOW.toISOString(), expiresAt } as const;
}

describe('the function that hears of new lists', () => {
  it('puts the time on the deny list, and takes nothing off it', async () => {
    await put({ denied: [entry('a1')] });
    await handler()(GENERATED);
    expect(await current()).toEqual({ denied: [entry('a1')], crlsPublishedAt: NOW.toISOString() });
    expect(log.lines()).toMatchObject([{ msg: 'CRL announced', authorities: GENERATED.resources }]);
  });

  it('does not go back in time for an event that comes late', async () => {
    await handler()(GENERATED);
    await handler(new Date('2026-06-01T11:00:00Z'))(GENERATED);
    expect((await current()).crlsPublishedAt).toBe(NOW.toISOString());
  });

  it('raises an alarm for a list that could not be made, and announces nothing', async () => {
    await handler()({ ...GENERATED, detail: { result: 'failure' } });
    expect(await current()).toEqual({ denied: [] });
    expect(log.lines()).toMatchObject([{ alarm: 'a CA could not write its CRL' }]);
  });

  it.each([
    ['nothing', undefined],
    ['of another source', { ...GENERATED, source: 'aws.acm' }],
    ['of another kind', { ...GENERATED, 'detail-type': 'ACM Private CA Creation' }],
    ['without a result', { ...GENERATED, detail: {} }],
  ])('refuses an event that is %s', async (_what, event) => {
    await expect(handler()(event)).rejects.toMatchObject({ code: 'ERR_EVENT_INVALID' });
  });
});

describe('changing the deny list', () => {
  const add = async (serial: string): Promise<void> =>
    await changeDenyList(
      client,
      MESH,
      (list) => withDenied(list, [entry(serial)], NOW),
      (list) => list.denied.some((each) => each.serial === serial),
    );

  it('is done once more where another writer came in between', async () => {
    let reads = 0;
    await changeDenyList(
      client,
      MESH,
      (list) => withDenied(list, [entry('b2')], NOW),
      (list) => {
        reads += 1;
        return reads > 1 && list.denied.some(({ serial }) => serial === 'b2');
      },
    );
    expect(reads).toBe(2);
    expect((await current()).denied.map(({ serial }) => serial)).toEqual(['b2']);
  });

  it('keeps what others wrote', async () => {
    await add('a1');
    await add('b2');
    expect((await current()).denied.map(({ serial }) => serial)).toEqual(['a1', 'b2']);
  });

  it('gives up after a while, and says so', async () => {
    const never = changeDenyList(
      client,
      MESH,
      (list) => list,
      () => false,
    );
    await expect(never).rejects.toMatchObject({ code: 'ERR_DENY_LIST_NOT_WRITTEN' });
  });

  it('refuses to write over a list that it cannot read', async () => {
    await client.send(new PutSecretValueCommand({ SecretId, SecretString: 'garbage' }));
    await expect(add('c3')).rejects.toMatchObject({ code: 'ERR_DENY_LIST_UNUSABLE' });
    await put({ denied: [] });
  });
});
