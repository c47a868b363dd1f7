/**
 * Policies and limits on a whole mesh as a user starts it: asked through Envoy, changed while it runs.
 *
 * @module
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState } from '../../operator/run-state.ts';
import { createEgress } from '../../runtime/egress.ts';
import { SHIPPED_POLICIES_DIRECTORY } from '../../sidecar/tokenizer/adapters/policy-set.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { command, mesh, StartedRun } from '../support/running-mesh.ts';

const START_DEADLINE_MS = 400_000;
const DEADLINE_MS = 60_000;
/** A changed file is in force within this: the poll, should nothing tell of the change, and the time to settle. */
const IN_FORCE_MS = 5_000;

const CARD = testCard('visa', 16).number;
const MASKED = { value: '************1111', form: 'masked' };
const REDACTED = { value: null, form: 'redacted' };
const plain = (value: string) => ({ value, form: 'plain' });
const FIELDS = {
  number: { class: 'pan', value: CARD },
  holder: { class: 'name', value: 'Joe Bloggs' },
  street: { class: 'address', value: '1 High Street' },
  note: { class: 'text', value: 'call first' },
};

const LIMITS = {
  order: { delete: { perSecond: 0.25, burst: 3 } },
  paybill: { 'read-metadata': { perSecond: 0.01, burst: 10 }, detokenize: { perSecond: 0.01, burst: 2_000 } },
};

let policies: string;
let run: StartedRun;

beforeAll(async () => {
  policies = mkdtempSync(join(tmpdir(), 'tokenmesh-policies-'));
  cpSync(SHIPPED_POLICIES_DIRECTORY, policies, { recursive: true });
  run = new StartedRun(undefined, [], {
    TOKENMESH_POLICIES_DIRECTORY: policies,
    TOKENMESH_LIMITS: JSON.stringify(LIMITS),
  });
  await run.says('stop       Ctrl-C', START_DEADLINE_MS);
}, START_DEADLINE_MS);

afterAll(async () => {
  await run.end();
  rmSync(policies, { recursive: true, force: true });
}, DEADLINE_MS);

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly document: Record<string, unknown>;
}

/** Calls the tokenizer through its Envoy, over mutual TLS as a node. */
async function callAs(
  node: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<Answer> {
  const files = identityFiles(run.state, node, 'client');
  const { listener, identity: servername } = nodeState(run.state, 'tokenizer');
  const [cert, key, ca] = [files.chain, files.key, files.trust].map((file) => readFileSync(file, 'utf8'));
  const dispatcher = new Agent({ connect: { cert, key, ca, servername } });
  const answer = await request(`https://${listener.host}:${listener.port}${path}`, {
    dispatcher,
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await answer.body.text();
  await dispatcher.close();
  return {
    status: answer.statusCode,
    retryAfter: answer.headers['retry-after']?.toString(),
    document: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

async function tokenOf(): Promise<string> {
  const { document } = await callAs('order', 'POST', '/v1/tokens', { fields: FIELDS });
  return String(document['token']);
}

async function revealed(token: string, more: object = {}): Promise<unknown> {
  const { status, document } = await callAs('paybill', 'POST', '/v1/detokenize', { token, ...more });
  return status === 200 ? document['fields'] : document['code'];
}

const policyState = async (): Promise<Record<string, unknown>> =>
  (await callAs('order', 'GET', '/readyz')).document['policy'] as Record<string, unknown>;

/** The metrics, from where they are served: inside the task. */
async function metrics(): Promise<string> {
  const dispatcher = createEgress(nodeState(run.state, 'tokenizer').appSocket ?? '');
  const answer = await request('http://tokenizer/metrics', { dispatcher });
  const text = await answer.body.text();
  await dispatcher.close();
  return text;
}

async function until(isSo: () => Promise<boolean>): Promise<number> {
  const started = performance.now();
  while (!(await isSo())) {
    if (performance.now() - started > IN_FORCE_MS) throw new Error(`expected it within ${IN_FORCE_MS} ms`);
    await sleep(50);
  }
  return performance.now() - started;
}

describe('the policy, asked through Envoy', () => {
  it('gives each form by identity, class and purpose', async () => {
    const token = await tokenOf();
    expect(await revealed(token)).toEqual({
      number: plain(CARD),
      holder: plain('Joe Bloggs'),
      street: plain('1 High Street'),
      note: REDACTED,
    });
    expect(await revealed(token, { purpose: 'curiosity' })).toEqual({
      number: MASKED,
      holder: { value: 'J*** B***', form: 'masked' },
      street: REDACTED,
      note: REDACTED,
    });
    expect(await revealed(token, { fields: ['street'], purpose: 'curiosity' })).toBe('ERR_CLASS_DENIED');
    expect(await revealed(token, { tenant: 'bank' })).toBe('ERR_TENANT_DENIED');
  });

  it.each([
    ['order', 'tokenize', 201],
    ['order', 'detokenize', 403],
    ['order', 'read-metadata', 200],
    ['order', 'delete', 204],
    ['paybill', 'tokenize', 403],
    ['paybill', 'detokenize', 200],
    ['paybill', 'read-metadata', 200],
    ['paybill', 'delete', 403],
    ['outsider', 'tokenize', 403],
    ['outsider', 'detokenize', 403],
    ['outsider', 'read-metadata', 403],
    ['outsider', 'delete', 403],
    ['gateway', 'tokenize', 403],
    ['gateway', 'detokenize', 403],
    ['gateway', 'read-metadata', 403],
    ['gateway', 'delete', 403],
  ] as const)('answers %s, who wants to %s, with %i', async (node, operation, status) => {
    const token = await tokenOf();
    const answers = {
      tokenize: () => callAs(node, 'POST', '/v1/tokens', { fields: FIELDS }),
      detokenize: () => callAs(node, 'POST', '/v1/detokenize', { token }),
      'read-metadata': () => callAs(node, 'GET', `/v1/tokens/${token}`),
      delete: () => callAs(node, 'DELETE', `/v1/tokens/${token}`),
    };
    expect((await answers[operation]()).status).toBe(status);
  });

  it(
    'is what the simulator says',
    async () => {
      const token = await tokenOf();
      const { number, street } = (await revealed(token, { purpose: 'curiosity' })) as Record<
        string,
        { form: string }
      >;
      const simulated = async (fieldClass: string): Promise<unknown> => {
        const asked = ['paybill', 'detokenize', '--class', fieldClass, '--purpose', 'curiosity', '--json'];
        const { stdout } = await mesh(run, ['policy', 'test', ...asked]);
        return (JSON.parse(stdout) as { form: string }).form;
      };
      expect([await simulated('pan'), await simulated('address')]).toEqual([number?.form, street?.form]);
      const stranger = await mesh(run, ['policy', 'test', 'paybill', 'detokenize', '--class', 'text']);
      expect([stranger.code, stranger.stdout]).toEqual([1, expect.stringContaining('DENIED')]);
    },
    DEADLINE_MS,
  );
});

describe('a policy file', () => {
  const added = (): string => join(policies, 'incident.cedar');

  it(
    'that is added is in force without a restart, and so is its removal',
    async () => {
      const { pids } = nodeState(run.state, 'tokenizer');
      const token = await tokenOf();
      const before = await policyState();
      writeFileSync(
        added(),
        '@id("incident.nothing-plain")\nforbid (principal, action == Action::"reveal-plain", resource);\n',
      );
      await until(async () => (await policyState())['revision'] !== before['revision']);
      expect(await revealed(token, { fields: ['number'] })).toEqual({ number: MASKED });
      expect(await policyState()).toMatchObject({ policies: Number(before['policies']) + 1 });
      rmSync(added());
      await until(async () => (await policyState())['revision'] === before['revision']);
      expect(await revealed(token, { fields: ['number'] })).toEqual({ number: plain(CARD) });
      expect(nodeState(run.state, 'tokenizer').pids).toEqual(pids);
      expect(() => process.kill(pids.app ?? 0, 0)).not.toThrow();
    },
    DEADLINE_MS,
  );

  it(
    'that is not valid is refused: the old ones stay, and readiness, the metrics and the log say so',
    async () => {
      const token = await tokenOf();
      const before = await policyState();
      writeFileSync(
        added(),
        '@id("incident")\npermit (principal, action, resource) when { context.mood };\n',
      );
      await until(async () => (await policyState())['updateRefusedAt'] !== undefined);
      expect(await policyState()).toMatchObject(before);
      expect(await revealed(token, { fields: ['street'], purpose: 'curiosity' })).toBe('ERR_CLASS_DENIED');
      expect(await revealed(token, { fields: ['number'] })).toEqual({ number: plain(CARD) });
      expect(await metrics()).toMatch(/^tokenmesh_tokenizer_policy_update_refused 1$/m);
      const log = readFileSync(join(run.state.directory, 'app-of-tokenizer.log'), 'utf8');
      expect(log).toMatch(/"level":"error".*incident\.cedar:2: .*"msg":"changed policy files were refused"/);
      const checked = await mesh(run, ['policy', 'check', policies]);
      expect(checked).toMatchObject({ code: 1, stderr: expect.stringContaining('incident.cedar:2: ') });
      rmSync(added());
      await until(async () => (await policyState())['updateRefusedAt'] === undefined);
      expect(await metrics()).toMatch(/^tokenmesh_tokenizer_policy_update_refused 0$/m);
    },
    DEADLINE_MS,
  );

  it(
    'that is not valid at the start keeps the service from starting, naming file and line',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-policies-'));
      writeFileSync(join(directory, 'a.cedar'), '\npermit (everything);\n');
      const main = join(import.meta.dirname, '..', '..', 'sidecar', 'tokenizer', 'main.ts');
      const { code, stdout } = await command(process.execPath, [main], {
        TOKENMESH_APP_SOCKET: join(directory, 'app.sock'),
        TOKENMESH_KMS_KEY_ARN: run.state.vaultKeyArn,
        AWS_REGION: 'us-east-1',
        TOKENMESH_POLICIES_DIRECTORY: directory,
      });
      rmSync(directory, { recursive: true });
      expect([code, stdout]).toEqual([
        1,
        expect.stringMatching(/ERR_POLICY_INVALID.*a\.cedar:2: .*policy check/),
      ]);
    },
    DEADLINE_MS,
  );
});

describe('a limit', () => {
  it(
    'answers 429 with the seconds to wait, after which the call is served',
    async () => {
      const gone = `/v1/tokens/${await tokenOf()}`;
      await sleep(13_000);
      const statuses: number[] = [];
      for (let call = 0; call < 3; call += 1) statuses.push((await callAs('order', 'DELETE', gone)).status);
      expect(statuses).toEqual([204, 404, 404]);
      const refused = await callAs('order', 'DELETE', gone);
      expect(refused).toMatchObject({ status: 429, document: { status: 429, code: 'ERR_RATE_LIMITED' } });
      const seconds = Number(refused.retryAfter);
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(4);
      await sleep(seconds * 1_000);
      expect((await callAs('order', 'DELETE', gone)).status).toBe(404);
    },
    DEADLINE_MS,
  );

  it('counts every item of a batch, and does nothing of one that is over it', async () => {
    const send = async (count: number): Promise<Answer> => {
      const items = Array.from({ length: count }, () => ({ token: 'not a token' }));
      return await callAs('paybill', 'POST', '/v1/detokenize/batch', { items });
    };
    expect(await send(1_000)).toMatchObject({ status: 200 });
    expect(await send(1_000)).toMatchObject({ status: 429, document: { code: 'ERR_RATE_LIMITED' } });
    expect(await send(100)).toMatchObject({ status: 200 });
  });

  it('is of one identity and operation alone, and refusals are counted by both', async () => {
    const token = await tokenOf();
    for (let call = 0; call < 10; call += 1) await callAs('paybill', 'GET', `/v1/tokens/${token}`);
    expect((await callAs('paybill', 'GET', `/v1/tokens/${token}`)).status).toBe(429);
    expect((await callAs('order', 'GET', `/v1/tokens/${token}`)).status).toBe(200);
    expect(await revealed(token, { fields: ['number'] })).toEqual({ number: plain(CARD) });
    const text = await metrics();
    for (const [node, operation] of [
      ['paybill', 'read-metadata'],
      ['paybill', 'detokenize'],
      ['order', 'delete'],
    ]) {
      expect(text).toMatch(
        new RegExp(
          `refusals_total\\{node="${node}",operation="${operation}",code="ERR_RATE_LIMITED"\\} [1-9]`,
        ),
      );
    }
    expect(text.match(/\{.*\}/g)?.filter((labels) => /tkn_[b-t]|\d{6}/.test(labels))).toEqual([]);
  });
});
