/**
 * A card that is encrypted at the edge, ordered with and paid: through the gateway, the order app and the
 * tokenizer, and in the clear nowhere but where it is charged.
 *
 * @module
 */

import { createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import { request } from 'undici';
import type { EdgeConfig } from '../../edge/config.ts';
import { ORDER_ROUTES } from '../../edge/order-routes.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { marksIn } from '../../sidecar/tokenizer/core/marks/mark.ts';
import { edgeConfigOf, edgeEvent, throughEdge } from '../support/edge-request.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';
import { shopOf } from '../../local/shop-of.ts';

const PAN = '4000056655665556';
const HOLDER = 'Zoë Nobody';
const ORDER = {
  items: [{ sku: 'tea-pot', quantity: 1, unitPriceCents: 2599 }],
  currency: 'EUR',
  card: { number: PAN, expiry: '12/30', holder: HOLDER },
};
const suite = meshOfSuite();

/** The edge as it is deployed: with the public half of the key that the tokenizer was given. */
async function edgeOfRun(): Promise<EdgeConfig> {
  const { kms } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  const { PublicKey, KeyId = '' } = await kms.send(
    new GetPublicKeyCommand({ KeyId: 'alias/tokenmesh-edge' }),
  );
  const publicKey = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
  return edgeConfigOf({ keyId: KeyId.slice(KeyId.indexOf('/') + 1), publicKey }, ORDER_ROUTES);
}

async function throughGateway(
  path: string,
  body: string,
): Promise<{ status: number; document: Record<string, unknown> }> {
  const { dispatcher, gatewayUrl, token } = await shopOf(suite.state);
  const answer = await request(`${gatewayUrl}${path}`, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  });
  const document = (await answer.body.json()) as Record<string, unknown>;
  await dispatcher.close();
  return { status: answer.statusCode, document };
}

describe('a card that is encrypted at the edge', () => {
  it('is ordered with and paid, and no service on the way has seen it', async () => {
    const outcome = throughEdge(await edgeOfRun(), edgeEvent(JSON.stringify(ORDER)));
    const body = 'body' in outcome ? outcome.body : '';
    expect(marksIn(body)).toHaveLength(3);
    for (const secret of [PAN, HOLDER, '12/30']) expect(body).not.toContain(secret);
    const placed = await throughGateway('/orders', body);
    expect(placed).toMatchObject({
      status: 201,
      document: { status: 'PLACED', card: { scheme: 'unknown', lastFour: '****' } },
    });
    const paid = await throughGateway('/payments', JSON.stringify({ orderId: placed.document['orderId'] }));
    expect(paid).toMatchObject({ status: 200, document: { status: 'PAID' } });
    const logs = readdirSync(join(suite.state.directory), { recursive: true })
      .map((file) => join(suite.state.directory, String(file)))
      .filter((file) => file.endsWith('.log'));
    expect(logs.length).toBeGreaterThan(5);
    for (const log of logs) expect(readFileSync(log, 'utf8')).not.toContain(PAN);
  }, 60_000);

  it('is turned back by who may see it from any text, and tokenized out of any text, through Envoy', async () => {
    const outcome = throughEdge(await edgeOfRun(), edgeEvent(JSON.stringify(ORDER)));
    const [mark] = marksIn('body' in outcome ? outcome.body : '');
    const text = `a line of a log with ${mark?.text} in it`;
    const seen = await callAs(suite.state, 'paybill', 'POST', '/v1/text/detokenize', { text });
    expect(seen.document['text']).toBe(`a line of a log with ${PAN} in it`);
    expect((await callAs(suite.state, 'order', 'POST', '/v1/text/detokenize', { text })).status).toBe(403);
    const tokenized = await callAs(suite.state, 'order', 'POST', '/v1/text/tokenize', { text });
    expect(tokenized.document['text']).toMatch(/^a line of a log with tkn_\w+ in it$/);
    const back = await callAs(suite.state, 'paybill', 'POST', '/v1/text/detokenize', {
      text: tokenized.document['text'],
    });
    expect(back.document['text']).toBe(`a line of a log with ${PAN} in it`);
  }, 60_000);

  it('is what the command makes of an order, for anybody who has the public key', async () => {
    const made = await mesh(suite.run, ['edge', '-'], JSON.stringify(ORDER));
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(marksIn(made.stdout)).toHaveLength(3);
    expect(await throughGateway('/orders', made.stdout)).toMatchObject({ status: 201 });
    const ssn = await mesh(suite.run, ['edge', '-', '--field', 'ssn=ssn'], '{"ssn":"123-45-6789"}');
    const back = await callAs(suite.state, 'paybill', 'POST', '/v1/text/detokenize', {
      json: JSON.parse(ssn.stdout) as unknown,
      purpose: 'identity-check',
    });
    expect(back.document['json']).toEqual({ ssn: '123-45-6789' });
    const refused = await mesh(suite.run, ['edge', '-'], '{"card":{"number":true}}');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('refuses it with 400') });
    expect((await mesh(suite.run, ['edge', '-', '--field', 'ssn'], '{}')).code).toBe(2);
  }, 60_000);
});
