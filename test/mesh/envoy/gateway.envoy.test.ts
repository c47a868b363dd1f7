/**
 * The way in from outside, on real Envoys: who gets through the gateway, and what the app is told of them.
 *
 * @module
 */

import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { Agent, request } from 'undici';
import { freePort } from '../../../local/free-port.ts';
import type { Mesh, VirtualGateway } from '../../../mesh/definition.ts';
import { identityOf } from '../../../mesh/identity.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { startEnvoyMesh, type EnvoyMesh } from '../../support/envoy-mesh.ts';
import {
  signedWithPublicKey,
  startTestIssuer,
  testKey,
  unsecured,
  withClaims,
  type TestIssuer,
  type TestKey,
} from '../../support/token-issuer.ts';

const DEADLINE_MS = 120_000;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The problem document, or the headers that the app got. */
  readonly document: Readonly<Record<string, unknown>>;
}

interface Sent {
  readonly method?: 'GET' | 'POST' | 'OPTIONS';
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Callers outside, over TLS. */
class Outside {
  readonly #url: string;
  readonly #dispatcher: Agent;

  constructor({ nodes, hierarchies }: EnvoyMesh) {
    const listener = nodes['gateway']?.placement.listener;
    this.#url = `https://127.0.0.1:${listener?.port}`;
    this.#dispatcher = new Agent({
      connect: {
        ca: hierarchies.servers.root.certificate,
        servername: identityOf(tokenizationMesh, 'gateway'),
      },
    });
  }

  async send({ method = 'POST', path = '/orders', headers = {} }: Sent = {}): Promise<Answer> {
    const answer = await request(`${this.#url}${path}`, { dispatcher: this.#dispatcher, method, headers });
    const text = await answer.body.text();
    const document = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: answer.statusCode, headers: answer.headers, document };
  }

  async with(token: string, sent: Sent = {}): Promise<Answer> {
    return await this.send({ ...sent, headers: { ...sent.headers, authorization: `Bearer ${token}` } });
  }

  async close(): Promise<void> {
    await this.#dispatcher.close();
  }
}

function withGateway(change: Partial<VirtualGateway>): Mesh {
  const { gateway } = tokenizationMesh.virtualGateways;
  if (gateway === undefined) throw new Error('the shipped mesh has changed');
  return { ...tokenizationMesh, virtualGateways: { gateway: { ...gateway, ...change } } };
}

const FAST_KEYS = { resourceServer: 'tokenmesh', keySeconds: 1 };

let issuer: TestIssuer;
let key: TestKey;
let other: TestKey;

beforeAll(async () => {
  [key, other] = await Promise.all([testKey('first'), testKey('second')]);
  issuer = await startTestIssuer(await freePort());
  issuer.publish(key);
}, DEADLINE_MS);
afterAll(async () => await issuer.stop());

const tokenWith = async (change: JWTPayload = {}): Promise<string> => await key.sign(issuer.claims(change));

async function startGateway(mesh: Mesh): Promise<{ envoys: EnvoyMesh; outside: Outside }> {
  const envoys = await startEnvoyMesh(mesh, ['gateway', 'order', 'outsider'], {
    tokenIssuer: issuer.asPlaced,
  });
  return { envoys, outside: new Outside(envoys) };
}

describe('the gateway as shipped', () => {
  let envoys: EnvoyMesh;
  let outside: Outside;
  beforeAll(async () => {
    ({ envoys, outside } = await startGateway(tokenizationMesh));
  }, DEADLINE_MS);
  afterAll(async () => {
    await outside.close();
    await envoys.stop();
  });

  it('lets a caller with a token through, and tells the app the subject and scopes, not the token', async () => {
    const token = await tokenWith();
    const { status, document } = await outside.with(token);
    expect(status).toBe(200);
    expect(document).toMatchObject({
      'x-tokenmesh-subject': 'a-subject',
      'x-tokenmesh-scopes': 'tokenmesh/orders.write tokenmesh/orders.read tokenmesh/payments.write',
      'x-tokenmesh-identity': 'gateway.tokenmesh.internal',
    });
    expect(JSON.stringify(document)).not.toContain(token.split('.')[2]);
    expect(document).not.toHaveProperty('authorization');
  });

  it('takes no subject or scope that the caller claims in a header', async () => {
    const { document } = await outside.with(await tokenWith(), {
      headers: { 'x-tokenmesh-subject': 'somebody-else', 'x-tokenmesh-scopes': 'tokenmesh/everything' },
    });
    expect(JSON.stringify(document)).not.toMatch(/somebody-else|everything/);
    expect(document['x-tokenmesh-subject']).toBe('a-subject');
  });

  it('leaves claims of a subject out that come from inside the mesh', async () => {
    const claimed = {
      'x-tokenmesh-subject': 'somebody-else',
      'x-tokenmesh-scopes': 'tokenmesh/orders.write',
    };
    const answer = await envoys.call('outsider', 'http://order/healthz', { headers: claimed });
    expect(answer.status).toBe(200);
    expect(answer.body).not.toContain('somebody-else');
    // Nor does the gateway's own egress pass them on: nothing behind its listener may speak for a caller.
    const own = await envoys.call('gateway', 'http://order/orders', { method: 'POST', headers: claimed });
    expect(own.status).toBe(200);
    expect(own.body).not.toContain('somebody-else');
  });

  const now = (): number => Math.floor(Date.now() / 1000);

  it.each<[string, () => Promise<string> | string]>([
    ['expired two minutes ago', async () => await tokenWith({ exp: now() - 120 })],
    ['is not valid yet', async () => await tokenWith({ nbf: now() + 120 })],
    ['never expires', async () => await tokenWith({ exp: undefined })],
    [
      'is of another issuer',
      async () => await tokenWith({ iss: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other' }),
    ],
    [
      'is of another issuer, who has keys of his own',
      async () => await other.sign(issuer.claims({ iss: 'https://evil.example' })),
    ],
    ["is forged in our issuer's name", async () => await other.sign(issuer.claims())],
    ['is signed by nobody (alg: none)', () => unsecured(issuer.claims())],
    ['is signed with the public key as a secret (HS256)', () => signedWithPublicKey(key, issuer.claims())],
    [
      'was altered after it was signed',
      async () => withClaims(await tokenWith(), issuer.claims({ sub: 'root' })),
    ],
    ['is for another client', async () => await tokenWith({ client_id: 'somebody' })],
    ['is for a client whose name begins alike', async () => await tokenWith({ client_id: 'shop2' })],
    ['names no client', async () => await tokenWith({ client_id: undefined, aud: 'shop' })],
    ['is an ID token', async () => await tokenWith({ token_use: 'id', aud: 'shop', client_id: undefined })],
    ['is an ID token with a client_id', async () => await tokenWith({ token_use: 'id' })],
    ['is no token', () => 'not.a.token'],
  ])('refuses a token that %s', async (_what, token) => {
    const { status, headers, document } = await outside.with(await token());
    expect({ status, code: document['code'] }).toEqual({ status: 401, code: 'ERR_TOKEN_INVALID' });
    expect(headers['www-authenticate']).toBe('Bearer realm="tokenmesh", error="invalid_token"');
    expect(headers['content-type']).toBe('application/problem+json');
    expect(document['remedy']).toMatch(/get a new one/);
  });

  it.each<[string, () => Promise<Sent>]>([
    ['no token', async () => ({})],
    ['no token, for a path that there is not', async () => ({ path: '/nothing' })],
    ['another scheme', async () => ({ headers: { authorization: 'Basic c2hvcDpzaG9w' } })],
    ['the token in the URL', async () => ({ path: `/orders?access_token=${await tokenWith()}` })],
    ['the token in a cookie', async () => ({ headers: { cookie: `access_token=${await tokenWith()}` } })],
  ])('refuses a caller with %s', async (_what, sent) => {
    const { status, headers, document } = await outside.send(await sent());
    expect({ status, code: document['code'] }).toEqual({ status: 401, code: 'ERR_TOKEN_MISSING' });
    expect(headers['www-authenticate']).toBe('Bearer realm="tokenmesh"');
  });

  it.each<[string, string | undefined]>([
    ['another scope', 'tokenmesh/orders.read'],
    ['no scope', undefined],
    ['a scope that begins alike', 'tokenmesh/orders.writer'],
    ['a scope that ends alike', 'xtokenmesh/orders.write'],
    ['the scope of another resource server', 'other/orders.write'],
    ['a scope with any letter for its dot', 'tokenmesh/orders-write'],
  ])('refuses a token with %s', async (_what, scope) => {
    const { status, headers, document } = await outside.with(await tokenWith({ scope }));
    expect({ status, code: document['code'] }).toEqual({ status: 403, code: 'ERR_SCOPE_MISSING' });
    expect(headers['www-authenticate']).toBe('Bearer realm="tokenmesh", error="insufficient_scope"');
  });

  it('asks for the scope of the very operation', async () => {
    const reader = await tokenWith({ scope: 'tokenmesh/orders.read' });
    const order = '/orders/f59557b2-ab46-4c8e-928a-de2e22d3c2dd';
    expect((await outside.with(reader, { method: 'GET', path: order })).status).toBe(200);
    const writer = await tokenWith({ scope: 'tokenmesh/orders.write' });
    expect((await outside.with(writer, { method: 'GET', path: order })).document['code']).toBe(
      'ERR_SCOPE_MISSING',
    );
    const paths = await outside.with(await tokenWith(), { path: '/nothing' });
    expect(paths.document['code']).toBe('ERR_MESH_DENIED');
  });

  it('answers the question of a page of an origin that may call, and of no other', async () => {
    const ask = async (origin: string): Promise<Answer> =>
      await outside.send({
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });
    const shop = await ask('https://shop.example');
    expect(shop.status).toBe(200);
    expect(shop.headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-methods': 'POST, GET',
      'access-control-max-age': '600',
    });
    expect(shop.headers).not.toHaveProperty('access-control-allow-credentials');
    for (const origin of [
      'https://evil.example',
      'https://shop.example.evil.example',
      'http://shop.example',
    ]) {
      const answer = await ask(origin);
      expect(answer.status).toBe(401);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('tells curl over HTTP/2 why it was refused, each time, also where it sends a body', () => {
    const { host, port } = envoys.nodes['gateway']?.placement.listener ?? { host: '', port: 0 };
    const name = identityOf(tokenizationMesh, 'gateway');
    const where = ['--resolve', `${name}:${port}:${host}`, `https://${name}:${port}/orders`];
    for (let turn = 0; turn < 10; turn += 1) {
      const { status, stdout } = spawnSync('curl', ['-s', '-k', '--http2', '-d', '{}', ...where], {
        encoding: 'utf8',
      });
      expect({ status, code: (JSON.parse(stdout || '{}') as { code?: string }).code }).toEqual({
        status: 0,
        code: 'ERR_TOKEN_MISSING',
      });
    }
  });

  it('lets the page read why it was refused', async () => {
    const { status, headers } = await outside.send({ headers: { origin: 'https://shop.example' } });
    expect(status).toBe(401);
    expect(headers['access-control-allow-origin']).toBe('https://shop.example');
  });
});

describe('a gateway', () => {
  let started: { envoys: EnvoyMesh; outside: Outside } | undefined;
  afterEach(async () => {
    issuer.setDown(false);
    issuer.publish(key);
    await started?.outside.close();
    await started?.envoys.stop();
    started = undefined;
  });

  async function start(change: Partial<VirtualGateway>): Promise<Outside> {
    started = await startGateway(withGateway(change));
    return started.outside;
  }

  async function untilAnswered(expected: number, ask: () => Promise<Answer>): Promise<Answer> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const answer = await ask();
      if (answer.status === expected || Date.now() > deadline) return answer;
      await sleep(50);
    }
  }

  it(
    'refuses a caller past its rate, and not another',
    async () => {
      const slow = { perSecond: 1, burst: 3 };
      const outside = await start({ rates: { all: { perSecond: 1_000, burst: 1_000 }, caller: slow } });
      const [one, two] = [await tokenWith({ sub: 'one' }), await tokenWith({ sub: 'two' })];
      const answers = await Promise.all(Array.from({ length: 10 }, async () => await outside.with(one)));
      const refused = answers.filter(({ status }) => status === 429);
      expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
      expect(refused.length).toBeGreaterThanOrEqual(3);
      expect(refused[0]?.document['code']).toBe('ERR_RATE_LIMITED');
      expect(refused[0]?.headers['retry-after']).toBe('1');
      expect((await outside.with(two)).status).toBe(200);
      expect((await untilAnswered(200, async () => await outside.with(one))).status).toBe(200);
    },
    DEADLINE_MS,
  );

  it(
    'refuses what comes too fast before it looks at any token',
    async () => {
      const outside = await start({ rates: { all: { perSecond: 1, burst: 2 } } });
      const answers = await Promise.all(Array.from({ length: 10 }, async () => await outside.send()));
      const codes = answers.map(({ document }) => document['code']);
      expect(codes).toContain('ERR_TOKEN_MISSING');
      expect(codes).toContain('ERR_RATE_LIMITED');
    },
    DEADLINE_MS,
  );

  it(
    'takes a new key of the issuer within the time that keys are held, and drops one that is withdrawn',
    async () => {
      const outside = await start({ authentication: FAST_KEYS });
      const [old, young] = [await tokenWith(), await other.sign(issuer.claims())];
      expect((await outside.with(young)).status).toBe(401);
      issuer.publish(key, other);
      expect((await untilAnswered(200, async () => await outside.with(young))).status).toBe(200);
      expect((await outside.with(old)).status).toBe(200);
      issuer.publish(other);
      expect((await untilAnswered(401, async () => await outside.with(old))).document['code']).toBe(
        'ERR_TOKEN_INVALID',
      );
      expect((await outside.with(young)).status).toBe(200);
    },
    DEADLINE_MS,
  );

  it(
    'goes on with the keys that it has while the issuer does not answer',
    async () => {
      const outside = await start({ authentication: FAST_KEYS });
      const token = await tokenWith();
      expect((await outside.with(token)).status).toBe(200);
      issuer.setDown(true);
      const before = issuer.asked;
      while (issuer.asked < before + 3) await sleep(50);
      expect((await outside.with(token)).status).toBe(200);
      expect((await outside.with(await other.sign(issuer.claims()))).status).toBe(401);
    },
    DEADLINE_MS,
  );

  it(
    'that never had the keys refuses everybody with 503, and lets them in once it has them',
    async () => {
      issuer.setDown(true);
      const outside = await start({ authentication: FAST_KEYS });
      const token = await tokenWith();
      const answer = await outside.with(token);
      expect({ status: answer.status, code: answer.document['code'] }).toEqual({
        status: 503,
        code: 'ERR_TOKEN_KEYS_UNAVAILABLE',
      });
      expect(answer.headers['retry-after']).toBe('1');
      expect((await outside.send()).document['code']).toBe('ERR_TOKEN_MISSING');
      issuer.setDown(false);
      expect((await untilAnswered(200, async () => await outside.with(token))).status).toBe(200);
    },
    DEADLINE_MS,
  );
});
