import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PREPARE_DEADLINE_MS } from '../../support/emulated-aws.ts';
import { rowsOf, startEmulatedVault, type EmulatedVault } from '../../support/emulated-vault.ts';
import { startTokenizerProcess, type TokenizerProcess } from '../../support/tokenizer-process.ts';

const PAN = '4111111111111111';
const CARD = { fields: { card: { class: 'pan', value: PAN } } };

let vault: EmulatedVault;
let tokenizer: TokenizerProcess;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop']);
  tokenizer = await startTokenizerProcess(vault);
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  await tokenizer.stop();
  await vault.stop();
});

async function newToken(body: object = CARD): Promise<string> {
  const answer = await tokenizer.send('order', 'POST', '/v1/tokens', body);
  expect(answer.status).toBe(201);
  return (answer.body as { token: string }).token;
}

describe('the tokenizer, as a process over DynamoDB and KMS', () => {
  it('is ready, on a socket for its owner alone', async () => {
    expect(await tokenizer.send('outsider', 'GET', '/readyz')).toMatchObject({ status: 200 });
    expect((await stat(tokenizer.socketPath)).mode & 0o777).toBe(0o600);
  });

  it('turns a card into a token and back', async () => {
    const token = await newToken();
    expect(await tokenizer.send('paybill', 'POST', '/v1/detokenize', { token })).toMatchObject({
      status: 200,
      body: { fields: { card: { value: PAN, form: 'plain' } } },
    });
  });

  it('turns a thousand cards into tokens and back, in two requests', async () => {
    const items = Array.from({ length: 1000 }, () => CARD);
    const made = await tokenizer.send('order', 'POST', '/v1/tokens/batch', { items });
    const tokens = (made.body as { results: { token: string }[] }).results.map(({ token }) => ({ token }));
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(1000);
    const back = await tokenizer.send('paybill', 'POST', '/v1/detokenize/batch', { items: tokens });
    const { results } = back.body as { results: { fields: { card: { value: string } } }[] };
    expect(results.map(({ fields }) => fields.card.value)).toEqual(items.map(() => PAN));
  }, 30_000);

  it('refuses a token once its time is over', async () => {
    // Long enough that a busy machine still reads it in time.
    const token = await newToken({ ...CARD, ttlSeconds: 6 });
    expect((await tokenizer.send('order', 'GET', `/v1/tokens/${token}`)).status).toBe(200);
    await sleep(6_050);
    const expired = { status: 410, body: { code: 'ERR_TOKEN_EXPIRED' } };
    expect(await tokenizer.send('order', 'GET', `/v1/tokens/${token}`)).toMatchObject(expired);
    expect(await tokenizer.send('paybill', 'POST', '/v1/detokenize', { token })).toMatchObject(expired);
  });

  it('deletes a token for good', async () => {
    const token = await newToken();
    expect((await tokenizer.send('order', 'DELETE', `/v1/tokens/${token}`)).status).toBe(204);
    expect((await tokenizer.send('order', 'DELETE', `/v1/tokens/${token}`)).status).toBe(404);
    expect((await tokenizer.send('paybill', 'POST', '/v1/detokenize', { token })).status).toBe(404);
  });

  it('leaves the card number in no item of the table and no line of its log', async () => {
    const token = await newToken();
    const rows = await rowsOf(vault.dynamodb, vault.tokensTableName);
    const bytes = rows
      .flatMap((item) => Object.values(item['fields']?.M ?? {}))
      .map((field) => {
        return Buffer.from(field.M?.['message']?.B ?? []).toString('latin1');
      });
    const stored = JSON.stringify(rows) + bytes.join('');
    expect(stored).toContain(token);
    expect(stored).not.toContain(PAN);
    expect(tokenizer.log()).toContain('"route":"/v1/tokens"');
    expect(tokenizer.log()).not.toContain(PAN.slice(0, 6));
    expect(tokenizer.log()).not.toContain(token);
  });
});

describe('the tokenizer, where AWS takes every connection and never answers', () => {
  const held = new Set<Socket>();
  const silence = createServer((socket) => held.add(socket.on('error', () => undefined)));
  let unlucky: TokenizerProcess | undefined;

  beforeAll(async () => {
    await once(silence.listen(0, '127.0.0.1'), 'listening');
    const { port } = silence.address() as AddressInfo;
    unlucky = await startTokenizerProcess(vault, { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
  });
  afterAll(async () => {
    await unlucky?.stop();
    for (const socket of held) socket.destroy();
    silence.close();
  });

  it.each([
    ['order', '/v1/tokens', CARD, 'ERR_KEY_UNAVAILABLE'],
    ['order', '/v1/tokens/batch', { items: [CARD, CARD] }, 'ERR_KEY_UNAVAILABLE'],
    [
      'paybill',
      '/v1/detokenize',
      { token: 'tkn_bcdfghjklmnpqrstbcdfghjklmnpqrstpgrkclqk' },
      'ERR_STORE_UNAVAILABLE',
    ],
  ])(
    'answers %s %s with 503 within five seconds',
    async (node, path, body, code) => {
      const startedAt = performance.now();
      const answer = await unlucky?.send(node, 'POST', path, body);
      expect(answer).toMatchObject({ status: 503, body: { code }, headers: { 'retry-after': '1' } });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    },
    20_000,
  );
});

describe('the end of the tokenizer', () => {
  it('comes at SIGTERM, with code 0', async () => {
    expect(await (await startTokenizerProcess(vault)).stop()).toBe(0);
  });

  it('comes at once where it is told too little, with every problem in the log', async () => {
    const refused = await startTokenizerProcess(vault, { TOKENMESH_KMS_KEY_ARN: 'vault', AWS_REGION: '' });
    expect(refused.log()).toContain('ERR_CONFIG_INVALID');
    expect(refused.log()).toMatch(/TOKENMESH_KMS_KEY_ARN.*AWS_REGION/);
    expect(await refused.stop()).toBe(1);
  });
});
