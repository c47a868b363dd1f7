/**
 * The whole mesh, started as a user starts it, looked at from outside.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { searchForLeaks } from '../../local/leaks.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { listenerCounters } from '../../operator/facts/envoy-admin.ts';
import { identityFiles } from '../../operator/identities.ts';
import type { ListenerCounters } from '../../operator/checks/seen.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import type { MeshStatus } from '../../operator/status.ts';
import type { Verification } from '../../operator/verify.ts';
import { TEST_CARDS, testCard } from '../../sample-apps/test-cards.ts';
import { command, leftOf, mesh, StartedRun } from '../support/running-mesh.ts';
import {
  callTokenizerAs,
  certificateIn,
  certificateOption,
  curl,
  sClient,
  startLoad,
  type Answer,
  type Call,
} from '../support/tokenizer-port.ts';

const START_DEADLINE_MS = 400_000;
const DEADLINE_MS = 120_000;

const CARD = testCard('visa', 16).number;
const DETOKENIZED = { fields: { number: { value: CARD, form: 'plain' } } };

let run: StartedRun;
let state: RunState;

beforeAll(async () => {
  run = new StartedRun();
  await run.says('stop       Ctrl-C', START_DEADLINE_MS);
  state = run.state;
}, START_DEADLINE_MS);

afterAll(async () => {
  await run.end();
}, DEADLINE_MS);

const identity = (node: string) => identityFiles(state, node, 'client');
const tokenizer = () => nodeState(state, 'tokenizer');
const probe = (kind: string, tool: 'curl' | 'openssl'): string[] =>
  certificateIn(join(state.directory, 'probes', kind), tool);
const orderCertificate = (tool: 'curl' | 'openssl'): string[] =>
  certificateOption(tool, identity('order').chain, identity('order').key);

async function callAs(node: string, ...call: Call): Promise<Answer> {
  return await callTokenizerAs(state, node, ...call);
}

const record = (value: string, more: object = {}): string =>
  JSON.stringify({ fields: { number: { class: 'pan', value } }, ...more });

async function tokenOf(value: string, more: object = {}): Promise<string> {
  const { status, document } = await callAs('order', 'POST', '/v1/tokens', record(value, more));
  expect(status).toBe(201);
  return String(document['token']);
}

describe('npm start', () => {
  it('prints the handshake table, in which every edge holds', () => {
    expect(run.output).toMatch(/outside -> gateway\s+│ one-way/);
    for (const edge of [
      'gateway -> order',
      'gateway -> paybill',
      'order -> tokenizer',
      'paybill -> tokenizer',
    ]) {
      expect(run.output).toMatch(new RegExp(`${edge}\\s+│ mtls .*│ ok │`));
    }
    expect(run.output).not.toContain('FAILED');
  });

  it('has placed 20 orders, rotated with none failing, and refused the outsider in everything', () => {
    expect(run.output).toContain('20 orders placed and paid through the gateway');
    expect(run.output).toMatch(/[1-9]\d* orders meanwhile, 0 failed/);
    const [, refused, attempts] = /(\d+) of (\d+) attempts refused/.exec(run.output) ?? [];
    expect(Number(attempts)).toBeGreaterThan(20);
    expect(refused).toBe(attempts);
  });

  it('refuses a second run of the same folder', async () => {
    const second = await command('npm', ['start', '--silent'], { TOKENMESH_STATE: run.stateFile });
    expect(second).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('running from this folder already'),
    });
  });
});

describe("the tokenizer's port", () => {
  it(
    "opens to openssl and curl with a member's certificate",
    async () => {
      const openssl = await sClient(
        state,
        '-cert',
        identity('order').cert,
        '-cert_chain',
        identity('order').chain,
        '-key',
        identity('order').key,
      );
      expect(openssl.stdout).toContain('Verify return code: 0 (ok)');
      expect(openssl.stdout).toContain('HTTP/1.1 200');
      expect(await curl(state, ...orderCertificate('curl'))).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('200'),
      });
    },
    DEADLINE_MS,
  );

  it.each<[string, (tool: 'curl' | 'openssl') => string[], keyof ListenerCounters]>([
    ['no certificate', () => [], 'failVerifyNoCert'],
    ["another CA's certificate", (tool) => probe('other-ca', tool), 'failVerifyError'],
    ['an expired certificate', (tool) => probe('expired', tool), 'failVerifyError'],
    ['a name that is not of the mesh', (tool) => probe('other-name', tool), 'failVerifySan'],
    [
      'TLS 1.2',
      (tool) => [...(tool === 'curl' ? ['--tls-max', '1.2'] : ['-tls1_2']), ...orderCertificate(tool)],
      'connectionError',
    ],
  ])(
    'refuses %s to curl and to openssl, and counts why',
    async (_what, options, counter) => {
      const counted = async (): Promise<number> =>
        Number((await listenerCounters(tokenizer().adminUrl))[counter]);
      const before = await counted();
      const byCurl = await curl(state, ...options('curl'));
      expect(byCurl.code).not.toBe(0);
      expect(byCurl.stdout.trim()).toBe('000');
      expect(await counted()).toBe(before + 1);
      const byOpenssl = await sClient(state, ...options('openssl'));
      expect(byOpenssl.stdout).not.toContain('HTTP/1.1');
      expect(byOpenssl.stderr).toMatch(/alert/);
      expect(await counted()).toBe(before + 2);
    },
    DEADLINE_MS,
  );

  it(
    'proves its own name: a caller who expects another refuses it',
    async () => {
      const { stdout, stderr } = await sClient(
        state,
        ...orderCertificate('openssl'),
        '-verify_hostname',
        'paybill.tokenmesh.internal',
      );
      expect(stdout).not.toContain('HTTP/1.1');
      expect(stderr).toMatch(/hostname mismatch/i);
    },
    DEADLINE_MS,
  );

  it(
    'refuses plaintext, and counts it',
    async () => {
      const { listener, adminUrl } = tokenizer();
      const before = await listenerCounters(adminUrl);
      const { code } = await command('curl', [
        '--silent',
        '--max-time',
        '10',
        `http://${listener.host}:${listener.port}/healthz`,
      ]);
      expect(code).not.toBe(0);
      expect((await listenerCounters(adminUrl)).connectionError).toBe(before.connectionError + 1);
    },
    DEADLINE_MS,
  );

  it('counts no handshake without a certificate', async () => {
    const counted = await listenerCounters(tokenizer().adminUrl);
    expect(counted.handshake).toBeGreaterThan(0);
    expect(counted.noCertificate).toBe(0);
    expect(counted.failVerifyNoCert).toBeGreaterThan(0);
  });
});

describe('a token', () => {
  it(
    'comes from standard input, and leads back to the card',
    async () => {
      const made = await mesh(run, ['token', '-'], CARD);
      expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tkn_[b-t]{40}\n$/) });
      const back = await mesh(run, ['detokenize', '-'], made.stdout);
      expect(back.code).toBe(0);
      expect(JSON.parse(back.stdout)).toEqual(DETOKENIZED);
    },
    DEADLINE_MS,
  );

  it.each([
    [['token', CARD]],
    [['token', '-', CARD]],
    [['token', '-', `--${CARD}`]],
    [[CARD]],
    [['rotate', CARD]],
  ])(
    'is refused as an argument, without the argument being shown (%#)',
    async (given) => {
      const { code, stdout, stderr } = await mesh(run, given);
      expect(code).toBe(2);
      expect(stderr).not.toBe('');
      expect(stdout + stderr).not.toContain(CARD.slice(0, 6));
    },
    DEADLINE_MS,
  );

  it('is turned back for paybill, not for order and not for the outsider', async () => {
    const token = await tokenOf(CARD);
    const body = JSON.stringify({ token });
    expect(await callAs('paybill', 'POST', '/v1/detokenize', body)).toMatchObject({
      status: 200,
      document: DETOKENIZED,
    });
    for (const node of ['order', 'outsider', 'gateway']) {
      expect(await callAs(node, 'POST', '/v1/detokenize', body)).toMatchObject({ status: 403 });
    }
  });

  it('is masked for a purpose that the definition does not name', async () => {
    const token = await tokenOf(CARD);
    const { document } = await callAs(
      'paybill',
      'POST',
      '/v1/detokenize',
      JSON.stringify({ token, purpose: 'curiosity' }),
    );
    expect(document).toEqual({ fields: { number: { value: '************1111', form: 'masked' } } });
  });

  it('is described without its value, and is gone once deleted', async () => {
    const token = await tokenOf(CARD);
    const described = await callAs('order', 'GET', `/v1/tokens/${token}`);
    expect(described.document).toMatchObject({ token, fields: { number: { class: 'pan' } } });
    expect(JSON.stringify(described.document)).not.toContain(CARD);
    expect((await callAs('paybill', 'DELETE', `/v1/tokens/${token}`)).status).toBe(403);
    expect((await callAs('order', 'DELETE', `/v1/tokens/${token}`)).status).toBe(204);
    expect((await callAs('order', 'GET', `/v1/tokens/${token}`)).status).toBe(404);
    expect((await callAs('paybill', 'POST', '/v1/detokenize', JSON.stringify({ token }))).status).toBe(404);
  });

  it(
    'comes for each of 1,000 items of a batch, and leads back',
    async () => {
      const values = Array.from(
        { length: 1_000 },
        (_, index) => TEST_CARDS[index % TEST_CARDS.length]?.number ?? '',
      );
      const made = await callAs(
        'order',
        'POST',
        '/v1/tokens/batch',
        JSON.stringify({ items: values.map((value) => JSON.parse(record(value)) as unknown) }),
      );
      expect(made.status).toBe(200);
      const tokens = (made.document['results'] as { token: string }[]).map(({ token }) => token);
      expect(new Set(tokens).size).toBe(1_000);
      const back = await callAs(
        'paybill',
        'POST',
        '/v1/detokenize/batch',
        JSON.stringify({ items: tokens.map((token) => ({ token })) }),
      );
      const results = back.document['results'] as { fields: { number: { value: string } } }[];
      expect(results.map(({ fields }) => fields.number.value)).toEqual(values);
    },
    DEADLINE_MS,
  );
});

describe('bad input', () => {
  const unknown = `tkn_${'b'.repeat(32)}`;

  it.each<[string, () => Promise<Answer>, number]>([
    ['no body', async () => await callAs('order', 'POST', '/v1/tokens'), 400],
    ['a body that is not JSON', async () => await callAs('order', 'POST', '/v1/tokens', '{"fields":'), 400],
    [
      'another media type',
      async () => await callAs('order', 'POST', '/v1/tokens', record(CARD), 'text/plain'),
      415,
    ],
    [
      'a field that is not in the document',
      async () => await callAs('order', 'POST', '/v1/tokens', record(CARD, { colour: 'red' })),
      400,
    ],
    [
      'an unknown class',
      async () =>
        await callAs(
          'order',
          'POST',
          '/v1/tokens',
          JSON.stringify({ fields: { a: { class: 'shoe', value: 'x' } } }),
        ),
      400,
    ],
    [
      'a card number that is none',
      async () => await callAs('order', 'POST', '/v1/tokens', record(`${CARD.slice(0, -1)}2`)),
      400,
    ],
    [
      'a value that is too long',
      async () =>
        await callAs(
          'order',
          'POST',
          '/v1/tokens',
          JSON.stringify({ fields: { a: { class: 'text', value: 'x'.repeat(5_000) } } }),
        ),
      413,
    ],
    [
      '1,001 items',
      async () =>
        await callAs(
          'order',
          'POST',
          '/v1/tokens/batch',
          JSON.stringify({ items: Array.from({ length: 1_001 }, () => JSON.parse(record(CARD)) as unknown) }),
        ),
      413,
    ],
    [
      'a body of nine megabytes',
      async () => await callAs('order', 'POST', '/v1/tokens', `"${'x'.repeat(9_000_000)}"`),
      413,
    ],
    ['a path that is not UTF-8', async () => await callAs('order', 'GET', `/v1/tokens/${CARD}%ff`), 400],
    [
      'a token of a thousand letters',
      async () => await callAs('order', 'GET', `/v1/tokens/${'b'.repeat(1_000)}`),
      414,
    ],
    [
      'another charset',
      async () =>
        await callAs('order', 'POST', '/v1/tokens', record(CARD), 'application/json; charset=iso-8859-1'),
      415,
    ],
    [
      'a field name that could be a card number',
      async () =>
        await callAs(
          'order',
          'POST',
          '/v1/tokens',
          JSON.stringify({ fields: { [`n${CARD}`]: { class: 'text', value: 'x' } } }),
        ),
      400,
    ],
    [
      'a purpose that is no text',
      async () =>
        await callAs(
          'paybill',
          'POST',
          '/v1/detokenize',
          JSON.stringify({ token: unknown, purpose: '\ud800' }),
        ),
      400,
    ],
    [
      'a tenant of somebody else',
      async () => await callAs('order', 'POST', '/v1/tokens', record(CARD, { tenant: 'bank' })),
      403,
    ],
    [
      'a malformed token',
      async () => await callAs('paybill', 'POST', '/v1/detokenize', JSON.stringify({ token: unknown })),
      400,
    ],
    ['a malformed token in a path', async () => await callAs('order', 'GET', '/v1/tokens/nothing'), 400],
    [
      'a method that nobody is granted',
      async () => await callAs('order', 'PUT', '/v1/tokens', record(CARD)),
      403,
    ],
    ['a route that is not there', async () => await callAs('order', 'GET', '/v1/nothing'), 403],
  ])('%s gets a problem document with a remedy', async (_what, attempt, status) => {
    const answer = await attempt();
    expect(answer).toMatchObject({
      status,
      type: expect.stringContaining('application/problem+json'),
      document: {
        type: expect.stringMatching(/^urn:tokenmesh:error:ERR_/),
        title: expect.any(String),
        status,
        code: expect.stringMatching(/^ERR_/),
        remedy: expect.stringMatching(/./),
      },
    });
    expect(JSON.stringify(answer.document)).not.toContain(CARD.slice(0, 8));
  });

  it('an unknown token is 404 and an expired one is 410', async () => {
    // Long enough that a busy machine still reads it in time.
    const token = await tokenOf(CARD, { ttlSeconds: 6 });
    expect((await callAs('paybill', 'POST', '/v1/detokenize', JSON.stringify({ token }))).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 6_100));
    expect(await callAs('paybill', 'POST', '/v1/detokenize', JSON.stringify({ token }))).toMatchObject({
      status: 410,
      document: { code: 'ERR_TOKEN_EXPIRED' },
    });
    const gone = await tokenOf(CARD);
    await callAs('order', 'DELETE', `/v1/tokens/${gone}`);
    expect(await callAs('paybill', 'POST', '/v1/detokenize', JSON.stringify({ token: gone }))).toMatchObject({
      status: 404,
      document: { code: 'ERR_TOKEN_UNKNOWN' },
    });
  });

  it('is one item of a batch, and leaves the others alone', async () => {
    const items = [CARD, 'not a card', CARD].map((value) => ({
      fields: { number: { class: 'pan', value } },
    }));
    const { status, document } = await callAs('order', 'POST', '/v1/tokens/batch', JSON.stringify({ items }));
    expect(status).toBe(200);
    expect(document['results']).toEqual([
      { token: expect.any(String), createdAt: expect.any(String) },
      { error: expect.objectContaining({ status: 400, remedy: expect.any(String) }) },
      { token: expect.any(String), createdAt: expect.any(String) },
    ]);
  });
});

describe("the operator's command", () => {
  it(
    'shows what runs, with PEM files that the owner alone can read',
    async () => {
      const { code, stdout } = await mesh(run, ['status', '--json']);
      expect(code).toBe(0);
      const status = JSON.parse(stdout) as MeshStatus;
      expect(status.nodes.map((node) => [node.name, node.listener.tls])).toEqual([
        ['gateway', 'one-way'],
        ['order', 'mtls'],
        ['paybill', 'mtls'],
        ['outsider', 'mtls'],
        ['tokenizer', 'mtls'],
      ]);
      for (const node of status.nodes) {
        expect(node.pid.envoy).toBeGreaterThan(0);
        for (const role of ['client', 'server'] as const) {
          for (const file of Object.values(node.certificates[role])) {
            const { stdout: mode } = await command('stat', ['-c', '%a', file]);
            expect(mode.trim()).toBe('600');
          }
        }
      }
      expect(status.cas.map((ca) => ca.name)).toEqual([
        'clients-root',
        'clients-issuing',
        'servers-root',
        'servers-issuing',
      ]);
    },
    DEADLINE_MS,
  );

  it(
    'verifies everything, with an exit code and one JSON document',
    async () => {
      const { code, stdout } = await mesh(run, ['verify', '--json']);
      const verification = JSON.parse(stdout) as Verification;
      expect(verification.checks.filter((check) => !check.ok)).toEqual([]);
      expect(code).toBe(0);
      expect(verification.checks.length).toBeGreaterThan(100);
    },
    DEADLINE_MS,
  );

  it(
    'rotates a node, and the new serials are served',
    async () => {
      const before = readFileSync(identity('order').cert, 'utf8');
      const { code, stdout } = await mesh(run, ['rotate', 'order']);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /order server: \w+\.\.\. -> \w+\.\.\., published after \d+ ms, served after \d+ ms\norder client/,
      );
      expect(readFileSync(identity('order').cert, 'utf8')).not.toBe(before);
    },
    DEADLINE_MS,
  );

  it.each([
    ['an unknown verb', ['dance'], 2],
    ['an unknown node', ['rotate', 'nobody'], 2],
    ['an unknown role', ['rotate', 'order', '--role', 'king'], 2],
  ])(
    'refuses %s',
    async (_what, given, code) => {
      const answer = await mesh(run, given);
      expect(answer.code).toBe(code);
      expect(answer.stderr).not.toBe('');
    },
    DEADLINE_MS,
  );

  it(
    'says what to do when nothing is running',
    async () => {
      const elsewhere = { TOKENMESH_STATE: join(state.directory, 'no-such-run.json') };
      const answer = await command('npm', ['run', '--silent', 'mesh', '--', 'status'], elsewhere);
      expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining('start it with: npm start') });
    },
    DEADLINE_MS,
  );
});

describe('a secret that cannot be used', () => {
  it(
    'is told by verify with what to do, keeps nobody from the rest, and is mended by a rotation',
    async () => {
      const { secretsManager } = emulatorClients(state.aws.endpointUrl, state.aws.region);
      const SecretId = 'tokenmesh/order/server/certificate';
      await secretsManager.send(new PutSecretValueCommand({ SecretId, SecretString: 'not json' }));
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      const verified = await mesh(run, ['verify', '--json']);
      expect(verified.code).toBe(1);
      expect(verified.stderr).toContain('warning: order server');
      const failed = (JSON.parse(verified.stdout) as Verification).checks.filter((check) => !check.ok);
      expect(failed.map((check) => [check.id, check.subject])).toEqual([
        ['certificates.taken', 'order server'],
      ]);
      expect(failed[0]?.hint).toContain('npm run mesh -- rotate');
      expect(await mesh(run, ['status'])).toMatchObject({ code: 0 });
      expect(await mesh(run, ['rotate', 'order', '--role', 'server'])).toMatchObject({ code: 0 });
      expect(await mesh(run, ['verify'])).toMatchObject({ code: 0 });
    },
    DEADLINE_MS,
  );
});

describe('a rotation under load', () => {
  it(
    'fails no request of 32 connections',
    async () => {
      const load = startLoad(state, 32, record(CARD));
      await load.warm;
      const before = await listenerCounters(tokenizer().adminUrl);
      const { code, stdout } = await mesh(run, ['rotate', 'tokenizer']);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const after = await listenerCounters(tokenizer().adminUrl);
      const { answered, failures, seconds } = await load.stop();
      process.stdout.write(
        `rotation under load: ${answered} requests, ${Math.round(answered / seconds)} a second, ${failures.length} failed\n${stdout}`,
      );
      expect(code).toBe(0);
      expect(failures).toEqual([]);
      // New connections were made all the while, so the swap was met, and not only survived by what was open.
      expect(after.handshake - before.handshake).toBeGreaterThan(100);
      expect(answered).toBeGreaterThan(500);
    },
    DEADLINE_MS,
  );
});

describe('what is written', () => {
  it(
    'holds no card number: not in a log, not in a file, not in a table',
    async () => {
      const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
      const numbers = TEST_CARDS.map((card) => card.number);
      const search = await searchForLeaks(state.directory, dynamodb, Object.values(state.tables), numbers);
      expect(search.found).toEqual([]);
      expect(search.files).toBeGreaterThan(50);
      expect(search.items).toBeGreaterThan(1_000);
    },
    DEADLINE_MS,
  );

  it(
    'holds no whole token in a log',
    async () => {
      const token = await tokenOf(CARD);
      await callAs('order', 'GET', `/v1/tokens/${token}`);
      await callAs('paybill', 'POST', '/v1/detokenize', JSON.stringify({ token }));
      const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
      expect((await searchForLeaks(state.directory, dynamodb, [], [token])).found).toEqual([]);
    },
    DEADLINE_MS,
  );
});

describe('Ctrl-C', () => {
  it(
    'ends with 130, and leaves nothing',
    async () => {
      expect(await run.end()).toBe(130);
      expect(leftOf(state)).toEqual([]);
    },
    DEADLINE_MS,
  );
});
