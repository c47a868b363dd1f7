/**
 * Canaries are sent through every feature of a running mesh, and to every wrong place: then every place that is not
 * for values is searched for them, in plain, hex, base64 and URL form.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { freePort } from '../../local/free-port.ts';
import { bulkClients } from '../../operator/bulk-clients.ts';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { nodeState, type NodeState } from '../../operator/run-state.ts';
import { createEgress } from '../../runtime/egress.ts';
import { CANARIES, placesOf, placesWithCanary, type Place } from '../support/canaries.ts';
import { readEvents } from '../support/dashboard-events.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { mesh } from '../support/running-mesh.ts';
import { shopOf } from '../../local/shop-of.ts';

const DEADLINE_MS = 400_000;

const port = await freePort();
const receiver = await startOtlpReceiver(port);
const suite = meshOfSuite({
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  TOKENMESH_EMF_SECONDS: '1',
  TOKENMESH_LOG_LEVEL: 'debug',
});
// So that a limit of nothing, which every process inherits from here, is seen to be the run's own.
await promisify(execFile)('prlimit', ['--pid', String(process.pid), '--core=unlimited']);
const folder = mkdtempSync(join(tmpdir(), 'tokenmesh-canaries-'));
afterAll(() => {
  receiver.stop();
  rmSync(folder, { recursive: true, force: true });
});

const { card, secondCard, name, email } = CANARIES;
const FIELDS = {
  card: { class: 'pan', value: card },
  holder: { class: 'name', value: name },
  mail: { class: 'email', value: email },
};
const TEXT = `card ${card} of ${name}, ${email}`;

/** What callers and operators were shown that must hold no value, with the name of where. */
const shown: Place[] = [];

type Call = Parameters<typeof callAs> extends [unknown, ...infer Rest] ? Rest : never;

/** Whatever does not answer with values is kept for the search. */
async function call(expected: number | 'any', ...asked: Call): Promise<Record<string, unknown>> {
  const { status, headers, document } = await callAs(suite.state, ...asked);
  const [, , path] = asked;
  if (expected !== 'any' && status !== expected) {
    throw new Error(
      `expected ${expected}, got ${status} ${String(document['code'])} of call ${shown.length}`,
    );
  }
  const isReveal = status < 300 && path.includes('detokenize');
  if (!isReveal)
    shown.push({ name: `answer ${status} to ${asked[0]}`, text: JSON.stringify([headers, document]) });
  return document;
}

async function tokenOf(more: object = {}): Promise<string> {
  const { token } = await call(201, 'order', 'POST', '/v1/tokens', { fields: FIELDS, ...more });
  return String(token);
}

async function operator(words: readonly string[], input = ''): Promise<string> {
  const { stdout, stderr } = await mesh(suite.run, words, input);
  shown.push({ name: `mesh ${words.join(' ')}`, text: stdout + stderr });
  return stdout;
}

describe('a canary', () => {
  it(
    'goes through the life of a token of every kind',
    async () => {
      for (const kind of ['random', 'one-time', 'pointer']) await tokenOf({ kind });
      const one = { fields: { card: { class: 'pan', value: secondCard, searchable: true } } };
      const alone = { fields: { card: { class: 'pan', value: secondCard } } };
      await call(201, 'order', 'POST', '/v1/tokens', { ...alone, kind: 'one-way' });
      await call(201, 'order', 'POST', '/v1/tokens', one);
      await call(201, 'order', 'POST', '/v1/tokens', { ...alone, kind: 'deterministic' });
      await call(201, 'order', 'POST', '/v1/tokens', one, { 'idempotency-key': '"canary-1"' });
      await call(201, 'order', 'POST', '/v1/tokens', one, { 'idempotency-key': '"canary-1"' });
      await call(200, 'order', 'POST', '/v1/tokens/batch', { items: [{ fields: FIELDS }, one] });
      await call(201, 'order', 'PUT', '/v1/references/canary', { fields: FIELDS });
      await call(200, 'order', 'POST', '/v1/values/search', { class: 'pan', value: secondCard });
      await call(200, 'order', 'POST', '/v1/values/tokenized', { class: 'pan', value: secondCard });
      const pointer = await tokenOf({ kind: 'pointer' });
      await call(200, 'order', 'PUT', `/v1/tokens/${pointer}`, { fields: FIELDS });
      const token = await tokenOf();
      await call(200, 'paybill', 'POST', '/v1/detokenize', { token });
      await call(200, 'paybill', 'POST', '/v1/detokenize/batch', { items: [{ token }, { token: pointer }] });
      await call(200, 'order', 'GET', `/v1/tokens/${token}`);
      await call(200, 'order', 'POST', '/v1/tokens/validate', { token });
      await call(200, 'order', 'POST', `/v1/tokens/${token}/archive`);
      await call(410, 'paybill', 'POST', '/v1/detokenize', { token });
      await call(200, 'order', 'POST', `/v1/tokens/${token}/restore`);
      await call(204, 'order', 'DELETE', `/v1/tokens/${token}`);
    },
    DEADLINE_MS,
  );

  it(
    'goes through texts, documents, an order, the edge and the queue',
    async () => {
      // A canary is no card of any scheme, and a name is found by its field alone: in a text both stay, and are no leak.
      const found = `mail of ${email}`;
      const { text } = await call(200, 'order', 'POST', '/v1/text/tokenize', { text: found });
      await call(200, 'paybill', 'POST', '/v1/text/detokenize', { text });
      await call(200, 'order', 'POST', '/v1/text/tokenize', {
        json: { note: [found], mail: email },
      });
      const order = {
        items: [{ sku: 'tea-pot', quantity: 1, unitPriceCents: 2_599 }],
        currency: 'EUR',
        card: { number: card, expiry: '12/30', holder: name },
      };
      await throughGateway(JSON.stringify(order));
      await throughGateway(await operator(['edge', '-'], JSON.stringify(order)));
      const file = join(folder, 'cards.csv');
      writeFileSync(
        file,
        `customer,number,name\n1,${card},${name}\n2,${secondCard},${name}\n3,not-a-card,${name}\n`,
      );
      await operator(['load', file, '--class', 'number=pan', '--keep', 'customer']);
    },
    DEADLINE_MS,
  );

  it(
    'is sent to every wrong place',
    async () => {
      const value = encodeURIComponent(email);
      await call('any', 'order', 'GET', `/v1/tokens/${card}`);
      await call('any', 'order', 'GET', `/v1/tokens/${value}`);
      await call('any', 'order', 'GET', `/${card}/${value}?card=${card}&mail=${value}`);
      await call('any', 'paybill', 'POST', '/v1/detokenize', { token: card, purpose: name });
      await call('any', 'paybill', 'POST', '/v1/detokenize', { token: await tokenOf(), fields: [card] });
      await call('any', 'order', 'PUT', `/v1/references/${card}`, {
        fields: { [card]: { class: card, value: card } },
      });
      for (const wrong of [
        { fields: { card: { class: card, value: card } } },
        { fields: { card: { class: 'pan', value: `${card}x` } } },
        { fields: { card: { class: 'pan', value: [card] } } },
        { fields: { [TEXT]: { class: 'pan', value: card } } },
        { fields: FIELDS, kind: card, format: name },
        { fields: FIELDS, tenant: card },
        { fields: FIELDS, [card]: name },
        { fields: FIELDS, ttlSeconds: card },
        { fields: FIELDS, subject: 'kanarienvogel.quetzal' },
        [TEXT],
        `{"fields": ${TEXT}`,
        TEXT,
      ]) {
        await call('any', 'order', 'POST', '/v1/tokens', wrong);
        await call(
          'any',
          'order',
          'POST',
          '/v1/tokens/batch',
          typeof wrong === 'string' ? wrong : { items: [wrong] },
        );
        await call('any', 'outsider', 'POST', '/v1/tokens', wrong);
      }
      const headers = {
        'idempotency-key': card,
        'x-request-id': card,
        'user-agent': TEXT,
        'content-type': TEXT,
        traceparent: card,
        tracestate: `canary=${card}`,
        baggage: `mail=${value}`,
        cookie: card,
        'x-forwarded-for': card,
        'x-tokenmesh-identity': email,
        authorization: `Bearer ${card}`,
      };
      for (const [header, sent] of Object.entries(headers)) {
        await throughOwnEnvoy({ [header]: sent });
        // And past it, with the certificate of the node.
        await call('any', 'order', 'GET', '/v1/tokens/tkn_bcdf', undefined, { [header]: sent });
      }
      await throughGateway(JSON.stringify({ card, [email]: name }));
      await throughGateway('{}', card);
    },
    DEADLINE_MS,
  );

  it(
    'is shown by no command and on no page',
    async () => {
      const token = await tokenOf();
      for (const words of [
        'status',
        'status --json',
        'edges',
        'audit verify',
        'audit tail',
        'explain order tokenizer',
      ])
        await operator(words.split(' '));
      await operator(['audit', 'find', '-'], token);
      await operator(['audit', 'find', '-'], card);
      await operator(['token', '-'], `${card}x`);
      await operator(['detokenize', '-'], card);
      shown.push({
        name: 'events of the dashboard',
        text: JSON.stringify(await readEvents(suite.state.dashboardUrl, 'snapshot')),
      });
      expect(shown.length).toBeGreaterThan(70);
      expect(placesWithCanary(shown)).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'lies in no log, metric, trace, table, queue and bucket',
    async () => {
      const spans = receiver.bodies.map((body) => ({ name: 'trace', text: body.toString('latin1') }));
      const places = await placesOf(suite.state);
      expect(spans.length).toBeGreaterThan(5);
      for (const kind of ['file ', 'table ', 'bucket ', 'metrics ', 'page ']) {
        expect([kind, places.some((place) => place.name.startsWith(kind))]).toEqual([kind, true]);
      }
      expect(placesWithCanary([...places, ...spans])).toEqual([]);
    },
    DEADLINE_MS,
  );

  it('gets into no core dump: no process of the mesh may leave one', async () => {
    const pids = await Promise.all(suite.state.nodes.map(pidsOf));
    const limits = pids.flat().map((pid) => readFileSync(`/proc/${pid}/limits`, 'utf8'));
    expect(limits.length).toBeGreaterThan(10);
    const sizes = limits.map((text) => /^Max core file size +(\S+) +(\S+)/m.exec(text)?.slice(1));
    expect(sizes).toEqual(sizes.map(() => ['0', '0']));
  });

  it('would be found: one that is put there is', async () => {
    const { aws, bulk, directory } = suite.state;
    const { sqs } = bulkClients(aws.endpointUrl, aws.region);
    const MessageBody = Buffer.from(`a${card}`).toString('base64');
    await sqs.send(new SendMessageCommand({ QueueUrl: bulk.queue.deadLetterUrl, MessageBody }));
    writeFileSync(join(directory, 'planted.log'), `seen: ${Buffer.from(name).toString('hex')}`);
    const found = placesWithCanary(await placesOf(suite.state));
    expect(found.toSorted()).toEqual(['file /planted.log', `queue ${bulk.queue.deadLetterUrl}`]);
  });
});

async function pidsOf({ agentSocket, pids }: NodeState): Promise<number[]> {
  const status = await sidecarStatus(agentSocket);
  return [pids.agent, pids.app, status?.envoyPid].filter((pid) => pid !== undefined);
}

/** As the order app calls. Whoever takes its certificate past its Envoy may choose the id that its requests are logged under. */
async function throughOwnEnvoy(headers: Readonly<Record<string, string>>): Promise<void> {
  const dispatcher = createEgress(nodeState(suite.state, 'order').egressSocket);
  const { statusCode, body } = await request('http://tokenizer/v1/tokens', {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ fields: FIELDS }),
  });
  shown.push({ name: `answer ${statusCode} through the own Envoy`, text: await body.text() });
  await dispatcher.close();
}

async function throughGateway(body: string, bearer?: string): Promise<void> {
  const { dispatcher, gatewayUrl, token } = await shopOf(suite.state);
  const answer = await request(`${gatewayUrl}/orders`, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer ?? token}` },
    body,
  });
  shown.push({ name: `answer ${answer.statusCode} of the gateway`, text: await answer.body.text() });
  await dispatcher.close();
}
