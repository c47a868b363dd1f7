import { createSecretKey, randomUUID } from 'node:crypto';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { Charges, type Charge } from '../../../local/processor/charges.ts';
import { listenWithTls, type HttpsListener } from '../../../local/processor/https.ts';
import { createProcessorServer } from '../../../local/processor/routes.ts';
import { TEST_CARDS, testCard } from '../../../sample-apps/test-cards.ts';
import { captureLog } from '../../fakes/captured-log.ts';
import { clearKey, issueLeaf, createTestHierarchy } from '../../support/issue-certificate.ts';

const NAME = 'processor.example';
const PAN = testCard('mastercard', 16).number;
const log = captureLog();

let listener: HttpsListener;
let agent: Agent;
let root: string;

beforeAll(async () => {
  const hierarchy = await createTestHierarchy('processor');
  const leaf = await issueLeaf(hierarchy.subordinate, NAME);
  root = hierarchy.root.certificate;
  const charges = new Charges({
    fingerprintKey: createSecretKey(Buffer.alloc(32, 7)),
    newId: () => `ch_${randomUUID()}`,
    newAuthorization: () => 'A1B2C3',
  });
  const server = createProcessorServer({
    charges,
    logger: log.logger,
    now: () => new Date('2026-05-01T10:00:00Z'),
  });
  const certificate = leaf.certificate + hierarchy.subordinate.certificate;
  listener = await listenWithTls(server, { certificate, key: clearKey(leaf.key), port: 0 });
  agent = new Agent({ connect: { ca: root, servername: NAME } });
});

afterAll(async () => {
  await agent.close();
  await listener.close();
});

async function call(
  method: 'GET' | 'POST',
  path: string,
  options: { headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; type: string; text: string }> {
  const answer = await request(`https://127.0.0.1:${listener.port}${path}`, {
    dispatcher: agent,
    method,
    ...options,
  });
  return {
    status: answer.statusCode,
    type: String(answer.headers['content-type']),
    text: await answer.body.text(),
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

function charge(number: string, key: string = randomUUID(), amountCents = 2599): ReturnType<typeof call> {
  const body = { card: { number, expiry: '12/39', holder: 'Ada Example' }, amountCents, currency: 'EUR' };
  return call('POST', '/charges', {
    headers: { ...JSON_TYPE, 'idempotency-key': key },
    body: JSON.stringify(body),
  });
}

describe('stand-in processor, over TLS', () => {
  it('charges a card and shows it masked', async () => {
    const answer = await charge(PAN);
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 'approved',
      authorization: 'A1B2C3',
      card: { scheme: 'mastercard', masked: `************${PAN.slice(-4)}` },
    });
  });

  it('answers the same charge to the same request, and 409 to another under its key', async () => {
    const key = randomUUID();
    const first = await charge(PAN, key);
    const again = await charge(PAN, key);
    expect(again).toEqual({ ...first, status: 200 });
    const other = await charge(PAN, key, 1);
    expect(JSON.parse(other.text)).toMatchObject({ status: 409, code: 'ERR_IDEMPOTENCY_KEY_REUSED' });
  });

  it('declines with 201', async () => {
    const answer = await charge(PAN, randomUUID(), 113);
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 'declined', authorization: null });
  });

  it('lists its charges masked, and neither shows nor logs a number', async () => {
    for (const { number } of TEST_CARDS) {
      expect((await charge(number)).status).toBe(201);
    }
    const listed = await call('GET', '/charges');
    const { charges } = JSON.parse(listed.text) as { charges: Charge[] };
    expect(charges.length).toBeGreaterThanOrEqual(TEST_CARDS.length);
    for (const { number } of TEST_CARDS) {
      expect(listed.text).not.toContain(number.slice(0, 6));
      expect(log.text()).not.toContain(number.slice(0, 6));
    }
  });

  it.each([
    ['no idempotency key', JSON_TYPE, JSON.stringify({ card: {} }), 'ERR_REQUEST_INVALID'],
    ['no card', { ...JSON_TYPE, 'idempotency-key': 'k' }, '{}', 'ERR_REQUEST_INVALID'],
    [
      'a body that is not JSON',
      { ...JSON_TYPE, 'idempotency-key': 'k' },
      `{"number":${PAN}`,
      'ERR_BODY_NOT_JSON',
    ],
  ])('refuses %s, without quoting it', async (_what, headers, body, code) => {
    const answer = await call('POST', '/charges', { headers, body });
    expect(answer.type).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 400, code });
    expect(answer.text + log.text()).not.toContain(PAN.slice(0, 6));
  });

  it('proves its name by the certificate that it was given', async () => {
    const socket = connect({ host: '127.0.0.1', port: listener.port, ca: root, servername: NAME });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    expect(socket.getPeerCertificate().subjectaltname).toBe(`DNS:${NAME}`);
    socket.destroy();
  });

  it('refuses TLS 1.1', async () => {
    const socket = connect({
      host: '127.0.0.1',
      port: listener.port,
      ca: root,
      servername: NAME,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });
});
